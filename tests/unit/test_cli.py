"""The command line: one line when something is wrong, a non-zero exit, nothing half-written."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def sca(*args: str, home: Path, **env: str) -> subprocess.CompletedProcess:
    """Run the command in a folder of its own, without the settings of this machine."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SCA_")}
    command = [sys.executable, "-c", "from smart_customer_analysis.cli import main; main()", *args]
    return subprocess.run(command, cwd=home, env={**clean, **env}, capture_output=True, text=True, timeout=240)


def refused(done: subprocess.CompletedProcess, *words: str) -> None:
    """Assert that a run ended with one line for a person, and that the line holds the words."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in ("expected", "found", "next", *words):
        assert word in lines[0], lines[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "settings.ini").write_text("[sca]\n")
    return tmp_path


FASTTEXT = "__label__2 Good: works well\n__label__1 Bad: broke at once\n"
BAD_FILES = {
    "missing file": (None, ["train.ft.txt"]),
    "empty file": (b"", ["empty"]),
    "binary file": (bytes(range(256)) * 64, ["train.ft.txt"]),
    "unknown label only": (b"__label__9 What: is this\n" * 5, ["label"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(case, home):
    content, words = BAD_FILES[case]
    if content is not None:
        (home / "train.ft.txt").write_bytes(content)
    refused(sca("load", "--source", "fasttext", "--train", "train.ft.txt", home=home), *words)


def test_a_missing_column_is_named(home):
    (home / "reviews.csv").write_text("review_id,stars\n1,5\n")
    refused(sca("load", "--source", "csv", "reviews.csv", home=home), "column")


def test_an_unknown_label_is_a_counted_reject(home):
    good = "".join(f"__label__{1 + i % 2} Title {i}: text number {i}\n" for i in range(200))
    (home / "train.ft.txt").write_text(good + "__label__7 What: is this\n")
    done = sca("load", "--source", "fasttext", "--train", "train.ft.txt", "--json", home=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {"read": 201, "loaded": 200, "rejected": 1, "duplicate": 0}


def test_loading_twice_changes_nothing(home):
    (home / "train.ft.txt").write_text(FASTTEXT)
    command = ("load", "--source", "fasttext", "--train", "train.ft.txt", "--json")
    first, second = sca(*command, home=home), sca(*command, home=home)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert json.loads(first.stdout)["rows"] == json.loads(second.stdout)["rows"]


def test_an_unreachable_database_is_refused(home):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    url = f"postgresql+psycopg2://anna:secret@127.0.0.1:{port}/shop"
    done = sca("db", "upgrade", "--database", url, home=home)
    refused(done)
    assert "secret" not in done.stderr


def test_a_file_that_is_no_database_is_refused(home):
    (home / "notes.db").write_text("these are notes, not a database\n" * 50)
    refused(sca("db", "upgrade", "--database", f"sqlite:///{home / 'notes.db'}", home=home))
    assert (home / "notes.db").read_text().startswith("these are notes")


def test_an_unknown_setting_is_refused_with_the_nearest_name(home):
    (home / "settings.ini").write_text("[sca]\nepoch = 3\n")
    refused(sca("doctor", home=home), "epochs")
    (home / "settings.ini").write_text("[sca]\n")
    refused(sca("doctor", home=home, SCA_ENCODR="x"), "encoder")


def test_a_port_in_use_is_refused(home):
    assert sca("db", "upgrade", home=home).returncode == 0
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        refused(sca("serve", "--port", str(s.getsockname()[1]), home=home), str(s.getsockname()[1]))


def test_a_model_folder_without_manifest_is_refused(home):
    (home / "model").mkdir()
    (home / "model" / "config.json").write_text("{}")
    refused(sca("model", "verify", "model", home=home), "MANIFEST")


def test_too_few_labels_and_no_model_is_refused(home):
    (home / "train.ft.txt").write_text(FASTTEXT)
    refused(sca("run", "--source", "fasttext", "--train", "train.ft.txt", home=home), "trained model")
    assert not (home / "data" / "processed" / "fasttext" / "summary.json").exists()


def test_a_wrong_command_line_ends_with_two(home):
    assert sca("laod", home=home).returncode == 2


def test_doctor_hides_passwords_and_names_origins(home):
    done = sca(
        "doctor",
        "--json",
        home=home,
        SCA_DATABASE_URL="postgresql+psycopg2://anna:secret@127.0.0.1:1/shop",
        SCA_SEED="7",
    )
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout
    rows = {r["name"]: r for r in json.loads(done.stdout)["settings"]}
    assert (rows["seed"]["value"], rows["seed"]["origin"]) == ("7", "environment")
