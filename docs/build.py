"""Build the documentation site into docs/_build/html, offline, and fail on any warning.

nbdev resolves the notebooks (`_proc`), `pages.py` turns them and the other texts into Sphinx sources (`docs/_src`),
Sphinx does the rest.
"""

import ast
import filecmp
import functools
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE, OUT = ROOT / "docs" / "_src", ROOT / "docs" / "_build" / "html"


def resolve_notebooks(force: bool) -> Path:
    "Let nbdev resolve the notebooks into `_proc`; of cells without exports it runs those of imports only."
    from nbdev import processors
    from nbdev.serve import proc_nbs

    as_it_was = processors._do_eval

    def evaluated(cell):
        code = [] if cell.directives_.keys() & {"export", "exports", "exporti"} else cell.parsed_() or []
        mixed = not all(isinstance(node, ast.Import | ast.ImportFrom) for node in code)
        return as_it_was(cell) and not (mixed and "show_doc(" not in cell.source)

    processors._do_eval = evaluated
    processors.get_config = functools.cache(processors.get_config)  # nbdev reads pyproject.toml again for every cell
    return proc_nbs(n_workers=0, force=force)  # in this process: torch is imported once, not once for each notebook


def names_moved() -> bool:
    "Tell whether the list of names is newer than a resolved notebook: its links may lead to where a name was before."
    names, resolved = ROOT / "smart_customer_analysis" / "_modidx.py", [*(ROOT / "_proc").rglob("*.ipynb")]
    return bool(resolved) and names.stat().st_mtime > min(p.stat().st_mtime for p in resolved)


def take_over(new: Path, source: Path) -> None:
    "Make `source` equal to `new`, leaving files as they are that did not change: Sphinx reads only the others again."
    for old in [p for p in source.rglob("*") if p.is_file() and not (new / p.relative_to(source)).is_file()]:
        old.unlink()
    for path in [p for p in new.rglob("*") if p.is_file()]:
        target = source / path.relative_to(new)
        if not target.is_file() or not filecmp.cmp(path, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    shutil.rmtree(new)


def main() -> int:
    "Build the site; the exit code is Sphinx's, or 1 where a page asks for something outside."
    os.chdir(ROOT)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from pages import remote_assets, write_pages
    from sphinx.cmd.build import build_main

    processed = resolve_notebooks("--force" in sys.argv or names_moved())
    new, trees = SOURCE.with_name("_src_new"), OUT.parent / "doctrees"
    shutil.rmtree(new, ignore_errors=True)
    write_pages(ROOT, processed, new)
    take_over(new, SOURCE)
    shutil.rmtree(OUT, ignore_errors=True)
    failed = build_main(
        ["-q", "-W", "--keep-going", "-b", "html", "-c", str(ROOT / "docs"), "-d", str(trees), str(SOURCE), str(OUT)]
    )
    if failed:
        shutil.rmtree(trees, ignore_errors=True)  # a page that is not read again would not warn again
    if not failed and (remote := remote_assets(OUT)):
        print("pages that ask for something outside the site:", *remote, sep="\n  ", file=sys.stderr)
        return 1
    if not failed:
        print(f"{len(list(OUT.rglob('*.html')))} pages in {OUT.relative_to(ROOT)}/index.html")
    return failed


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
