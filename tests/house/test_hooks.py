"Commit hooks and the merge driver: set up in a clone, harmless everywhere else."

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tree

PIECES = (".ci/hooks", ".ci/merge", ".ci/tool", ".gitattributes", ".pre-commit-config.yaml")
ENVIRONMENT = Path(sys.executable).parent.parent


def sh(folder, *command, **extra):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | extra
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def git(folder, *words):
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.hooksPath=", "-c", "init.defaultBranch=main")
    return sh(folder, "git", *who, *words)


def copy_pieces(folder):
    for name in PIECES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree.ROOT / name, folder / name)
    return folder


@pytest.fixture
def clone(tmp_path):
    folder = copy_pieces(tmp_path / "clone")
    (folder / ".venv").symlink_to(ENVIRONMENT)
    git(folder, "init")
    done = sh(folder, "bash", ".ci/hooks")
    assert done.returncode == 0, done.stderr
    return folder


def notebook(*sources):
    cells = [{"cell_type": "markdown", "id": f"c{i}", "metadata": {}, "source": [s]} for i, s in enumerate(sources)]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def commit(folder, *sources):
    (folder / "a.ipynb").write_text(notebook(*sources))
    git(folder, "add", "a.ipynb", *PIECES)
    assert git(folder, "commit", "--no-verify", "-m", "x").returncode == 0


def merged(folder, ours, theirs):
    "Merge two changes of one notebook; the exit code, and the texts of the cells."
    commit(folder, "one", "two", "three")
    git(folder, "checkout", "-b", "other")
    commit(folder, *theirs)
    git(folder, "checkout", "-")
    git(folder, "checkout", "-b", "mine", "other~1")
    commit(folder, *ours)
    code = git(folder, "merge", "other", "-m", "both").returncode
    return code, (folder / "a.ipynb").read_text()


def test_a_clone_gets_its_hook_and_keeps_one_that_was_there(clone):
    hook = clone / ".git" / "hooks" / "pre-commit"
    assert "pre-commit" in hook.read_text()
    hook.write_text("#!/bin/sh\necho mine\n")
    assert sh(clone, "bash", ".ci/hooks").returncode == 0 and "mine" in hook.read_text()


def test_a_conflict_lies_between_cells_and_the_notebook_still_opens(clone):
    code, text = merged(clone, ("one", "mine", "three"), ("one", "theirs", "three"))
    texts = ["".join(c["source"]) for c in json.loads(text)["cells"]]
    assert code == 1 and {"one", "mine", "theirs", "three"} <= set(texts)


def test_changes_of_different_cells_merge(clone):
    code, text = merged(clone, ("mine", "two", "three"), ("one", "two", "theirs"))
    assert code == 0 and ["".join(c["source"]) for c in json.loads(text)["cells"]] == ["mine", "two", "theirs"]


def test_without_an_environment_git_merges_as_ever_and_the_checks_are_left_out(clone):
    (clone / ".venv").unlink()
    code, text = merged(clone, ("one", "mine", "three"), ("one", "theirs", "three"))
    assert code == 1 and "<<<<<<<" in text
    left_out = sh(clone, ".ci/tool", "ruff", "check")
    assert left_out.returncode == 0 and "make setup" in left_out.stdout


def test_a_worktree_uses_the_environment_of_its_clone_and_changes_nothing(clone, tmp_path):
    commit(clone, "one")
    further = tmp_path / "further"
    assert git(clone, "worktree", "add", further).returncode == 0
    before = (clone / ".git" / "config").read_text()
    shutil.rmtree(clone / ".git" / "hooks")
    assert sh(further, "bash", ".ci/hooks").returncode == 0
    assert (clone / ".git" / "config").read_text() == before and not (clone / ".git" / "hooks").exists()
    assert sh(further, ".ci/tool", "ruff", "--version").stdout.startswith("ruff ")


def test_a_folder_without_git_is_left_as_it_is(tmp_path):
    folder = copy_pieces(tmp_path / "source")
    before = sorted(folder.rglob("*"))
    done = sh(folder, "bash", ".ci/hooks", GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and sorted(folder.rglob("*")) == before


def test_make_check_finds_a_notebook_or_names_the_near_ones():
    check = [sys.executable, ".ci/check"]
    unknown = sh(tree.ROOT, *check, "no_such_notebook")
    assert unknown.returncode == 1 and "next: make check NB=" in unknown.stderr
    several = sh(tree.ROOT, *check, "segment")
    assert several.returncode == 1 and "310_segment.kmeans" in several.stderr
