"""One number, one truth: what is shown twice agrees, and a door opens as many reviews as it names."""

import random
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlparse

import numpy as np
import pandas as pd
import pytest
from made_up import predictions_of, segments_of
from planted_themes import plant_themes

from smart_customer_analysis.config import Settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.schema import BadQuery, NotFound
from smart_customer_analysis.service import Service
from smart_customer_analysis.steps.export import export_only
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import open_database
from smart_customer_analysis.store.results import save_model, save_predictions, save_segment_run

FIGURE = ("value", "low", "high", "n_reviews", "n_customers", "n_unsure", "n_labelled", "n_predicted", "n_neutral")
FILTERS = 200


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    "The sample shop: stars on most reviews, predictions on most, some with neither; some people live nowhere."
    home = tmp_path_factory.mktemp("same")
    settings = Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    shop, rng = make_shop(n_customers=500, n_reviews=1600), np.random.default_rng(3)
    n = len(shop.reviews)
    bare, unread, trained = (rng.random(n) < p for p in (0.4, 0.1, 0.5))
    reviews = shop.reviews.assign(rating=shop.reviews["rating"].mask(bare), label=shop.reviews["label"].mask(bare))
    customers = shop.customers.copy()
    customers.loc[rng.random(len(customers)) < 0.1, "region"] = None
    engine = open_database(settings)
    save_load(engine, "sample", reviews, customers, shop.orders)
    save_model(engine, "m1", "sentiment", "m1", {"validation_confusion": {"tn": 460, "fp": 40, "fn": 40, "tp": 460}})
    save_predictions(engine, "m1", predictions_of(shop.reviews).assign(held_out=~trained | bare)[~unread])
    groups, members = segments_of(customers)
    save_segment_run(engine, "customer", "m1", {}, pd.DataFrame(), groups, members)
    plant_themes(engine, "sample", reviews, shop.truth["topics"])
    engine.dispose()
    return Service(settings)


def random_filters(service: Service, n: int) -> list[Filters]:
    "Draw filters: one or two of region, segment, product and days, now and then a word."
    options, rng = service.filters(), random.Random(11)
    first, last = (date.fromisoformat(options["periods"][c]) for c in ("first", "last"))
    days, filter_sets = (last - first).days, []
    for _ in range(n):
        start = first + timedelta(rng.randrange(max(days - 20, 1)))
        choices = {
            "region": rng.choice(options["regions"]), "segment": rng.choice(options["segments"])["id"],
            "product": rng.choice(options["products"])["id"], "q": rng.choice(["late", "the", "good"]),
            "theme": rng.choice(options["themes"])["id"],
        }  # fmt: skip
        chosen = dict(rng.sample(sorted(choices.items()), rng.choice([0, 1, 1, 2])))
        if rng.random() < 0.7:
            chosen |= {"start": start, "end": start + timedelta(rng.choice([6, 27, 90, 400]))}
        filter_sets.append(Filters(**chosen))
    return filter_sets


def numbers(figure: dict) -> tuple:
    return tuple(figure[c] for c in FIGURE)


def opened(service: Service, address: str) -> dict:
    "The list behind a door."
    query = dict(parse_qsl(urlparse(address).query))
    days = {c: date.fromisoformat(query[c]) for c in ("start", "end") if c in query}
    return service.reviews(Filters(**{**query, **days}), limit=1)


def first_page(service: Service, filters: Filters, whole: dict, parts: dict) -> list[dict]:
    "Compare overview and map with the other views; return what has a door."
    view = service.overview(filters)
    assert numbers(whole) == numbers(service.cells(filters)["overall"]), filters
    if filters.start and filters.end and whole["n_reviews"]:
        assert numbers(view["headline"]) == numbers(whole), filters
        assert {s["id"]: numbers(s) for s in view["segments"]} == {k: v for k, v in parts.items() if k != "unknown"}
    return [*view["changes"]["proven"], view["headline"], *view["over_time"]]


def test_every_number_that_is_shown_twice_agrees(service: Service) -> None:
    rng, doors, opened_kinds = random.Random(5), 0, 0
    for i, filters in enumerate(random_filters(service, FILTERS)):
        whole, listed = service.shares(filters)["items"][0], service.reviews(filters, limit=1)
        context = (filters, whole, listed["figure"])
        if listed["total"] is None:  # hidden, whatever words are asked for
            assert whole["reliability"] in ("hidden", "none"), context
            continue
        assert numbers(whole) == numbers(listed["figure"]), context
        parts = {s["key"]: numbers(s) for s in service.shares(filters, "segment")["items"]}
        for segment in service.segments(filters)["items"]:
            assert parts.get(segment["id"], numbers(segment["share_negative"])) == numbers(segment["share_negative"])
        more = first_page(service, filters, whole, parts) if i % 25 == 0 else []
        if listed["counts"]:
            assert (listed["total"], sum(listed["counts"].values())) == (whole["n_reviews"], whole["n_reviews"]), (
                context
            )
            read = (whole["n_labelled"] or 0) + (whole["n_predicted"] or 0)
            if whole["reliability"] in ("ok", "wide", "not_comparable"):
                sentence = f"{listed['counts']['negative']:,} of {read:,} are negative"
                assert sentence in listed["sentence"], (context, listed["sentence"])
                assert whole["counted"] is None or abs(whole["counted"] * read - listed["counts"]["negative"]) < 0.05
            if filters.theme and listed["total"]:
                items = service.themes(replace(filters, theme=None))["items"]
                theme = next(x for x in items if x["id"] == filters.theme)
                if theme["share_negative"]["reliability"] != "hidden":  # it may protect another theme
                    assert theme["share_negative"]["n_reviews"] == listed["total"], context
                    assert listed["sentence"].startswith(theme["sentence"]), context
        if listed["counts"]:  # a kind opens as many reviews as it counts, each with its badge
            kind = rng.choice(["negative", "positive", "unsure", "neutral"])
            page = service.reviews(replace(filters, sentiment=kind), limit=50)
            if page["total"] is not None:  # hidden: fewer than ten people
                assert (page["total"], page["counts"]) == (listed["counts"][kind], listed["counts"]), (filters, kind)
                assert {item["mark"] for item in page["items"]} <= {kind}, (filters, kind)
                opened_kinds += 1
        by = rng.choice(["region", "segment", "product", "month", "week"])
        items = service.shares(filters, by)["items"]
        if by in ("region", "segment") and all(i["reliability"] != "hidden" for i in items) and whole["n_reviews"]:
            assert sum(i["n_reviews"] for i in items) == whole["n_reviews"], (context, by)
        with_door = [i for i in [*items, *more] if i["evidence"]]
        for item in rng.sample(with_door, min(3, len(with_door))):
            behind, doors = opened(service, item["evidence"]), doors + 1
            assert (behind["total"] or 0) == item["n_reviews"], (filters, item)  # None: hidden, whatever the words
            if "reliability" in item and behind["total"] is not None:
                assert numbers(behind["figure"]) == numbers(item), (filters, item)
    assert doors > FILTERS and 4 * opened_kinds > FILTERS


def test_the_change_says_the_headline_and_the_one_before(service: Service) -> None:
    view = service.overview(Filters(start=date(2026, 6, 1), end=date(2026, 11, 15)))
    assert view["change"]["points"] == pytest.approx(view["headline"]["value"] - view["previous"]["value"], abs=2e-5)


def test_the_exported_table_gives_the_published_share(service: Service, tmp_path) -> None:
    from smart_customer_analysis.insight.shares import shares_by
    from smart_customer_analysis.view.figures import review_table

    export_only(service.settings, tmp_path)
    table = review_table(pd.read_parquet(tmp_path / "marks.parquet"))
    text = pd.read_csv(tmp_path / "marks.csv", dtype={"review_id": "str"}, keep_default_na=True)
    published = service.shares(Filters())["items"][0]
    again = shares_by(table, None, service.data.shop(None).confusion).iloc[0]
    assert again["value"] == pytest.approx(published["value"], abs=1e-5) and len(text) == published["n_reviews"]
    assert (text["label"].notna().sum(), text["held_out"].notna().sum()) == (
        table["stars"].notna().sum(), table["is_scored"].sum()
    )  # fmt: skip


def test_a_hot_spot_has_one_verdict_at_every_size(service: Service) -> None:
    answers = [service.cells(Filters(), size) for size in ("large", "medium", "small")]
    assert all(a["hotspots"] == answers[0]["hotspots"] for a in answers)
    assert len({a["sentence"] for a in answers}) == 1
    days = service.overview(Filters())["period"]  # the places of the overview are those of the days it is about
    dated = Filters(start=date.fromisoformat(days["start"]), end=date.fromisoformat(days["end"]))
    assert service.overview(Filters())["hotspots"] == service.cells(dated)["hotspots"]


def test_a_proof_repeats_the_numbers_of_its_mark_and_opens_them(service: Service) -> None:
    proven = [c for c in service.changes(Filters())["proven"] if c["mark"] != "event"]
    assert {c["kind"] for c in proven} >= {"overall", "region"}
    for change in proven[:4]:
        proof = service.change_proof(Filters(), change["kind"], change["name"])
        assert {c: proof[c] for c in change} == change
        for side in ("before", "after"):
            behind = opened(service, proof[side]["evidence"])
            if change["kind"] == "theme":  # its share is of what is said, that of the list is of the reviews
                assert proof[side]["n_reviews"] == behind["total"] and proof[side]["n_labelled"] == 0
            else:
                assert numbers(proof[side]) == numbers(behind["figure"])
        if proof["before"]["reliability"] == proof["after"]["reliability"] == "ok":
            assert f"from {proof['before']['value']:.0%} to {proof['after']['value']:.0%}" in change["sentence"]
            assert change["points"] == pytest.approx(proof["after"]["value"] - proof["before"]["value"], abs=2e-5)
        for quote in (*proof["quotes_before"], *proof["quotes_after"]):
            assert quote["region"] in (None, *service.filters()["regions"])


def test_a_hot_spot_opens_the_reviews_of_its_figure_and_no_other_cell_does(service: Service) -> None:
    drawn = service.cells(Filters(), "large")
    spots = [s for s in drawn["hotspots"] if s["evidence"]]
    assert spots
    for spot in spots:
        listed = service.reviews(Filters(), limit=200, cell=spot["cell"])
        assert (listed["total"], numbers(listed["figure"])) == (spot["n_reviews"], numbers(spot))
        assert sum(listed["counts"].values()) == listed["total"]
        proof = service.spot_proof(Filters(), spot["cell"])
        assert {c: proof[c] for c in spot} == spot and numbers(proof["overall"]) == numbers(drawn["overall"])
        negative = service.reviews(Filters(sentiment="negative"), limit=200, cell=spot["cell"])
        assert {q["review_id"] for q in proof["quotes"]} <= {i["review_id"] for i in negative["items"]}
    hidden = next(f["properties"]["cell"] for f in drawn["features"] if f["properties"]["state"] == "hidden")
    with pytest.raises(BadQuery, match="hot spot"):
        service.reviews(Filters(), cell=hidden)
    with pytest.raises(NotFound, match="hot spot"):
        service.spot_proof(Filters(), hidden)
