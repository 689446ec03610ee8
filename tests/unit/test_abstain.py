"Stored predictions abstain where the allowed error cannot be kept, and the shares stay the same. The truth is planted."

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.config import Settings
from smart_customer_analysis.insight.shares import shares_by
from smart_customer_analysis.sentiment.calibrate import error_thresholds
from smart_customer_analysis.sentiment.predict import probabilities, threshold_for
from smart_customer_analysis.sentiment.recipe import Recipe
from smart_customer_analysis.stats import confusion_counts
from smart_customer_analysis.steps.sentiment import abstain, margins_of, recipe_from

HELD, SHARE = 2000, 0.3


@pytest.fixture(scope="module")
def shop():
    "Margins whose distance from zero says how often they are wrong: held-out rows, and a shop with 30 % negative."
    rng = np.random.default_rng(5)
    margin = rng.normal(0, 4, 8000)
    truth = (rng.random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(int)
    calibration = {"temperature": 1.4, "exponent": 1.2, "n": HELD}
    calibration["thresholds"] = error_thresholds(margin[:HELD], truth[:HELD])
    negative, positive = (HELD + np.flatnonzero(truth[HELD:] == y) for y in (0, 1))
    rows = np.r_[negative[:600], positive[:1400]]
    held = confusion_counts(truth[:HELD], 1 - probabilities(margin[:HELD], calibration))
    return margin[rows], truth[rows], calibration, held


def predictions(margin, calibration):
    p = probabilities(margin, calibration)
    return pd.DataFrame({"p_negative": 1 - p, "p_positive": p, "tokens_read": 9, "tokens_total": 9})


def answered(shop, max_error):
    margin, _, calibration, _ = shop
    return abstain(predictions(margin, calibration), np.zeros((len(margin), 2)), calibration, max_error)[0]


def test_margins_come_back_from_probabilities(shop):
    margin, _, calibration, _ = shop
    assert np.allclose(margins_of(predictions(margin, calibration), calibration), margin, atol=1e-6)


@pytest.mark.parametrize("max_error", [0.05, 0.1])
def test_answers_keep_the_error_and_the_threshold_is_the_models_own(shop, max_error):
    margin, truth, calibration, _ = shop
    wrong, kept = (margin > 0) != (truth == 1), answered(shop, max_error)
    assert wrong.mean() > 0.1 and 0 < kept.sum() < len(kept)
    assert wrong[kept].mean() <= max_error
    assert kept.tolist() == (np.abs(margin) >= threshold_for(calibration, max_error)).tolist()


def test_a_model_that_can_guarantee_nothing_answers_everything_and_says_so(shop):
    margin, _, calibration, _ = shop
    kept, guarantee = abstain(predictions(margin, calibration), np.zeros((len(margin), 2)), calibration, 0.001)
    assert kept.all() and not guarantee.holds and "without a guarantee" in guarantee.sentence


@pytest.mark.parametrize("max_error", [0.05, 0.1])
def test_a_share_does_not_depend_on_what_is_left_unanswered(shop, max_error):
    margin, _, calibration, held = shop
    p = predictions(margin, calibration)["p_negative"]
    facts = pd.DataFrame({"p_negative": p, "customer_id": np.arange(len(p)).astype(str)})
    marked, kept = (p >= 0.5).astype("Float64"), answered(shop, max_error)
    plain = shares_by(facts.assign(marked=marked), None, held).iloc[0]
    left_out = shares_by(facts.assign(marked=marked.mask(~kept)), None, held).iloc[0]
    assert left_out["n_unsure"] == (~kept).sum() > 0 and plain["n_unsure"] == 0
    assert [left_out[c] for c in ("value", "low", "high")] == [plain[c] for c in ("value", "low", "high")]
    assert left_out["low"] < SHARE < left_out["high"]


def test_the_guarantee_is_tested_on_rows_the_model_was_not_trained_on(shop):
    margin, _, calibration, _ = shop
    known = np.arange(len(margin)) < 1000
    surer = np.where(known, margin * 3, margin)  # as a model is on its training rows
    kept, guarantee = abstain(predictions(surer, calibration), np.zeros((len(margin), 2)), calibration, 0.1, known)
    assert guarantee.coverage == pytest.approx(kept[~known].mean()) and kept[known].mean() > guarantee.coverage


def test_every_setting_that_is_a_field_of_the_recipe_reaches_it():
    changed = Settings(encoder="x", max_tokens=32, epochs=3, learning_rate=1e-3, batch_tokens=512, seed=7)
    recipe = recipe_from(changed)
    shared = set(Settings.model_fields) & set(Recipe.__dataclass_fields__)
    assert shared >= {"encoder", "max_tokens", "epochs", "learning_rate", "batch_tokens", "seed"}
    assert {n: getattr(recipe, n) for n in shared} == {n: getattr(changed, n) for n in shared}


def test_a_shop_of_99_to_1_is_promised_nothing_on_its_rare_side():
    margin, label = np.full(100, 3.0), np.r_[np.ones(99), 0].astype(int)  # a model that calls everything positive
    calibration = {"temperature": 1.0, "exponent": 1.0, "n": 100, "thresholds": error_thresholds(margin, label)}
    negative = predictions(np.full(150, 3.0), calibration)
    kept, guarantee = abstain(negative, np.zeros((150, 2)), calibration, 0.1)
    assert kept.all() and not guarantee.holds, "every answer is wrong"
    assert "of the negative ones alone no error is guaranteed" in guarantee.sentence


@pytest.mark.parametrize(("right", "holds"), [(0, False), (4, False), (8, True)])
def test_a_promise_holds_of_either_kind_alone(right, holds):
    "142 positive reviews are all found; of every 8 negative ones, `right` are."
    label = np.r_[np.ones(900), np.zeros(80)].astype(int)
    margin = np.where((label == 1) | (np.arange(980) % 8 >= right), 3.0, -3.0)
    calibration = {"temperature": 1.0, "exponent": 1.0, "n": 980, "thresholds": error_thresholds(margin, label)}
    assert abstain(predictions(margin, calibration), np.zeros((980, 2)), calibration, 0.15)[1].holds is holds
