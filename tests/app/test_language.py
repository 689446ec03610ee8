"Sentences of the API in the language of the caller."

import pytest

from smart_customer_analysis.app.language import preferred

HEADERS = {
    "": "en",
    "pt": "pt",
    "pt-BR,pt;q=0.9,en;q=0.8": "pt",
    "nl,en;q=0.5": "en",
    "nl;q=1, de;q=0.7, pt;q=0.9": "pt",
    "pt;q=0, es": "es",
    "de;q=x, fr": "fr",
    "*": "en",
    "," * 10_000: "en",
}


@pytest.mark.parametrize(("header", "language"), HEADERS.items(), ids=[h[:20] for h in HEADERS])
def test_the_first_language_we_have_is_taken(header, language):
    assert preferred(header) == language


def test_sentences_come_in_the_language_of_the_caller(served):
    client = served.client
    plain, header = (
        client.get("/v1/overview"),
        client.get("/v1/overview", headers={"Accept-Language": "pt-BR,pt;q=0.9"}),
    )
    address = client.get("/v1/overview?lang=pt")
    assert [r.headers["content-language"] for r in (plain, header, address)] == ["en", "pt", "pt"]
    assert "Accept-Language" in plain.headers["vary"]
    assert header.json() == address.json() != plain.json()
    assert plain.json()["changes"]["sentence"] != header.json()["changes"]["sentence"]
    assert plain.json()["headline"] == header.json()["headline"], "the figures are the same"
    again = client.get("/v1/overview")
    assert again.json() == plain.json(), "what is kept is not touched by a reader of another language"


def test_a_tag_is_of_one_language(served):
    tag = served.client.get("/v1/overview").headers["etag"]
    assert served.client.get("/v1/overview", headers={"If-None-Match": tag}).status_code == 304
    other = served.client.get("/v1/overview", headers={"If-None-Match": tag, "Accept-Language": "pt"})
    assert other.status_code == 200


def test_an_unknown_language_is_refused(served):
    answer = served.client.get("/v1/overview?lang=tlh")
    assert answer.status_code == 422 and "en, pt, es, de, fr" in answer.json()["detail"]
    assert served.client.get("/v1/overview?lang=pt&nonsense=1").status_code == 422


def test_the_page_finds_its_catalogue(served):
    words = served.client.get("/static/words/pt.json")
    assert words.status_code == 200 and words.json()["Overview"] == "Visão geral"
    assert words.json()["{n} review"] == ["{n} avaliação", "{n} avaliações"]
    for wrong in ("en", "tlh", "..%2f..%2fpt"):
        assert served.client.get(f"/static/words/{wrong}.json").status_code == 404


def test_every_address_that_is_read_says_that_it_takes_a_language(served):
    document = served.client.get("/openapi.json").json()
    reads = [o["get"] for path, o in document["paths"].items() if path.startswith("/v1") and "get" in o]
    assert all({"$ref": "#/components/parameters/lang"} in o["parameters"] for o in reads)
    assert document["components"]["parameters"]["lang"]["schema"]["enum"] == ["en", "pt", "es", "de", "fr"]
