"""Hot spots: silent where nothing is, found where planted, repeatable, protected."""

import pickle

import h3
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from smart_customer_analysis.geo.detector import HotSpotDetector
from smart_customer_analysis.geo.hotspots import (
    CELL_COLUMNS,
    adjust_p,
    find_hotspots,
    permutation_sums,
    planted_map,
    simulate_hotspots,
    tail_p,
)
from smart_customer_analysis.schema import InputError


@pytest.fixture(scope="module")
def planted() -> tuple:
    rows, truth = planted_map(side=14, rise=0.25, seed=7)
    return rows.assign(region="Alps"), truth, find_hotspots(rows.assign(region="Alps"), (5, 6, 7), permutations=499)


def test_quiet_maps_stay_quiet() -> None:
    assert simulate_hotspots(12, side=12, block=0, permutations=299)["any_hot"] <= 1 / 12


def test_a_planted_block_is_found(planted: tuple) -> None:
    _, truth, spots = planted
    hot = set(spots.hot(6)["cell"])
    assert len(hot & truth) / len(truth) >= 0.5
    assert len(hot - truth) / len(hot) <= 0.2
    assert spots.hot(6)["rank"].tolist() == list(range(1, len(hot) + 1))
    assert spots.hot(6)["sizes_hot"].ge(2).all()


def test_false_cells_on_dense_maps_are_beside_the_block() -> None:
    result = simulate_hotspots(2, seed=42, mean=60, side=14, permutations=299)
    assert (
        result["recall"] >= 0.5
        and result["false_beyond"] <= result["false_share"] <= 0.25
        and result["false_beyond"] <= 0.05
    )


def test_without_correction_a_quiet_map_has_false_hot_cells() -> None:
    rows, _ = planted_map(side=20, block=0, seed=1)
    naive = find_hotspots(rows, (5, 6, 7), 299, correct=False, sizes_needed=1).cells
    honest = find_hotspots(rows, (5, 6, 7), 299).cells
    assert naive["hot"].sum() >= 5 and not honest["hot"].any()


def test_same_seed_same_result_and_arguments_untouched(planted: tuple) -> None:
    rows, _, spots = planted
    before = rows.copy()
    again = find_hotspots(rows, (5, 6, 7), permutations=499)
    pd.testing.assert_frame_equal(again.cells, spots.cells)
    pd.testing.assert_frame_equal(rows, before)
    assert list(again.cells.columns) == CELL_COLUMNS


def test_order_of_rows_does_not_matter(planted: tuple) -> None:
    rows, _, spots = planted
    shuffled = find_hotspots(rows.sample(frac=1, random_state=1), (5, 6, 7), permutations=499)
    pd.testing.assert_frame_equal(shuffled.cells, spots.cells)


def test_hidden_cells_tell_nothing(planted: tuple) -> None:
    _, _, spots = planted
    hidden = spots.cells[spots.cells["state"] == "hidden"]
    assert len(hidden) > 0 and not hidden["hot"].any() and not hidden["proven"].any()
    assert hidden["sizes_hot"].eq(0).all()
    assert hidden["seen_at"].map(len).eq(0).all()
    shown = ["resolution", "cell", "parent", "lon", "lat", "state", "why", "hot", "proven", "sizes_hot", "seen_at"]
    assert hidden.drop(columns=shown).isna().all().all(), "every other column is empty, a new one too"


def test_permutations_match_the_exact_distribution() -> None:
    rng = np.random.default_rng(0)
    cell = rng.integers(0, 30, 900)
    people = pd.DataFrame({"cell": cell, "n": 1, "negative": rng.binomial(1, 0.25, 900)})
    permuted = permutation_sums(people, 30, 4000, rng)
    size, total = np.bincount(cell, minlength=30), people["negative"].sum()
    exact = stats.hypergeom(900, total, size)
    assert np.abs(permuted.mean(axis=0) - exact.mean()).max() < 0.2
    assert np.abs(permuted.var(axis=0) / exact.var() - 1).max() < 0.15
    assert (permuted.sum(axis=1) == total).all()


def test_permutations_keep_customers_together() -> None:
    "One customer with five negative reviews moves as one: only 0 or 5 arrive in a cell."
    people = pd.DataFrame({"cell": range(6), "n": 5, "negative": [5, 0, 0, 0, 0, 0]})
    assert set(np.unique(permutation_sums(people, 6, 200, np.random.default_rng(0)))) == {0, 5}
    mixed = pd.DataFrame({"cell": [0, 1, 2, 3], "n": [1, 1, 3, 3], "negative": [1, 0, 3, 1]})
    permuted = permutation_sums(mixed, 4, 300, np.random.default_rng(1))
    assert (permuted[:, :2].sum(axis=1) == 1).all() and (permuted[:, 2:].sum(axis=1) == 4).all()
    three = pd.DataFrame({"cell": [0, 0, 1, 2], "n": 3, "negative": [3, 1, 0, 2]})
    assert (permutation_sums(three, 3, 50, np.random.default_rng(1)).sum(axis=1) == 6).all()


def test_customers_who_write_much_do_not_make_a_hot_spot() -> None:
    "Forty angry people who write eight reviews each, in random places: reviews are not independent, customers are."
    rows, _ = planted_map(side=14, block=0, base=0.15, seed=3)
    rng = np.random.default_rng(3)
    loud = rows.iloc[rng.choice(len(rows), 40, replace=False)]
    rows = pd.concat([rows, pd.concat([loud.assign(negative=1)] * 8)], ignore_index=True)
    assert not find_hotspots(rows, (5, 6, 7), permutations=299).cells["hot"].any()


def test_p_values_are_uniform_where_nothing_is() -> None:
    rng = np.random.default_rng(4)
    cell = rng.integers(0, 200, 8000)
    p = []
    for _ in range(10):
        negative = rng.binomial(1, 0.2, 8000)
        people = pd.DataFrame({"cell": cell, "n": 1, "negative": negative})
        p.append(tail_p(np.bincount(cell, weights=negative, minlength=200), permutation_sums(people, 200, 499, rng)))
    p = np.concatenate(p)
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= level * 1.25 + 0.005


def test_correction_leaves_untested_cells_out() -> None:
    q = adjust_p(np.array([0.01, np.nan, 0.04]))
    assert q[0] == pytest.approx(0.02) and np.isnan(q[1]) and q[2] == pytest.approx(0.04)


def test_names_tell_neighbours_apart(planted: tuple) -> None:
    _, _, spots = planted
    assert spots.hot(6)["name"].str.startswith("Alps").all()


@pytest.mark.parametrize("n", [0, 1, 15])
def test_hardly_any_rows(n: int) -> None:
    rows = planted_map(side=3, seed=1)[0].head(n)
    spots = find_hotspots(rows, permutations=99)
    assert not spots.cells["hot"].any() if len(spots.cells) else n == 0
    quiet = "No place is worse than chance explains." if n else "No place can be tested: no customer has a valid place."
    assert spots.sentence == quiet


def test_all_negative_or_none_is_not_hot() -> None:
    rows, _ = planted_map(side=6, seed=1)
    for value in (0, 1):
        assert not find_hotspots(rows.assign(negative=value), (5, 6, 7), permutations=99).cells["hot"].any()


def test_missing_column_is_refused() -> None:
    with pytest.raises(InputError, match="no lon"):
        find_hotspots(pd.DataFrame({"customer_id": [], "lat": [], "negative": []}))


@pytest.mark.parametrize("wrong", [0.5, -1, "bad", 2])
def test_what_is_no_mark_is_refused(wrong: float | str) -> None:
    "Probabilities, or one constant of them, would be hot everywhere: the permutation counts whole reviews."
    rows, _ = planted_map(side=6, seed=1)
    with pytest.raises(InputError, match="negative as 0 or 1"):
        find_hotspots(rows.assign(negative=wrong), (5, 6, 7), permutations=99)


def test_too_few_permutations_are_refused() -> None:
    with pytest.raises(InputError, match="permutations"):
        find_hotspots(planted_map(side=6, seed=1)[0], (5, 6, 7), permutations=0)


def test_places_off_the_globe_are_left_out() -> None:
    rows, _ = planted_map(side=6, seed=1)
    off = rows.head(5).assign(lon=[1000, np.nan, np.inf, 8, 8], lat=[46, 46, 46, 95, np.inf], negative=1)
    off["customer_id"] = list("abcde")
    with_them = find_hotspots(pd.concat([rows, off]), permutations=99)
    pd.testing.assert_frame_equal(with_them.cells, find_hotspots(rows, permutations=99).cells)


def test_a_place_east_of_the_antimeridian_is_called_east() -> None:
    rng = np.random.default_rng(1)
    lon, lat = 180 + rng.uniform(-0.4, 0.4, 1500), -17 + rng.uniform(-0.4, 0.4, 1500)
    rows = pd.DataFrame({"customer_id": range(1500), "lon": (lon + 180) % 360 - 180, "lat": lat, "region": "Fiji"})
    rows["negative"] = rng.binomial(1, np.where(lon > 180.15, 0.6, 0.15))
    names = find_hotspots(rows, (5, 6, 7), permutations=199).hot(6)["name"]
    assert len(names) and names.str.contains("east").all() and not names.str.contains("west").any()


def test_one_verdict_holds_for_all_sizes(planted: tuple) -> None:
    _, _, spots = planted
    listed, hot = spots.spots(), spots.cells[spots.cells["hot"]]
    assert spots.sentence == f"{len(listed)} hot spot{'s' if len(listed) > 1 else ''}."
    assert listed["spot"].tolist() == list(range(1, len(listed) + 1)) and set(hot["spot"]) == set(listed["spot"])
    assert listed["seen_at"].map(len).ge(2).all()
    for _, part in hot.groupby("spot"):
        top = part.sort_values("resolution").iloc[0]
        assert all(h3.cell_to_parent(c, int(top["resolution"])) == top["cell"] for c in part["cell"])


def test_the_cells_of_all_sizes_are_one_family_of_tests(planted: tuple) -> None:
    _, _, spots = planted
    tested = spots.cells[spots.cells["p_value"].notna()]
    assert tested["q_value"].to_numpy() == pytest.approx(adjust_p(tested["p_value"].to_numpy()))


def test_a_place_without_stars_is_not_hot_because_the_model_errs() -> None:
    "The model calls one positive in three negative; in one quarter nobody gives stars."
    rows, block = planted_map(side=14, block=4, rise=0, base=0.1, seed=5)
    bare = np.array([h3.latlng_to_cell(y, x, 6) in block for y, x in zip(rows["lat"], rows["lon"], strict=True)])
    bare |= np.random.default_rng(0).random(len(rows)) < 0.2
    wrong = bare & (np.random.default_rng(1).random(len(rows)) < 0.33)
    rows["negative"] = rows["negative"].mask(wrong, 1)
    assert find_hotspots(rows, (5, 6, 7), permutations=299).cells["hot"].any(), "taken for stars, it is hot"
    assert not find_hotspots(rows.assign(predicted=bare), (5, 6, 7), permutations=299).cells["hot"].any()


# --- the estimator ----------------------------------------------------------------------------------------------------


def test_a_point_in_no_shown_cell_has_no_hot_spot_and_a_hot_cell_has_its_number():
    rows, _ = planted_map(side=20, rise=0.3, seed=1)
    detector = HotSpotDetector((5, 6, 7), permutations=199).fit(rows)
    hot = detector.spots_.cells[detector.spots_.cells["hot"]]
    assert len(hot) and detector.predict(hot).tolist() == hot["spot"].tolist()
    assert not detector.predict(np.zeros((3, 2))).any()
    none = HotSpotDetector((5, 6, 7), permutations=9).fit(rows.assign(lon=np.nan))
    assert not none.predict(rows).any()


def test_the_estimator_is_cloned_pickled_and_refuses_before_a_fit():
    rows, _ = planted_map(side=10, rise=0.4, seed=1)
    detector = clone(HotSpotDetector((5, 6, 7), permutations=99, random_state=7)).fit(rows)
    assert detector.spots_.seed == 7 and detector.get_params()["random_state"] == 7
    assert pickle.loads(pickle.dumps(detector)).predict(rows).tolist() == detector.predict(rows).tolist()
    chance = np.random.RandomState(3)
    assert HotSpotDetector((5, 6, 7), permutations=9, random_state=chance).fit(rows).spots_.seed != 42
    with pytest.raises(NotFittedError):
        HotSpotDetector().predict(rows)


def test_points_of_an_array_are_one_customer_each_and_stay_as_they_were():
    rows, _ = planted_map(side=10, rise=0.4, seed=1)
    points, before = rows[["lon", "lat"]].to_numpy(), rows.copy()
    by_array = HotSpotDetector((5, 6, 7), permutations=99).fit(points, rows["negative"])
    by_frame = HotSpotDetector((5, 6, 7), permutations=99).fit(rows)
    pd.testing.assert_frame_equal(by_array.spots_.cells, by_frame.spots_.cells)
    pd.testing.assert_frame_equal(rows, before)
