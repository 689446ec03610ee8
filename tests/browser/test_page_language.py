"The page in another language, reviews by language, and texts that run from right to left."

import re

import pytest
from browser_shop import ARABIC, PORTUGUESE
from waiting import settle, view

from smart_customer_analysis.report.page import page as report_page
from smart_customer_analysis.report.page import quotes
from smart_customer_analysis.words import Words

LEFT = re.compile(r"\b(the|reviews?|customers?|negative|week|filters?|show|range|more|of)\b", re.I)


def test_the_page_speaks_portuguese_and_remembers_it(open_page, axe):
    page = open_page("/?lang=pt")
    assert page.evaluate("document.documentElement.lang") == "pt"
    assert page.locator("h1").inner_text() == "Visão geral"
    assert page.title().startswith("Visão geral")
    assert axe(page) == []
    page.locator("#tabs").get_by_role("link", name="Avaliações", exact=True).click()
    view(page, "Avaliações")
    assert "lang=pt" in page.url, "the address says the language, so that it can be forwarded"
    assert re.search(r"\d+ de \d+ são negativas, segundo ", page.locator("#behind").inner_text())
    page.goto("/")
    settle(page)
    assert page.locator("h1").inner_text() == "Visão geral", "this browser remembers"
    page.locator("#language").select_option("en")
    page.wait_for_url("**lang=en*")
    settle(page)
    assert page.locator("h1").inner_text() == "Overview"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.watch.bad == []


@pytest.mark.parametrize("path", ["/", "/reviews?start=2026-10-19&end=2026-11-15"])
def test_frame_and_sentences_leave_no_english(open_page, path):
    page = open_page(f"{path}{'&' if '?' in path else '?'}lang=pt")
    for part in ("header", "#filter-row", "footer", ".view-head", ".card-head", ".card-sub", ".change-text", "#behind"):
        for text in page.locator(part).all_inner_texts():
            plain = re.sub(
                r"\[D\] Critics appeared: 118 customers|\[[A-E]\] [\w ]+", "", text
            )  # names and events the shop gave
            assert not LEFT.search(plain), f"{part}: {text!r}"


def test_a_view_without_a_catalogue_says_so(open_page):
    page = open_page("/segments?lang=pt")
    assert page.get_by_text("Esta parte existe só em inglês.").is_visible()
    page = open_page("/?lang=fr")
    assert "Seule une partie de cette page" in page.locator("footer").inner_text()
    assert page.evaluate("document.documentElement.lang") == "fr"


def test_a_reader_with_a_portuguese_browser_needs_not_ask(open_page):
    assert open_page("/", locale="pt-BR").locator("h1").inner_text() == "Visão geral"
    assert open_page("/", locale="de-DE").locator("h1").inner_text() == "Overview", "German is only begun"


def test_reviews_are_filtered_by_their_language(open_page):
    page = open_page("/reviews?start=2020-01-01")
    choice = page.locator("#filters").get_by_label("Language")
    names = choice.locator("option").all_inner_texts()
    assert any(n.startswith("Portuguese (") for n in names) and any(n.startswith("Arabic (") for n in names)
    choice.select_option("pt")
    page.wait_for_url("**language=pt*")
    settle(page)
    texts = page.locator(".review-text")
    assert set(texts.all_inner_texts()) == {PORTUGUESE}
    assert {t.get_attribute("lang") for t in texts.all()} == {"pt"}
    assert "Language: Portuguese" in page.locator("#behind").inner_text()
    page.locator("#filters").get_by_role("button", name="Remove filter Language").click()
    page.wait_for_url(lambda url: "language=" not in url)
    assert page.watch.bad == []


def test_arabic_runs_from_right_to_left_on_the_page_and_in_a_report(open_page):
    page = open_page("/reviews?start=2020-01-01&language=ar")
    text = page.locator(".review-text").first
    assert text.inner_text() == ARABIC
    assert [text.get_attribute("dir"), text.get_attribute("lang")] == ["auto", "ar"]
    look = "e => [getComputedStyle(e).direction, getComputedStyle(e.closest('li, blockquote')).direction]"
    assert text.evaluate(look) == ["rtl", "ltr"], "the text turns round, the frame about it does not"
    quote = {"text": ARABIC, "reviewed_at": "2026-11-02", "region": None, "lang": "ar"}
    page.goto("about:blank")
    page.set_content(report_page("x", quotes([quote], Words("pt")), "pt"))
    assert page.locator("blockquote p").first.evaluate(look) == ["rtl", "ltr"]
    assert page.locator("blockquote p").last.inner_text() == "2 de novembro de 2026"
    assert page.evaluate("document.documentElement.lang") == "pt"
