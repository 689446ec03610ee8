"""The one interval of a share and the one way to count predictions agree with other people's."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from smart_customer_analysis import stats
from smart_customer_analysis.schema import InputError


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (81, 263), (855, 900)])
def test_the_interval_is_scipys(k: int, n: int, level: float) -> None:
    interval = binomtest(k, n).proportion_ci(level, method="wilson")
    _, low, high = stats.wilson_interval(k, n, level)
    assert (float(low), float(high)) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert 0 <= low <= k / n <= high <= 1


def test_many_groups_are_as_one_by_one() -> None:
    k, n = np.array([0, 3, 9]), np.array([5, 30, 9])
    together = np.array(stats.wilson_interval(k, n)).T
    alone = [[stats.proportion(a, b)[c] for c in ("value", "low", "high")] for a, b in zip(k, n, strict=True)]
    assert np.allclose(together, alone)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    k = np.random.default_rng(1).binomial(200, 0.92, 2000)
    _, low, high = stats.wilson_interval(k, 200)
    assert 0.93 <= ((low <= 0.92) & (high >= 0.92)).mean() <= 0.97


def test_of_no_rows_there_is_no_share() -> None:
    assert stats.proportion(0, 0) == {"value": None, "low": None, "high": None, "n": 0}


def test_counts_are_those_of_sklearn_where_positive_is_a_negative_review() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 300), rng.random(300)
    assert tuple(stats.confusion_counts(y, p).values()) == tuple(confusion_matrix(y == 0, p >= 0.5).ravel())


def test_rows_without_label_or_probability_are_left_out() -> None:
    y, p = pd.array([0, None, 1, 1], dtype="Int8"), [0.9, 0.9, np.nan, 0.9]
    assert stats.confusion_counts(y, p) == {"tn": 0, "fp": 1, "fn": 0, "tp": 1}


@pytest.mark.parametrize(("y", "p"), [([0, 1], [0.5]), ([0, 2], [0.5, 0.5]), ([0, 1], [0.5, 1.5])])
def test_what_cannot_be_compared_is_refused(y: list, p: list) -> None:
    with pytest.raises(InputError):
        stats.confusion_counts(y, p)


def test_the_distribution_of_scores_holds_every_row_once() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 1000), rng.random(1000)
    kept = stats.score_distribution(y, p, bins=8)
    totals = np.add(kept["scores_negative"], kept["scores_positive"])
    assert totals.sum() == 1000 and np.abs(totals - 125).max() <= 2
    assert sum(kept["scores_negative"]) == (y == 0).sum()


def test_equal_scores_share_one_class() -> None:
    kept = stats.score_distribution([0, 1, 0, 1], [0.5] * 4)
    assert len(kept["score_edges"]) + 1 == len(kept["scores_negative"]) and sum(kept["scores_negative"]) == 2
