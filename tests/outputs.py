"Does a notebook still show what is committed? Its outputs of a new run are compared with those in the file."

import html
import json
import re
from pathlib import Path

NUMBER = re.compile(r"(?<![\w#])[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
TIME = re.compile(r"\b\d{8}T\d{6}\.\d+Z|\b\d[\d.,:]*\s*(?:s|ms|seconds?|minutes?|min|it/s)\b")
TRAINED = (  # their figures come from a training, and another processor rounds otherwise
    "complaints",
    "five_lines",
    "from_postgresql",
    "judge_a_model",
    "more_machines",
    "serving",
)


def plain(text: str) -> str:
    "Text of a table in HTML, without its tags and styles."
    text = re.sub(r"<(style|script)\b.*?</\1>", " ", text, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def shown(cell: dict) -> str:
    "What a reader sees of a cell as text: a table in full, a picture by its kind, no bar of progress."
    parts = []
    for out in cell.get("outputs", []):
        data = out.get("data", {})
        pictures = [kind for kind in sorted(data) if kind.startswith("image/")]
        if out["output_type"] == "stream":
            parts += ["".join(out["text"])] if out["name"] == "stdout" else []
        elif pictures:
            parts.append(f"[{pictures[0]}]")
        elif "text/html" in data and "".join(data["text/html"]).count("<td"):
            parts.append(plain("".join(data["text/html"])))
        else:
            parts.append("".join(data.get("text/plain", "")))
    return TIME.sub("a time", "\n".join(parts))


def near(before: str, after: str, relative: float) -> bool:
    "Are two words the same, or numbers that are nearly the same?"
    if before == after:
        return True
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    values = ([float(n.replace(",", "").replace("−", "-")) for n in pair] for pair in pairs)
    return all(abs(a - b) <= relative * max(abs(a), abs(b)) for a, b in values)


def difference(before: str, after: str, relative: float) -> str:
    "Say where two texts part, with the words around; empty: nowhere."
    was, now = before.split(), after.split()
    pairs = zip(was, now, strict=False)
    at = next((i for i, pair in enumerate(pairs) if not near(*pair, relative)), min(len(was), len(now)))
    if at == len(was) == len(now):
        return ""
    around = slice(max(0, at - 4), at + 6)
    return f"committed: … {' '.join(was[around])} …\n  now:       … {' '.join(now[around])} …"


def changes(committed: Path, fresh: Path, relative: float = 1e-3) -> list[str]:
    "Say which cells of a notebook show something else than the committed file, and where."
    books = [json.loads(path.read_text(encoding="utf-8"))["cells"] for path in (committed, fresh)]
    lines = []
    for number, (before, after) in enumerate(zip(*books, strict=True)):
        if before["cell_type"] == "code":
            where = difference(shown(before), shown(after), relative)
            lines += [f"cell {number} ({before['id']})\n  {where}"] if where else []
    return lines
