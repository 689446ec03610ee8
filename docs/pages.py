"Turn processed notebooks, the project's texts and the modules' signatures into Sphinx sources."

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

from http_page import write_http

PACKAGE = "smart_customer_analysis"
BASE = "config errors schema stats disclosure files jsonable hashes caches profiling"
GROUPS = (  # of the notebooks: name of the page, title, first names of the modules, who reads them
    ("foundations", "Foundations", BASE, "everybody"),
    ("data", "Loading and cleaning", "data", "analysts and data scientists"),
    ("sentiment", "Sentiment", "sentiment", "data scientists"),
    ("segments", "Segments and themes", "segment", "analysts and data scientists"),
    ("maps", "Maps and hot spots", "geo", "analysts and data scientists"),
    ("database", "The database", "store", "developers and operators"),
    ("figures", "Shares, changes, charts", "insight", "analysts"),
    ("reports", "Reports", "report", "analysts and operators"),
    ("page", "The page", "view summary privacy", "developers"),
    ("commands", "Commands", "commands cli", "developers and operators"),
    ("jobs", "Jobs and the service", "", "developers and operators"),  # the rest
)
TUTORIALS = (  # in this order; further ones follow
    "five_lines", "tour", "own_data", "own_shop", "judge_a_model", "complaints", "segments_over_time",
    "scheduled_report", "from_postgresql", "serving", "more_machines",
)  # fmt: skip
TEXTS = {  # file of the repository -> folder of the site
    "docs/install.md": "start", "docs/how_to/*.md": "how_to", "docs/running_it.md": "how_to", "docs/api.md": "how_to",
    "docs/labels.md": "how_to", "docs/glossary.md": "reference", "docs/limits.md": "measured", "README.md": "project",
    "CONTRIBUTING.md": "project", "RELEASING.md": "project", "CHANGELOG.md": "project", "docs/licences.md": "project",
}  # fmt: skip
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
    heads = dict(re.findall(r"^(title|description):\s*(.*)$", joined, re.M))
    return {k: v.strip().strip("'\"").replace("''", "'") for k, v in heads.items()}, cells[1:]


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
        page = links.get("/".join(Path(file).parts[-2:])) or links.get(Path(file).name)
        if page:
            place = f"#{anchor}" if anchor and page.endswith(".md") else ""
            return f"{bang}[{words}]({page}{place})"
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
    rows = []
    for module, page in pages.items():
        path = root / PACKAGE / (module.replace(".", "/") + ".py")
        if not path.is_file():
            continue
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        nodes = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        shown = [n for n in public_names(tree) if n in nodes]
        text = [
            "---",
            "orphan: true",  # found by the table of symbols and by its notebook; the sidebar stays short
            "---",
            "",
            f"# `{module}`",
            "",
            f"*[API reference](index.md). The notebook that explains it: [{module}](/notebooks/{page}).*",
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


def write_commands(out: Path) -> None:
    "The `sca` command with all its options, as its own help says."
    from typer.main import get_command

    from smart_customer_analysis.cli import app

    command = get_command(app)
    text = ["# The `sca` command", "", "*For analysts and operators. `sca COMMAND --help` prints the same.*", ""]

    def add(name: str, cmd: Any, level: int) -> None:
        text.extend([f"{'#' * level} `{name}`", "", (cmd.help or "").strip(), ""])
        if cmd.epilog:
            text.extend(["```bash", cmd.epilog.removeprefix("Example: "), "```", ""])
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


# -- the site -------------------------------------------------------------------------------------------------------


def notebook_pages(proc: Path) -> dict[str, Path]:
    "Page name -> processed notebook, in reading order."
    notebooks = sorted(
        p for p in proc.rglob("*.ipynb") if not any(part.startswith(".") for part in p.relative_to(proc).parts)
    )
    return {p.relative_to(proc).with_suffix("").as_posix(): p for p in notebooks}


def group_of(page: str) -> tuple[str, str]:
    "The group a notebook stands in, and who reads it."
    first = "report" if page.startswith("reports/") else page.split("_", 1)[-1].split(".")[0]
    return next((name, who) for name, _, modules, who in GROUPS if not modules or first in modules.split())


def what_it_takes(cells: list[dict]) -> dict[str, str]:
    "Read minutes and needs of a tutorial from nbdev's raw first cell."
    joined = re.sub(r"\n[ \t]+", " ", text_of(cells[0])) if cells and cells[0]["cell_type"] == "raw" else ""
    return {name: value.strip(" '\"") for name, value in re.findall(r"^(minutes|needs):(.*)$", joined, re.M)}


def who_reads(page: str, following: str | None, head: dict[str, str] | None = None) -> str:
    "The line under the title: for whom, what kind of page, how long it takes, what it needs, what comes next."
    kind = page.split("/")[0]
    who = {"tutorials": "A tutorial, for newcomers", "reports": "A report template, for analysts and operators"}.get(
        kind, f"An explanation, for {group_of(page)[1]}"
    )
    cost = f" Minutes: {head['minutes']}. Needs: {head['needs']}." if head and "minutes" in head else ""
    after = f" Next: [{following.split('/')[-1]}](/notebooks/{following}.ipynb)." if following else ""
    return f"::::{{container}} who\n{who}.{cost}{after}\n::::\n"


def write_groups(books: dict[str, Path], pages: list[str], out: Path) -> list[str]:
    "One page for each group of notebooks: the question that each of them answers."
    out.mkdir(parents=True, exist_ok=True)
    heads = {p: front_matter(json.loads(books[p].read_text(encoding="utf-8"))["cells"])[0] for p in pages}
    for name, title, _, who in GROUPS:
        inside = [p for p in pages if group_of(p)[0] == name]
        rows = [
            f"| [{heads[p].get('title', p)}](/notebooks/{p}.ipynb) | `{p.split('_', 1)[-1]}` | "
            f"{heads[p].get('description', '').replace('|', '')} |"
            for p in inside
        ]
        text = [f"# {title}", "", f"*Explanation, for {who}. Every notebook runs, and its tests are in it.*", ""]
        text += ["| Notebook | Module | |", "|---|---|---|", *rows, ""]
        text += ["```{toctree}", ":hidden:", "", *[f"/notebooks/{p}" for p in inside], "```", ""]
        (out / f"{name}.md").write_text("\n".join(text), encoding="utf-8")
    return [f"explanation/{name}" for name, *_ in GROUPS]


def texts_of(root: Path) -> dict[Path, str]:
    "Each text of the repository and its page; the list of questions first."
    page_of = {p: f"{folder}/{p.stem}" for name, folder in TEXTS.items() for p in sorted(root.glob(name))}
    return dict(sorted(page_of.items(), key=lambda item: not item[1].endswith("/questions")))


def copy_texts(texts: dict[Path, str], out: Path, links: dict[str, str]) -> None:
    "README and its like, as pages."
    for path, page in texts.items():
        target = out / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(relink(path.read_text(encoding="utf-8"), links), encoding="utf-8")


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
        "*Every figure this project states comes from a file here: machine, versions, seed and command are in it. "
        "[Limits and promises](/measured/limits.md) says what follows from them.*",
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
    tutorials = sorted(
        (p for p in books if p.startswith("tutorials/")), key=lambda p: (*TUTORIALS, Path(p).name).index(Path(p).name)
    )
    explained = [p for p in books if "/" not in p] + [p for p in books if p.startswith("reports/")]
    order = [*tutorials, *explained]
    modules = {p.split("_", 1)[1]: f"{p}.ipynb" for p in books if "/" not in p and "_" in p}
    texts, measured = texts_of(root), list((root / "docs" / "measured").iterdir())
    links = {p.name: f"/measured/{p.name}" for p in measured if p.suffix in (".md", ".png")}
    links |= {f"measured{page.removeprefix('/measured')}": page for page in links.values()}
    links |= {Path(p).name + ".ipynb": f"/notebooks/{p}.ipynb" for p in books} | {
        f"{m}.html": f"/reference/{m}.md" for m in modules
    }
    links |= {path.name: f"/{page}.md" for path, page in texts.items()} | {
        "settings.ini": "/reference/settings.md",
        "sca": "/reference/commands.md",
        "openapi.json": "/reference/http.md",
        "reference": "/reference/index.md",
        "measured": "/measured/index.md",
        "index.ipynb": "/index.md",
    }
    for folder in ("images",):
        if (root / "docs" / folder).is_dir():
            shutil.copytree(root / "docs" / folder, source / folder)
            links |= {p.name: f"/{folder}/{p.name}" for p in (source / folder).iterdir()}
    for page, following in zip(order, [*order[1:], None], strict=True):
        target = source / "notebooks" / f"{page}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        head = what_it_takes(json.loads(books[page].read_text(encoding="utf-8"))["cells"])
        target.write_text(
            json.dumps(translate_notebook(books[page], who_reads(page, following, head), links)), encoding="utf-8"
        )
    write_reference(root, modules, source / "reference")
    write_settings(root, source / "reference")
    write_commands(source / "reference")
    write_http(root / "docs" / "openapi.json", source / "reference" / "http.md")
    copy_texts(texts, source, links)
    copy_measured(root, source / "measured", links)

    def of(folder: str) -> list[str]:
        return [page for page in texts.values() if page.startswith(folder + "/")]

    reference = [f"reference/{name}" for name in ("index", "commands", "settings", "http", "glossary")]
    trees = [
        toctree("Start", of("start")),
        toctree("Tutorials", [f"notebooks/{p}" for p in tutorials]),
        toctree("How to", of("how_to")),
        toctree("Reference", reference),
        toctree("Explanation", write_groups(books, explained, source / "explanation")),
        toctree("Measured", ["measured/limits", "measured/index"]),
        toctree("Project", of("project")),
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
