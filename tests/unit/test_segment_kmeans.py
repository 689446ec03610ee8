"""Segments: the same for the same data, found where planted, sane where there is nothing to find."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from smart_customer_analysis.schema import InputError, ModelError
from smart_customer_analysis.segment.kmeans import nearest_two
from smart_customer_analysis.segment.refit import choose_segments, load_segments


def groups(n=300, k=4, seed=0, apart=6.0):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, k, n)
    places = np.eye(k) * apart
    return pd.DataFrame(
        places[kind] + rng.normal(size=(n, k)), columns=[f"x{i}" for i in range(k)], index=[f"m{i}" for i in range(n)]
    ), kind


@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_planted_number_and_members_are_found(k):
    frame, kind = groups(k=k, seed=k)
    model = choose_segments(frame, 2, 8, seed=1)
    assert model.k == k
    assert adjusted_rand_score(kind, model.members["segment"]) > 0.95
    assert model.evidence["chosen"].sum() == 1


def test_same_input_same_output_and_input_untouched():
    frame, _ = groups()
    before = frame.copy()
    one, other = choose_segments(frame, 3, 6, seed=5), choose_segments(frame, 3, 6, seed=5)
    pd.testing.assert_frame_equal(one.members, other.members)
    pd.testing.assert_frame_equal(frame, before)


def test_segments_are_numbered_by_size():
    frame, _ = groups()
    sizes = choose_segments(frame, 3, 6, seed=5).members["segment"].value_counts()
    assert list(sizes.sort_index()) == sorted(sizes, reverse=True)


def test_large_frames_give_the_same_segments_as_their_sample():
    frame, kind = groups(n=30_000, seed=3)
    model = choose_segments(frame, 3, 5, seed=1)
    assert model.k == 4 and adjusted_rand_score(kind, model.members["segment"]) > 0.99


def test_a_refit_starts_where_the_members_are():
    frame, _ = groups()
    first = choose_segments(frame, 4, 4, seed=1)
    last = first.members.assign(segment_id=first.members["segment"].map(dict(enumerate("ABCD"))))
    again = choose_segments(frame + 0.01, 3, 6, seed=99, previous=last)
    assert again.k == 4 and adjusted_rand_score(first.members["segment"], again.members["segment"]) > 0.99


def test_a_previous_run_of_other_people_is_no_obstacle():
    frame, _ = groups()
    last = pd.DataFrame({"member_id": ["zoe"], "segment_id": ["A"]})
    assert choose_segments(frame, 3, 6, seed=1, previous=last).k == 4


@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 12), d=st.integers(1, 3), distinct=st.integers(1, 4), seed=st.integers(0, 99))
def test_few_or_equal_rows_give_fewer_segments(n, d, distinct, seed):
    rows = np.random.default_rng(seed).normal(size=(distinct, d))[np.arange(n) % distinct]
    frame = pd.DataFrame(rows, columns=[f"x{i}" for i in range(d)], index=[f"m{i}" for i in range(n)])
    model = choose_segments(frame, 3, 8, seed=1)
    assert 1 <= model.k <= min(n, distinct) and len(model.members) == n
    assert model.members["margin"].between(0, 1).all()


@settings(deadline=None, max_examples=25)
@given(n=st.integers(1, 40), k=st.integers(1, 6), seed=st.integers(0, 99))
def test_nearest_two_agrees_with_all_distances(n, k, seed):
    rng = np.random.default_rng(seed)
    X, centers = rng.normal(size=(n, 3)), rng.normal(size=(k, 3))
    labels, first, second = nearest_two(X, centers)
    distances = np.sort(np.linalg.norm(X[:, None] - centers, axis=2), axis=1)
    np.testing.assert_allclose(first, distances[:, 0], atol=1e-6)
    if k > 1:
        np.testing.assert_allclose(second, distances[:, 1], atol=1e-6)


def test_file_has_no_member_and_no_pickle(tmp_path):
    frame, _ = groups()
    path = choose_segments(frame, 3, 5, seed=1).save(tmp_path / "s.skops")
    assert b"m17" not in path.read_bytes() and len(load_segments(path).members) == 0
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="segment model"):
        load_segments(path)


def test_refusals_say_what_to_do():
    frame, _ = groups(n=20)
    with pytest.raises(InputError, match="gap in 'x0'"):
        choose_segments(frame.assign(x0=np.nan), 2, 3, seed=1)
    with pytest.raises(InputError, match="features"):
        choose_segments(frame, 2, 3, seed=1).assign(frame[["x0"]])


def two_groups(seed, chance, n=300):
    "Two clear groups in three columns that agree, and columns of chance."
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "recency": np.r_[rng.gamma(9, 2, n), rng.gamma(9, 25, n)],
            "frequency": np.r_[rng.poisson(20, n), rng.poisson(1, n)] + 1.0,
            "monetary": np.r_[rng.gamma(9, 120, n), rng.gamma(9, 6, n)],
        }
    )
    for i in range(chance):
        frame[f"age{i}"] = rng.normal(45, 12, 2 * n)
    return frame.set_axis([f"c{i}" for i in range(2 * n)]), np.repeat([0, 1], n)


@pytest.mark.parametrize("chance", [1, 2, 4])
def test_columns_of_chance_hide_no_groups(chance):
    for seed in (0, 1):
        frame, kind = two_groups(seed, chance)
        model = choose_segments(frame, 2, 8, 0, draws=0)
        assert model.k == 2 and adjusted_rand_score(kind, model.members["segment"]) > 0.95


CLOUDS = {
    "Gaussian": lambda rng, d: rng.normal(size=(500, d)),
    "uniform": lambda rng, d: rng.uniform(size=(500, d)),
    "correlated": lambda rng, d: rng.normal(size=(500, d)) @ rng.normal(size=(d, d)),
    "skewed": lambda rng, d: rng.lognormal(size=(500, d)),
}


@pytest.mark.parametrize("kind", CLOUDS)
def test_one_cloud_is_one_segment(kind):
    for seed, d in ((0, 2), (1, 6)):
        values = CLOUDS[kind](np.random.default_rng(seed), d)
        frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(d)], index=[f"c{i}" for i in range(len(values))])
        model = choose_segments(frame, 3, 8, seed)
        assert model.k == 1 and model.stability.isna().all()
        assert model.evidence.loc[model.evidence["chosen"], "k"].tolist() == [1]


def test_who_asks_for_one_number_gets_it():
    values = np.random.default_rng(0).normal(size=(200, 2))
    frame = pd.DataFrame(values, columns=["x", "y"], index=[f"c{i}" for i in range(200)])
    assert choose_segments(frame, 4, 4, seed=1, draws=0).k == 4


def test_groups_that_were_told_stay_until_the_gap_is_filled():
    "On the border of proof, a first run tells no groups; after a run that told them they stay."
    rng = np.random.default_rng(2)
    side = np.repeat([0, 1], 300)
    frame = pd.DataFrame({"x": 3.0 * side + rng.normal(size=600)}, index=[f"c{i}" for i in range(600)])
    last = pd.DataFrame({"member_id": frame.index, "segment_id": np.where(frame["x"] > 1.5, "A", "B")})
    assert choose_segments(frame, 2, 5, 0, draws=0).k == 1
    assert choose_segments(frame, 2, 5, 0, draws=0, previous=last).k == 2
    alone = pd.DataFrame({"x": rng.normal(size=600)}, index=frame.index)
    assert choose_segments(alone, 2, 5, 0, draws=0, previous=last).k == 1


def test_the_stability_of_three_customers_in_three_segments_is_unknown():
    frame, _ = groups(n=3)
    assert choose_segments(frame, 3, 3, seed=1).stability.isna().all()


GIVEN = {
    "numpy": (lambda f: f.to_numpy(), "found ndarray"),
    "numbered columns": (lambda f: f.set_axis(range(f.shape[1]), axis=1), "column names as text"),
    "several levels": (lambda f: f.set_axis(pd.MultiIndex.from_arrays([f.index, f.index])), "2 levels"),
    "text": (lambda f: f.assign(x0="A"), "text in 'x0'"),
    "infinite": (lambda f: f.assign(x0=np.inf), "an infinite value in 'x0'"),
    "no rows": (lambda f: f.head(0), "at least one row"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_a_frame_that_cannot_be_segmented_is_refused(case):
    change, words = GIVEN[case]
    with pytest.raises(InputError, match=words):
        choose_segments(change(groups(n=40)[0]), 2, 3, seed=1)
    with pytest.raises(InputError, match="whole number as seed"):
        choose_segments(groups(n=40)[0], 2, 3, seed=None)


def test_assign_refuses_gaps_and_takes_no_rows():
    frame, _ = groups(n=100)
    model = choose_segments(frame, 4, 4, seed=1, draws=2)
    assert len(model.assign(frame.head(0))) == 0 and list(model.assign(frame.head(0))) == list(model.members)
    with pytest.raises(InputError, match="a gap in 'x1'"):
        model.assign(frame.assign(x1=np.nan))


def test_a_gap_that_made_floats_of_ids_loses_nobody():
    frame, _ = groups(n=200)
    frame.index = range(1, 201)
    first = choose_segments(frame, 4, 4, seed=1, draws=0)
    assert set(first.members["member_id"]) == {str(i) for i in range(1, 201)}
    again = choose_segments(frame.set_axis(frame.index.astype(float)), 4, 4, seed=1, draws=0)
    pd.testing.assert_frame_equal(first.members, again.members)
    with pytest.raises(InputError, match="a letter for every member"):
        choose_segments(frame, 4, 4, seed=1, previous=first.members.assign(segment_id=None))
