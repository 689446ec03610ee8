"""Shares: right on average, honest ranges, hidden and flagged where they must be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from wilson import wilson

from smart_customer_analysis.insight.estimate import (
    Pool,
    fit_pool,
    intraclass_correlation,
    read_reviews,
    simulate_reviews,
)
from smart_customer_analysis.insight.shares import (
    RATES,
    SHARE_COLUMNS,
    mixture_misfit,
    negative_share,
    shares_by,
    simulate_shares,
)
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.stats import confusion_counts, score_distribution

CONFUSION = {"tp": 870, "fn": 130, "fp": 90, "tn": 910}


def facts(seed: int = 0, **groups: tuple[int, float]) -> pd.DataFrame:
    "Reviews marked by a model with the rates of CONFUSION; groups name=(reviews, true share)."
    rng, parts = np.random.default_rng(seed), []
    for name, (n, share) in groups.items():
        negative = rng.random(n) < share
        parts.append(
            pd.DataFrame(
                {"region": name, "marked": np.where(negative, rng.random(n) < 0.87, rng.random(n) < 0.09).astype(int)}
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(customer_id=[f"c{i}" for i in range(len(rows))], marked=rows["marked"].astype("Int8"))


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.9])
def test_half_labelled_shares_are_right_within_two_points_and_their_ranges_hold(truth: float) -> None:
    result = simulate_shares(truth, draws=60, seed=3)
    assert result["error"] <= 0.02
    assert result["coverage"] >= 0.88, "0.95 in the long run"


@pytest.mark.parametrize("icc", [0.3, 0.5])
def test_ranges_hold_where_customers_write_up_to_ten_reviews(icc: float) -> None:
    assert simulate_shares(0.3, draws=100, icc=icc, most=10, labelled=1.0, seed=5)["coverage"] >= 0.88


def test_ranges_of_groups_hold() -> None:
    assert simulate_shares(0.3, draws=12, n=1600, groups=8, icc=0.3, most=6, seed=5)["coverage"] >= 0.9


def test_without_stars_the_confusion_counts_correct_and_their_range_holds() -> None:
    result = simulate_shares(0.2, draws=60, validation=1000, labelled=0, seed=6)
    assert result["coverage"] >= 0.88 and result["error"] < 0.05 < result["error_counted"]


def test_all_labelled_is_the_plain_share_whatever_the_model_says() -> None:
    rows = simulate_reviews(500, 0.3, labelled=1.0)
    row = shares_by(rows, None).iloc[0]
    assert row["value"] == pytest.approx(rows["truth"].mean()) and not row["corrected"]
    other = shares_by(rows.assign(p_negative=0.99, marked=1.0), None).iloc[0]
    assert other[["value", "low", "high"]].tolist() == pytest.approx(row[["value", "low", "high"]].tolist())


def test_the_estimate_is_prediction_powered_inference() -> None:
    rows = simulate_reviews(900, 0.3, labelled=0.9, seed=1)
    read = read_reviews(rows, None)
    slope, y, f = fit_pool(read, None).slope, rows["stars"], rows["p_negative"]
    labelled = y.notna()
    expected = y.mean() + slope * (~labelled).mean() * (f[~labelled].mean() - f[labelled].mean())
    assert shares_by(rows, None)["value"][0] == pytest.approx(
        expected, abs=0.004
    )  # the rates of the shop weigh a little


def test_rows_the_model_was_trained_on_do_not_say_how_it_errs() -> None:
    "On its training rows the model is perfect; only the held-out ones show that it is not."
    rows = simulate_reviews(6000, 0.2, labelled=0.5, seed=2)
    trained = rows["stars"].notna() & (np.arange(6000) % 3 > 0)
    rows["p_negative"] = rows["p_negative"].mask(trained, rows["truth"])
    pool = fit_pool(read_reviews(rows.assign(held_out=~trained), None), None)
    assert pool.rates.found < 0.8 and fit_pool(read_reviews(rows, None), None).rates.found > 0.85
    assert shares_by(rows.assign(held_out=~trained), None)["value"][0] == pytest.approx(rows["truth"].mean(), abs=0.015)


def test_confusion_counts_do_not_move_a_share_that_stars_give() -> None:
    rows = simulate_reviews(1000, 0.48, labelled=1.0)
    wrong = {"tp": 60, "fn": 40, "fp": 3, "tn": 48}  # as of 151 validation rows that a model read worse than the period
    assert shares_by(rows, None, wrong)["value"][0] == pytest.approx(rows["truth"].mean())


def test_three_stars_are_counted_apart_and_on_neither_side() -> None:
    rows = simulate_reviews(400, 0.3, labelled=1.0)
    neutral = np.arange(400) < 50
    row = shares_by(rows.assign(neutral=neutral, stars=rows["stars"].mask(neutral)), None).iloc[0]
    assert (row["n_neutral"], row["n_labelled"], row["n_predicted"], row["n_reviews"]) == (50, 350, 0, 400)
    assert row["value"] == pytest.approx(rows["truth"][50:].mean())
    quantile = stats.t.isf(0.025, 399)
    one_each = shares_by(rows.assign(neutral=neutral, customer_id=range(400)), None).iloc[0]
    assert one_each["neutral"] == pytest.approx(50 / 400)
    assert (one_each["neutral_low"], one_each["neutral_high"]) == pytest.approx(wilson(50, 400, quantile))


def test_a_shop_without_stars_has_no_neutral_share() -> None:
    rows = simulate_reviews(400, 0.3, labelled=0.0)
    assert shares_by(rows, None, CONFUSION)[["neutral", "neutral_low", "neutral_high"]].isna().all().all()


def test_reviews_nobody_read_are_never_corrected() -> None:
    rows = simulate_reviews(800, 0.3, labelled=0.5)
    bare = rows.assign(p_negative=np.nan, marked=np.nan)
    row = shares_by(bare, None).iloc[0]
    assert row["value"] == pytest.approx(rows["stars"].mean()) and row["n_predicted"] == 0 and not row["corrected"]


def test_a_group_without_labels_goes_by_the_rates_of_the_shop() -> None:
    rows = pd.concat(
        [
            simulate_reviews(4000, 0.2, seed=1).assign(region="a"),
            simulate_reviews(2000, 0.6, labelled=0, seed=2).assign(region="b"),
        ]
    )
    row = shares_by(rows.assign(customer_id=range(6000)), "region").set_index("region").loc["b"]
    assert row["low"] <= 0.6 <= row["high"] and row["n_labelled"] == 0 and abs(row["value"] - 0.6) < 0.05


def test_repeated_reviews_widen_the_range() -> None:
    once = simulate_reviews(1000, 0.3, labelled=1.0)
    often = pd.concat([once.head(100)] * 10, ignore_index=True)  # the same hundred people say the same ten times
    widths = [float(t["high"][0] - t["low"][0]) for t in (shares_by(once, None), shares_by(often, None))]
    assert widths[1] > 2.5 * widths[0]


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.6])
def test_the_planted_correlation_is_found_within_groups(icc: float) -> None:
    parts = [simulate_reviews(3000, share, icc=icc, most=6, seed=i) for i, share in enumerate((0.2, 0.7))]
    person = np.concatenate([parts[0]["customer_id"], parts[1]["customer_id"] + 3000])
    group = np.repeat([0, 1], 3000)
    truth = np.concatenate([p["truth"] for p in parts])
    assert intraclass_correlation(group, person, truth)[0] == pytest.approx(icc, abs=0.06)
    assert intraclass_correlation(np.zeros(6000, dtype=int), person, truth)[0] > icc, (
        "differences of groups would count as people"
    )


@pytest.mark.parametrize("right", [0.7, 0.8, 0.95])
def test_the_headline_hardly_depends_on_the_model(right: float) -> None:
    base, judge = (simulate_reviews(2000, 0.3, right=r, seed=9) for r in (0.85, right))
    assert shares_by(judge, None)["value"][0] == pytest.approx(shares_by(base, None)["value"][0], abs=0.012)


def test_fewer_marks_than_mistakes_are_not_comparable_and_never_zero() -> None:
    share = negative_share(20, 1000, CONFUSION)
    assert share.reliability == "not_comparable" and (share.low, share.high) == (0.0, 1.0) and np.isnan(share.value)
    assert str(share) == "no share: the model's error rates do not hold here (n=1,000)"
    for marked, n in ((0, 500), (15, 500), (500, 500)):
        strange = negative_share(marked, n, {"tp": 450, "fn": 50, "fp": 50, "tn": 450})
        assert (strange.reliability, strange.reason) == ("not_comparable", RATES) and np.isnan(strange.value)
    share = negative_share(85, 1000, CONFUSION)
    assert share.reliability == "wide" and share.high > share.value == 0


def test_scores_unlike_those_of_the_labelled_reviews_are_flagged() -> None:
    rows = simulate_reviews(2000, 0.3, seed=3)
    assert shares_by(rows, None)["reliability"][0] == "ok"
    mild = rows.assign(p_negative=rows["p_negative"].where(rows["stars"].notna(), 0.3 + 0.4 * rows["p_negative"]))
    assert shares_by(mild, None)["reliability"][0] == "not_comparable"


def test_a_thin_part_takes_the_correlation_of_the_shop() -> None:
    rows = simulate_reviews(40, 0.3, labelled=1.0, most=3)
    narrow, wide = (shares_by(rows, None, pool=Pool(icc)).iloc[0] for icc in (0.0, 0.8))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_without_confusion_it_is_wilson() -> None:
    share = negative_share(81, 263, None)
    assert wilson(81, 263, stats.norm.isf(0.025)) == pytest.approx((0.2553, 0.3662), abs=5e-5), "Newcombe 1998, table I"
    assert (share.low, share.high) == pytest.approx(wilson(81, 263, stats.t.isf(0.025, 262)), abs=1e-9)
    assert share.value == share.counted == pytest.approx(81 / 263) and not share.corrected


def test_a_nearly_perfect_model_changes_little() -> None:
    perfect = {"tp": 100_000, "fn": 0, "fp": 0, "tn": 100_000}
    a, b = negative_share(120, 400, perfect), negative_share(120, 400, None)
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-4)


@pytest.mark.parametrize("marked", [0, 1, 50, 90, 500, 999, 1000])
def test_value_lies_in_its_range_and_in_0_to_1(marked: int) -> None:
    share = negative_share(marked, 1000, CONFUSION)
    assert (0 <= share.low <= share.value <= share.high <= 1) or (share.reason == RATES and share.high == 1)


def test_range_shrinks_with_reviews_and_with_held_out_rows() -> None:
    def width(n: int, times: int) -> float:
        share = negative_share(n // 3, n, {c: v * times for c, v in CONFUSION.items()})
        return share.high - share.low

    assert width(300, 1) > width(3000, 1) > width(3000, 10)


@pytest.mark.parametrize(
    ("counts", "word"), [(CONFUSION, "ok"), ({"tp": 50, "fn": 50, "fp": 48, "tn": 52}, "not_comparable")]
)
def test_a_model_that_knows_nothing_corrects_nothing(counts: dict, word: str) -> None:
    assert negative_share(300, 1000, counts).reliability == word


def test_thin_groups_are_wide() -> None:
    assert negative_share(10, 49, None).reliability == "wide"
    assert negative_share(100, 400, None).reliability == "ok"


def test_refusals_name_the_next_step() -> None:
    for marked, n in [(0, 0), (3, 2), (-1, 5)]:
        with pytest.raises(InputError, match="drop the group"):
            negative_share(marked, n, None)
    with pytest.raises(InputError, match="both kinds"):
        negative_share(1, 2, {"tp": 0, "fn": 0, "fp": 1, "tn": 9})


def test_groups_equal_single_shares() -> None:
    rows = facts(Lisbon=(800, 0.3), Porto=(500, 0.1))
    table = shares_by(rows, "region", CONFUSION).set_index("region")
    for region, part in rows.groupby("region"):
        one = negative_share(int(part["marked"].sum()), len(part), CONFUSION)
        assert table.loc[region, ["value", "low", "high", "counted"]].tolist() == pytest.approx(
            [one.value, one.low, one.high, one.counted]
        )
    assert list(table.columns) == SHARE_COLUMNS


def test_hidden_rows_hold_no_number_and_cannot_be_subtracted() -> None:
    rows = facts(Lisbon=(300, 0.3), Porto=(200, 0.3), Braga=(20, 0.3), Faro=(4, 0.5))
    table = shares_by(rows, "region", CONFUSION).set_index("region")
    assert table["reliability"].eq("hidden").to_dict() == {"Braga": True, "Faro": True, "Lisbon": False, "Porto": False}
    assert (
        table.loc[
            ["Braga", "Faro"], ["n_reviews", "n_customers", "n_unsure", "n_negative", "counted", "value", "low", "high"]
        ]
        .isna()
        .all()
        .all()
    )
    assert len(rows) - table["n_reviews"].sum() >= 10


@pytest.mark.parametrize(
    "small, nowhere, second", [(4, 30, True), (0, 30, False), (0, 4, True), (4, 0, True), (0, 0, False)]
)
def test_people_without_a_group_protect_nobody_and_are_protected(small: int, nowhere: int, second: bool) -> None:
    "Total minus shown must not leave fewer than ten: neither of the hidden groups, nor of those without a group."
    rows = facts(Lisbon=(300, 0.3), Braga=(20, 0.3), Faro=(small, 0.5), nowhere=(nowhere, 0.5))
    rows["region"] = rows["region"].replace("nowhere", None)
    word = shares_by(rows, "region", CONFUSION).set_index("region")["reliability"]
    expected = {"Braga": second, "Lisbon": False} | ({"Faro": True} if small else {})
    assert (word == "hidden").to_dict() == expected | ({"unknown": nowhere < 10} if nowhere else {})


def test_customers_are_counted_once_and_strangers_one_each() -> None:
    rows = facts(Lisbon=(60, 0.3)).assign(customer_id="same")
    assert shares_by(rows, "region", None)["reliability"].tolist() == ["hidden"]
    strangers = rows.assign(customer_id=pd.Series([None] * 60, dtype="str"))
    assert shares_by(strangers, "region", None)["n_customers"].tolist() == [60]


def test_unsure_reviews_are_counted_and_lean() -> None:
    rows = facts(Lisbon=(1000, 0.3))
    p = np.where(rows["marked"] == 1, 0.9, 0.1)
    p[:100] = np.where(rows["marked"][:100] == 1, 0.55, 0.45)
    unsure = rows.assign(marked=rows["marked"].mask(rows.index < 100), p_negative=p)
    result, plain = shares_by(unsure, None, CONFUSION).iloc[0], shares_by(rows, None, CONFUSION).iloc[0]
    assert result["n_unsure"] == 100 and result["n_reviews"] == 1000
    assert result["value"] == pytest.approx(plain["value"]) and result["counted"] < plain["counted"]
    without = shares_by(unsure.drop(columns="p_negative"), None, CONFUSION).iloc[0]
    assert without["n_unsure"] == 100 and np.isfinite(without["value"])


def test_people_without_a_region_are_a_row_of_their_own() -> None:
    rows = facts(Lisbon=(100, 0.3), Porto=(100, 0.3))
    rows["region"] = rows["region"].replace("Porto", None)
    table = shares_by(rows, "region", CONFUSION).set_index("region")
    assert table["n_reviews"].to_dict() == {"Lisbon": 100, "unknown": 100}
    few = shares_by(rows.head(105), "region", CONFUSION).set_index("region")
    assert few.loc["unknown", "reliability"] == "hidden", "five people without a region are five people"


def test_what_is_no_mark_is_refused() -> None:
    rows = facts(Lisbon=(100, 0.3))
    for wrong in ({"marked": 2}, {"marked": -1}, {"marked": "bad"}, {"p_negative": 1.5}, {"stars": np.inf}):
        with pytest.raises(InputError):
            shares_by(rows.assign(**wrong), None, CONFUSION)
    for level in (95, 0, 1):
        with pytest.raises(InputError, match="0.95 for 95"):
            shares_by(rows, None, CONFUSION, level=level)
    with pytest.raises(InputError):
        negative_share(2.5, 9, None)


def test_three_star_rows_and_missing_probabilities_do_not_change_the_confusion_counts() -> None:
    y, p = np.r_[np.zeros(100), np.ones(100)], np.r_[np.full(100, 0.8), np.full(100, 0.2)]
    plain = confusion_counts(y, p)
    assert confusion_counts(np.r_[y, np.full(60, np.nan)], np.r_[p, np.full(60, 0.4)]) == plain
    assert confusion_counts(np.r_[y, 0, 1], np.r_[p, np.nan, np.nan]) == plain
    for wrong in ((["negative", "positive"], [0.9, 0.1]), ([], []), ([0, 1], [0.5]), ([0.5], [0.5])):
        with pytest.raises(InputError):
            confusion_counts(*wrong)


def test_several_columns_and_no_rows() -> None:
    rows = facts(Lisbon=(100, 0.3), Porto=(100, 0.3)).assign(week=lambda f: f.index % 2)
    assert shares_by(rows, ["region", "week"], CONFUSION).shape == (4, 2 + len(SHARE_COLUMNS))
    assert shares_by(rows, None, CONFUSION)["key"].tolist() == ["all"]
    assert len(shares_by(rows.head(0), "region", CONFUSION)) == 0
    all_unsure = rows.assign(marked=pd.array([pd.NA] * 200, dtype="Int8"))
    assert shares_by(all_unsure, "region", None)["value"].isna().all()


def scored(n: int, share: float, seed: int, spread: float = 1.0, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    negative = rng.random(n) < share
    logit = rng.normal(np.where(negative, 1.5, -1.5) + shift, 1.5 * spread)
    return pd.DataFrame({"label": np.where(negative, 0, 1), "p_negative": 1 / (1 + np.exp(-logit))})


def test_shifted_wording_is_flagged_and_a_shifted_share_is_not() -> None:
    held = scored(2000, 0.5, 0)
    confusion = confusion_counts(held["label"], held["p_negative"]) | score_distribution(
        held["label"], held["p_negative"]
    )
    parts = {f"same{i}": scored(800, s, i + 1) for i, s in enumerate((0.02, 0.1, 0.4, 0.9))} | {
        "mild": scored(800, 0.3, 9, spread=0.4)
    }
    rows = pd.concat([f.assign(region=r) for r, f in parts.items()], ignore_index=True)
    rows = rows.assign(customer_id=rows.index.astype("str"), marked=(rows["p_negative"] >= 0.5).astype("Int8"))
    word = shares_by(rows, "region", confusion).set_index("region")["reliability"]
    assert word.to_dict() == {"mild": "not_comparable"} | {f"same{i}": "ok" for i in range(4)}


def test_false_flags_of_shift_are_rare() -> None:
    flags = []
    for seed in range(10):  # held-out rows drawn anew: their luck is part of the test
        held = scored(1500, 0.5, 1000 + seed)
        confusion = confusion_counts(held["label"], held["p_negative"]) | score_distribution(
            held["label"], held["p_negative"]
        )
        edges = np.array(confusion["score_edges"])
        seen = [
            np.bincount(
                np.searchsorted(edges, scored(400, s, 50 * seed + i)["p_negative"], side="right"),
                minlength=len(edges) + 1,
            )
            for i, s in enumerate(np.linspace(0, 1, 40))
        ]
        flags.append(mixture_misfit(np.array(seen), confusion)["shifted"].mean())
    assert np.mean(flags) <= 0.01


def test_arguments_stay_as_they_were() -> None:
    rows = facts(Lisbon=(100, 0.3))
    before = rows.copy()
    shares_by(rows, "region", CONFUSION)
    pd.testing.assert_frame_equal(rows, before)
