"""Changes: quiet when nothing happened, sentences as agreed, nothing compared that cannot be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_words import LOUD, SHOUT

from smart_customer_analysis.insight.changes import (
    PROVEN,
    change_sentence,
    difference_range,
    find_changes,
    simulate_changes,
)
from smart_customer_analysis.schema import InputError

CONFUSION = {"tp": 870, "fn": 130, "fp": 90, "tn": 910}


def period(**groups: tuple[int, int]) -> pd.DataFrame:
    "Regions with (reviews, negative); as many customers as reviews."
    return pd.DataFrame(
        [("region", g, n, n, x) for g, (n, x) in groups.items()],
        columns=["kind", "name", "n_reviews", "n_customers", "n_negative"],
    )


def test_quiet_periods_stay_quiet() -> None:
    assert simulate_changes(0, runs=150, seed=5)["flagged_per_run"] <= 0.15


def test_planted_changes_are_found() -> None:
    told = simulate_changes(6, runs=60, seed=5)
    assert told["found"] >= 0.55 and told["false_share"] <= 0.08 and told["coverage"] >= 0.9


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
    st.sampled_from(["overall", "region", "segment", "product"]), st.floats(0, 1), st.floats(0, 1), st.floats(0.0001, 1), st.floats(0.0001, 1),
    st.booleans(), st.integers(10, 10**6),
)  # fmt: skip
def test_no_sentence_has_a_banned_word_or_more_than_30(kind, before, after, a, b, worse, n) -> None:
    low, high = min(a, b), max(a, b)
    told = change_sentence(kind, "Lisbon", before, after, *((low, high) if worse else (-high, -low)), n)
    assert not LOUD.search(told) and not SHOUT.search(told) and len(told.split()) <= 30 and told.endswith(".")


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
    changes = find_changes(period(Lisbon=(300, 60), Porto=(300, 61)), period(Lisbon=(300, 63), Porto=(300, 58)))
    assert changes.sentence == "Nothing proven changed. 2 measures tested."
    assert changes.lines() == ["– Nothing proven changed. 2 measures tested."]
    assert list(changes.proven.columns) == PROVEN and changes.n_changes == 0


def test_order_is_size_times_people_and_the_rest_is_counted() -> None:
    before = period(**{f"r{i}": (400 + 100 * i, int((400 + 100 * i) * 0.2)) for i in range(8)})
    after = period(**{f"r{i}": (400 + 100 * i, int((400 + 100 * i) * 0.35)) for i in range(8)})
    changes = find_changes(before, after)
    assert changes.proven["name"].tolist() == [f"r{i}" for i in range(7, -1, -1)]
    lines = changes.lines()
    assert (
        len(lines) == 6
        and lines[-1] == "and 3 more"
        and lines[0].startswith("▲ In r7, negative reviews rose from 20% to 35%")
    )


def test_better_is_fewer() -> None:
    row = find_changes(period(Lisbon=(600, 240)), period(Lisbon=(600, 120))).proven.iloc[0]
    assert (
        row["mark"] == "better"
        and row["high"] < 0
        and "fell from 40% to 20%" in row["sentence"]
        and "points fewer" in row["sentence"]
    )


@pytest.mark.parametrize("confusion", [None, CONFUSION])
def test_a_proven_change_has_a_range_on_one_side(confusion) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        n = rng.integers(30, 900, (2, 20))
        x = rng.binomial(n, rng.uniform(0.05, 0.6, (2, 20)))
        frames = [period(**{f"r{i}": (n[t, i], x[t, i]) for i in range(20)}) for t in (0, 1)]
        proven = find_changes(*frames, confusion=confusion).proven
        assert (np.sign(proven["low"]) == np.sign(proven["high"])).all()
        assert (np.sign(proven["low"]) == np.sign(proven["points"])).all()
        assert ((proven["low"] <= proven["points"]) & (proven["points"] <= proven["high"])).all()


def test_the_correction_scales_what_is_printed_and_not_what_is_proven() -> None:
    frames = period(Lisbon=(800, 160), Porto=(500, 100)), period(Lisbon=(800, 260), Porto=(500, 105))
    plain, corrected = find_changes(*frames), find_changes(*frames, confusion=CONFUSION)
    assert plain.proven["name"].tolist() == corrected.proven["name"].tolist() == ["Lisbon"]
    assert corrected.proven["points"].iloc[0] == pytest.approx(plain.proven["points"].iloc[0] / (0.87 - 0.09), rel=0.01)


def test_newcombe_1998_example_a() -> None:
    one = [np.array([v]) for v in (48, 80, 56, 70)]
    assert np.ravel(difference_range(*one)) == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_small_and_one_sided_groups_are_not_named() -> None:
    changes = find_changes(
        period(Lisbon=(300, 60), Faro=(9, 1), Gone=(100, 20)), period(Lisbon=(300, 62), Faro=(90, 80), New=(100, 90))
    )
    assert changes.tested == 1 and set(changes.measures["name"]) == {"Lisbon"}


def test_hidden_rows_with_missing_counts_are_skipped() -> None:
    before = period(Lisbon=(300, 60), Braga=(50, 10)).astype(
        {c: "Int64" for c in ("n_reviews", "n_customers", "n_negative")}
    )
    before.loc[1, ["n_reviews", "n_customers", "n_negative"]] = pd.NA
    assert find_changes(before, period(Lisbon=(300, 60), Braga=(50, 40))).tested == 1


def test_what_cannot_be_compared_says_why() -> None:
    frames = period(Lisbon=(300, 60), Porto=(300, 60)), period(Lisbon=(300, 200), Porto=(300, 60))
    shifted = find_changes(frames[0], frames[1].assign(reliability=["not_comparable", "ok"]))
    assert shifted.tested == 1 and shifted.proven.empty
    assert shifted.not_comparable.to_dict("records") == [
        {"kind": "region", "name": "Lisbon", "reason": "the wording changed, the correction cannot be trusted"}
    ]
    swapped = find_changes(*frames, model_changed=True)
    assert swapped.tested == 0 and swapped.not_comparable["reason"].tolist() == ["the model changed"] * 2


def test_events_follow_the_tests_and_are_not_counted_as_tests() -> None:
    events = pd.DataFrame(
        {
            "kind": ["split"],
            "segment_id": ["B"],
            "n": [903],
            "sentence": ["[B] New bargain hunters split: 713 customers stay, 190 form [E] Gift buyers."],
        }
    )
    quiet = find_changes(period(Lisbon=(300, 60)), period(Lisbon=(300, 60)), events=events)
    assert quiet.proven["mark"].tolist() == ["event"] and quiet.tested == 1
    assert quiet.sentence == "Nothing proven changed. 1 measure tested."
    loud = find_changes(period(Lisbon=(300, 60)), period(Lisbon=(300, 160)), events=events)
    assert loud.proven["mark"].tolist() == ["worse", "event"] and loud.sentence == "1 of 1 measure changed."


def test_empty_periods() -> None:
    changes = find_changes(
        period().reindex(columns=["kind", "name", "n_reviews", "n_customers", "n_negative"]), period(Lisbon=(300, 60))
    )
    assert changes.tested == 0 and changes.sentence == "Nothing proven changed. 0 measures tested."


def test_refusals() -> None:
    with pytest.raises(InputError, match="no n_customers"):
        find_changes(period(A=(30, 3)).drop(columns="n_customers"), period(A=(30, 3)))
    with pytest.raises(InputError, match="a group twice"):
        find_changes(period(A=(30, 3)), pd.concat([period(A=(30, 3))] * 2))
