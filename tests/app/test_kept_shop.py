"Pages and words come from the shop in memory; they are those of the database."

import pytest

from smart_customer_analysis.service import Service
from smart_customer_analysis.serving import find_words
from smart_customer_analysis.store import query
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.pages import SORTS


@pytest.fixture(scope="module")
def service(served):
    service = Service(served.settings)
    yield service
    service.close()


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_holds_the_reviews_the_database_would_list(service, sort):
    engine = service.connection.engine()
    product = service.filters()["products"][0]["id"]
    for filters in (
        Filters(),
        Filters(product=product, sentiment="negative"),
        Filters(language="en"),
        Filters(q="The"),
    ):
        cursor = None
        for _ in range(3):
            page = service.reviews(filters, sort, 40, cursor)
            stored = query.reviews_page(engine, filters, sort, 40, cursor)
            assert [r["review_id"] for r in page["items"]] == [r["review_id"] for r in stored["items"]]
            assert (page["total"], page["next_cursor"]) == (stored["total"], stored["next_cursor"])
            if (cursor := page["next_cursor"]) is None:
                break


@pytest.mark.parametrize("q", ["late", "LATE", "é", "100%", "_", "a.b", "(not", "İ", "zzzz", ". "])
def test_words_are_found_where_the_database_finds_them(service, q):
    stored = set(query.review_facts(service.connection.engine(), Filters(q=q))["review_id"])
    assert service.reviews(Filters(q=q), limit=1)["total"] in (len(stored), None)
    shop = service.data.shop(None)
    assert set(shop.reviews["review_id"][find_words(shop, q)]) == stored


def test_a_second_server_opens_the_file_of_the_first(service, served, monkeypatch):
    first = service.overview(Filters())
    monkeypatch.setattr("smart_customer_analysis.serving.read_shop", None)  # the database is not read again
    again = Service(served.settings)
    assert again.overview(Filters()) == first
    assert again.reviews(Filters(q="late")) == service.reviews(Filters(q="late"))
    again.close()
