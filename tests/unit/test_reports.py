"""The reports on segments and on the model run on a small shop and agree with the service; a repeat changes no byte."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from smart_customer_analysis.config import Settings
from smart_customer_analysis.data.review_text import text_of
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.files import text_keys
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.run import run_report, slug
from smart_customer_analysis.report.starter import starter
from smart_customer_analysis.schema import ReportError
from smart_customer_analysis.sentiment.evaluate import evaluate
from smart_customer_analysis.service import Service
from smart_customer_analysis.steps.segment import segment_step
from smart_customer_analysis.steps.sentiment import Scored
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.results import save_model, save_predictions


def scored(shop, rows):
    "Marks that follow the stars with 8 % errors, and vectors that follow the topics."
    rng = np.random.default_rng(0)
    negative = (shop.reviews["rating"].fillna(3) < 3).to_numpy() ^ (rng.random(len(shop.reviews)) < 0.08)
    p = np.where(negative, rng.uniform(0.7, 0.99, len(negative)), rng.uniform(0.01, 0.3, len(negative))).round(4)
    names = sorted(set(shop.truth["topics"].values()))
    topics = np.array([names.index(shop.truth["topics"][i]) for i in shop.reviews["review_id"]])
    vectors = (np.eye(12)[topics] + 0.5 * rng.normal(size=(len(topics), 12))).astype(np.float32)
    columns = {"review_id": shop.reviews["review_id"], "p_negative": p, "p_positive": 1 - p}
    columns |= {"label": pd.Series(np.where(p > 0.5, 0, 1), dtype="Int8").mask(np.abs(p - 0.5) < 0.22)}
    predictions = pd.DataFrame(columns).assign(tokens_read=30, tokens_total=30)
    return Scored(predictions[rows].reset_index(drop=True), vectors[rows], 0, int(rows.sum()))


def settings_of(home):
    return Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    "Folder of a stored shop with two runs of segments, the shop as it was made, its predictions, and the last run."
    home = tmp_path_factory.mktemp("shop")
    settings = settings_of(home)
    sample = make_shop(n_customers=300, n_reviews=900, dirty=False)
    engine = make_engine(settings.database)
    migrate(engine)
    save_load(engine, "sample", sample.reviews, sample.customers, sample.orders)
    folder = settings.models_dir / "sentiment" / "m1"
    folder.mkdir(parents=True)
    thresholds = [
        {"max_error": 0.02, "coverage": 0.0, "margin": None},
        {"max_error": 0.1, "coverage": 0.9, "margin": 1.0},
    ]
    (folder / "calibration.json").write_text(json.dumps({"temperature": 1.0, "thresholds": thresholds}))
    learnt = sample.reviews.iloc[:500]
    save_file({"keys": np.unique(text_keys(text_of(learnt)))}, folder / "seen.safetensors")
    right = {"value": 0.92, "low": 0.9, "high": 0.94, "n": 200}
    baselines = {"tfidf": right | {"value": 0.85, "low": 0.82, "high": 0.88}}
    metrics = {
        "accuracy": right | {"baselines": baselines},
        "training": {"rows": 500, "seconds": 9.0, "recipe": {"epochs": 2}},
    }
    save_model(engine, "m1", "sentiment", "m1", metrics)
    everything = scored(sample, np.ones(len(sample.reviews), dtype=bool))
    save_predictions(engine, "m1", everything.predictions)
    early = (sample.reviews["reviewed_at"] < sample.reviews["reviewed_at"].max() - pd.Timedelta(days=60)).to_numpy()
    frames = {"reviews": sample.reviews, "customers": sample.customers, "orders": sample.orders}
    segment_step(engine, settings, "sample", frames | {"reviews": sample.reviews[early]}, scored(sample, early), "m1")
    again = segment_step(engine, settings, "sample", frames, everything, "m1")
    engine.dispose()
    return home, sample, everything, again


@pytest.fixture
def shop(stored, tmp_path):
    "Settings of a copy of that folder, which a test may change; the shop, its predictions, a refit, the last run."
    home, sample, everything, last = stored
    settings = settings_of(shutil.copytree(home, tmp_path / "shop"))
    frames = {"reviews": sample.reviews, "customers": sample.customers, "orders": sample.orders}
    engine = make_engine(settings.database)
    yield settings, sample, everything, lambda: segment_step(engine, settings, "sample", frames, everything, "m1"), last
    engine.dispose()


def test_the_report_on_segments_names_all_of_them_and_who_moved(shop):
    settings, *_ = shop
    run = run_report(settings, "segments")
    text, segments = run.html.read_text(encoding="utf-8"), Service(settings).segments(Filters())
    assert all(f"[{g['id']}] {g['name']}" in text for g in segments["items"])
    assert f"{100 * segments['moved_share']:.1f}% of the customers" in text and text.count("<svg") == 4
    assert "nan" not in text.lower().replace("finan", "") and "<script" not in text
    moved = segments["events"] or segments["moved_share"]
    assert run.status == ("made" if moved else "nothing_new") and run.summary["source"] == "sample"


def test_the_report_on_the_model_measures_only_what_it_has_not_learnt_from(shop):
    settings, sample, everything, *_ = shop
    held = Service(settings).model(Filters())["held_out"]
    new = sample.reviews["label"].notna() & ~np.isin(
        text_keys(text_of(sample.reviews)), text_keys(text_of(sample.reviews[:500]))
    )
    truth = evaluate(sample.reviews.loc[new, "label"], everything.predictions.loc[new.to_numpy(), "p_negative"])
    assert held["accuracy"]["n"] == truth["accuracy"]["n"] < 450 and held["confusion"] == truth["confusion"]
    assert held["answered"]["value"] < 1 and all(0 <= m["p_negative"] <= 1 for m in held["mistakes"])
    text = run_report(settings, "model").html.read_text(encoding="utf-8")
    assert f"{100 * truth['accuracy']['value']:.0f}% right" in text and "85% (82–88%)" in text
    assert "cannot promise" in text and text.count("<svg") == 2 and text.count("<blockquote>") == len(held["mistakes"])


def test_a_model_that_does_not_say_what_it_learnt_from_is_not_measured(shop, tmp_path):
    settings, *_ = shop
    assert Service(settings.model_copy(update={"models_dir": tmp_path})).model(Filters())["held_out"] is None


def test_asking_again_on_unchanged_data_changes_no_byte(shop):
    settings, _, _, repeat, last = shop

    def published():
        service = Service(settings)
        answers = [service.shares(Filters(), by) for by in ("overall", "segment", "region", "product", "month", "week")]
        answers += [service.changes(Filters()), service.segments(Filters()), service.cells(Filters())]
        answers += [service.segment(g["id"], Filters()) for g in answers[7]["items"]]
        service.close()
        return json.dumps(answers).encode()

    before = published()
    assert repeat()["run_id"] == last["run_id"]  # nothing to segment anew
    assert published() == before


@pytest.fixture
def report_without_kernel(tmp_path, monkeypatch):
    "Make a report without a kernel; its key holds the parameter `region` as the weekly report's does."

    def execute(template, out, values, settings, timeout):
        nbformat.write(nbformat.v4.new_notebook(), out)
        out.with_suffix(".result.json").write_text("{}")
        out.with_suffix(".parameters.json").write_text("{}")
        key = f"shop-2026-11-15-{values['region']}"
        return {"title": "Week 46", "period": "a week", "n_changes": 1, "key": key}

    monkeypatch.setattr(report, "_execute", execute)
    settings = Settings(data_dir=tmp_path / "data", reports_dir=tmp_path / "reports")
    migrate(make_engine(settings.database))
    return lambda region: run_report(settings, "weekly", region=region)


REGIONS = [
    "x/../../../sandbox",
    "../../sandbox",
    "/sandbox",
    "N/A",
    "",
    ".",
    "..",
    "Île-de-France",
    "北京",
    "a\\b",
    "x" * 400,
]


@pytest.mark.parametrize("region", REGIONS)
def test_a_report_lies_one_folder_deep_whatever_its_region(report_without_kernel, tmp_path, region):
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "keep.txt").write_text("precious")
    runs = [report_without_kernel(region) for _ in range(2)]
    assert (tmp_path / "sandbox" / "keep.txt").read_text() == "precious"
    assert [p.name for p in (tmp_path / "reports").iterdir() if p.is_dir()] == ["weekly"]
    assert [p for p in (tmp_path / "reports" / "weekly").iterdir()] == [runs[0].html.parent]
    assert runs[0].html == runs[1].html and runs[0].html.is_file()


def test_names_of_reports_are_safe_and_differ_where_the_texts_do():
    texts = [*REGIONS, "N:A", "N-A", "N A", "x" * 401, "y" * 400, "-", "北海"]
    names = [slug(t) for t in texts]
    assert len({*names}) == len(names) and slug("shop-2026-11-15") == "shop-2026-11-15"
    assert all(0 < len(n) <= 60 and n.isascii() and not {*n} & set("/\\:\0 ") and n[0] not in ".-" for n in names)


def test_only_what_a_report_left_is_replaced(report_without_kernel, tmp_path):
    html = report_without_kernel("North").html
    (html.parent / "parameters.json").unlink()
    (html.parent / "keep.txt").write_text("precious")
    with pytest.raises(
        ReportError, match="expected no folder yet, or one with .*; found something else at .*; next: move"
    ):
        report_without_kernel("North")
    assert (html.parent / "keep.txt").read_text() == "precious"
    folders = [p.name for p in (tmp_path / "reports").iterdir() if p.is_dir()]
    assert folders == ["weekly"], "the scratch folder stays"


@pytest.mark.parametrize("up", [0, 1], ids=["of the run", "of the report"])
def test_a_link_out_of_the_folder_of_reports_is_not_followed(report_without_kernel, tmp_path, up):
    link: Path = [report_without_kernel("North").html.parent, tmp_path / "reports" / "weekly"][up]
    shutil.rmtree(tmp_path / "reports" / "weekly")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("result.json", "parameters.json", "keep.txt"):
        (elsewhere / name).write_text("precious")
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(ReportError, match="expected a report inside"):
        report_without_kernel("North")
    assert len([*elsewhere.iterdir()]) == 3


def test_the_weekly_report_is_two_sheets_of_paper_at_most_and_has_a_figure_for_phones(shop):
    settings, *_ = shop
    run = run_report(settings, "weekly", pdf=True)
    sheets = re.findall(rb"/Type\s*/Page\b", run.pdf.read_bytes())
    assert 1 <= len(sheets) <= 2
    text = run.html.read_text(encoding="utf-8")
    assert text.count('<figure class="wide') == text.count('<figure class="narrow') >= 1
    assert text.partition("<h2>What changed</h2>")[2].partition("<details")[0].count("<li>") <= 3
    assert "<script" not in text and len(text) < 500_000 and 1 <= text.count("<blockquote>") <= 4


def test_the_weekly_report_of_a_week_without_reviews_ends_early_and_cleanly(tmp_path):
    settings, sample = settings_of(tmp_path), make_shop(n_customers=100, n_reviews=400, dirty=False)
    engine = make_engine(settings.database)
    migrate(engine)
    away = sample.reviews["reviewed_at"].between("2026-05-01", "2026-07-01")
    save_load(engine, "sample", sample.reviews[~away], sample.customers, sample.orders)
    engine.dispose()
    run = run_report(settings, "weekly", end="2026-06-28", weeks=2)
    text = run.html.read_text(encoding="utf-8").partition("<body>")[2]
    assert run.status == "nothing_new" and run.summary["n_changes"] == 0 and text.count("<h1>") == 1
    assert "No review in this period." in text and "<h2>" not in text and "Traceback" not in text


def test_the_starter_runs_as_it_is_on_a_loaded_shop(shop, tmp_path):
    settings, *_ = shop
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "late_parcels.ipynb").write_text(json.dumps(starter("late_parcels")))
    for by in ("segment", "region"):
        run = run_report(settings, "late_parcels", folder=tmp_path / "own", by=by)
        text = run.html.read_text(encoding="utf-8")
        assert text.count("<svg") == 1 and text.count("<table") == 1 and "<blockquote>" in text
    none = run_report(settings, "late_parcels", folder=tmp_path / "own", region="Atlantis")
    assert none.status == "nothing_new" and "No review in this period." in none.html.read_text(encoding="utf-8")


def test_a_number_of_weeks_is_read_without_an_end_and_named_apart(shop):
    settings, *_ = shop
    whole, eight = run_report(settings, "weekly"), run_report(settings, "weekly", weeks=8)
    first, last = (
        json.loads((r.html.parent / "result.json").read_text())["period"].split(" – ") for r in (whole, eight)
    )
    assert first[1] == last[1] and whole.html != eight.html and whole.html.is_file()
    days = (pd.to_datetime(last[1], format="%d %b %Y") - pd.to_datetime(last[0], format="%d %b %Y")).days + 1
    assert days == 56 and "<dt>weeks</dt><dd>8</dd>" in eight.html.read_text(encoding="utf-8")
    for run in (whole, eight):  # a quiet period says so first, and folds the rest
        lead, _, rest = run.html.read_text(encoding="utf-8").partition("<h2>")
        is_quiet = run.summary["n_changes"] == 0
        assert ("Nothing changed beyond chance" in lead) == is_quiet == ("<h2>What changed</h2>" not in rest)
        assert ("<h2>Where</h2>" not in rest.partition('<details class="more after">')[0]) == is_quiet


@pytest.mark.parametrize("name", ["weekly", "model"])
def test_a_report_in_portuguese_leaves_no_english_but_what_people_wrote(shop, name):
    settings, *_ = shop
    run = run_report(settings, name, language="pt")
    text = run.html.read_text(encoding="utf-8")
    assert '<html lang="pt">' in text and run.summary["language"] == "pt" and "-" in run.html.parent.name
    plain = re.sub(r"<style>.*?</style>|<blockquote>.*?</blockquote>", " ", text, flags=re.S)
    plain = re.sub(r"<[^>]*>", " ", plain)
    left = re.findall(r"\b(?:the|of|are|is|and|reviews?|customers?|from|with|than|week|model|share|negative)\b", plain)
    assert not left, (
        f"{left}: {[plain[max(0, m.start() - 60) : m.end() + 40] for m in re.finditer(left[0], plain)][:2]}"
    )
