"""Every route: status, shape, and the promises of the figures."""

import random
from urllib.parse import parse_qsl, urlparse

import h3
import jsonschema
import pandas as pd
import pytest
from made_up import Served, fill, walk
from planted_themes import SMELL
from starlette.testclient import TestClient

from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.config import Settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.store.mentions import SURE
from smart_customer_analysis.store.migrate import open_database

NUMBERS = ("value", "low", "high", "n_reviews", "n_customers", "n_unsure", "n_labelled", "n_predicted", "n_neutral",
           "counted", "evidence")  # fmt: skip
ROUTES = [
    "/v1/overview",
    "/v1/overview?region=Lisboa",
    "/v1/overview?start=2026-09-01&end=2026-09-28",
    "/v1/shares",
    *(f"/v1/shares?by={by}" for by in ("overall", "segment", "region", "product", "month", "week")),
    "/v1/changes",
    "/v1/changes?segment=A",
    "/v1/changes/proof?kind=region&name=Lisboa",
    "/v1/segments",
    "/v1/segments/A",
    "/v1/segments/D",
    "/v1/customers",
    "/v1/customers?bbox=-9.5,38.4,-8.9,39.0",
    "/v1/customers?near=-9.14,38.72&radius_m=20000&segment=A",
    "/v1/customers?nearest=-9.14,38.72&k=5",
    "/v1/customers/00042",
    "/v1/map/cells",
    "/v1/map/cells?size=large&metric=difference",
    "/v1/map/cells?size=small&region=Norte",
    "/v1/map/cells?resolution=3",
    "/v1/map/outlines",
    "/v1/reviews",
    *(f"/v1/reviews?sort={s}&limit=5" for s in ("newest", "negative", "unsure", "longest")),
    "/v1/reviews?sentiment=negative&q=late",
    "/v1/overview?extra=state:late&region=Norte",
    "/v1/map/cells?extra=state:lost: gone",
    "/v1/overview?theme=A",
    "/v1/reviews?theme=A&limit=5",
    "/v1/reports",
    "/v1/filters",
    "/health",
    "/ready",
]
SAID = ["/v1/themes", "/v1/themes?segment=B&region=Lisboa", "/v1/themes/A", "/v1/themes/Z", "/v1/themes/other"]


def template(app, path):
    "The path of the OpenAPI document that an address belongs to."
    paths = app.openapi()["paths"]
    if path in paths:
        return path
    return next(
        p
        for p in paths
        if p.count("/") == path.count("/") and p.split("{")[0] == path[: len(p.split("{")[0])] and "{" in p
    )


@pytest.mark.parametrize("address", [*ROUTES, *SAID])
def test_route_answers_in_the_shape_it_describes(served, address):
    answer = served.client.get(address)
    assert answer.status_code == 200, answer.text
    document = served.client.app.openapi()
    operation = document["paths"][template(served.client.app, urlparse(address).path)]["get"]
    kind = answer.headers["content-type"]
    assert kind == ("application/geo+json" if "FeatureCollection" in answer.text[:40] else "application/json")
    schema = operation["responses"]["200"]["content"][kind]["schema"]
    jsonschema.validate(
        answer.json(), {**schema, "components": document["components"]}, cls=jsonschema.Draft202012Validator
    )
    served_once = served.client.get(address).json()
    assert served_once == answer.json(), "the same question, another answer"


def figures(served):
    "Every figure of every route."
    for address in ROUTES:
        for node in walk(served.get(address)):
            if "reliability" in node and "evidence" in node:
                yield address, node


def test_a_figure_has_all_numbers_or_none(served):
    for address, figure in figures(served):
        if figure["reliability"] == "hidden":
            assert all(figure[c] is None for c in NUMBERS), address
        elif figure["reliability"] != "none":
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1, (address, figure)
            assert figure["n_customers"] >= served.settings.min_customers, (address, figure)
            assert figure["corrected"] is False, "every review has stars or is neutral"


def test_a_figure_opens_the_reviews_it_counts(served):
    addresses = {figure["evidence"]: figure for _, figure in figures(served) if figure["evidence"]}
    assert len(addresses) > 30
    for address, figure in addresses.items():
        listed = served.get("/v1/reviews", **dict(parse_qsl(urlparse(address).query)))
        assert (listed["total"], listed["figure"]["counted"]) == (figure["n_reviews"], figure["counted"]), address
        assert listed["figure"]["value"] == figure["value"], address
        if listed["counts"] and listed["total"]:
            assert sum(listed["counts"].values()) == listed["total"]
            read = figure["n_labelled"] + figure["n_predicted"]
            assert abs(listed["counts"]["negative"] / read - figure["counted"]) < 1e-5


def test_small_groups_are_nowhere(served):
    for address in ROUTES:
        assert "Lonelyshire" not in served.client.get(address).text or "by=region" in address, address
    regions = {i["key"]: i for i in served.get("/v1/shares", by="region")["items"]}
    assert regions["Lonelyshire"]["reliability"] == "hidden"
    shown = sum(i["n_customers"] for i in regions.values() if i["reliability"] != "hidden")
    left = served.get("/v1/shares")["items"][0]["n_customers"] - shown
    assert left == 0 or left >= served.settings.min_customers, "total minus the shown regions tells who is hidden"
    listed = served.get("/v1/reviews", region="Lonelyshire")
    assert (listed["items"], listed["total"], listed["counts"], listed["figure"]["n_reviews"]) == ([], None, None, None)
    small = served.get("/v1/segments/D")
    assert small["size"] is None and small["quotes"] == [] and small["profile"] == []
    moves = {(m["from"], m["to"]): m["n"] for m in served.get("/v1/segments")["migration"]}
    assert moves[("A", "B")] is None and sum(n is None for n in moves.values()) >= 2
    assert "Group D" not in served.client.get("/v1/segments").text + served.client.get("/v1/filters").text
    for filters in ({}, {"segment": "B"}, {"region": "Lisboa"}, {"q": "late"}):
        rows = served.get("/v1/reviews", limit=200, **filters)["items"]
        assert {row["segment"] for row in rows} <= {"A", "B", "C", None}
        assert all(row["segment"] or "segment" in row["hidden"] for row in rows), "a hidden segment is told"
    for size in ("large", "medium", "small"):
        cells = [f["properties"] for f in served.get("/v1/map/cells", size=size)["features"]]
        for cell in (c for c in cells if c["state"] == "hidden"):
            assert all(cell[c] is None for c in ("share", "low", "high", "n_reviews", "n_customers", "p_value", "name"))
        assert all(c["n_customers"] >= served.settings.min_customers for c in cells if c["state"] == "shown")


def test_a_column_of_the_shop_s_own_is_a_filter_and_its_small_values_are_as_unknown_as_no_value(served):
    offered = served.get("/v1/filters")["extra"]
    assert offered == [{"name": "state", "values": ["late", "lost: gone"]}]  # the third would tell of the burnt ones
    totals = {v: served.get("/v1/reviews", limit=1, extra=f"state:{v}") for v in offered[0]["values"]}
    assert all(page["total"] == page["figure"]["n_reviews"] > 500 for page in totals.values())
    refusals = [
        served.client.get("/v1/overview", params={"extra": extra}).json()["detail"]
        for extra in ("state:burnt", "state:never", "tape:red")
    ]
    assert len(set(refusals)) == 1 and "/v1/filters" in refusals[0]


def test_filters_only_take_away(served):
    rng = random.Random(3)
    options = served.get("/v1/filters")
    choices = {
        "region": options["regions"],
        "segment": [s["id"] for s in options["segments"]],
        "product": [p["id"] for p in options["products"]],
        "sentiment": ["negative", "positive", "unsure", "neutral"],
        "start": ["2026-03-01", "2026-05-01"],
        "end": ["2026-08-31", "2026-10-31"],
        "q": ["late", "the", "zzz"],
    }
    for _ in range(30):
        filters, last = {}, served.get("/v1/reviews", limit=1)["total"]
        for name in rng.sample(list(choices), 3):
            filters[name] = rng.choice(choices[name])
            total = served.get("/v1/reviews", limit=1, **filters)["total"]
            if total is None:
                break
            assert total <= last, filters
            last = total


def test_pages_follow_one_another(served):
    seen, cursor = [], None
    while cursor or not seen:
        page = served.get("/v1/reviews", region="Norte", limit=150, **({"cursor": cursor} if cursor else {}))
        seen, cursor = seen + [i["review_id"] for i in page["items"]], page["next_cursor"]
    assert len(seen) == len(set(seen)) == page["total"]
    assert page["all"] == 1600


def test_no_exact_place_leaves(served):
    exact = {
        (round(x, 5), round(y, 5))
        for x, y in zip(*(make_shop(500, 1600).customers[c].dropna() for c in ("lon", "lat")), strict=True)
    }
    points = [tuple(f["geometry"]["coordinates"]) for f in served.get("/v1/customers", limit=5000)["features"]]
    assert len(points) > 300
    for lon, lat in set(points):
        centres = [h3.cell_to_latlng(h3.latlng_to_cell(lat, lon, r)) for r in range(8)]
        assert min(abs(x - lon) + abs(y - lat) for y, x in centres) < 1e-5
        assert points.count((lon, lat)) >= served.settings.min_customers, "few people at one point"
        assert (round(lon, 5), round(lat, 5)) not in exact


def test_halving_a_box_finds_nobody(served):
    everybody = [f["geometry"]["coordinates"] for f in served.get("/v1/customers", limit=5000)["features"]]
    rng = random.Random(1)
    for _ in range(40):
        lon, lat = rng.choice(everybody)
        d = 10 ** rng.uniform(-5, 0)
        box = f"{lon - d},{lat - d},{lon + d},{lat + d}"
        inside = sum(abs(x - lon) <= d and abs(y - lat) <= d for x, y in everybody)
        assert len(served.get("/v1/customers", bbox=box, limit=5000)["features"]) == inside


def test_near_and_nearest_agree(served):
    near = served.get("/v1/customers", near="-9.14,38.72", radius_m=30000)["features"]
    nearest = served.get("/v1/customers", nearest="-9.14,38.72", k=10)["features"]
    assert [f["properties"]["id"] for f in near[:10]] == [f["properties"]["id"] for f in nearest]


def test_planted_truth_is_told(served):
    overview = served.get("/v1/overview")
    worse = [c for c in overview["changes"]["proven"] if c["mark"] == "worse"]
    assert any(c["name"] == "Lisboa" for c in worse)
    assert "Norte" in {h["name"].split()[0] for h in overview["hotspots"]}, overview["hotspots"]
    assert overview["model"]["accuracy"]["baselines"]["tfidf"]["value"] == 0.85
    assert overview["excluded"] == [{"rule": "no_text", "rows": 3}]
    assert served.get("/v1/changes") == overview["changes"]


def test_weeks_are_whole_and_the_running_one_is_marked(served):
    weeks = served.get("/v1/overview")["over_time"]
    assert len(weeks) >= 26 and weeks[-1]["week"] == "2026-11-09" and weeks[-1]["complete"]
    period = served.get("/v1/overview")["period"]
    assert period == {
        "start": "2026-10-19",
        "end": "2026-11-15",
        "previous_start": "2026-09-21",
        "previous_end": "2026-10-18",
    }


def test_reports_are_listed_with_their_files(served):
    failed, published = served.get("/v1/reports")["items"]
    assert (published["status"], published["title"], published["n_changes"], published["html"]) == (
        "made",
        "Week 46",
        3,
        "/reports/files/weekly/w46.html",
    )
    assert (failed["status"], failed["html"], failed["error"]) == ("failed", None, "no labelled rows")
    page = served.client.get(published["html"])
    assert page.status_code == 200 and "Week 46" in page.text and len(page.content) == published["size_bytes"]
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.db
def test_both_databases_say_the_same(tmp_path_factory, make_pg_database):
    answers = []
    for url in ("sqlite", make_pg_database()):
        home = tmp_path_factory.mktemp("same")
        url = f"sqlite:///{home / 'shop.db'}" if url == "sqlite" else url
        settings = Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports", database_url=url)
        fill(url, settings.reports_dir)
        with TestClient(create_app(settings), base_url="http://localhost") as client:
            answers.append({a: Served(client, settings).get(a) for a in ROUTES if a != "/ready"})
    for address in answers[0]:
        assert answers[0][address] == answers[1][address], address


def test_a_theme_opens_the_reviews_that_speak_of_it_and_marks_their_sentences(served):
    items = {item["id"]: item for item in served.get("/v1/themes")["items"]}
    figure = items["A"]["share_negative"]
    assert figure["n_labelled"] == 0 and figure["n_predicted"] == figure["n_reviews"], "nobody gave stars to a sentence"
    assert figure["low"] < figure["value"] < figure["high"] and items["A"]["complaint"] and items["A"]["words"]
    listed = served.get("/v1/reviews", **dict(parse_qsl(urlparse(figure["evidence"]).query)))
    assert listed["total"] == figure["n_reviews"] and listed["sentence"].startswith(items["A"]["sentence"])
    for row in listed["items"]:
        spans = [(row[x["part"]], x["start"], x["stop"]) for x in row["sentences"]]
        assert spans and all(0 <= a < b <= len(text) for text, a, b in spans)
        assert all(text[a:b] == text[a:b].strip() for text, a, b in spans), "a sentence begins or ends in white space"
    quote = items["A"]["complaint"][0]
    row = next(r for r in all_rows(served, theme="A") if r["review_id"] == quote["review_id"])
    assert quote["text"] in f"{row['title']}: {row['text']}"
    assert all(row["sentences"] == [] for row in served.get("/v1/reviews", limit=5)["items"])


def test_a_review_of_both_minds_shows_its_surest_sentence_of_each_side(served):
    engine = open_database(served.settings)
    with engine.connect() as c:
        rows = pd.read_sql("SELECT review_id, start, stop, p_negative FROM review_themes", c)
    engine.dispose()
    by_review = rows.groupby("review_id")["p_negative"]
    both = (by_review.max() >= SURE) & (1 - by_review.min() >= SURE)
    shown = {row["review_id"]: row["mixed"] for row in all_rows(served)}
    mixed = {review_id for review_id, sentences in shown.items() if sentences}
    assert mixed == set(both.index[both]) & set(shown) and mixed
    assert all({s["side"] for s in shown[review_id]} == {"praise", "complaint"} for review_id in mixed)


def all_rows(served, **asked):
    "The rows of a list, page by page."
    page = served.get("/v1/reviews", limit=200, **asked)
    rows = page["items"]
    while page["next_cursor"]:
        page = served.get("/v1/reviews", limit=200, cursor=page["next_cursor"], **asked)
        rows += page["items"]
    return rows


def test_a_theme_of_few_people_has_no_name_no_number_and_no_list(served):
    texts = [served.client.get(address).text for address in (*SAID, "/v1/filters", "/v1/changes", "/v1/overview")]
    assert not any(SMELL in text for text in texts)
    assert "Z" not in [theme["id"] for theme in served.get("/v1/filters")["themes"]]
    small = served.get("/v1/themes/Z")
    assert (small["sentences"], small["share"], small["words"], small["over_time"]) == (None, None, [], [])
    refused = {served.client.get("/v1/reviews", params={"theme": letter}).json()["detail"] for letter in ("Z", "never")}
    assert len(refused) == 1, "a hidden theme is told from none"
    for filters in ({}, {"segment": "B"}, {"region": "Lisboa"}, {"region": "Lonelyshire"}, {"segment": "D"}):
        shown = [item["share_negative"]["n_customers"] for item in served.get("/v1/themes", **filters)["items"]]
        assert all(n is None or n == 0 or n >= served.settings.min_customers for n in shown)
        assert not ("D" in filters.values() or "Lonelyshire" in filters.values()) or set(shown) == {None}
