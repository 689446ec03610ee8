"The page in another language, reviews by language, and texts that run from right to left."

import re

import pytest
from browser_shop import ARABIC, PORTUGUESE
from waiting import settle, until, view

from smart_customer_analysis.report.page import page as report_page
from smart_customer_analysis.report.page import quotes
from smart_customer_analysis.words import Words, message_table

ENGLISH = re.compile(
    r"\b(the|of|and|to|is|are|was|with|by|all|not|this|that|from|in|on|it|or|than|too|more|few|fewer|reviews?|customers?"
    r"|negative|positive|weeks?|filters?|show|range|open|close|segments?|regions?|themes?|reports?|your|what|who|where|when"
    r"|why|unknown|here|each|none|chart|table|list|download)\b",
    re.I,
)
# What the shop gave: names, what planted segments and runs say, quotes; addresses of the API.
SHOP_TEXTS = re.compile(
    r"\[D\] Critics appeared: 118 customers\.?|Planted as [\w ]+\.|Talks about \w+|(?:Orders|Amount) in a year"
    r"|Share negative|Lapsed since spring|HTML \d+ kB|“[^”]*”?|/v1/\S+"
    r"|expected labelled rows, found none in the period\. Next step: load labels"
)
SHOP_WORDS = {"Size"}  # a theme of the shop
# Every visible text and every name that is read aloud, without what customers wrote, code, and the list of languages.
TEXTS = """root => {
  const theirs = "blockquote, .review-text, .review-title, .words, .theme-name .caption, pre, code, textarea, #language"
      + ", a[href*='q=']", // words of reviews
    texts = [];
  for (const e of document.querySelectorAll(root + " *")) {
    if (e.closest(theirs) || !e.checkVisibility()) continue;
    for (const n of e.childNodes) if (n.nodeType === 3) texts.push(n.textContent);
    for (const a of ["aria-label", "title", "placeholder"]) texts.push(e.getAttribute(a) ?? "");
  }
  return texts.map(t => t.trim()).filter(Boolean);
}"""


def english_in(page, root: str = "body") -> list[str]:
    "List the texts of a page that are not Portuguese: with an English word, or as the program has them."
    table = message_table("pt", "page")
    untold = {text for text, there in table.items() if text != there} - SHOP_WORDS
    shown = dict.fromkeys(page.evaluate(TEXTS, root))
    plain = ((text, SHOP_TEXTS.sub("", text)) for text in shown)
    return [text for text, rest in plain if ENGLISH.search(rest) or rest in untold]


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


DAYS = "start=2026-10-19&end=2026-11-15"
PLACES = [
    "/?", f"/reviews?{DAYS}&", "/map?", "/map?metric=difference&size=large&people=on&", "/segments?",
    "/segments?open=A&compare=A,B&", "/themes?", "/themes?open=A&", "/label?", "/label?start=2020-01-01&", "/try?",
    "/reports?", "/themes?region=Nowhere&", "/segments?open=Z&", "/map?region=Nowhere&",
]  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
def test_no_view_leaves_english(open_page, path):
    page = open_page(f"{path}lang=pt")
    assert english_in(page) == []
    for summary in page.locator("main summary").all():
        summary.click()
    for name in ("Tabela", "Gráfico", "Lista", "Fluxos"):
        for button in page.locator(".switch button:visible", has_text=name).all():
            button.click()
            settle(page)
            assert english_in(page) == []


def test_proofs_and_the_key_leave_no_english(open_page):
    for path in ("/", "/map", "/segments"):
        page = open_page(f"{path}?lang=pt")
        for key in [b.get_attribute("data-proof") for b in page.locator("main [data-proof]").all()]:
            page.goto(f"{path}?lang=pt&proof={key}")
            settle(page)
            until(page, "document.querySelector('#proof .proof-doors')")
            assert english_in(page, "#proof") == [], key
    page.locator("#proof [data-close]").click()
    page.locator("[data-open=key]").first.click()
    assert english_in(page, "#key") == []


def test_a_verdict_and_its_words_leave_no_english(open_page):
    page = open_page("/try?lang=pt")
    for text in ("The box was late.", "xyzzy"):
        page.locator("#text").fill(text)
        until(page, "document.querySelector('.verdict-words .caption') && !document.querySelector('#verdict.updating')")
        assert english_in(page) == []
    for button in page.locator(".samples button").all():
        button.click()
        until(page, "!document.querySelector('#verdict.updating') && document.querySelector('.verdict-words .caption')")
        assert english_in(page) == []


def test_a_refusal_is_read_in_portuguese(open_page):
    page = open_page("/segments?open=Z&lang=pt")
    assert page.get_by_text("Esperado: um segmento da última execução.").is_visible()


@pytest.mark.parametrize("width", [320, 390, 720, 860, 1000, 1110, 1280])
def test_longer_words_overflow_at_no_width(open_page, width):
    page = open_page("/?lang=pt", width=width)
    for path in (
        "/map",
        "/map?metric=difference&size=large",
        "/segments",
        "/themes",
        "/label",
        "/try",
        "/reports",
        "/",
    ):
        page.goto(path)
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    fresh = page.locator("#fresh")
    assert not fresh.is_visible() or fresh.bounding_box()["height"] <= 40, "the day of the data has two lines at most"


def test_a_language_that_is_only_begun_says_so(open_page):
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
