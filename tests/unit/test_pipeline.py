"""The main job on a small shop and a tiny encoder: every stage real, seconds instead of minutes."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from smart_customer_analysis import pipeline
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop, write_shop
from smart_customer_analysis.sentiment.model import tiny_encoder


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("shop")
    made = make_shop(n_customers=300, n_reviews=500, seed=3)
    write_shop(made, home / "files")
    tiny_encoder(home / "tiny", made.reviews["text"].tolist())
    return home


@pytest.fixture(scope="module")
def settings(shop):
    return load_settings(shop, encoder=str(shop / "tiny"), epochs=1, max_tokens=32, learning_rate=5e-3)


@pytest.fixture(scope="module")
def first(settings, shop):
    return pipeline.run(settings, "sample", (shop / "files",))


def test_the_summary_obeys_the_law_of_rows(first):
    rows = first["rows"]
    assert rows["read"] == rows["loaded"] + rows["rejected"] + rows["duplicate"] > 1000


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


def test_a_second_run_gives_the_same_numbers_and_keeps_the_ids(first, settings, shop):
    again = pipeline.run(settings, "sample", (shop / "files",))
    same = ("rows", "accuracy", "segments", "scored", "model")
    assert {k: again[k] for k in same} == {k: first[k] for k in same}


def test_marks_survive_a_damaged_block_and_nothing_is_marked_twice(first, settings):
    source = first["source"]
    assert pipeline.score_only(settings, source)["marked_now"] == 0
    block = next((settings.data_dir / "interim" / "marks").rglob("*.npz"))
    block.write_bytes(block.read_bytes()[:100])
    assert pipeline.score_only(settings, source)["marked_now"] > 0


def test_deleting_interim_processed_and_reports_is_harmless(first, settings, shop):
    for folder in (settings.data_dir / "interim", settings.reports_dir):
        shutil.rmtree(folder)
    again = pipeline.run(settings, "sample", (shop / "files",))
    assert again["segments"] == first["segments"]


def test_reviews_without_customers_are_segmented_themselves(settings, shop):
    for name in ("train.ft.txt", "test.ft.txt"):  # more than 1 % foreign labels would refuse so small a file
        lines = (shop / "files" / name).read_text().split("\n")
        (shop / name).write_text("\n".join(x for x in lines if not x.startswith("__label__5")))
    summary = pipeline.run(settings, "fasttext", train=shop / "train.ft.txt", test=shop / "test.ft.txt")
    assert summary["segments"] and summary["accuracy"]["n"] > 50


def test_steps_one_at_a_time(first, settings, tmp_path):
    assert pipeline.segment_only(settings, "sample")["segments"]
    rows = pipeline.export_only(settings, tmp_path, "sample")["rows"]
    assert rows["reviews"] > 400 and set(rows) == {"reviews", "customers", "orders", "marks", "segments", "members"}
    for name, n in rows.items():  # what each is, in both forms
        assert len(pd.read_parquet(tmp_path / f"{name}.parquet")) == len(pd.read_csv(tmp_path / f"{name}.csv")) == n > 0
    assert set(pd.read_csv(tmp_path / "members.csv")["segment_id"]) == set(pd.read_csv(tmp_path / "segments.csv")["id"])
    assert [m["state"] for m in pipeline.list_models(settings)].count("whole") >= 1


def test_a_spreadsheet_runs_nothing_of_what_a_file_brought_along():
    raw = pd.DataFrame({"line": [3, 4], "raw": ["=cmd|' /C calc'!A0", "plain"], "detail": ["-5", None]})
    shown = pipeline.harmless(raw)
    assert shown["raw"].tolist() == ["'=cmd|' /C calc'!A0", "plain"] and shown["detail"][0] == "'-5"
    assert shown["line"].tolist() == [3, 4] and raw["raw"][0].startswith("=")
