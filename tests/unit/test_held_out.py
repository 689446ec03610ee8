"""The shop's own reviews say how its model errs: those the model was not trained on. The truth is planted."""

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.config import Settings
from smart_customer_analysis.insight.changes import find_changes
from smart_customer_analysis.insight.estimate import fit_pool, read_reviews, simulate_reviews
from smart_customer_analysis.insight.shares import shares_by
from smart_customer_analysis.schema import Customer, Order, Review, conform
from smart_customer_analysis.service import Service
from smart_customer_analysis.serving import read_shop
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import open_database
from smart_customer_analysis.store.results import save_model, save_predictions

PROUD = {"tp": 99, "fn": 1, "fp": 1, "tn": 99}  # validation rows on which the model hardly errs


def trained_on_two_thirds(n: int, share: float, labelled: float = 0.5, seed: int = 2) -> pd.DataFrame:
    "Reviews of a model that is always right on what it was trained on, and right in 75 % of the others."
    rows = simulate_reviews(n, share, right=0.75, labelled=labelled, seed=seed)
    trained = rows["stars"].notna() & (np.arange(n) % 3 > 0)
    p = rows["p_negative"].mask(trained, 0.02 + 0.96 * rows["truth"])
    return rows.assign(p_negative=p, marked=(p >= 0.5) * 1.0, held_out=~trained)


def stored(settings: Settings, rows: pd.DataFrame) -> None:
    "Write the reviews, a model that is proud of itself, and its predictions."
    engine = open_database(settings)
    ids = [f"r{i:05}" for i in range(len(rows))]
    day = pd.Timestamp("2026-09-01", tz="UTC") + pd.to_timedelta(np.arange(len(rows)) % 80, unit="D")
    rating = rows["stars"].map({1.0: 1.0, 0.0: 5.0})
    reviews = pd.DataFrame({"review_id": ids, "customer_id": [f"c{c}" for c in rows["customer_id"]], "text": ids})
    reviews = reviews.assign(title="", rating=rating, reviewed_at=day, source="shop", line=range(1, len(rows) + 1))
    reviews["product_id"] = rows.get("product_id", "lamp")
    reviews["label"] = (1 - rows["stars"]).astype("Int8")
    nobody = pd.DataFrame({"customer_id": [], "order_id": [], "ordered_at": [], "amount": [], "currency": []})
    save_load(engine, "shop", conform(reviews, Review), conform(nobody, Customer), conform(nobody, Order))
    save_model(engine, "m1", "sentiment", "m1", {"validation_confusion": PROUD})
    answers = pd.DataFrame({"review_id": ids, "label": (1 - rows["marked"]).astype("Int8")})
    answers = answers.assign(p_negative=rows["p_negative"], p_positive=1 - rows["p_negative"], tokens_read=3)
    save_predictions(engine, "m1", answers.assign(tokens_total=3, held_out=rows.get("held_out")))
    engine.dispose()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path, models_dir=tmp_path / "models", reports_dir=tmp_path / "reports")


def test_a_published_share_is_corrected_by_the_reviews_the_model_was_not_trained_on(settings) -> None:
    rated, bare = (trained_on_two_thirds(3000, s, n, seed=6) for s, n in ((0.3, 0.5), (0.2, 0.0)))
    rows = pd.concat([rated.assign(product_id="lamp"), bare.assign(product_id="desk")], ignore_index=True)
    rows["customer_id"] = range(6000)
    stored(settings, rows)
    desk = next(item for item in Service(settings).shares(Filters(), "product")["items"] if item["key"] == "desk")
    misled = shares_by(bare.assign(held_out=False), None, PROUD)["value"][0]
    assert misled > 0.3, "the rows on which the model hardly errs say nothing about these"
    assert desk["value"] == pytest.approx(bare["truth"].mean(), abs=0.04) and desk["corrected"]
    assert desk["low"] <= bare["truth"].mean() <= desk["high"]


def test_a_model_that_does_not_say_what_it_learnt_from_is_corrected_by_its_validation_counts(settings) -> None:
    rows = trained_on_two_thirds(3000, 0.2).drop(columns="held_out")
    stored(settings, rows)
    shop = read_shop(open_database(settings), None, 10)
    assert not shop.reviews["held_out"].any() and not shop.pool.own
    value = Service(settings).shares(Filters())["items"][0]["value"]
    assert value == pytest.approx(shares_by(rows.assign(held_out=False), None, PROUD)["value"][0], abs=1e-4)


def test_the_same_predictions_stored_again_learn_what_is_held_out(settings) -> None:
    "So it goes with a database from before: predictions without the answer, then scored again."
    rows = trained_on_two_thirds(1000, 0.3)
    stored(settings, rows.drop(columns="held_out"))
    stored(settings, rows)
    shop = read_shop(open_database(settings), None, 10)
    assert shop.reviews["held_out"].tolist() == rows["held_out"].tolist() and shop.pool.own


def test_a_part_without_own_rows_is_read_as_the_whole_shop_is() -> None:
    "Marks would be corrected by rates of probabilities, were a part read by its own lack of held-out rows."
    rows = trained_on_two_thirds(6000, 0.3)
    pool = fit_pool(read_reviews(rows, PROUD), PROUD)
    part = rows[rows["stars"].isna()]
    value = shares_by(part, None, PROUD, pool=pool)["value"][0]
    assert pool.own and value == pytest.approx(part["truth"].mean(), abs=0.04)


def test_a_few_own_rows_leave_the_word_to_the_validation_counts() -> None:
    few = simulate_reviews(400, 0.3, right=0.75, labelled=0, seed=4)
    few.loc[:12, "stars"] = few["truth"][:13]
    rows = read_reviews(few.assign(held_out=True), PROUD)
    pool = fit_pool(rows, PROUD)
    assert not pool.own and set(rows["f"].dropna()) <= {0.0, 1.0}, "marks, as the validation rows were counted"


def test_a_change_says_the_shares_that_stand_beside_it() -> None:
    rows = trained_on_two_thirds(4000, 0.3)
    later = np.random.default_rng(0).random(4000) < 0.5
    pool = fit_pool(read_reviews(rows, PROUD), PROUD)
    table = rows.assign(kind="overall", key="", name="", period=np.where(later, "after", "before"))
    measured = find_changes(table, confusion=PROUD, pool=pool).measures.iloc[0]
    for period, part in (("before", rows[~later]), ("after", rows[later])):
        assert measured[period] == pytest.approx(shares_by(part, None, PROUD, pool=pool)["value"][0])
