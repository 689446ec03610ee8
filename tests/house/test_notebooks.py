"Notebooks are the source: what they export is what lies in the package, and nothing else does."

import filecmp
import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import tree


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    "Export all notebooks into a copy of the tree that has no generated code."
    copy = tmp_path_factory.mktemp("export")
    for name in ("pyproject.toml", "settings.ini", "setup.py", "README.md"):
        if (tree.ROOT / name).is_file():
            shutil.copy(tree.ROOT / name, copy / name)
    shutil.copytree(tree.NBS, copy / "nbs", ignore=shutil.ignore_patterns(".ipynb_checkpoints", "_proc"))
    (copy / tree.NAME).mkdir()
    shutil.copy(tree.PACKAGE / "__init__.py", copy / tree.NAME / "__init__.py")
    for folder in tree.HAND_WRITTEN:
        ignore = shutil.ignore_patterns("node_modules", "vendor", "__pycache__", "static")
        shutil.copytree(tree.PACKAGE / folder, copy / tree.NAME / folder, ignore=ignore)
    code = "import nbdev; nbdev.nbdev_export()"
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copy,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(copy)},
    )
    assert process.returncode == 0, f"nbdev-export failed:\n{process.stderr[-2000:]}"
    return copy / tree.NAME


def test_export_gives_exactly_the_package(exported):
    def files(top):
        return {
            p.relative_to(top).as_posix()
            for p in top.rglob("*.py")
            if p.relative_to(top).parts[0] not in tree.HAND_WRITTEN and "__pycache__" not in p.parts
        }

    assert files(exported) == files(tree.PACKAGE), (
        "run `make export`; a file only on the right is an orphan, one only on the left was not committed"
    )


@pytest.mark.parametrize(
    "path", [p for p in tree.modules() if p.relative_to(tree.PACKAGE).parts[0] not in tree.HAND_WRITTEN], ids=tree.shown
)
def test_module_equals_its_notebook(exported, path):
    fresh = exported / path.relative_to(tree.PACKAGE)
    assert fresh.is_file(), (
        f"no notebook makes {tree.shown(path)}: remove it, or give a notebook `#| default_exp {tree.dotted(path)}`"
    )
    assert filecmp.cmp(fresh, path, shallow=False), (
        f"{tree.shown(path)} is not what its notebook exports: edit the notebook, then `make export`"
    )


def test_nothing_is_untracked():
    if not (tree.ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--", "nbs", tree.NAME]
    lines = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    untracked = [line[3:] for line in lines if line.startswith("??")]
    assert not untracked, f"a clone would miss these; `git add` them: {untracked}"


@pytest.mark.parametrize("path", tree.numbered_notebooks(), ids=tree.shown)
def test_default_exp_equals_the_file_name(path):
    named = re.fullmatch(r"\d+_(.+)", path.stem)[1]
    assert tree.default_exps(path) == [named], f"{tree.shown(path)} must hold `#| default_exp {named}` exactly once"


def test_default_exp_is_unique():
    count = Counter(exp for p in tree.all_notebooks() for exp in tree.default_exps(p))
    assert not [exp for exp, n in count.items() if n > 1], "the later notebook would silently overwrite the earlier"


@pytest.mark.parametrize("path", tree.generated(), ids=tree.shown)
def test_no_orphan_module(path):
    assert tree.dotted(path) in tree.numbers(), (
        f"{tree.shown(path)}: no notebook has `#| default_exp {tree.dotted(path)}`"
    )


@pytest.mark.parametrize("path", sorted((tree.NBS / "reports").glob("*.ipynb")), ids=tree.shown)
def test_report_template_keeps_its_parameters_tag(path):
    tagged = [c for c in tree.cells(path) if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1, (
        f"{tree.shown(path)} needs one cell tagged `parameters`, found {len(tagged)}; nbdev-clean drops tags that "
        f"are not allowed"
    )


@pytest.mark.parametrize("path", tree.all_notebooks(), ids=tree.shown)
def test_notebook_is_clean(path):
    for i, cell in enumerate(tree.cells(path)):
        assert cell.get("execution_count") is None, f"cell {i} has an execution count: run nbdev-clean"
        wrong = [o for o in cell.get("outputs", []) if o["output_type"] == "error"]
        assert not wrong, f"cell {i} holds an error: {wrong[0].get('evalue')}"


@pytest.mark.parametrize("path", tree.all_notebooks(), ids=tree.shown)
def test_first_cell_asks_the_question(path):
    first = tree.cells(path)[0]
    text = tree.source(first)
    if first["cell_type"] == "raw":
        return
    assert first["cell_type"] == "markdown" and text.startswith("# "), "begin with an H1"
    assert re.search(r"^> ", text, re.M), "and a `>` subtitle"


MACHINE_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|root|Users|tmp|work|workspace|builds|var/folders|mnt|opt/hostedtoolcache)/[\w.~-]+|[A-Z]:\\\\?Users"
)
SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30}|hf_[A-Za-z0-9]{30}|sk-[A-Za-z0-9]{20}|-----BEGIN [A-Z ]*PRIVATE KEY|"
    r"(?i:\b(?:password|passwd|secret|api[_-]?key|access[_-]?token)\b\s*[=:]\s*['\"]?[^\s'\"*]{6,})|://[^\s:/@]+:[^\s@*]+@"
)


@pytest.mark.parametrize("path", tree.all_notebooks(), ids=tree.shown)
def test_outputs_tell_nothing_of_the_machine(path):
    for i, text in tree.outputs(path):
        for rule, what in ((MACHINE_PATH, "a path of the machine"), (SECRET, "what looks like a secret")):
            match = rule.search(text)
            assert not match, f"{tree.shown(path)} cell {i} shows {what}: {match[0]!r}"


@pytest.mark.parametrize("path", tree.all_notebooks(), ids=tree.shown)
def test_outputs_are_small(path):
    assert path.stat().st_size < 1_000_000, f"{tree.shown(path)}: {path.stat().st_size:,} bytes"


CHANGES_FOLDER = re.compile(r"^\s*os\.chdir\(", re.M)


@pytest.mark.parametrize("path", tree.numbered_notebooks(), ids=tree.shown)
def test_a_notebook_ends_in_the_folder_where_it_began(path):
    "The last cell exports, which JupyterLab runs too: elsewhere it ends in a traceback."
    moves = [tree.source(c) for c in tree.cells(path) if CHANGES_FOLDER.search(tree.source(c))]
    assert not moves or "os.chdir(start)" in moves[-1], f"{tree.shown(path)}: begin with start = os.getcwd(), end there"
