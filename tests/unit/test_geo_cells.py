"""Cells: nesting, drawing, and counts from which no small group can be worked out."""

import json

import h3
import numpy as np
import pandas as pd
import pytest
import shapely

from smart_customer_analysis.geo.cells import (
    assign_cells,
    cell_geojson,
    cell_polygon,
    choose_resolutions,
    count_cells,
    count_nested,
    extent_of,
)
from smart_customer_analysis.insight.maps import land
from smart_customer_analysis.schema import InputError


def shop(n: int, seed: int, spread: float = 0.1, k_reviews: int = 3) -> pd.DataFrame:
    "One row per review of n customers around a town, most of them in the middle."
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)]})
    people["lon"], people["lat"] = rng.normal(-9.14, spread, n), rng.normal(38.74, spread, n)
    rows = assign_cells(people, (5, 6, 7))
    rows = rows.loc[np.repeat(rows.index, rng.integers(1, k_reviews + 1, n))].reset_index(drop=True)
    return rows.assign(negative=rng.integers(0, 2, len(rows)))


def remainders(nested: pd.DataFrame, rows: pd.DataFrame) -> list[int]:
    "What subtraction reveals: customers in each shown total minus its shown children, where that is not empty."
    shown, left = {"", *nested.loc[nested["state"] == "shown", "cell"]}, []
    for r, level in nested[nested["parent"].isin(shown) & (nested["state"] == "hidden")].groupby("resolution"):
        truth = rows.groupby(f"h3_r{r}")["customer_id"].nunique()
        left += truth[level["cell"]].groupby(level["parent"].to_numpy()).sum().tolist()
    return left


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("k", [5, 10])
def test_no_total_minus_its_shown_children_leaves_a_small_group(seed: int, k: int) -> None:
    rows = shop(100 * (seed + 1), seed, 0.02 + seed / 50)
    nested = count_nested(rows, (5, 6, 7), k)
    shown = nested[nested["state"] == "shown"]
    assert shown["n_customers"].ge(k).all()
    assert min(remainders(nested, rows)) >= k


def test_shown_counts_are_the_true_ones_and_hidden_ones_are_blank() -> None:
    rows = shop(800, 1)
    nested = count_nested(rows, (5, 6, 7))
    for r in (5, 6, 7):
        level = nested[(nested["resolution"] == r)].set_index("cell")
        truth = rows.groupby(f"h3_r{r}")["customer_id"].nunique()
        shown = level[level["state"] == "shown"]
        assert (shown["n_customers"] == truth[shown.index]).all()
        assert level.loc[level["state"] == "hidden", ["n_reviews", "n_customers", "n_negative"]].isna().all().all()
        assert set(level.index) == set(truth.index)


def test_below_a_hidden_cell_everything_is_hidden() -> None:
    nested = count_nested(shop(900, 2), (5, 6, 7))
    hidden = set(nested.loc[nested["state"] == "hidden", "cell"])
    below = nested["parent"].isin(hidden)
    assert below.any() and (nested.loc[below, "state"] == "hidden").all()


def test_hiding_is_no_more_than_it_takes() -> None:
    "A cell is hidden as protection only where, without it, the hidden siblings hold fewer than k customers."
    rows = shop(3000, 3)
    nested = count_nested(rows, (5, 6, 7))
    shown = set(nested.loc[nested["state"] == "shown", "cell"]) | {""}
    for r in (5, 6, 7):
        truth = rows.groupby(f"h3_r{r}")["customer_id"].nunique()
        level = nested[(nested["resolution"] == r) & nested["parent"].isin(shown) & (nested["state"] == "hidden")]
        for _, siblings in level.groupby("parent"):
            sizes = truth[siblings["cell"]]
            protectors = sizes[(siblings["why"] == "protects").to_numpy()]
            if len(protectors):
                assert sizes.sum() - protectors.max() < 10


def test_one_level_hides_a_second_cell() -> None:
    rows = pd.DataFrame(
        [(f"{c}{i}", c, 1) for c, n in {"a": 30, "b": 12, "c": 4}.items() for i in range(n)],
        columns=["customer_id", "cell", "negative"],
    )
    counted = count_cells(rows).set_index("cell")
    assert counted["state"].to_dict() == {"a": "shown", "b": "hidden", "c": "hidden"}
    assert counted["why"].to_dict() == {"a": "", "b": "protects", "c": "few"}


def test_a_customer_in_two_cells_is_refused() -> None:
    rows = shop(100, 0, k_reviews=1)
    moved = pd.concat([rows, rows.assign(h3_r7=rows["h3_r7"].iloc[0])])
    with pytest.raises(InputError, match="one place per customer"):
        count_nested(moved, (5, 6, 7))


def test_customers_without_a_place_have_no_cell() -> None:
    cells = assign_cells(pd.DataFrame({"customer_id": ["a", "b"], "lon": [None, 8.0], "lat": [46.0, 46.0]}), (4,))
    assert cells["h3_r4"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("lat", "lon", "resolution"),
    [(-17, 179.99, 3), (65, -179.9, 2), (90, 0, 2), (-90, 0, 1), (0, 180, 4), (38.7, -9.1, 7)],
)
def test_polygons_are_valid_counter_clockwise_and_inside_the_globe(lat: float, lon: float, resolution: int) -> None:
    cell = h3.latlng_to_cell(lat, lon, resolution)
    polygon = cell_polygon(cell)
    assert polygon.is_valid
    west, south, east, north = polygon.bounds
    assert west >= -180 and east <= 180 and south >= -90 and north <= 90
    assert all(p.exterior.is_ccw for p in getattr(polygon, "geoms", [polygon]))
    centre = h3.cell_to_latlng(cell)
    assert polygon.distance(shapely.Point(centre[1], centre[0])) < 1e-6
    steps = np.abs(np.diff(shapely.get_coordinates(shapely.get_parts(polygon)[0])[:, 0]))
    assert abs(lat) == 90 or steps.max() < 180


def test_all_121_pentagon_and_base_cells_draw() -> None:
    area = sum(cell_polygon(c).area for c in h3.get_res0_cells())
    assert area == pytest.approx(360 * 180, rel=0.02)


def test_geojson_is_json_without_nan() -> None:
    cells = pd.DataFrame(
        {
            "cell": [h3.latlng_to_cell(38.7, -9.1, 6)],
            "n": pd.array([pd.NA], dtype="Int64"),
            "share": [np.nan],
            "hot": [np.True_],
        }
    )
    text = json.dumps(cell_geojson(cells, sentence="x"), allow_nan=False)
    collection = json.loads(text)
    assert collection["features"][0]["properties"] | {"cell": ""} == {"cell": "", "n": None, "share": None, "hot": True}
    assert collection["sentence"] == "x"


def test_sizes_fit_the_spread() -> None:
    assert choose_resolutions((-74, -34, -35, 5)) == (2, 3, 4)
    assert choose_resolutions((-9.23, 38.69, -9.09, 38.8)) == (7, 8, 9)
    assert choose_resolutions(pd.DataFrame({"customer_id": ["a"], "lon": [None], "lat": [None]})) == (4, 5, 6)
    rng = np.random.default_rng(0)
    town = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(500)],
            "lon": rng.normal(-9.1, 0.05, 500),
            "lat": rng.normal(38.7, 0.05, 500),
        }
    )
    few = town.head(40)
    assert choose_resolutions(few)[1] < choose_resolutions(town)[1]
    far = pd.concat([town, pd.DataFrame({"customer_id": ["z"], "lon": [-25.7], "lat": [37.7]})])
    assert abs(choose_resolutions(far)[1] - choose_resolutions(town)[1]) <= 1


def test_the_extent_goes_the_short_way_round() -> None:
    assert extent_of(pd.DataFrame({"lon": [179.0, -179.0], "lat": [0.0, 1.0]})) == (179.0, 0.0, -179.0, 1.0)
    assert extent_of(pd.DataFrame({"lon": [], "lat": []})) is None


def test_the_land_is_whole_and_small() -> None:
    ground = land()
    assert ground.is_valid and ground.bounds[1] > -60
    west, _, east, _ = ground.bounds
    assert west >= -180 and east <= 180
    for lon, lat in [(-9.0, 38.8), (-46, -23), (179.0, 67.5), (-179.0, 67.5), (20, 0)]:
        assert ground.contains(shapely.Point(lon, lat))
    for lon, lat in [(-40, 30), (0, 65), (180, 0)]:
        assert not ground.contains(shapely.Point(lon, lat))
