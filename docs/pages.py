"Turn processed notebooks, the project's texts and the modules' signatures into Sphinx sources."

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

PACKAGE = "smart_customer_analysis"
AUDIENCES = {
    "0": "everybody",
    "1": "analysts and data scientists",
    "2": "data scientists",
    "3": "analysts and data scientists",
    "4": "developers and operators",
    "5": "analysts",
    "6": "analysts and operators",
    "7": "developers and operators",
}
TEXTS = (
    "README.md", "docs/running_it.md", "docs/api.md", "docs/labels.md", "docs/languages.md", "CONTRIBUTING.md",
    "CHANGELOG.md", "docs/licences.md",
)  # fmt: skip
ASIDE = {
    "remove-input": ("echo: false",),
    "remove-output": ("output: false",),
    "remove-cell": ("include: false",),
    "hide-input": ("code-fold: true", "code-fold: show"),
}


# -- notebooks ------------------------------------------------------------------------------------------------------


def text_of(cell: dict) -> str:
    return "".join(cell["source"])


def front_matter(cells: list[dict]) -> tuple[dict[str, str], list[dict]]:
    "Read title and description from nbdev's raw first cell."
    if not cells or cells[0]["cell_type"] != "raw":
        return {}, cells
    joined = re.sub(r"\n[ \t]+", " ", text_of(cells[0]))  # YAML folds long lines
    found = dict(re.findall(r"^(title|description):\s*(.*)$", joined, re.M))
    return {k: v.strip().strip("'\"").replace("''", "'") for k, v in found.items()}, cells[1:]


def translate_markdown(text: str) -> str:
    "Quarto's dialect -> MyST."
    text = re.sub(r"^#\|.*\n?", "", text, flags=re.M)
    text = re.sub(r"^<!-- WARNING.*-->\s*", "", text)
    text = re.sub(r"^:{3,}\s*\{\.callout-(\w+)[^}]*\}", r":::{\1}", text, flags=re.M)
    text = re.sub(r"\{target=[^}]*\}", "", text)
    text = re.sub(r"\[source\]\(/blob/[^)]*\)\s*", "", text)  # nbdev's link to a code host
    return re.sub(r"\A\s*---\s*\n", "", text)


def signature_cell(cell: dict) -> dict | None:
    "What show_doc printed, as a Markdown cell: heading, signature, docstring."
    for out in cell.get("outputs", []):
        if "text/markdown" in out.get("data", {}):
            text = re.sub(r"\A\s*---\s*\n+", "", "".join(out["data"]["text/markdown"])).replace("__main__.", "")
            text = re.sub(r"<(?:class|function) '?([\w.<>]+?)'?(?: at 0x\w+)?>", lambda m: m[1].split(".")[-1], text)
            text = re.sub(r"=<[^>\n]*>", "=...", text)
            return {"cell_type": "markdown", "metadata": {}, "id": cell["id"], "source": translate_markdown(text)}
    return None


def translate_cell(cell: dict) -> dict | None:
    "One cell of `_proc` as a valid notebook cell without directives; None where nothing is left."
    source = text_of(cell)
    if cell["cell_type"] == "markdown":
        source = translate_markdown(source)
        return {"cell_type": "markdown", "metadata": {}, "id": cell["id"], "source": source} if source.strip() else None
    if "show_doc(" in source and "echo: false" in source:
        return signature_cell(cell)
    tags = [t for t in cell["metadata"].get("tags", []) if t != "parameters"]
    tags += [
        tag
        for tag, marks in ASIDE.items()
        if any(re.search(rf"^#\|\s*{re.escape(m)}\s*$", source, re.M) for m in marks)
    ]
    body = re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip("\n")
    if not body:
        return None
    outputs = [o for o in cell.get("outputs", []) if o["output_type"] != "error"]
    return {
        "cell_type": "code",
        "metadata": {"tags": tags} if tags else {},
        "id": cell["id"],
        "source": body,
        "outputs": outputs,
        "execution_count": None,
    }


def smooth_headings(cells: list[dict]) -> list[dict]:
    "Keep heading levels consecutive: a signature right under the title would otherwise skip one."
    last, out = 1, []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            lines, fenced = [], False
            for line in cell["source"].split("\n"):
                fenced ^= line.startswith("```")
                if not fenced and (m := re.match(r"(#{1,6}) ", line)):
                    level = max(2, min(len(m[1]), last + 1))
                    line, last = "#" * level + line[len(m[1]) :], level
                lines.append(line)
            cell = cell | {"source": "\n".join(lines)}
        out.append(cell)
    return out


def translate_notebook(path: Path, who: str, links: dict[str, str]) -> dict[str, Any]:
    "A notebook of `_proc` as a page."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    head, cells = front_matter(cells)
    body = [c for c in map(translate_cell, cells) if c]
    if head.get("title"):
        intro = f"# {head['title']}\n\n"
        if head.get("description"):
            intro += f"*{head['description']}*\n\n"
        body = [{"cell_type": "markdown", "metadata": {}, "id": "title", "source": intro + who}, *smooth_headings(body)]
    for cell in body:
        if cell["cell_type"] == "markdown":
            cell["source"] = relink(cell["source"], links)
    kernel = {
        "kernelspec": {"display_name": "python3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return {"cells": body, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def relink(text: str, links: dict[str, str]) -> str:
    "Point links to files of the repository at their pages; where there is no page, keep the words and drop the link."

    def one(m: re.Match) -> str:
        bang, words, target = m[1], m[2], m[3]
        if re.match(r"(https?|mailto):|#|/", target) and not re.match(r"/[\w.]+\.html", target):
            return m[0]
        file, _, anchor = target.partition("#")
        name = Path(file).name
        if name in links:
            place = f"#{anchor}" if anchor and links[name].startswith("/reference") else ""
            return f"{bang}[{words}]({links[name]}{place})"
        return (
            f"`{words}`" if not bang and "`" not in words and re.search(r"\.\w+$", words) else words if not bang else ""
        )

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", one, text)


# -- reference ------------------------------------------------------------------------------------------------------


def public_names(module: ast.Module) -> list[str]:
    for node in module.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []


def header(source: str, node: ast.AST) -> str:
    "The lines of a definition up to its docstring or first statement: signature with its comments."
    lines = source.splitlines()
    first = node.body[0].lineno
    start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "\n".join(lines[start - 1 : max(first - 1, node.lineno)]).rstrip()


def dedent(block: str) -> str:
    margin = len(block) - len(block.lstrip())
    return "\n".join(
        line[margin:] if line[:margin].isspace() or not line[:margin] else line for line in block.split("\n")
    )


def describe(source: str, node: ast.AST, level: int = 2, owner: str = "") -> list[str]:
    "Heading, signature and docstring of a function or class, and its public methods."
    doc = ast.get_docstring(node) or ""
    title = f"{owner}.{node.name}" if owner else node.name
    out = [f"{'#' * level} {title}", "", "```python"]
    if isinstance(node, ast.ClassDef):
        lines = source.splitlines()
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        out += lines[start - 1 : node.lineno]
        out += [
            line
            for f in node.body
            if isinstance(f, ast.AnnAssign) and not getattr(f.target, "id", "_").startswith("_")
            for line in lines[f.lineno - 1 : f.end_lineno]
        ]
    else:
        out.append(dedent(header(source, node)))
    out += ["```", "", doc, ""]
    if isinstance(node, ast.ClassDef):
        for sub in node.body:
            if isinstance(sub, ast.FunctionDef) and not sub.name.startswith("_") and ast.get_docstring(sub):
                out += describe(source, sub, level + 1, node.name)
    return out


def write_reference(root: Path, pages: dict[str, str], out: Path) -> None:
    "One page per module and a table of all symbols, from the code itself (nothing is imported)."
    out.mkdir(parents=True, exist_ok=True)
    rows, names = [], []
    for module, page in pages.items():
        path = root / PACKAGE / (module.replace(".", "/") + ".py")
        if not path.is_file():
            continue
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        nodes = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        shown = [n for n in public_names(tree) if n in nodes]
        text = [
            f"# `{module}`",
            "",
            f"*Reference. The notebook that explains it: [{module}](/notebooks/{page}).*",
            "",
            relink(ast.get_docstring(tree) or "", {}),
            "",
        ]
        constants = [n for n in public_names(tree) if n not in nodes]
        if constants:
            text += ["Constants: " + ", ".join(f"`{c}`" for c in constants) + ".", ""]
        for name in shown:
            text += describe(source, nodes[name])
            first = (ast.get_docstring(nodes[name]) or "").split("\n")[0].replace("|", "\\|")
            rows.append(
                f"| [`{name}`](/reference/{module}.md#{name.lower()}) | [`{module}`](/notebooks/{page}) | {first} |"
            )
        (out / f"{module}.md").write_text("\n".join(text) + "\n", encoding="utf-8")
        names.append(module)
    table = ["| Symbol | Module | What it does |", "|---|---|---|", *sorted(rows, key=str.lower)]
    text = [
        "# API reference",
        "",
        "*For developers: every public function and class, from the code itself.*",
        "",
        "::::{container} symbols",
        "",
        *table,
        "",
        "::::",
        "",
    ]
    text += ["```{toctree}", ":hidden:", "", *names, "```", ""]
    (out / "index.md").write_text("\n".join(text), encoding="utf-8")


def write_settings(root: Path, out: Path) -> None:
    "The settings with default, meaning and environment variable."
    from smart_customer_analysis.config import Settings

    rows = [
        f"| `{n}` | {'' if 'Secret' in str(f.annotation) else f'`{f.default}`'} | `SCA_{n.upper()}` | {f.description} |"
        for n, f in Settings.model_fields.items()
    ]
    head = [
        "# Settings",
        "",
        "*For operators and analysts. An argument beats the environment, which beats `.env`, "
        "which beats `settings.ini`, which beats the default.*",
        "",
    ]
    out.mkdir(parents=True, exist_ok=True)
    (out / "settings.md").write_text(
        "\n".join([*head, "| Setting | Default | Environment | Meaning |", "|---|---|---|---|", *rows, ""]),
        encoding="utf-8",
    )


def write_commands(out: Path) -> bool:
    "The `sca` command with all its options, as its own help says."
    try:
        from smart_customer_analysis import cli
    except ImportError:
        return False
    from typer.main import get_command

    app = next((v for v in vars(cli).values() if type(v).__name__ == "Typer"), None)
    if app is None:
        return False
    command = get_command(app)
    text = ["# The `sca` command", "", "*For analysts and operators. `sca COMMAND --help` prints the same.*", ""]

    def add(name: str, cmd: Any, level: int) -> None:
        text.extend([f"{'#' * level} `{name}`", "", (cmd.help or "").strip(), ""])
        rows = []
        for p in cmd.params:
            if p.name == "help" or getattr(p, "hidden", False):
                continue
            flag = " ".join(f"`{o}`" for o in p.opts) if p.param_type_name == "option" else f"`{p.name.upper()}`"
            rows.append(f"| {flag} | {(getattr(p, 'help', '') or '').replace('|', chr(92) + '|')} |")
        if rows:
            text.extend(["| Option | Meaning |", "|---|---|", *rows, ""])
        for sub, child in getattr(cmd, "commands", {}).items():
            add(f"{name} {sub}", child, min(level + 1, 4))

    for sub, child in command.commands.items():
        add(f"sca {sub}", child, 2)
    (out / "commands.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    return True


# -- the site -------------------------------------------------------------------------------------------------------


def notebook_pages(proc: Path) -> dict[str, Path]:
    "Page name -> processed notebook, in reading order."
    found = sorted(
        p for p in proc.rglob("*.ipynb") if not any(part.startswith(".") for part in p.relative_to(proc).parts)
    )
    return {p.relative_to(proc).with_suffix("").as_posix(): p for p in found}


def who_reads(page: str, following: str | None) -> str:
    "The line under the title: for whom, what kind of page, what comes next."
    kind, number = page.split("/")[0], page.split("/")[-1][0]
    who = {"tutorials": "A tutorial, for newcomers", "reports": "A report template, for analysts and operators"}.get(
        kind, f"An explanation, for {AUDIENCES.get(number, 'everybody')}"
    )
    after = f" Next: [{following.split('/')[-1]}](/notebooks/{following}.ipynb)." if following else ""
    return f"::::{{container}} who\n{who}.{after}\n::::\n"


def copy_texts(root: Path, out: Path, links: dict[str, str]) -> list[str]:
    "README and its like, and the measured tables, as pages."
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for path in [root / n for n in TEXTS]:
        if path.is_file():
            (out / path.name).write_text(relink(path.read_text(encoding="utf-8"), links), encoding="utf-8")
            names.append(path.stem)
    return names


def copy_measured(root: Path, out: Path, links: dict[str, str]) -> list[str]:
    "The measured tables, with the page that lists them."
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for path in sorted((root / "docs" / "measured").glob("*.md")):
        text = relink(path.read_text(encoding="utf-8"), links)
        (out / path.name).write_text(
            text if text.lstrip().startswith("#") else f"# {path.stem}\n\n{text}", encoding="utf-8"
        )
        names.append(path.stem)
    for path in (root / "docs" / "measured").glob("*.png"):
        shutil.copy(path, out / path.name)
    head = [
        "# Measured",
        "",
        "*Every figure this project states comes from a file here: machine, versions, seed and command are in it.*",
        "",
    ]
    tree = (
        ["```{toctree}", ":maxdepth: 1", "", *names, "```", ""]
        if names
        else ["Nothing measured yet: `make bench`.", ""]
    )
    (out / "index.md").write_text("\n".join(head + tree), encoding="utf-8")
    return names


def toctree(caption: str, entries: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```", ""]) if entries else ""


def write_index(home: Path | None, links: dict[str, str], trees: list[str], out: Path) -> None:
    "The start page: the home notebook's text, then the hidden table of contents."
    cells = (
        translate_notebook(home, "", links)["cells"]
        if home
        else [{"cell_type": "markdown", "source": f"# {PACKAGE}\n"}]
    )
    text = "\n\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    out.write_text(text + "\n\n" + "\n".join(filter(None, trees)), encoding="utf-8")


def write_pages(root: Path, proc: Path, source: Path) -> None:
    "Write every page of the site into `source`."
    books = notebook_pages(proc)
    home = books.pop("index", None)
    order = (
        [p for p in books if p.startswith("tutorials/")]
        + [p for p in books if "/" not in p]
        + [p for p in books if p.startswith("reports/")]
    )
    modules = {p.split("_", 1)[1]: f"{p}.ipynb" for p in books if "/" not in p and "_" in p}
    links = {Path(p).name + ".ipynb": f"/notebooks/{p}.ipynb" for p in books} | {
        f"{m}.html": f"/reference/{m}.md" for m in modules
    }
    links |= {Path(n).name: f"/project/{Path(n).name}" for n in TEXTS} | {
        "settings.ini": "/reference/settings.md",
        "sca": "/reference/commands.md",
        "reference": "/reference/index.md",
        "measured": "/measured/index.md",
    }
    links |= {
        p.name: f"/measured/{p.name}" for kind in ("md", "png") for p in (root / "docs" / "measured").glob(f"*.{kind}")
    }
    for folder in ("images",):
        if (root / "docs" / folder).is_dir():
            shutil.copytree(root / "docs" / folder, source / folder)
            links |= {p.name: f"/{folder}/{p.name}" for p in (source / folder).iterdir()}
    for page, following in zip(order, [*order[1:], None], strict=True):
        target = source / "notebooks" / f"{page}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            json.dumps(translate_notebook(books[page], who_reads(page, following), links)), encoding="utf-8"
        )
    write_reference(root, modules, source / "reference")
    write_settings(root, source / "reference")
    commands = ["reference/commands"] if write_commands(source / "reference") else []
    if not commands:
        links.pop("sca")
    texts, _ = copy_texts(root, source / "project", links), copy_measured(root, source / "measured", links)

    def book(p: str) -> str:
        return f"notebooks/{p}"

    trees = [
        toctree("Tutorials", [book(p) for p in order if p.startswith("tutorials/")]),
        toctree("How it works", [book(p) for p in order if "/" not in p]),
        toctree("Reports", [book(p) for p in order if p.startswith("reports/")]),
        toctree("Reference", ["reference/index", *commands, "reference/settings", "measured/index"]),
        toctree("Project", [f"project/{t}" for t in texts]),
    ]
    write_index(home, links, trees, source / "index.md")


def remote_assets(out: Path) -> list[str]:
    "Scripts, styles, fonts and images that a page would fetch from elsewhere."
    rule = re.compile(
        r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//[^\"]+|<link\b(?![^>]*rel=\"(?:canonical|prev|next)\")[^>]*\bhref=\"(?:https?:)?//[^\"]+"
    )
    return [
        f"{p.relative_to(out)}: {m[0][-90:]}"
        for p in sorted(out.rglob("*.html"))
        for m in rule.finditer(p.read_text(encoding="utf-8"))
    ]
