"The package as others get it: the wheel is whole, importing it does nothing, its settings are known."

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
import tree

from smart_customer_analysis.config import Settings


def test_settings_ini_lists_every_setting():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(tree.ROOT / "settings.ini", encoding="utf-8")
    assert parser.sections() == ["sca"]
    assert set(parser["sca"]) == set(Settings.model_fields)
    shipped, default = Settings(**dict(parser["sca"])).model_dump(), Settings().model_dump()
    assert shipped == default  # what `make run` does is what was measured: the file once kept an older window


def test_settings_ini_says_who_does_not_read_it():
    assert "nbdev does not read this file" in (tree.ROOT / "settings.ini").read_text(encoding="utf-8").splitlines()[0]


def test_nbdev_is_pinned_exactly():
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = [d for extra in project["project"]["optional-dependencies"].values() for d in extra if d.startswith("nbdev")]
    assert pins and all(re.fullmatch(r"nbdev==[\d.]+", p) for p in pins), pins
    assert "tags" in project["tool"]["nbdev"]["allowed_cell_metadata_keys"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "Build the wheel from a copy that holds what a clone holds."
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        if (tree.ROOT / name).is_file():
            shutil.copy(tree.ROOT / name, copy / name)
    for name in ("README.md", "LICENSE"):
        assert (copy / name).is_file(), f"{name} is missing"
    ignore = shutil.ignore_patterns("node_modules", "__pycache__", "*.db")
    shutil.copytree(tree.PACKAGE, copy / tree.NAME, ignore=ignore)
    process = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout[-1500:] + process.stderr[-1500:]
    (path,) = out.glob("*.whl")
    return path


def test_wheel_holds_every_file_of_the_package(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    kinds = {".py", ".toml", ".mako", ".ini", ".typed", ".html", ".css", ".js", ".json", ".j2", ".svg", ".tpl"}
    wanted = {
        p.relative_to(tree.ROOT).as_posix()
        for p in tree.PACKAGE.rglob("*")
        if p.is_file() and not {"node_modules", "__pycache__", "vendor"} & set(p.parts)
    }
    wanted = {w for w in wanted if "." + w.rsplit(".", 1)[-1] in kinds}
    missing = sorted(wanted - inside)
    assert not missing, f"add them to [tool.setuptools.package-data]: {missing}"


def test_wheel_holds_nothing_else(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {tree.NAME}, tops


def test_every_folder_with_code_is_a_package():
    bare = {
        p.parent for p in tree.modules() if not (p.parent / "__init__.py").is_file() and p.parent.name != "versions"
    }
    assert not bare, f"no __init__.py in {sorted(tree.shown(p) for p in bare)}: run `make export`"


def run(code, cwd):
    "Run code in a folder whose settings.ini and environment would both be refused if anything read them."
    (cwd / "settings.ini").write_text("[sca]\nno_such_setting = 1\n")
    env = {
        "PATH": "",
        "SCA_NO_SUCH_SETTING": "1",
        "PYTHONPATH": str(tree.ROOT),
        "OMP_NUM_THREADS": "1",
        "HOME": str(cwd),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(cwd / ".mpl"),
        "HF_HUB_OFFLINE": "1",
    }
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True, timeout=180)


def test_importing_the_package_does_nothing(tmp_path):
    code = (
        "import sys; before = set(sys.modules); import smart_customer_analysis as s; "
        "heavy = {'torch', 'sqlalchemy', 'transformers', 'pandas', 'fastapi'} & set(sys.modules); "
        "assert not heavy, heavy; assert s.__version__; assert not [m for m in sys.modules if "
        "m.startswith('smart_customer_analysis.')]"
    )
    process = run(code, tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout == process.stderr == ""


def test_importing_every_module_reads_no_setting_and_makes_no_file(tmp_path):
    names = [f"{tree.NAME}.{tree.dotted(p)}" for p in tree.generated()]
    code = f"""
import importlib, logging, sys, threading
for name in {names!r}:
    importlib.import_module(name)
assert not logging.getLogger().handlers, logging.getLogger().handlers
assert logging.getLogger().level == logging.WARNING
engine = sys.modules.get('sqlalchemy.engine.base')
import gc
assert engine is None or not [o for o in gc.get_objects() if type(o) is engine.Engine], 'an engine exists after import'
"""
    process = run(code, tmp_path)
    assert process.returncode == 0, process.stderr[-2000:]
    left = {p.name for p in tmp_path.iterdir()} - {"settings.ini", ".mpl", ".cache", ".config"}
    assert not left, f"importing made {left}"


def test_make_targets_named_in_the_texts_exist():
    makefile = (tree.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (tree.ROOT / name).read_text(encoding="utf-8")
        named = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^make ([a-z-]+)", text, re.M))
        assert not named - targets, f"{name} names make targets that do not exist: {named - targets}"


def test_no_environment_is_made_by_a_python_that_is_too_old(tmp_path):
    old = tmp_path / "python3.10"
    old.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 1\nmkdir "$3"\n')  # the check of the version, then -m venv FOLDER
    old.chmod(0o755)
    make = ["make", "--directory", tree.ROOT, "setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"]
    assert subprocess.run(make, capture_output=True, text=True).returncode != 0
    assert not (tmp_path / "venv").exists()
