"""The main job on a small shop and a tiny encoder: every stage real, seconds instead of minutes.

The job runs once; a test that changes anything works on a copy of its folder."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop, write_shop
from smart_customer_analysis.pipeline import run, score_only, segment_only
from smart_customer_analysis.promotion import list_models
from smart_customer_analysis.sentiment import choice
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.steps.export import export_only
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.query import review_facts
from smart_customer_analysis.summary import escape_formulas


@pytest.fixture(scope="module", autouse=True)
def encoder(tmp_path_factory) -> Iterator[Path]:
    "A tiny encoder, which stands for the small English one: the setting stays `auto`, as everybody has it."
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    tiny = tiny_encoder(folder, make_shop(300, 500, seed=3).reviews["text"].tolist())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "ENGLISH", str(tiny))
        yield tiny


def settings_of(home: Path):
    return load_settings(home, epochs=1, max_tokens=32, learning_rate=5e-3)


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, dict]:
    "Folder and summary of one job. Nobody writes there."
    home = tmp_path_factory.mktemp("done")
    write_shop(make_shop(n_customers=300, n_reviews=500, seed=3), home / "files")
    return home, run(settings_of(home), "sample", (home / "files",))


@pytest.fixture
def home(done, tmp_path) -> Path:
    "A copy of the folder of the job, with database, model, predictions and report."
    return Path(shutil.copytree(done[0], tmp_path / "home"))


@pytest.fixture
def settings(home):
    return settings_of(home)


@pytest.fixture
def first(done) -> dict:
    "The summary of the job."
    return done[1]


def test_the_summary_obeys_the_law_of_rows(first):
    rows = first["rows"]
    assert rows["read"] == rows["loaded"] + rows["rejected"] + rows["duplicate"] > 1000


def test_the_setting_that_everybody_has_finds_themes(first, encoder):
    assert load_settings().encoder == choice.AUTO and str(encoder) == choice.ENGLISH
    assert first["themes"]["themes"] and not first["themes"]["note"]


def test_the_summary_is_written_and_complete(first, settings):
    written = json.loads((settings.data_dir / "processed" / "sample" / "summary.json").read_text())
    assert set(written) >= {"rows", "accuracy", "segments", "model", "database", "report", "stages"}
    assert {"value", "low", "high", "n", "baselines"} <= set(written["accuracy"])
    assert "tfidf" in written["accuracy"]["baselines"]
    assert all({"name", "seconds", "peak_rss_mb"} == set(s) for s in written["stages"])
    assert written["segments"] == first["segments"]


def test_the_report_is_one_file_without_code_or_outside_references(first):
    page = Path(first["report"]).read_text()
    assert page.count("<h1") == 1 and "<script" not in page and "load_settings" not in page
    assert "http://" not in page.replace("http://www.w3.org", "") and 'src="http' not in page


def test_a_second_run_gives_the_same_numbers_and_keeps_the_ids(first, settings, home):
    again = run(settings, "sample", (home / "files",))
    same = ("rows", "accuracy", "segments", "scored")
    assert {k: again[k] for k in same} == {k: first[k] for k in same}
    assert Path(again["model"]).name == Path(first["model"]).name


def test_marks_survive_a_damaged_block_and_nothing_is_marked_twice(settings):
    assert score_only(settings, "sample")["marked_now"] == 0
    block = next((settings.data_dir / "interim" / "predictions").rglob("answers-*.parquet"))
    block.write_bytes(block.read_bytes()[:100])
    assert score_only(settings, "sample")["marked_now"] > 0


def test_another_allowed_error_is_another_answer_without_scoring_again(first, settings):
    assert first["unsure"] == score_only(settings, "sample")["unsure"] <= first["scored"]
    facts = review_facts(make_engine(settings.database))
    assert facts["marked"][facts["p_negative"].notna()].isna().sum() == first["unsure"]
    loose = score_only(settings.model_copy(update={"max_error": 0.49}), "sample")
    assert loose["marked_now"] == 0 and loose["error_contract"]["max_error"] == 0.49
    read = review_facts(make_engine(settings.database)).dropna(subset="p_negative")
    unsure, distance = read["marked"].isna(), (read["p_negative"] - 0.5).abs()
    assert unsure.sum() == loose["unsure"]
    assert distance[unsure].max() <= distance[~unsure].min() or not unsure.any()


def test_a_run_without_interim_tables_and_reports_makes_them_again(first, settings, home):
    results = settings.data_dir / "processed" / "sample"
    wanted = {p.name: p.read_bytes() for p in results.iterdir() if p.name != "summary.json"}
    assert set(wanted) == {"rejects.csv", "cleaning.csv", "segments.json", "choice_of_k.csv"}
    for folder in (settings.data_dir / "interim", results, settings.reports_dir):
        shutil.rmtree(folder)
    again = run(settings, "sample", (home / "files",))
    assert again["segments"] == first["segments"] and again["accuracy"] == first["accuracy"]
    assert json.loads((results / "summary.json").read_text())["segments"] == first["segments"]
    assert {name for name in wanted if (results / name).is_file()} == set(wanted)
    assert (results / "rejects.csv").read_bytes() == wanted["rejects.csv"]
    assert Path(again["report"]).is_file() and list((settings.data_dir / "interim").rglob("answers-*.parquet"))


def test_a_run_without_anything_processed_gives_the_same_segments_from_the_files(first, settings, home):
    shutil.rmtree(settings.data_dir / "processed")  # the database too
    again = run(settings, "sample", (home / "files",))
    same = ("rows", "accuracy", "segments", "scored")
    assert {k: again[k] for k in same} == {k: first[k] for k in same}


def test_reviews_without_customers_are_segmented_themselves(settings, home):
    for name in ("train.ft.txt", "test.ft.txt"):  # more than 1 % foreign labels would refuse so small a file
        lines = (home / "files" / name).read_text().split("\n")
        (home / name).write_text("\n".join(x for x in lines if not x.startswith("__label__5")))
    summary = run(settings, "fasttext", train=home / "train.ft.txt", test=home / "test.ft.txt")
    assert summary["segments"] and summary["accuracy"]["n"] > 50


def test_steps_one_at_a_time(first, settings, tmp_path):
    result = segment_only(settings, "sample")
    customers = sum(s["size"] for s in first["segments"])
    assert result["unit"] == "customer" and sum(s["size"] for s in result["segments"]) == customers >= 300
    tables = tmp_path / "tables"
    rows = export_only(settings, tables, "sample")["rows"]
    of_runs = {"marks", "segments", "members", "themes", "sentences"}
    assert rows["reviews"] > 400 and set(rows) == {"reviews", "customers", "orders"} | of_runs
    for name, n in rows.items():  # what each is, in both forms
        assert len(pd.read_parquet(tables / f"{name}.parquet")) == len(pd.read_csv(tables / f"{name}.csv")) == n > 0
    assert set(pd.read_csv(tables / "members.csv")["segment_id"]) == set(pd.read_csv(tables / "segments.csv")["id"])
    assert [m["state"] for m in list_models(settings)] == ["whole"]


def test_a_spreadsheet_runs_nothing_of_what_a_file_brought_along():
    raw = pd.DataFrame({"line": [3, 4], "raw": ["=cmd|' /C calc'!A0", "plain"], "detail": ["-5", None]})
    shown = escape_formulas(raw)
    assert shown["raw"].tolist() == ["'=cmd|' /C calc'!A0", "plain"] and shown["detail"][0] == "'-5"
    assert shown["line"].tolist() == [3, 4] and raw["raw"][0].startswith("=")
