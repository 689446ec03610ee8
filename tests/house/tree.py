"What the house tests know about the tree: notebooks, modules, numbers, imports."

import ast
import json
import re
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NBS = ROOT / "nbs"
NAME = "smart_customer_analysis"
PACKAGE = ROOT / NAME
HAND_WRITTEN = ("app", "migrations")  # the two folders that no notebook makes


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def all_notebooks() -> list[Path]:
    return sorted(p for p in NBS.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts and not p.name.startswith("_"))


def numbered_notebooks() -> list[Path]:
    return [p for p in sorted(NBS.glob("*.ipynb")) if re.match(r"\d", p.name)]


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def default_exps(path: Path) -> list[str]:
    names = []
    for cell in cells(path):
        names += re.findall(r"^#\|\s*default_exp:?\s+(\S+)", source(cell), re.M)
    return names


@lru_cache(1)
def numbers() -> dict[str, int]:
    "Dotted module name -> number of its notebook."
    return {exp: int(re.match(r"\d+", p.name)[0]) for p in numbered_notebooks() for exp in default_exps(p)}


def modules() -> list[Path]:
    "Every Python file of the package."
    return sorted(p for p in PACKAGE.rglob("*.py") if "node_modules" not in p.parts and "__pycache__" not in p.parts)


def generated() -> list[Path]:
    "Every Python file that a notebook must have made."
    return [
        p
        for p in modules()
        if p.relative_to(PACKAGE).parts[0] not in HAND_WRITTEN and p.name not in ("__init__.py", "_modidx.py")
    ]


def dotted(path: Path) -> str:
    "Module name inside the package: store/query.py -> store.query."
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    "Absolute dotted names of everything a module imports, at the top or inside a function."
    here = (NAME, *path.relative_to(PACKAGE).parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(here[: len(here) - node.level + 1]) if node.level else []
            base = ".".join(base + ([node.module] if node.module else []))
            names |= {f"{base}.{a.name}" for a in node.names} | {base}
    return names


def own_imports(path: Path) -> set[str]:
    "Modules of this package that a module imports, dotted, without the package name."
    known = {dotted(p) for p in modules()}
    inside = {name[len(NAME) + 1 :] for name in imports(path) if name.startswith(f"{NAME}.")}
    return {name for name in inside if name in known and not (PACKAGE / Path(*name.split("."))).is_dir()} | {
        name for name in inside if name and (PACKAGE / Path(*name.split("."))).is_dir()
    }


def strings(path: Path) -> list[tuple[int, str]]:
    "Line and text of every string of a module that is not a docstring."
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docs.add(id(first.value))
    return [
        (n.lineno, n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    ]


def outputs(path: Path) -> list[tuple[int, str]]:
    "Cell number and text of every stored output that is text."
    texts = []
    for i, cell in enumerate(cells(path)):
        for out in cell.get("outputs", []):
            parts = [out.get("text", ""), *out.get("traceback", []), out.get("evalue", "")]
            parts += [v for k, v in out.get("data", {}).items() if not k.startswith("image/") or k == "image/svg+xml"]
            for part in parts:
                text = json.dumps(part) if isinstance(part, dict) else "".join(part)
                if text:
                    texts.append((i, text))
    return texts
