"Commands that need no model do not pay for one: PyTorch takes seconds and half a gigabyte to import."

import json
import os
import subprocess
import sys

import pytest
import tree

from smart_customer_analysis.data.sample import make_shop, write_shop

HEAVY = ("torch", "transformers")
WITHOUT_A_MODEL = (  # in this order, in one process: each is seen by what it adds
    "doctor --help",
    "report list",
    "db upgrade",
    "db check",
    "load files --source sample",
    "load list",
    "load show 1",
    "export --out tables",
    "erase --customer 00002 --yes",
    "doctor",
)
NOT_READY = ("doctor",)  # there is no model: its exit code is 1
SCRIPT = """
import json, sys
from smart_customer_analysis.cli import main
for command in sys.argv[1:]:
    code = 0
    try:
        main(command.split())
    except SystemExit as e:
        code = e.code or 0
    print("@" + json.dumps([command, code, sorted(m for m in sys.modules if "." not in m)]))
"""


def imported(home, *commands):
    "Run commands in one new process; returns the packages that are imported after each."
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCA_")} | {"PYTHONPATH": str(tree.ROOT)}
    run = [sys.executable, "-c", SCRIPT, *commands]
    process = subprocess.run(run, cwd=home, env=env, capture_output=True, text=True, timeout=600)
    rows = [json.loads(line[1:]) for line in process.stdout.splitlines() if line.startswith("@")]
    assert [(command, code) for command, code, _ in rows] == [(c, int(c in NOT_READY)) for c in commands], (
        process.stdout + process.stderr
    )
    return {command: set(modules) for command, _, modules in rows}


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    "Packages that are imported after each command, in a folder with the files of a small shop."
    home = tmp_path_factory.mktemp("shop")
    (home / "settings.ini").write_text("[sca]\n")
    write_shop(make_shop(n_customers=40, n_reviews=60, seed=3), home / "files")
    return imported(home, *WITHOUT_A_MODEL)


@pytest.mark.parametrize("command", WITHOUT_A_MODEL)
def test_a_command_without_a_model_imports_no_model(command, modules):
    assert not modules[command] & set(HEAVY)


def test_help_imports_neither_tables_nor_a_database(modules):
    assert not modules["doctor --help"] & {*HEAVY, "pandas", "numpy", "sqlalchemy", "sklearn"}


def test_a_list_of_loads_imports_no_frames(tmp_path):
    imported(tmp_path, "db upgrade")
    assert not imported(tmp_path, "load list")["load list"] & {*HEAVY, "pandas", "pyarrow", "sklearn"}


def test_a_command_with_a_model_is_seen_to_import_it(tmp_path):
    assert set(HEAVY) <= imported(tmp_path, "model list")["model list"]
