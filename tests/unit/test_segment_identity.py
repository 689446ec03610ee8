"""Letters outlive refits; what happens is told once, with the right letters; nothing else is told."""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_customer_analysis.schema import InputError
from smart_customer_analysis.segment.identity import match_segments, migration_table, moved_share

BENCH = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def sim():
    "The simulation behind docs/measured/identity.md."
    sys.path.insert(0, str(BENCH))
    spec = importlib.util.spec_from_file_location("sim_identity", BENCH / "sim_identity.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(BENCH))
    return module


def run(labels):
    return pd.DataFrame({"member_id": [f"m{i}" for i in range(len(labels))], "segment": labels})


def lettered(matching, current):
    return current.assign(segment_id=current["segment"].map(matching.mapping))[["member_id", "segment_id"]]


def test_letters_hold_and_events_are_found(sim):
    tables = sim.simulate(weeks=5, repeats=1, times=4, n=300, seed=7)
    drift, things = tables.values()
    drift = drift[drift["groups"] == "clear"]  # where groups touch, people really cross
    assert drift["changed letter a week"].max() <= 0.02 < 0.5 < drift["changed number, naive refit"].min()
    assert drift["weeks with an event"].sum() == 0
    assert things["detected"].min() >= 3 / 4 and things["trials with another event"].max() <= 1 / 4


@settings(deadline=None, max_examples=30)
@given(labels=st.lists(st.integers(0, 4), min_size=30, max_size=80), turn=st.permutations(range(5)))
def test_renumbering_changes_nothing(labels, turn):
    first = match_segments(None, run(labels))
    again = run([turn[x] for x in labels])
    second = match_segments(lettered(first, run(labels)), again, first.used_ids)
    assert {turn[k]: v for k, v in first.mapping.items()} == second.mapping
    assert len(second.events) == 0 and moved_share(second.migration) == 0


@settings(deadline=None, max_examples=30)
@given(
    before=st.lists(st.integers(0, 5), min_size=5, max_size=60),
    after=st.lists(st.integers(0, 5), min_size=5, max_size=60),
)
def test_letters_are_one_to_one_and_everybody_is_counted(before, after):
    first = match_segments(None, run(before))
    last = lettered(first, run(before))
    second = match_segments(last, run(after), first.used_ids)
    assert len(set(second.mapping.values())) == len(second.mapping) == len(set(after))
    kept = set(second.mapping.values()) & set(first.mapping.values())
    events = second.events
    assert set(events.loc[events["kind"].isin(["birth", "split"]), "segment_id"]) == set(second.mapping.values()) - kept
    assert set(events.loc[events["kind"].isin(["death", "merge"]), "segment_id"]) == set(first.mapping.values()) - kept
    assert second.migration["n"].sum() == max(len(before), len(after))


def test_a_dead_letter_never_comes_back():
    used, letters, last = frozenset(), [], None
    for week in range(30):
        now = run([0] * 20 + [1] * 20).assign(member_id=[f"w{week}-{i}" for i in range(40)])  # nobody stays
        matching = match_segments(last, now, used)
        letters += matching.mapping.values()
        used, last = matching.used_ids, lettered(matching, now)
    assert len(letters) == len(set(letters)) == 60 and letters[26:28] == ["AA", "AB"]


def test_sentences_name_people_and_letters():
    last = lettered(match_segments(None, run([0] * 60 + [1] * 40)), run([0] * 60 + [1] * 40))
    matching = match_segments(last, run([0] * 35 + [2] * 25 + [1] * 40), {"A", "B"})
    assert matching.events["sentence"].tolist() == ["[A] split: 35 customers stay, 25 form [C]."]
    assert match_segments(last, run([0] * 100), {"A", "B"}).events["sentence"].tolist() == [
        "[B] merged into [A]: 40 customers moved together."
    ]


def test_new_and_gone_members_are_in_the_table():
    moves = migration_table(
        pd.DataFrame({"member_id": ["a", "b"], "segment_id": ["A", "A"]}),
        pd.DataFrame({"member_id": ["b", "c"], "segment_id": ["A", "B"]}),
    )
    assert moves.values.tolist() == [["A", "A", 1], ["A", None, 1], [None, "B", 1]]


def test_members_twice_are_refused():
    with pytest.raises(InputError, match="'m0' twice"):
        match_segments(None, pd.concat([run([0, 1]), run([0])]))


@pytest.mark.parametrize("kind", [int, float])
def test_ids_that_became_numbers_are_the_same_people(kind):
    now = run([0] * 60 + [1] * 40).assign(member_id=[str(i) for i in range(100)])
    last = lettered(match_segments(None, now), now)
    identity = match_segments(last.assign(member_id=last["member_id"].astype(kind)), now, {"A", "B"})
    assert identity.mapping == {0: "A", 1: "B"} and len(identity.events) == 0 and moved_share(identity.migration) == 0


def test_other_ids_and_missing_letters_are_refused():
    now = run([0, 1])
    with pytest.raises(InputError, match="whole numbers as member_id; found 1.5"):
        match_segments(None, now.assign(member_id=[1.5, 2.0]))
    with pytest.raises(InputError, match="a missing one"):
        match_segments(now.assign(segment_id=["A", None]), now)
    with pytest.raises(InputError, match="no segment_id"):
        match_segments(now, now)
