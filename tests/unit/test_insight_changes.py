"""Changes: quiet when nothing happened, sentences as agreed, nothing compared that cannot be."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_words import LOUD, SHOUT
from scipy import stats
from wilson import wilson

from smart_customer_analysis.insight.changes import PROVEN, change_sentence, find_changes, simulate_changes
from smart_customer_analysis.insight.estimate import simulate_reviews
from smart_customer_analysis.schema import InputError

CONFUSION = {"tp": 870, "fn": 130, "fp": 90, "tn": 910}


def period(name: str, **groups: tuple[int, int]) -> pd.DataFrame:
    "Regions with (reviews, negative) in one period; as many customers as reviews."
    parts = [
        pd.DataFrame({"key": g, "stars": (np.arange(n) < x) * 1.0, "customer_id": [f"{name}{g}{i}" for i in range(n)]})
        for g, (n, x) in groups.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(kind="region", name=lambda f: f["key"], period=name)


def both(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> pd.DataFrame:
    "Two periods of regions."
    return pd.concat([period("before", **before), period("after", **after)], ignore_index=True)


def swap(
    share: tuple[float, float], right: tuple[float, float], seed: int, labelled: float = 0.5, icc: float = 0.2
) -> pd.DataFrame:
    "A shop in two periods, with a share and a model of each."
    parts = [
        simulate_reviews(900, s, r, labelled, icc=icc, most=4, seed=2 * seed + i).assign(period=t)
        for i, (s, r, t) in enumerate(zip(share, right, ("before", "after"), strict=True))
    ]
    rows = pd.concat(parts, ignore_index=True).assign(kind="overall", key="", name="all")
    return rows.assign(customer_id=rows["period"] + rows["customer_id"].astype(str))


def test_quiet_periods_stay_quiet() -> None:
    assert simulate_changes(0, groups=12, runs=12, seed=5, icc=0.3, most=3)["flagged_per_run"] <= 0.35


def test_planted_changes_are_found() -> None:
    result = simulate_changes(3, points=0.2, groups=10, runs=8, seed=5, labelled=1.0, icc=0.2, most=3)
    assert result["found"] >= 0.6 and result["false_share"] <= 0.15 and result["coverage"] >= 0.85


def test_customers_dealt_at_random_make_no_change() -> None:
    "Sixty customers of ten reviews: counting reviews claims a change in a third of the deals."
    claimed = []
    for seed in range(60):
        rows = simulate_reviews(600, 0.3, labelled=1.0, icc=0.3, most=19, seed=seed)
        after = np.random.default_rng(seed).integers(0, 2, 600)[rows["customer_id"]] == 1
        table = rows.assign(kind="overall", key="", name="all", period=np.where(after, "after", "before"))
        claimed.append(find_changes(table).tested and len(find_changes(table).proven))
    assert np.mean(claimed) <= 0.12, "0.05 in the long run"


def test_a_model_swapped_overnight_is_no_change() -> None:
    claimed = [len(find_changes(swap((0.25, 0.25), (0.81, 0.92), seed)).proven) for seed in range(30)]
    assert np.mean(claimed) <= 0.1
    assert len(find_changes(swap((0.25, 0.45), (0.81, 0.92), 1)).proven) == 1


def test_customers_of_both_periods_make_a_difference_more_certain() -> None:
    rows = simulate_reviews(2000, 0.3, labelled=1.0, icc=0.5, most=9, seed=1)
    half = rows.assign(kind="overall", key="", name="all", period=np.where(np.arange(2000) % 2, "after", "before"))
    apart = half.assign(customer_id=half["customer_id"].astype(str) + half["period"])
    same, other = (find_changes(t).measures.iloc[0] for t in (half, apart))
    assert same["high"] - same["low"] < 0.8 * (other["high"] - other["low"])
    assert same["points"] == pytest.approx(other["points"])


def test_the_agreed_sentences() -> None:
    assert change_sentence("region", "Lisbon", 0.21, 0.33, 0.05, 0.19, 214) == (
        "In Lisbon, negative reviews rose from 21% to 33% (5 to 19 points more); 214 customers."
    )
    assert change_sentence("segment", "[A] Careful regulars", 0.24, 0.19, -0.09, -0.01, 803) == (
        "Among [A] Careful regulars, negative reviews fell from 24% to 19% (1 to 9 points fewer); 803 customers."
    )
    assert change_sentence("product", "Kettle 1.7 L", 0.1, 0.3, 0.1, 0.3, 1200).startswith(
        "For Kettle 1.7 L, negative reviews rose"
    )
    assert change_sentence("overall", "all", 0.2, 0.23, 0.002, 0.05, 5000) == (
        "Overall, negative reviews rose from 20% to 23% (less than 1 to 5 points more); 5,000 customers."
    )


@given(
    st.sampled_from(["overall", "region", "segment", "product"]), st.floats(0, 1), st.floats(0, 1),
    st.floats(0.0001, 1), st.floats(0.0001, 1), st.booleans(), st.integers(10, 10**6),
)  # fmt: skip
def test_no_sentence_has_a_banned_word_or_more_than_30(kind, before, after, a, b, worse, n) -> None:
    low, high = min(a, b), max(a, b)
    text = change_sentence(kind, "Lisbon", before, after, *((low, high) if worse else (-high, -low)), n)
    assert not LOUD.search(text) and not SHOUT.search(text) and len(text.split()) <= 30 and text.endswith(".")


@pytest.mark.parametrize(
    "word",
    [
        "a significant rise",
        "plummeted",
        "soaring",
        "dramatically",
        "slightly",
        "the trend",
        "driven by",
        "because of",
        "caused",
        "alarming",
        "data shows",
        "wow!",
        "57% more",
    ],
)
def test_the_banned_words_are_banned(word: str) -> None:
    assert LOUD.search(word) or SHOUT.search(word)


def test_one_line_when_nothing_changed() -> None:
    changes = find_changes(both({"Lisbon": (300, 60), "Porto": (300, 61)}, {"Lisbon": (300, 63), "Porto": (300, 58)}))
    assert changes.sentence == "Nothing proven changed. 2 measures tested."
    assert changes.lines() == ["– Nothing proven changed. 2 measures tested."]
    assert list(changes.proven.columns) == PROVEN and changes.n_changes == 0


def test_order_is_size_times_people_and_the_rest_is_counted() -> None:
    before = {f"r{i}": (400 + 100 * i, int((400 + 100 * i) * 0.2)) for i in range(8)}
    after = {f"r{i}": (400 + 100 * i, int((400 + 100 * i) * 0.35)) for i in range(8)}
    changes = find_changes(both(before, after))
    assert changes.proven["name"].tolist() == [f"r{i}" for i in range(7, -1, -1)]
    lines = changes.lines()
    assert (
        len(lines) == 6
        and lines[-1] == "and 3 more"
        and lines[0].startswith("▲ In r7, negative reviews rose from 20% to 35%")
    )


def test_better_is_fewer() -> None:
    row = find_changes(both({"Lisbon": (600, 240)}, {"Lisbon": (600, 120)})).proven.iloc[0]
    assert (
        row["mark"] == "better"
        and row["high"] < 0
        and "fell from 40% to 20%" in row["sentence"]
        and "points fewer" in row["sentence"]
    )


@pytest.mark.parametrize("confusion", [None, CONFUSION])
def test_a_proven_change_has_a_range_on_one_side(confusion) -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        n = rng.integers(30, 900, (2, 20))
        x = rng.binomial(n, rng.uniform(0.05, 0.6, (2, 20)))
        table = both(*({f"r{i}": (n[t, i], x[t, i]) for i in range(20)} for t in (0, 1)))
        proven = find_changes(table.rename(columns={"stars": "marked"}), confusion=confusion).proven
        assert (np.sign(proven["low"]) == np.sign(proven["high"])).all()
        assert (np.sign(proven["low"]) == np.sign(proven["points"])).all()
        assert ((proven["low"] <= proven["points"]) & (proven["points"] <= proven["high"])).all()


def test_the_correction_scales_what_is_printed_and_not_what_is_proven() -> None:
    table = both({"Lisbon": (800, 160), "Porto": (500, 100)}, {"Lisbon": (800, 260), "Porto": (500, 105)})
    table = table.rename(columns={"stars": "marked"})
    plain, corrected = find_changes(table), find_changes(table, confusion=CONFUSION)
    assert plain.proven["name"].tolist() == corrected.proven["name"].tolist() == ["Lisbon"]
    assert corrected.proven["points"].iloc[0] == pytest.approx(plain.proven["points"].iloc[0] / (0.87 - 0.09), rel=0.01)


def test_newcombe_1998_example_a() -> None:
    def difference(t_before: float, t_after: float) -> list[float]:
        "Newcombe's method 10: the ranges of both shares, joined by the square root of sums of squares."
        (l1, u1), (l2, u2) = wilson(48, 80, t_before), wilson(56, 70, t_after)
        return [0.2, 0.2 - math.hypot(0.8 - l2, u1 - 0.6), 0.2 + math.hypot(u2 - 0.8, 0.6 - l1)]

    z = stats.norm.isf(0.025)
    assert difference(z, z) == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5), "the example as it was published"
    row = find_changes(both({"A": (80, 48)}, {"A": (70, 56)})).measures.iloc[0]
    few = difference(stats.t.isf(0.025, 79), stats.t.isf(0.025, 69))  # t in place of z: customers are few
    assert row[["points", "low", "high"]].tolist() == pytest.approx(few, abs=1e-9)


def test_small_and_one_sided_groups_are_not_named() -> None:
    before = {"Lisbon": (300, 60), "Faro": (9, 1), "Gone": (100, 20)}
    changes = find_changes(both(before, {"Lisbon": (300, 62), "Faro": (90, 80), "New": (100, 90)}))
    assert changes.tested == 1 and set(changes.measures["name"]) == {"Lisbon"}


def test_many_reviews_of_few_customers_are_not_named() -> None:
    table = both({"Lisbon": (300, 60)}, {"Lisbon": (300, 200)})
    assert find_changes(table.assign(customer_id=np.arange(600) % 9)).tested == 0
    assert find_changes(table.assign(customer_id=None)).tested == 1, "reviews without a customer are one customer each"


def test_what_cannot_be_compared_says_why() -> None:
    rows = swap((0.3, 0.3), (0.85, 0.85), 1)
    after = (rows["period"] == "after") & rows["stars"].isna()
    shifted = find_changes(rows.assign(p_negative=rows["p_negative"].mask(after, 0.3 + 0.4 * rows["p_negative"])))
    assert shifted.tested == 0 and shifted.not_comparable.to_dict("records") == [
        {"kind": "overall", "name": "all", "reason": "the wording changed, the correction cannot be trusted"}
    ]
    swapped = find_changes(
        both({"Lisbon": (300, 60), "Porto": (300, 60)}, {"Lisbon": (300, 200), "Porto": (300, 60)}), model_changed=True
    )
    assert swapped.tested == 0 and swapped.not_comparable["reason"].tolist() == ["the model changed"] * 2


def test_a_group_that_nobody_has_judged_is_not_compared() -> None:
    table = both({"Lisbon": (300, 60), "Porto": (300, 60)}, {"Lisbon": (300, 120), "Porto": (300, 60)})
    table.loc[table["key"].eq("Porto") & table["period"].eq("after"), "stars"] = np.nan
    changes = find_changes(table)
    assert changes.proven["name"].tolist() == ["Lisbon"]
    assert changes.not_comparable["reason"].tolist() == ["no stars and no predictions in one of the periods"]


def test_a_model_that_knows_nothing_compares_nothing() -> None:
    table = both({"Lisbon": (300, 60)}, {"Lisbon": (300, 200)}).rename(columns={"stars": "marked"})
    changes = find_changes(table, confusion={"tp": 50, "fn": 50, "fp": 50, "tn": 50})
    assert changes.tested == 0 and "cannot tell" in changes.not_comparable["reason"][0]


def test_events_follow_the_tests_and_are_not_counted_as_tests() -> None:
    events = pd.DataFrame(
        {
            "kind": ["split"],
            "segment_id": ["B"],
            "n": [903],
            "sentence": ["[B] New bargain hunters split: 713 customers stay, 190 form [E] Gift buyers."],
        }
    )
    quiet = find_changes(both({"Lisbon": (300, 60)}, {"Lisbon": (300, 60)}), events=events)
    assert quiet.proven["mark"].tolist() == ["event"] and quiet.tested == 1
    assert quiet.sentence == "Nothing proven changed. 1 measure tested."
    loud = find_changes(both({"Lisbon": (300, 60)}, {"Lisbon": (300, 160)}), events=events)
    assert loud.proven["mark"].tolist() == ["worse", "event"] and loud.sentence == "1 of 1 measure changed."


def test_empty_periods() -> None:
    changes = find_changes(period("after", Lisbon=(300, 60)))
    assert changes.tested == 0 and changes.sentence == "Too few customers to test a change."
    assert find_changes(period("after", Lisbon=(300, 60)).head(0)).tested == 0


def test_refusals() -> None:
    with pytest.raises(InputError, match="no customer_id"):
        find_changes(period("after", A=(30, 3)).drop(columns="customer_id"))
    with pytest.raises(InputError, match="no stars or marked"):
        find_changes(period("after", A=(30, 3)).drop(columns="stars"))
    with pytest.raises(InputError, match="periods before and after"):
        find_changes(period("yesterday", A=(30, 3)))


def test_arguments_stay_as_they_were() -> None:
    table = both({"Lisbon": (300, 60)}, {"Lisbon": (300, 160)})
    before = table.copy()
    find_changes(table)
    pd.testing.assert_frame_equal(table, before)


def test_groups_without_a_name_are_left_out() -> None:
    known = both({"Lisbon": (200, 40)}, {"Lisbon": (200, 90)})
    nobody = known.assign(key=None, name=None, customer_id=lambda f: f["customer_id"] + "x")
    changes = find_changes(pd.concat([known, nobody], ignore_index=True))
    assert changes.tested == 1 and not any("nan" in line or "None" in line for line in changes.lines())


@pytest.mark.parametrize("alpha", [0, 1, 2])
def test_an_alpha_that_is_no_share_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="0.05 for 5"):
        find_changes(both({"Lisbon": (20, 4)}, {"Lisbon": (20, 9)}), alpha=alpha)


def test_rates_that_cannot_hold_are_not_compared() -> None:
    "Both periods mark fewer than the model marks by mistake: nothing is cut to 0 %, and nothing is tested."
    rows = both({"Lisbon": (500, 5)}, {"Lisbon": (500, 15)}).rename(columns={"stars": "marked"})
    changes = find_changes(rows, confusion={"tp": 450, "fn": 50, "fp": 50, "tn": 450})
    assert changes.tested == 0 and changes.not_comparable["reason"].str.contains("error rates do not hold").all()
