"The texts that a reader may see in another language, as the code has them."

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import tree

STATIC = tree.PACKAGE / "app" / "static"
LISTED = {"marked", "headline"}  # write MARKS, which `tables` lists


def _literal(node: ast.AST) -> list[str]:
    "Return the texts that an argument may be: a literal, or either side of a condition."
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literal(node.body) + _literal(node.orelse)
    return []


def _calls(source: str) -> Iterator[str | tuple[str, str]]:
    "Yield the texts that a program asks its catalogue for."
    pairs = {}  # name -> a pair of forms that is given a name first
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            texts = [t for e in node.value.elts for t in _literal(e)]
            if len(texts) == 2 and all("{n}" in t for t in texts):
                names = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
                pairs |= dict.fromkeys([",".join(names)], tuple(texts))
    yield from pairs.values()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func)
        if name in ("words", "stop_report") or name.endswith(").gettext"):
            for text in _literal(node.args[0]):
                yield text[:1].upper() + text[1:].rstrip(".") if name == "stop_report" else text
        elif name == "words.plural" and len(node.args) > 2:
            one, many = _literal(node.args[0]), _literal(node.args[1])
            yield from [(one[0], many[0])] if one and many else []
        elif name == "counted" and len(node.args) > 2:
            yield from [(f"{{n}} {noun}", f"{{n}} {noun}s") for noun in _literal(node.args[1])]


def tables() -> set[str]:
    "The texts that stand in tables and default values instead of calls."
    from smart_customer_analysis.insight import charts
    from smart_customer_analysis.insight.maps import _classes
    from smart_customer_analysis.report.page import KEY, MARKS

    texts = (
        {t for entry in KEY.items() for t in entry} | set(charts.EVIDENCE.values()) | {"hidden", "wide", "new", "left"}
    )
    texts |= {re.sub(r"^[▲▼–◆] ?", "", t) for t in MARKS.values()}
    texts |= {t for metric in ("share", "difference") for t in _classes(metric)[2] if re.search("[a-z]", t)}
    for name in (n for n in charts.__all__ if callable(getattr(charts, n))):
        values = inspect.signature(getattr(charts, name)).parameters
        texts |= {values[p].default for p in ("title", "subtitle") if p in values}
    from smart_customer_analysis.view.trust import LENGTH_NAMES

    texts |= {"negative", "positive", "Stars", "Words", "Region", *LENGTH_NAMES}
    return (texts | rules() | ALWAYS) - {""}


ALWAYS = {"always negative", "always positive"}  # who a model is compared with


def rules() -> set[str]:
    "The rules that refuse a row, in words."
    names = {f"repeated_{kind}_id" for kind in ("review", "customer", "order", "product")}
    for path in (tree.PACKAGE / "data").glob("*.py"):
        program = path.read_text(encoding="utf-8")
        names |= set(re.findall(r'(?:log\.add|_Broken)\(\s*"(\w+)"', program))
        names |= set(re.findall(r'return "(\w+)", ', program)) | set(re.findall(r'_set_aside\([^"]*"(\w+)"', program))
    return {name.replace("_", " ") for name in names}


def of_reports() -> set[str | tuple[str, str]]:
    "Every text of the domain `texts`."
    texts = set(tables())
    for path in tree.generated():
        texts |= set(_calls(path.read_text(encoding="utf-8")))
    for path in sorted((tree.NBS / "reports").glob("*.ipynb")):
        for cell in tree.cells(path):
            if cell["cell_type"] == "code":
                texts |= set(_calls(tree.source(cell)))
    return texts


_TEXT = r'"((?:[^"\\]|\\.)*)"'
_ONE = re.compile(rf"\bt\(\s*{_TEXT}")
_FORMS = re.compile(rf"\btn\(\s*{_TEXT},\s*{_TEXT}")
_PLURAL = re.compile(rf'\bplural\([^"`]*?,\s*{_TEXT}(?:,\s*{_TEXT})?\)')  # a number and a noun


def of_page() -> set[str | tuple[str, str]]:
    "Every text of the domain `page`: of `t(…)`, `tn(…)` and `plural(…)` in the programs, and marked in the frame."
    texts: set[str | tuple[str, str]] = rules() | ALWAYS | of_forms()
    for path in sorted((STATIC / "js").rglob("*.js")):
        source = path.read_text(encoding="utf-8")
        texts |= {_unescaped(t) for t in _ONE.findall(source)}
        texts |= {(_unescaped(a), _unescaped(b)) for a, b in _FORMS.findall(source)}
        texts |= {(f"{{n}} {one}", f"{{n}} {many or one + 's'}") for one, many in _PLURAL.findall(source)}
    frame = (STATIC / "index.html").read_text(encoding="utf-8")
    texts |= {" ".join(t.split()) for t in re.findall(r"<[^>]*\bdata-t\b[^>]*>([^<]+)<", frame)}
    labelled = re.findall(r"<[^>]*\bdata-t-label\b[^>]*>", frame)
    texts |= {text for tag in labelled for text in re.findall(r'aria-label="([^"]+)"', tag)}
    return texts - {""}


def of_forms() -> set[str]:
    "What the form of a shipped report shows of its notebook: title, names of the parameters, their comments."
    from smart_customer_analysis.report.parameters import described, json_schema

    texts = set()
    for template in sorted((tree.NBS / "reports").glob("9*.ipynb")):
        name, _, asks = described(template)[0].partition(": ")
        texts |= {name, asks}
        for parameter in json_schema(template)["properties"].values():
            pieces = [p.strip() for p in parameter["description"].split("; ") if not p.startswith("one of: ")]
            empty = [p.removeprefix("empty: ") for p in pieces if p.startswith("empty: ")]
            chosen = "enum" in parameter or parameter["title"] in ("Source", "Region")  # a list says what empty means
            hints = {"; ".join(pieces), "; ".join(p for p in pieces if not (chosen and p.startswith("empty: ")))}
            if parameter.get("enum"):
                hints.remove("; ".join(pieces))  # always a list
            hints = {re.sub(r",? ?\(?YYYY-MM-DD\)?", "", hint) for hint in hints}
            texts |= {parameter["title"], *(hint[:1].upper() + hint[1:] for hint in hints), *(empty if chosen else [])}
    return texts


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


_CALL = re.compile(rf"\b(?:t\(\s*{_TEXT}|tn\(\s*{_TEXT},\s*{_TEXT}|plural\([^\"`]*?,\s*{_TEXT}(?:,\s*{_TEXT})?)")
# English that is meant to stay: comments, names of the key, and what is downloaded.
_STAYS = re.compile(
    r"//.*$|WHY\[\"[^\"]*\"|(?:csv: \(\) => |csvOf = \(d\) => )\(\{\s*title: (?:\"[^\"]*\"|`[^`]*`)", re.M
)
_PROSE = re.compile(
    r"(?:^|[ :,(])(?:the|of|and|to|is|are|was|were|with|by|all|not|no|this|that|from|in|on|than|too|here|your)"
    r"(?:[ .:,)]|$)"
)
_NAMES = {"Segoe UI", "Noto Sans", "Calinski–Harabasz", "no known word", "too short", "too long"}
_NAMES |= {"Home", "End", "Escape", "Enter", "Cancelled", "Polygon", "Feature"}  # of keys, errors and shapes
OWN = ("words.js", "format.js", "language.js")  # hold English as names, or for English alone


def loose(source: str) -> list[str]:
    "English texts of a program of the page that stand outside `t(…)`: a capital in front, or the words of a sentence."
    rest = _CALL.sub("t(", _STAYS.sub("", source))
    texts = re.findall(r'"([^"\n`]*)"', rest)
    texts += [part for text in re.findall(r"`([^`\n]*)`", rest) for part in re.split(r"\$\{[^}]*\}", text)]
    texts = [t.strip() for t in texts if t.strip() not in _NAMES]
    return [t for t in texts if re.match(r"[A-Z][a-z]+\b(?![-/,])", t) or (" " in t and _PROSE.search(t))]


def paths() -> list[Path]:
    "Every catalogue."
    return sorted((tree.PACKAGE / "locale").rglob("*.po"))
