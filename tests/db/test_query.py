"""Both backends answer alike, and as shapely and pyproj do."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod
from shop import predictions, shop
from sqlalchemy import select, text

from smart_customer_analysis.schema import InputError
from smart_customer_analysis.store import places as store_places
from smart_customer_analysis.store import query
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.filters import Filters, boxes_around, inside_boxes
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.mentions import theme_mentions, theme_run, theme_sentences
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.results import save_model, save_predictions, save_segment_run
from smart_customer_analysis.store.tables import Customer
from smart_customer_analysis.store.themes import last_themes, read_reviews, save_theme_run
from smart_customer_analysis.view.figures import apply_filters, review_table

GEOD = Geod(ellps="WGS84")
N_QUERIES = 200


@pytest.fixture(scope="module")
def places(make_database):
    "Customers all over the world, poles and antimeridian included, on one backend: (engine, frame)."
    rng = np.random.default_rng(3)
    n = 1_500
    lon, lat = rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    lon[: n // 2], lat[: n // 2] = rng.normal(8.5, 1.5, n // 2), rng.normal(47.3, 1, n // 2)
    reviews, customers, orders = shop(n, 500)
    customers = customers.assign(lon=lon, lat=lat)
    engine = make_engine(make_database())
    migrate(engine)
    save_load(engine, "shop", reviews, customers, orders)
    yield engine, customers
    engine.dispose()


def random_points(n, seed):
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(8.5, 2), rng.normal(47.3, 1.5))
        if i % 2
        else (rng.uniform(-180, 180), np.degrees(np.arcsin(rng.uniform(-1, 1))))
        for i in range(n)
    ]


def metres_to(customers, lon, lat):
    n = len(customers)
    return np.array(
        GEOD.inv(
            np.full(n, lon), np.full(n, lat), customers.lon.to_numpy("float64"), customers.lat.to_numpy("float64")
        )[2]
    )


def test_within_metres(places):
    engine, customers = places
    rng = np.random.default_rng(4)
    for lon, lat in random_points(N_QUERIES, 4):
        radius = 10 ** rng.uniform(3, 6.8)
        true = pd.Series(metres_to(customers, lon, lat), index=customers.customer_id)
        metres = store_places.within_metres(engine, lon, lat, radius).set_index("customer_id").metres
        assert set(metres.index) >= set(true[true <= radius * 0.995].index)
        assert set(metres.index) <= set(true[true <= radius * 1.005].index)
        assert np.allclose(metres, true[metres.index], rtol=0.005, atol=0.01)
        assert metres.is_monotonic_increasing


def test_nearest(places):
    engine, customers = places
    for i, (lon, lat) in enumerate(random_points(N_QUERIES, 5)):
        k = 1 + i % 20
        true = pd.Series(metres_to(customers, lon, lat), index=customers.customer_id).nsmallest(k)
        customers_near = store_places.nearest(engine, lon, lat, k)
        assert np.allclose(customers_near.metres, true.to_numpy(), rtol=0.005, atol=0.01)
        assert len(set(customers_near.customer_id) ^ set(true.index)) <= 2


def test_within_bbox(places):
    engine, customers = places
    rng = np.random.default_rng(7)
    for i in range(N_QUERIES):
        (south, north), (west, east) = np.sort(rng.uniform(-90, 90, 2)), rng.uniform(-180, 180, 2)
        if i % 4:
            west, east = min(west, east), max(west, east)
        inside = (
            customers.lon.between(west, east)
            if west <= east
            else ~customers.lon.between(east, west, inclusive="neither")
        )
        true = customers[inside & customers.lat.between(south, north)].customer_id
        assert list(store_places.within_bbox(engine, west, south, east, north).customer_id) == sorted(true)


def test_geojson(places):
    engine, customers = places
    where = customers.set_index("customer_id")
    rng = np.random.default_rng(9)
    for i, (lon, lat) in enumerate(random_points(N_QUERIES, 9)):
        place = (
            {"nearest_to": (lon, lat), "k": 1 + i % 9},
            {"near": (lon, lat), "radius_m": 10 ** rng.uniform(4, 5.5)},
        )[i % 2]
        answer = store_places.customers_geojson(engine, **place, snap=None)
        metres = pd.Series(metres_to(customers, lon, lat), index=customers.customer_id).sort_values()
        true = metres.head(place["k"]) if "k" in place else metres[metres <= place["radius_m"]].head(5_000)
        ids = [f["properties"]["id"] for f in answer["features"]]
        assert set(ids) == set(true.index) or np.allclose(metres[ids], true.to_numpy(), rtol=0.005)
        assert np.allclose(metres[ids], np.sort(metres[ids]), rtol=0.005), "the nearest come first"
        coordinates = np.array([f["geometry"]["coordinates"] for f in answer["features"]]).reshape(-1, 2)
        assert np.allclose(coordinates, where.loc[ids, ["lon", "lat"]].astype(float), atol=1e-6)
        for f in store_places.customers_geojson(engine, **place)["features"] if i % 8 < 2 else ():
            assert f["geometry"]["coordinates"] not in coordinates.tolist(), "an exact coordinate left"


@pytest.mark.db
def test_postgis_uses_its_index(make_pg_database):
    engine = make_engine(make_pg_database())
    migrate(engine)
    _, customers, _ = shop(20_000, 1, bbox=(-180, -85, 180, 85))
    save_load(engine, "shop", customers=customers)
    with engine.connect() as c:
        c.execute(text("ANALYZE customers"))
        for where in (
            inside_boxes(c, [(7, 46, 8, 47)]),
            inside_boxes(c, boxes_around(8.5, 47.3, 20_000)) & (store_places.metres_from(8.5, 47.3) <= 20_000),
        ):
            statement = select(Customer.customer_id).where(Customer.source == "shop", where)
            sql = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(c.execute(text("EXPLAIN " + sql)).scalars())
            assert "ix_customers_geom" in plan, plan


def test_sqlite_uses_its_index(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/i.db")
    migrate(engine)
    _, customers, _ = shop(20_000, 1, bbox=(-180, -85, 180, 85))
    save_load(engine, "shop", customers=customers)
    with engine.begin() as c:
        c.execute(text("ANALYZE"))
        statement = select(Customer.customer_id).where(Customer.source == "shop", inside_boxes(c, [(7, 46, 8, 47)]))
        sql = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
        assert "ix_customers_lat_lon" in str(c.exec_driver_sql("EXPLAIN QUERY PLAN " + sql).all())


@pytest.fixture
def scored(engine):
    "A shop with two models and two segment runs: only the newest of each may speak."
    reviews, customers, orders = shop()
    save_load(engine, "shop", reviews, customers, orders)
    for version in ("v1", "v2"):
        save_model(engine, version, "sentiment", "m", {"version": version})
        save_predictions(engine, version, predictions(reviews.review_id, seed=int(version[1])))
        segments = pd.DataFrame(
            {"segment_id": ["A", "B"], "name": [version, "y"], "sentence": "", "size": 1, "share": 0.5}
        )
        members = pd.DataFrame(
            {
                "member_id": customers.customer_id,
                "segment_id": np.where(np.arange(300) < 100 * int(version[1]), "A", "B"),
            }
        )
        save_segment_run(engine, "customer", version, {}, pd.DataFrame(), segments, members)
    few = reviews.review_id[:300]
    themes = pd.DataFrame({"theme_id": ["A", "B"], "name": ["x", "y"], "origin": "found"})
    themes = themes.assign(**{c: [[], []] for c in ("words", "praise", "complaint")})
    sentences = pd.concat([pd.DataFrame({"review_id": few, "start": i, "stop": i + 1}) for i in (0, 1)])
    sentences = sentences.assign(first_id=(["A", "B", None] * 200)[: len(sentences)], p_negative=0.25, margin=0.5)
    run = {"model_version": "v2", "params": {}, "evidence": [], "events": [], "fitted": b""}
    save_theme_run(engine, "shop", run, themes, [sentences], whole=True)
    return engine, reviews


def test_facts_are_one_row_per_review_of_the_newest_model(scored):
    engine, reviews = scored
    facts = query.review_facts(engine)
    assert (len(facts), facts.review_id.is_unique) == (800, True)
    truth = predictions(reviews.review_id, seed=2)
    assert np.array_equal(facts.p_negative, truth.p_negative)
    assert facts.marked.equals((1 - truth.label).rename("marked").astype("Int8"))
    assert query.scoring_model(engine)["metrics"] == {"version": "v2"}
    assert query.segment(engine, "A")["name"] == "v2"


def test_a_filter_never_makes_a_count_grow(scored):
    engine, _ = scored
    rng = np.random.default_rng(11)
    choices = {
        "start": [date(2026, 2, 1), date(2026, 3, 5)], "end": [date(2026, 5, 1), date(2026, 6, 30)],
        "segment": ["A", "B", "Z"], "region": ["Nord", "Süd"], "product": ["lamp", "desk"],
        "sentiment": ["negative", "positive", "unsure"], "theme": ["A", "B", "Z"],
        "q": ["no", "ärger", "%", "_", "\\", "'"],
    }  # fmt: skip
    everything = query.reviews_page(engine)["total"]
    for _ in range(15):
        names = rng.permutation(list(choices))[: rng.integers(1, 6)]
        chosen, total = {}, everything
        for name in names:
            chosen[name] = choices[name][rng.integers(len(choices[name]))]
            page = query.reviews_page(engine, Filters(**chosen), limit=1)
            assert page["total"] <= total, chosen
            assert page["total"] == len(query.review_facts(engine, Filters(**chosen))) == sum(page["counts"].values())
            total = page["total"]


def test_the_reviews_of_a_run_were_read_after_a_time_on_any_clock(scored):
    engine, _ = scored
    run = last_themes(engine, "shop")
    at = run["created_at"].astimezone(timezone(timedelta(hours=-9)))
    assert read_reviews(engine, "shop", after=at) == []
    assert read_reviews(engine, "shop", after=at - timedelta(microseconds=1)) == read_reviews(engine, "shop") != []


def test_a_theme_is_that_of_any_sentence_and_a_review_counts_once(scored):
    engine, _ = scored
    added = theme_mentions(engine, "shop")
    for letter in ("A", "B"):
        mine = added[added["theme_id"] == letter]
        facts = query.review_facts(engine, Filters(theme=letter))
        assert set(facts["review_id"]) == set(mine["review_id"]) and len(facts) == len(mine) == 100
    assert added["sentences"].sum() == 600 and set(added["p_negative"]) == {0.25}
    assert added["theme_id"].isna().sum() == 100 and added["review_id"].is_monotonic_increasing
    assert query.reviews_page(engine, Filters(theme="Z"))["total"] == 0
    shown = theme_sentences(engine, "A", ["r000000", "r000001"], "shop")
    assert all(x["stop"] - x["start"] == 1 for x in shown["r000000"])
    assert [item["name"] for item in theme_run(engine)["items"]] == ["x", "y"]


def test_a_period_holds_its_first_and_last_day_whole(scored):
    engine, reviews = scored
    times = reviews.reviewed_at.dropna()
    for start, end in ((date(2026, 2, 1), date(2026, 2, 1)), (date(2026, 3, 5), date(2026, 4, 30))):
        first, after = (datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (start, end + timedelta(days=1)))
        expected = ((times >= first) & (times < after)).sum()
        page = query.reviews_page(engine, Filters(start=start, end=end), limit=1)
        assert page["total"] == expected > 0
    for wrong in ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)):
        with pytest.raises(InputError, match="pass a date as start or end"):
            query.review_facts(engine, Filters(start=wrong))


def test_pages_meet_every_review_once_and_in_order(scored):
    engine, _ = scored
    keys = {
        "newest": lambda i: (
            i["reviewed_at"] is None,
            "" if i["reviewed_at"] is None else "".join(chr(255 - ord(ch)) for ch in i["reviewed_at"][:19]),
        ),
        "negative": lambda i: -i["p_negative"],
        "unsure": lambda i: abs(i["p_negative"] - 0.5),
        "longest": lambda i: -len(i["text"]),
    }
    for sort, key in keys.items():
        items, cursor = [], None
        while cursor or not items:
            page = query.reviews_page(engine, None, sort, 170, cursor)
            items, cursor = items + page["items"], page["next_cursor"]
        assert len({i["review_id"] for i in items}) == len(items) == 800
        assert [key(i) for i in items] == sorted(key(i) for i in items), sort


@pytest.mark.parametrize("cursor", ["x", "%%%", "bm9uc2Vuc2U", "WyJuZXdlc3QiLDEsMl0", "W251bGxd", "é", "a" * 9999])
def test_a_made_up_cursor_is_refused(scored, cursor):
    with pytest.raises(InputError):
        query.reviews_page(scored[0], cursor=cursor)


def test_search_is_literal_and_ignores_case(scored):
    engine, reviews = scored
    for q in ("ÄRGER", "été", "北京", "🙂", '"no"', "100% _SURE_", "\\.", "line\nbreak", "'; DROP TABLE reviews; --"):
        expected = reviews.text.str.lower().str.contains(
            q.lower(), regex=False
        ) | reviews.title.str.lower().str.contains(q.lower(), regex=False)
        assert query.reviews_page(engine, Filters(q=q), limit=1)["total"] == expected.sum(), q


def test_small_questions(scored):
    engine, reviews = scored
    assert query.filter_options(engine)["regions"] == ["Nord", "Süd"]
    summary = query.overview(engine)
    assert summary["stored"] == {"customers": 300, "reviews": 800, "orders": 300}
    assert summary["data_to"] == reviews.reviewed_at.max().isoformat()
    one = query.customer(engine, "c00003")
    assert one["n_reviews"] == (reviews.customer_id == "c00003").sum() and one["segment"]["id"] == "A"
    assert query.customer(engine, "nobody") is None


def test_stars_against_the_text_are_counted(scored):
    engine, reviews = scored
    truth = reviews.merge(predictions(reviews.review_id, seed=2), on="review_id", suffixes=("", "_marked"))
    truth = truth.dropna(subset=["label", "label_marked"])
    wrong = truth[truth.label != truth.label_marked]
    against = query.contradictions(engine, limit=30)
    assert (against["checked"], against["contradict"]) == (len(truth), len(wrong)) and len(wrong) > 100
    sure = wrong.assign(d=-(wrong.p_negative - 0.5).abs()).sort_values(["d", "review_id"])
    assert [i["review_id"] for i in against["items"]] == sure.review_id.head(30).tolist()


def test_100_000_facts_in_two_seconds(tmp_path):
    import time

    engine = make_engine(f"sqlite:///{tmp_path}/many.db")
    migrate(engine)
    save_load(engine, "shop", *shop(5_000, 100_000))
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        facts = query.review_facts(engine)
        best = min(best, time.process_time() - began)
    assert (len(facts), facts.review_id.is_unique) == (100_000, True)
    assert best < 2, f"{best:.2f} s"


def test_reviews_are_narrowed_to_a_language_in_the_database_and_in_memory(engine):
    reviews, customers, orders = shop(20, 60)
    language = ["pt", "und", "en"] * 20
    save_load(engine, "shop", reviews.assign(language=language), customers, orders)
    wanted = reviews["review_id"][np.array(language) == "pt"].tolist()
    assert query.review_facts(engine, Filters(language="pt"))["review_id"].tolist() == wanted
    rows = apply_filters(review_table(query.review_facts(engine)), Filters(language="pt"))
    assert rows["review_id"].tolist() == wanted
