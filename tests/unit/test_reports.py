"""The reports on segments and on the model run on a small shop and say what the service says; asking again changes no byte."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from smart_customer_analysis.config import Settings
from smart_customer_analysis.data.review_text import text_of
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.files import text_keys
from smart_customer_analysis.report.run import run_report
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
    told = {"review_id": shop.reviews["review_id"], "p_negative": p, "p_positive": 1 - p}
    told |= {"label": pd.Series(np.where(p > 0.5, 0, 1), dtype="Int8").mask(np.abs(p - 0.5) < 0.22)}
    marks = pd.DataFrame(told).assign(tokens_read=30, tokens_total=30)
    return Scored(marks[rows].reset_index(drop=True), vectors[rows], 0, int(rows.sum()))


def settings_of(home):
    return Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    "Folder of a stored shop with two runs of segments, the shop as it was made, its marks, and the last run."
    home = tmp_path_factory.mktemp("shop")
    settings = settings_of(home)
    made = make_shop(n_customers=300, n_reviews=900, dirty=False)
    engine = make_engine(settings.database)
    migrate(engine)
    save_load(engine, "sample", made.reviews, made.customers, made.orders)
    folder = settings.models_dir / "sentiment" / "m1"
    folder.mkdir(parents=True)
    thresholds = [
        {"max_error": 0.02, "coverage": 0.0, "margin": None},
        {"max_error": 0.1, "coverage": 0.9, "margin": 1.0},
    ]
    (folder / "calibration.json").write_text(json.dumps({"temperature": 1.0, "thresholds": thresholds}))
    learnt = made.reviews.iloc[:500]
    save_file({"keys": np.unique(text_keys(text_of(learnt)))}, folder / "seen.safetensors")
    right = {"value": 0.92, "low": 0.9, "high": 0.94, "n": 200}
    baselines = {"tfidf": right | {"value": 0.85, "low": 0.82, "high": 0.88}}
    metrics = {
        "accuracy": right | {"baselines": baselines},
        "training": {"rows": 500, "seconds": 9.0, "recipe": {"epochs": 2}},
    }
    save_model(engine, "m1", "sentiment", "m1", metrics)
    everything = scored(made, np.ones(len(made.reviews), dtype=bool))
    save_predictions(engine, "m1", everything.predictions)
    early = (made.reviews["reviewed_at"] < made.reviews["reviewed_at"].max() - pd.Timedelta(days=60)).to_numpy()
    frames = {"reviews": made.reviews, "customers": made.customers, "orders": made.orders}
    segment_step(engine, settings, "sample", frames | {"reviews": made.reviews[early]}, scored(made, early), "m1")
    again = segment_step(engine, settings, "sample", frames, everything, "m1")
    engine.dispose()
    return home, made, everything, again


@pytest.fixture
def shop(stored, tmp_path):
    "Settings of a copy of that folder, which a test may change; the shop, its marks, segmenting again, the last run."
    home, made, everything, last = stored
    settings = settings_of(shutil.copytree(home, tmp_path / "shop"))
    frames = {"reviews": made.reviews, "customers": made.customers, "orders": made.orders}
    engine = make_engine(settings.database)
    yield settings, made, everything, lambda: segment_step(engine, settings, "sample", frames, everything, "m1"), last
    engine.dispose()


def test_the_report_on_segments_names_all_of_them_and_who_moved(shop):
    settings, *_ = shop
    run = run_report(settings, "segments")
    text, told = run.html.read_text(encoding="utf-8"), Service(settings).segments(Filters())
    assert all(f"[{g['id']}] {g['name']}" in text for g in told["items"])
    assert f"{100 * told['moved_share']:.1f}% of the customers" in text and text.count("<svg") == 4
    assert "nan" not in text.lower().replace("finan", "") and "<script" not in text
    assert run.status == "made" and run.summary["source"] == "sample"


def test_the_report_on_the_model_measures_only_what_it_has_not_learnt_from(shop):
    settings, made, everything, *_ = shop
    held = Service(settings).model(Filters())["held_out"]
    new = made.reviews["label"].notna() & ~np.isin(
        text_keys(text_of(made.reviews)), text_keys(text_of(made.reviews[:500]))
    )
    truth = evaluate(made.reviews.loc[new, "label"], everything.predictions.loc[new.to_numpy(), "p_negative"])
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
