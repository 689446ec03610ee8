"""Evaluation: figures that agree with other people's, and refusals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from smart_customer_analysis.schema import InputError
from smart_customer_analysis.sentiment import evaluate as e


def rows(n=500, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.6, 0.6, n)
    return (rng.random(n) > p).astype(int), p


def test_figures_agree_with_sklearn():
    y, p = rows()
    metrics = e.evaluate(y, p)
    assert metrics["accuracy"]["value"] == accuracy_score(y == 0, p >= 0.5)
    tn, fp, fn, tp = confusion_matrix(y == 0, p >= 0.5).ravel()
    assert metrics["confusion"] == {"tn": tn, "fp": fp, "fn": fn, "tp": tp}


def test_rows_without_label_or_probability_are_left_out():
    y, p = rows(10)
    y2 = pd.array([*y, None, 1], dtype="Int8")
    assert e.evaluate(y2, [*p, 0.5, np.nan]) == e.evaluate(y, p)
    assert e.evaluate([None, None], [0.1, 0.2])["accuracy"]["n"] == 0


@pytest.mark.parametrize(("y", "p"), [([0, 1], [0.5]), ([0, 2], [0.5, 0.5]), ([0, 1], [0.5, 1.5])])
def test_what_cannot_be_compared_is_refused(y, p):
    with pytest.raises(InputError):
        e.evaluate(y, p)


def test_calibration_error_finds_one_that_is_too_sure():
    y, p = rows(5000)
    assert e.calibration_error(e.reliability(y, p)) < 0.025
    sharper = 1 / (1 + np.exp(-3 * np.log(p / (1 - p))))
    assert e.calibration_error(e.reliability(y, sharper)) > 0.08


def test_the_comparison_is_paired_and_fair():
    y, p = rows(2000)
    rng = np.random.default_rng(2)
    false = sum(
        e.compare(
            y, np.clip(p + rng.normal(0, 0.2, 2000), 0, 1), np.clip(p + rng.normal(0, 0.2, 2000), 0, 1), draws=200
        )["p_value"]
        < 0.05
        for _ in range(60)
    )
    assert false <= 9
    comparison = e.compare(y, 1 - p, p)
    assert comparison["difference"] > 0.3 and comparison["low"] > 0 and comparison["p_value"] < 1e-6
    assert comparison["difference"] == pytest.approx(
        (comparison["wrong_to_right"] - comparison["right_to_wrong"]) / comparison["n"]
    )


def test_the_baseline_is_the_same_each_time_and_better_than_chance():
    from test_sentiment_train import toy

    texts, labels = toy(200)
    a, b = (e.tfidf_baseline(texts[:150], labels[:150], texts[150:], labels[150:]) for _ in range(2))
    assert a == b and a["accuracy"]["value"] > 0.9


def test_slices_hold_every_row_once_per_column():
    y, p = rows(300)
    by = pd.DataFrame({"tokens": e.length_group(np.arange(300)), "kind": ["a", "b", None] * 100})
    table = e.slices(y, p, by)
    assert table[table["slice"] == "tokens"].n.sum() == 300
    assert table[table["slice"] == "kind"].n.sum() == 200


def test_worst_mistakes_come_first_and_are_mistakes():
    y, p = rows(100)
    mistakes = e.worst_mistakes([str(i) for i in range(100)], y, p, n=5)
    assert ((mistakes.p_negative >= 0.5) != (mistakes.label == 0)).all()
    assert (mistakes.p_negative - 0.5).abs().is_monotonic_decreasing


def two_models(rng, n=400, wrong=0.08, flipped=0.06, harm=0.0):
    """Labels and two models' probabilities: errors partly in common, the new one with `harm` more of them."""
    y = rng.integers(0, 2, n)
    common = rng.random(n) < wrong
    own = [common ^ (rng.random(n) < flipped + more) for more in (0.0, harm)]
    return y, *(np.where((y == 0) ^ bad, 0.9, 0.1) for bad in own)


def test_the_gate_lets_equal_models_pass_and_stops_damaged_ones():
    rng = np.random.default_rng(3)
    by = pd.DataFrame({"tokens": e.length_group(rng.integers(5, 400, 400))})

    def refused(harm):
        return sum(
            e.promotion_gate(e.prediction_flips(*two_models(rng, harm=harm), by)) is not None for _ in range(100)
        )

    assert refused(0.0) <= 5
    assert refused(0.3) == 100


def test_harm_to_one_group_closes_the_gate():
    rng = np.random.default_rng(4)
    y, old, new = two_models(rng, n=2000)
    group = np.where(np.arange(2000) < 300, "few", "many")
    new = np.where(group == "few", np.where(rng.random(2000) < 0.25, 1 - old, old), np.where(y == 0, 0.9, 0.1))
    table = e.prediction_flips(y, old, new, pd.DataFrame({"kind": group}))
    assert table.difference[0] > 0 and "kind few" in e.promotion_gate(table)
    assert table.right_to_wrong[0] == table.right_to_wrong[1:].sum()


def test_too_few_rows_decide_nothing():
    y, old, new = two_models(np.random.default_rng(5), n=60)
    assert "at least 100" in e.promotion_gate(e.prediction_flips(y, old, new, pd.DataFrame(index=range(60))))


def test_the_card_shows_how_sure_and_how_often_right(tmp_path):
    from test_sentiment_train import toy

    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.train import train_sentiment

    texts, labels = toy(60)
    recipe = dict(encoder=str(tiny_encoder(tmp_path / "tiny", texts)), max_tokens=24, epochs=1)
    trained = train_sentiment(texts, labels, [], [], tmp_path / "sentiment", **recipe)
    y, p = rows(1000)
    e.record_evaluation(trained.folder, e.evaluate(y, p))
    lines = [line for line in (trained.folder / "README.md").read_text().splitlines() if "◆" in line]
    table = e.reliability(y, p)
    assert [f"| {r.sure:.0%} | {r.right:.0%} |" for r in table.itertuples()] == [
        "|".join(x.split("|")[:3]) + "|" for x in lines
    ]
    assert all(len(x.split("`")[1]) == 20 for x in lines)
