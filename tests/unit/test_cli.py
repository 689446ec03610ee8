"""The command line: one line when something is wrong, a non-zero exit, nothing half-written."""

import contextlib
import fcntl
import json
import os
import pty
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from smart_customer_analysis.cli import app, main
from smart_customer_analysis.commands.examples import EXAMPLES, example_of
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.steps.source import name_of
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.migrate import downgrade, revision

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
    process = sca("load", "--source", "fasttext", "--train", "train.ft.txt", "--json", home=home)
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["rows"] == {"read": 201, "loaded": 200, "rejected": 1, "duplicate": 0}


def test_loading_twice_changes_nothing(home):
    (home / "train.ft.txt").write_text(FASTTEXT)
    command = ("load", "--source", "fasttext", "--train", "train.ft.txt", "--json")
    first, second = sca(*command, home=home), sca(*command, home=home)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert json.loads(first.stdout)["rows"] == json.loads(second.stdout)["rows"]


def test_loads_are_listed_shown_and_taken_back(home, monkeypatch, capsys):
    (home / "train.ft.txt").write_text(FASTTEXT * 3 + "__label__7 What: is this\n")
    (home / "more.ft.txt").write_text("__label__2 New: a third one\n__label__1 Bad: broke at once\n")
    monkeypatch.chdir(home)

    def ask(*args: str) -> dict | list:
        with contextlib.suppress(SystemExit):
            main(["load", *args, "--json"])
        captured = capsys.readouterr()
        return json.loads(captured.out) if captured.out else captured.err

    assert "no file" in ask("list") and not list(home.rglob("*.db*"))  # a command that reads makes no database
    first = ask("from", "train.ft.txt", "--source", "fasttext", "--name", "shop")
    assert first["rows"] == {"read": 7, "loaded": 2, "rejected": 1, "duplicate": 4}
    assert ask("more.ft.txt", "--source", "fasttext", "--name", "shop")["load_id"] == 2
    assert [(r["load_id"], r["inserted"], r["unchanged"]) for r in ask("list")] == [(2, 1, 1), (1, 2, 0)]
    details = ask("show", "1")
    assert (details["stands"]["reviews"], details["rejects"]) == (2, {"repeated_review_id": 4, "unknown_label": 1})
    assert details["counts"] == [
        {"file": "train.ft.txt", "entity": "review", "read": 7, "loaded": 2, "rejected": 1, "duplicate": 4}
    ]
    assert json.loads(ask("undo", "7", "--yes"))["error"]["next"] == "see: sca load list"
    assert "undo load 2 first" in ask("undo", "1", "--yes")
    assert ask("undo", "2", "--yes")["removed"]["reviews"] == 1
    assert [r["load_id"] for r in ask("list")] == [1]
    plain = sca("load", "show", "1", home=home).stdout
    assert "unknown_label" in plain and "train.ft.txt" in plain
    shop = make_engine(load_settings(home).database)
    downgrade(shop, "0002")
    assert '"next": "run: sca db upgrade"' in ask("list") and revision(shop) == "0002"  # and changes none


def test_an_unreachable_database_is_refused(home):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    url = f"postgresql+psycopg2://anna:secret@127.0.0.1:{port}/shop"
    process = sca("db", "upgrade", "--database", url, home=home)
    refused(process)
    assert "secret" not in process.stderr


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


def test_too_few_labels_still_get_segments_and_a_report_and_say_why_nothing_is_trained(home):
    (home / "train.ft.txt").write_text(FASTTEXT)
    process = sca("run", "--source", "fasttext", "--train", "train.ft.txt", home=home)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "nothing was trained: 2 labelled reviews; a model needs at least 50" in process.stdout
    summary = json.loads((home / "data" / "processed" / name_of([home]) / "summary.json").read_text())
    assert summary["model"] is None and not any((home / "models").glob("*/MANIFEST*"))
    assert list((home / "reports").rglob("weekly.html"))


WRONG_LINES = {"laod": "did you mean 'load'?", "load list --jsn": "see: sca load list --help", "report run a b": "(b)"}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_wrong_command_line_ends_with_two_in_the_form_of_all_errors(line, capsys):
    with pytest.raises(SystemExit) as end:
        main(line.split())
    error = capsys.readouterr().err
    assert end.value.code == 2 and error.startswith("sca: expected ") and error.count("\n") == 1
    assert WRONG_LINES[line] in error


@pytest.mark.parametrize("line", ["laod --json", "load --source olsit --json"])
def test_a_program_gets_an_error_as_json_and_nothing_on_stdout(line, home, capsys, monkeypatch):
    monkeypatch.chdir(home)
    with pytest.raises(SystemExit):
        main(line.split())
    out, error = capsys.readouterr()
    assert out == "" and list(json.loads(error)["error"]) == ["expected", "found", "next"]


def leaves(command, path=()):
    """Yield every command with its words."""
    for name, sub in getattr(command, "commands", {}).items():
        yield from leaves(sub, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


COMMANDS = dict(leaves(get_command(app)))


def test_there_is_an_example_for_every_command_and_for_no_other():
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_the_example_in_a_help_is_a_command_line_that_is_read(words):
    command = COMMANDS[words]
    assert command.epilog == f"Example: {example_of(words)}"
    command.make_context(words, shlex.split(EXAMPLES[words]))
    with pytest.raises(typer.TyperException):
        command.make_context(words, [*shlex.split(EXAMPLES[words]), "--no-such-option"])


def test_a_place_that_cannot_be_written_is_one_line(home):
    (home / "train.ft.txt").write_text(FASTTEXT)
    assert sca("load", "--source", "fasttext", "--train", "train.ft.txt", home=home).returncode == 0
    refused(sca("export", "--out", "/proc/nowhere", home=home), "/proc/nowhere")


@pytest.mark.parametrize(("command", "kept"), [("train", "last checkpoint"), ("segment", "again"), ("run", "stored")])
def test_ctrl_c_says_what_is_kept(command, kept, monkeypatch, capsys):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("smart_customer_analysis.commands.job.settings_of", stop)
    monkeypatch.setattr("smart_customer_analysis.steps.source.source_for", lambda *args: "sample")
    with pytest.raises(SystemExit) as end:
        main([command])
    error = capsys.readouterr().err
    assert end.value.code == 130 and error.startswith("sca: interrupted, ") and kept in error


def test_doctor_hides_passwords_and_names_origins(home):
    process = sca(
        "doctor",
        "--json",
        home=home,
        SCA_DATABASE_URL="postgresql+psycopg2://anna:secret@127.0.0.1:1/shop",
        SCA_SEED="7",
    )
    assert process.returncode == 1, process.stderr  # not ready, and it says why
    assert "secret" not in process.stdout
    rows = {r["name"]: r for r in json.loads(process.stdout)["settings"]}
    assert (rows["seed"]["value"], rows["seed"]["origin"]) == ("7", "environment")
    checks = {c["what"]: c for c in json.loads(process.stdout)["health"]}
    assert {checks[w]["state"] for w in ("database", "model")} == {"not ready"} and checks["database"]["next"]
    assert [p.name for p in home.iterdir()] == ["settings.ini"]  # it makes nothing


@pytest.fixture(scope="module")
def trained_twice(tmp_path_factory):
    """A folder with settings and two models of the same toy reviews, and files of reviews, half of them new to both."""
    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.train import train_sentiment

    home = tmp_path_factory.mktemp("shop")
    (home / "settings.ini").write_text("[sca]\n")
    words = {1: ["great", "lovely"], 0: ["awful", "broken"]}
    texts = [f"{words[i % 2][i // 2 % 2]} thing number {i}" for i in range(400)]
    labels = [i % 2 for i in range(400)]
    encoder = str(tiny_encoder(home / "tiny", texts))
    for seed in (1, 2):
        train_sentiment(
            texts[:200], labels[:200], [], [], home / "models" / "sentiment", encoder, 24, 4, 5e-3, 256, seed
        )
    lines = [f"__label__{y + 1} {x}" for x, y in zip(texts, labels, strict=True)]
    (home / "all.ft.txt").write_text("\n".join(lines) + "\n")
    wrong = [f"__label__{2 - y} {x}" for x, y in zip(texts, labels, strict=True)]
    (home / "upside.ft.txt").write_text("\n".join(wrong) + "\n")
    return home


@pytest.fixture
def two_models(trained_twice, tmp_path):
    """A copy of that folder, which a test may change."""
    return Path(shutil.copytree(trained_twice, tmp_path / "shop"))


@pytest.fixture
def here(two_models, monkeypatch, capsys):
    """Run a command in this process, in the folder of the two models: exit code, output, errors."""
    monkeypatch.chdir(two_models)

    def call(*args):
        try:
            main(list(args))
            code = 0
        except SystemExit as e:
            code = e.code or 0
        return code, *capsys.readouterr()

    return call


def versions(here):
    return [(r["version"], r["in_force"]) for r in json.loads(here("model", "list", "--json")[1])]


def test_models_are_compared_promoted_and_rolled_back(here):
    (old, _), (new, yes) = versions(here)
    assert yes == "yes"
    comparison = json.loads(here("model", "compare", old, "--file", "all.ft.txt", "--json")[1])
    assert (comparison["rows"], comparison["left_out"], comparison["refusal"]) == (200, 200, None)
    code, out, err = here("model", "promote", old, "--file", "all.ft.txt")
    assert code == 0 and f"in force: {old}" in out and "right to wrong" in out, err
    assert versions(here) == [(old, "yes"), (new, "")]
    assert f"in force: {new}" in here("model", "rollback")[1]
    for command, word in ((("rollback",), "promoted before"), (("compare", "nothing"), "one model of that name")):
        code, _, err = here("model", *command)
        assert code == 1 and word in err and err.count("\n") == 1


def test_a_worse_or_damaged_model_is_not_promoted(here, two_models):
    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.train import train_sentiment

    lines = [x.split(" ", 1) for x in (two_models / "upside.ft.txt").read_text().splitlines()[:60]]
    texts, labels = [t for _, t in lines], [int(w[-1]) - 1 for w, _ in lines]
    good = versions(here)[-1][0]
    encoder = str(tiny_encoder(two_models / "tiny2", texts))
    bad = train_sentiment(texts, labels, [], [], two_models / "models" / "sentiment", encoder, 24, 6, 5e-3, 256).version
    here("model", "promote", good, "--force", "start")
    code, _, err = here("model", "promote", bad, "--file", "all.ft.txt")
    assert code == 1 and "worse on all rows" in err
    assert dict(versions(here))[good] == "yes"
    assert here("model", "promote", bad, "--force", "we know why")[0] == 0
    history = (two_models / "models" / "sentiment" / "PROMOTIONS.jsonl").read_text().splitlines()
    assert json.loads(history[-1])["reason"] == "we know why"
    weights = two_models / "models" / "sentiment" / bad / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert dict(versions(here))[bad] == ""
    code, _, err = here("model", "promote", bad, "--force", "anyway")
    assert code == 1 and "model.safetensors" in err


def test_what_a_model_learnt_from_is_left_out_of_its_figures(here):
    folder = f"models/sentiment/{versions(here)[0][0]}"
    evaluation = json.loads(here("evaluate", "all.ft.txt", "--model", folder, "--json")[1])
    assert (evaluation["rows"], evaluation["left_out"]) == (200, 200)
    code, out, err = here("explain", "a great thing", "--model", folder)
    assert code == 0 and "great" in out and "tokens read" in out, err


def test_files_are_marked_without_a_database_and_only_once(home, tmp_path):
    from test_sentiment_train import toy

    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.train import train_sentiment

    texts, labels = toy(60)
    encoder = str(tiny_encoder(tmp_path / "tiny", texts))
    train_sentiment(texts, labels, [], [], home / "models" / "sentiment", encoder=encoder, max_tokens=24, epochs=1)
    lines = [f"__label__{y + 1} {t}" for t, y in zip(texts, labels, strict=True)]
    (home / "reviews.txt").write_text("\n".join([*lines, "no label here"]) + "\n")
    process = sca("score", "reviews.txt", "--out", "answers", "--json", home=home)
    result = json.loads(process.stdout)
    assert result["rows"]["read"] == 61 == sum(result["rows"].values()) - result["rows"]["read"]
    assert result["rows"]["rejected"] == 1 and result["scored_now"] == result["reviews"] == result["rows"]["loaded"]
    assert json.loads(sca("score", "reviews.txt", "--out", "answers", "--json", home=home).stdout)["scored_now"] == 0
    assert not list(home.rglob("*.db"))


def test_files_are_not_marked_without_a_place_for_the_answers(capsys):
    with pytest.raises(SystemExit) as e:
        main(["score", "reviews.txt"])
    assert e.value.code == 2 and "--out DIR" in capsys.readouterr().err


def test_an_evaluation_says_where_it_goes_wrong_and_leaves_out_what_was_learnt(home, tmp_path, monkeypatch, capsys):
    from test_sentiment_train import toy

    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.train import train_sentiment

    texts, labels = toy(200)
    # without words, so that it errs
    recipe = dict(encoder=str(tiny_encoder(tmp_path / "tiny", texts)), max_tokens=24, epochs=1, lexical=0)
    train_sentiment(texts[:100], labels[:100], [], [], home / "models" / "sentiment", **recipe)
    lines = [f"__label__{y + 1} {t}" for t, y in zip(texts[50:], labels[50:], strict=True)]
    (home / "test.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(home)
    with pytest.raises(SystemExit):
        main(["evaluate", "test.txt", "--json"])
    evaluation = json.loads(capsys.readouterr().out)
    known = len(set(texts[50:]) & set(texts[:100]))
    assert evaluation["left_out"] == known and evaluation["rows"] == len(set(texts[50:])) - known
    assert {s["slice"] for s in evaluation["slices"]} >= {"tokens", "label", "language"} and evaluation["mistakes"]
    with pytest.raises(SystemExit):
        main(["evaluate", "test.txt"])
    shown = capsys.readouterr().out
    assert "left out because the model was trained on them" in shown and "the mistakes it was most sure of" in shown


def test_somebody_at_a_terminal_sees_from_the_first_second_that_something_goes_on(home):
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-c", "from smart_customer_analysis.cli import main; main()", "export", "--out", "out"]
    with subprocess.Popen(command, cwd=home, stderr=terminal, stdout=subprocess.DEVNULL) as process:
        os.close(terminal)
        shown = os.read(master, 1000).decode()
    os.close(master)
    assert "export … 00:00" in shown and process.returncode == 1
    assert "…" not in sca("export", "--out", "out", home=home).stderr  # nobody watches
