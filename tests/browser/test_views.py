"""Seven views, light and dark, wide and narrow: nothing refused, nothing from outside, unreadable or sideways."""

import time

import pytest
from waiting import settle, view

VIEWS = [
    "/",
    "/map",
    "/segments?open=D&compare=A,B",
    "/themes?open=A",
    "/reviews?sort=negative&theme=A",
    "/try",
    "/reports",
]


def sideways(page) -> str | None:
    "What is wider than the window, once the charts have had a second to draw themselves anew."
    for _ in range(20):
        width, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if width <= shown:
            return None
        page.wait_for_timeout(50)
    return f"{width} px of content in {shown} px"


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("width", [1440, 360])
def test_view_is_clean_accessible_and_fits(open_page, axe, path, width):
    page = open_page(path, width=width, height=900 if width > 720 else 800)
    if path == "/try":
        page.locator(".samples button").first.click()
        page.wait_for_selector(".verdict-words .words")
    if path == "/map":
        page.wait_for_selector(".maplibregl-canvas, .map-svg")
    assert axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert [f"dark: {line}" for line in axe(page)] == []
    for other in (320, 360, 768) if width < 720 else (720, 753, 1440, 2560):
        page.set_viewport_size({"width": other, "height": 900})
        page.wait_for_timeout(60)
        assert sideways(page) is None, f"{path} at {other}"
    assert page.watch.bad == []
    assert page.watch.dialogs == []


def test_each_view_says_its_question_and_its_name(open_page):
    page = open_page("/")
    for name in ("Map", "Segments", "Themes", "Reviews", "Try a review", "Reports", "Overview"):
        page.locator("#tabs").get_by_role("link", name=name, exact=True).click()
        view(page, name)
        assert page.locator(".question").inner_text().endswith("?")
        assert page.title().startswith(name)
        assert page.locator("[aria-current=page]").first.inner_text() == name
    assert page.watch.bad == []


def test_the_sheet_and_the_key_are_accessible_on_a_phone(open_page, axe):
    page = open_page("/reviews?region=Norte", width=360, height=800)
    assert page.locator("#open-filters").inner_text() == "Filters (1)"
    page.locator("#open-filters").click()
    assert axe(page) == []
    page.locator("#sheet").get_by_label("Segment").select_option("D")
    settle(page)
    shown = page.locator("#sheet-show")
    shown.filter(has_text="reviews").wait_for()
    total = page.evaluate("fetch('/v1/reviews' + location.search + '&limit=1').then(r => r.json())")
    assert "segment=D" in page.url and total
    shown.click()
    assert page.evaluate("document.activeElement.id") == "open-filters"
    page.locator("header [data-open=key]").click()
    assert axe(page) == []
    page.keyboard.press("Escape")
    assert page.watch.bad == []


def test_first_view_is_light(open_page):
    page = open_page("/")
    page.wait_for_timeout(300)
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map(e => "
        "[e.name, e.transferSize])"
    )
    names = [name for name, _ in loaded]
    assert len(names) <= 27, names
    assert sum(size for _, size in loaded) <= 350_000, loaded
    assert not any("maplibre" in name for name in names)
    assert page.evaluate("document.querySelectorAll('*').length") <= 1500


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_jumps_when_late_answers_arrive(open_page, path, width):
    "Cumulative layout shift (web.dev/cls) with answers a tenth of a second late."

    def late(route):
        time.sleep(0.1)
        route.continue_()

    page = open_page(path, width=width, height=800, routes={"**/v1/**": late})
    shifts = page.evaluate(
        "new Promise(done => new PerformanceObserver(l => done(l.getEntries().map(e => [e.value, e.sources.map(s => "
        "s.node?.id || s.node?.className)]))).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => "
        "done([]), 300))"
    )
    assert sum(value for value, _ in shifts) <= 0.05, shifts


def test_the_description_of_the_api_opens_from_our_own_files(open_page, site):
    page = open_page("/reports")
    page.goto("/docs")
    page.locator(".opblock").first.wait_for()
    assert not [b for b in page.watch.bad if "CSP" in b or "left the origin" in b or "error:" in b and "404" not in b]
