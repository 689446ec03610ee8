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
