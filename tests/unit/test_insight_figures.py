"""Figures: one look, text that stays text, safe inside a page, readable for the colour-blind and in print."""

import json
import re
from xml.etree import ElementTree

import h3
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
from IPython.core.formatters import DisplayFormatter
from matplotlib.patches import PathPatch

from smart_customer_analysis.geo.cells import cell_geojson
from smart_customer_analysis.insight import charts as f
from smart_customer_analysis.insight import maps as insight_maps
from smart_customer_analysis.insight import style as insight_style


def over_time() -> pd.DataFrame:
    value = np.linspace(0.2, 0.3, 10)
    return pd.DataFrame(
        {
            "period": pd.date_range("2026-09-07", periods=10, freq="7D"),
            "value": value,
            "low": value - 0.03,
            "high": value + 0.03,
            "complete": [True] * 9 + [False],
        }
    )


def cells(n: int = 6) -> pd.DataFrame:
    disk = h3.grid_disk(h3.latlng_to_cell(38.75, -9.1, 6), n)
    rng = np.random.default_rng(0)
    share = rng.beta(4, 14, len(disk))
    frame = pd.DataFrame(
        {"cell": disk, "state": np.where(rng.random(len(disk)) < 0.2, "hidden", "shown"), "share": share}
    )
    return frame.assign(
        share=frame["share"].where(frame["state"] == "shown"), low=share - 0.05, high=share + 0.05, n_reviews=100,
        name="Lisbon <north> & \"co\"", hot=(frame["state"] == "shown") & (share > 0.42), rank=range(1, len(disk) + 1),
        difference=share - 0.22, proven=share > 0.3,
    )  # fmt: skip


def shares() -> pd.DataFrame:
    return pd.DataFrame({
        "name": ["Lisbon", "Porto", "Évora", "Setúbal", "Beja"], "value": [0.3, 0.2, None, 0.4, 0.3],
        "low": [0.27, 0.15, None, 0.2, 0.2], "high": [0.35, 0.25, None, 0.6, 0.4],
        "n_reviews": [400, 300, None, 40, 90], "reliability": ["ok", "ok", "hidden", "wide", "not_comparable"],
    })  # fmt: skip


def profiles() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        [
            (s, f"Name {s}", x, rng.normal())
            for s in "ABCDEF"
            for x in ("Orders", "Amount", "Reviews", "Days since last order")
        ],
        columns=["segment_id", "name", "label", "difference_sd"],
    )


def moves() -> pd.DataFrame:
    return pd.DataFrame(
        [("A", "A", 500), ("A", "B", 60), ("B", "B", 400), (None, "B", 30), ("B", None, 20), ("B", "A", 3)],
        columns=["from", "to", "n"],
    )


def many_moves() -> pd.DataFrame:
    return pd.DataFrame([(a, b, 20) for a in "ABCDEFGHIJKL" for b in "ABCDEFGHIJKL"], columns=["from", "to", "n"])


EVIDENCE = pd.DataFrame({"k": [3, 4, 5], "silhouette": [0.3, 0.4, 0.35], "stability": [0.9, 0.95, 0.8]})
BINS = pd.DataFrame(
    {
        "predicted": [0.1, 0.5, 0.9],
        "observed": [0.12, 0.45, 0.93],
        "low": [0.08, 0.4, 0.9],
        "high": [0.16, 0.5, 0.96],
        "n": 100,
    }
)
PROVEN = pd.DataFrame(
    {
        "mark": ["worse", "better", "event"],
        "name": ["Lisbon", "[A] Careful", "D"],
        "points": [0.12, -0.05, None],
        "low": [0.05, -0.09, None],
        "high": [0.19, -0.01, None],
    }
)

DRAWINGS = {
    "time": lambda **k: f.sentiment_over_time(over_time(), **k),
    "shares": lambda **k: f.shares_figure(shares(), (0.25, 0.2, 0.31), **k),
    "changes": lambda **k: f.changes_figure(PROVEN, **k),
    "profiles": lambda **k: f.segment_profiles(profiles(), **k), "flows": lambda **k: f.migration_flows(moves(), **k),
    "table": lambda **k: f.migration_flows(many_moves(), **k), "k": lambda **k: f.choice_of_k(EVIDENCE, 4, **k),
    "reliability": lambda **k: f.reliability_figure(BINS, **k),
    "map": lambda **k: insight_maps.map_figure(cells(), **k),
    "difference": lambda **k: insight_maps.map_figure(cells(), metric="difference", **k),
    "big map": lambda **k: insight_maps.map_figure(cells(17), **k),
    "nothing": lambda **k: f.changes_figure(PROVEN.head(0), **k),
}  # fmt: skip


@pytest.fixture(scope="module", params=[720, 360])
def drawn(request) -> dict[str, str]:
    return {name: insight_style.svg(draw(width=request.param)) for name, draw in DRAWINGS.items()}


@pytest.mark.parametrize("name", DRAWINGS)
def test_svg_is_safe_inside_a_page(drawn: dict, name: str) -> None:
    text = drawn[name]
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and len(root.get("aria-label")) > 10
    assert not re.search(r"<style|style=|<script|<metadata|<!DOCTYPE|<\?xml|https?://(?!www\.w3\.org)", text)
    assert len(text.encode()) < 150_000
    assert root.findall(".//{*}text") or name == "nothing"


def test_ids_do_not_clash_and_references_resolve(drawn: dict) -> None:
    ids = [i for text in drawn.values() for i in set(re.findall(r'\bid="([^"]+)"', text))]
    assert len(ids) == len(set(ids))
    for text in drawn.values():
        own = re.findall(r'\bid="([^"]+)"', text)
        assert len(own) == len(set(own))
        assert set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text)) <= set(own)


def test_text_stays_text_and_is_large_enough(drawn: dict) -> None:
    for text in drawn.values():
        sizes = [float(s) for s in re.findall(r'<text[^>]*font-size="([\d.]+)"', text)]
        assert all(s >= 11 for s in sizes), min(sizes)
        assert len(set(sizes)) <= 5
    assert "[c] hidden" in drawn["shares"] and "not comparable" in drawn["shares"]


@pytest.mark.parametrize("width", [720, 360])
@pytest.mark.parametrize("name", DRAWINGS)
def test_no_text_leaves_the_sheet(name: str, width: int) -> None:
    fig = DRAWINGS[name](width=width)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    sheet = fig.bbox
    for text in fig.findobj(mpl.text.Text):
        if text.get_text().strip() and text.get_visible():
            at = text.get_window_extent(canvas.get_renderer())
            assert at.x0 >= sheet.x0 - 2 and at.x1 <= sheet.x1 + 2, (text.get_text(), at.x0, at.x1, sheet.x1)


def test_drawing_is_repeatable_and_leaves_settings_alone() -> None:
    before = dict(mpl.rcParams)
    assert insight_style.svg(DRAWINGS["map"]()) == insight_style.svg(DRAWINGS["map"]())
    assert dict(mpl.rcParams) == before


def test_frames_stay_as_they_were() -> None:
    frame = shares()
    copy = frame.copy()
    f.shares_figure(frame, (0.2, 0.15, 0.25))
    pd.testing.assert_frame_equal(frame, copy)


def test_a_withheld_point_is_drawn_in_no_figure() -> None:
    weeks = pd.DataFrame({
        "period": pd.date_range("2026-10-05", periods=3, freq="7D"), "value": [0.3, 0.31, 0.777],
        "low": [0.25, 0.26, 0.6], "high": [0.35, 0.36, 0.9], "reliability": ["ok", "ok", "wide"],
        "complete": [True, True, False],
    })  # fmt: skip
    drawn = [float(y) for line in f.sentiment_over_time(weeks).axes[0].lines for y in line.get_ydata() if y == y]
    assert 0.31 in drawn and 0.777 not in drawn
    assert "31% (26–36%)" in insight_style.svg(f.sentiment_over_time(weeks)), "a number at a point has its range"
    wide = cells().assign(reliability="wide")
    text = insight_style.svg(insight_maps.map_figure(wide))
    assert f"wide [u] ({(wide['state'] == 'shown').sum()})" in text and "0–10% (0)" in text and "40+ % (0)" in text


# Machado, Oliveira, Fernandes 2009, severity 1
VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(colour: str, vision: str) -> np.ndarray:
    "CIELAB of a colour as somebody with this vision sees it."
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(VISION[vision]) @ linear, 0, 1)
    xyz = (
        np.array(
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
        )
        @ linear
    )
    t = xyz / np.array([0.95047, 1.0, 1.08883])
    t = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * t[1] - 16, 500 * (t[0] - t[1]), 200 * (t[1] - t[2])])


@pytest.mark.parametrize("vision", VISION)
def test_colours_can_be_told_apart(vision: str) -> None:
    for scale in (insight_style.SEQUENTIAL, insight_style.DIVERGING):
        for a, b in zip(scale, scale[1:], strict=False):
            assert np.linalg.norm(lab(a, vision) - lab(b, vision)) >= 10
    letters = list(insight_style.CATEGORICAL.values())
    for i, a in enumerate(letters):
        for b in letters[i + 1 :]:
            assert np.linalg.norm(lab(a, vision) - lab(b, vision)) >= 15
    assert (
        np.linalg.norm(lab(insight_style.TOKENS["worse"], vision) - lab(insight_style.TOKENS["better"], vision)) >= 25
    )


def test_the_map_prints_in_grey() -> None:
    light = [lab(c, "normal")[0] for c in insight_style.SEQUENTIAL]
    assert all(a - b >= 7 for a, b in zip(light, light[1:], strict=False))


def test_hidden_groups_have_no_number_in_the_picture() -> None:
    text = insight_style.svg(f.shares_figure(shares().query("name == 'Évora' or name == 'Lisbon'")))
    assert "Évora" in text and text.count("%</text>") >= 1 and "n 400" in text and "nan" not in text.lower()


def test_hidden_flows_are_counted_and_not_drawn() -> None:
    text = insight_style.svg(f.migration_flows(moves().astype({"n": "object"}).replace({"n": {60: None}})))
    assert "2 small flows hidden [c]" in text and "[A] 500<" in text and "nan" not in text.lower()


def test_names_are_escaped() -> None:
    text = insight_style.svg(insight_maps.map_figure(cells()))
    assert "<north>" not in text and "&lt;north&gt;" in text


EMPTY = {
    "shares": (lambda n: f.shares_figure(shares().head(n)), "Share of negative reviews by group", "Lisbon"),
    "changes": (lambda n: f.changes_figure(PROVEN.head(n)), "Nothing proven changed", "Lisbon"),
    "map": (
        lambda n: insight_maps.map_figure(cells().query("hot").head(n)),
        "No place is worse than chance explains",
        "Lisbon",
    ),
    "flows": (lambda n: f.migration_flows(moves().head(n)), "Who moved between segments", "[A]"),
    "profiles": (lambda n: f.segment_profiles(profiles().head(n)), "What sets the segments apart", "[A]"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_frame_gives_a_titled_figure_without_any_group(name: str) -> None:
    draw, title, group = EMPTY[name]
    empty, filled = insight_style.svg(draw(0)), insight_style.svg(draw(1))
    assert title in empty and group not in empty and "nan" not in empty.lower()
    assert group in filled, "with one row the group is in the figure"


def test_a_single_period_is_drawn_with_its_value() -> None:
    text = insight_style.svg(f.sentiment_over_time(over_time().head(1).assign(value=0.23)))  # no tick is at 23 %
    assert "23% (" in text and "nan" not in text.lower()


def test_the_static_map_says_what_the_geojson_says() -> None:
    frame, rgb = cells(), mpl.colors.to_rgb
    ax = insight_maps.map_figure(frame).axes[0]
    outlines = [
        p
        for p in ax.patches
        if isinstance(p, PathPatch) and rgb(p.get_facecolor()) != rgb(insight_style.TOKENS["land"])
    ]
    drawn = {}
    for patch in outlines:
        kind = "hot" if not patch.get_fill() or patch.get_facecolor()[3] == 0 else patch.get_facecolor()
        for ring in patch.get_path().to_polygons():
            x, y = shapely.Polygon(ring).centroid.coords[0]
            drawn.setdefault((round(x, 4), round(y, 4)), set()).add(kind)
    properties = {}
    for feature in json.loads(json.dumps(cell_geojson(frame)))["features"]:
        x, y = shapely.geometry.shape(feature["geometry"]).centroid.coords[0]
        properties[round(x, 4), round(y, 4)] = feature["properties"]
    assert set(drawn) == set(properties)
    for place, cell in properties.items():
        level = sum(cell["share"] >= edge for edge in (0.1, 0.2, 0.3, 0.4)) if cell["state"] == "shown" else None
        fill = insight_style.TOKENS["hatch_fill"] if level is None else insight_style.SEQUENTIAL[level]
        assert {k if k == "hot" else rgb(k) for k in drawn[place]} == {rgb(fill)} | ({"hot"} if cell["hot"] else set())
    assert any("hot" in kinds for kinds in drawn.values())


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_shows_itself_in_a_notebook_without_pyplot(name: str) -> None:
    shown, _ = DisplayFormatter().format(DRAWINGS[name](width=360))
    assert re.match(r"<img [^>]*alt='[^']{10}.*data:image/png", shown["text/html"])
