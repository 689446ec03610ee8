"""Everything can be reached and left without a mouse."""

import re

from waiting import until, view


def focused(page) -> dict:
    return page.evaluate(
        "(() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);"
        " return {tag: e.tagName, id: e.id, cls: String(e.className.baseVal ?? e.className), text: "
        "e.textContent.slice(0, 60), href: e.getAttribute('href'),"
        " shown: r.width > 0 && r.height > 0, ring: s.outlineStyle !== 'none' || s.strokeWidth !== '0px'}; })()"
    )


def test_first_figure_within_twelve_tabs_and_back_returns_to_it(open_page):
    page = open_page("/")
    page.keyboard.press("Tab")
    assert focused(page)["text"] == "Skip to content"
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        at = focused(page)
        assert at["ring"], at
        if "figure" in at["cls"]:
            break
    assert "figure" in at["cls"]
    page.keyboard.press("Enter")
    view(page, "Reviews")
    assert focused(page)["tag"] == "H1"
    page.go_back()
    view(page, "Overview")
    until(page, "() => document.activeElement?.className?.includes?.('figure')")
    assert focused(page)["href"] == at["href"]


def test_try_a_review_by_keyboard(open_page):
    page = open_page("/try")
    page.locator("h1").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        if focused(page)["id"] == "text":
            break
    assert focused(page)["id"] == "text"
    page.keyboard.type("The kettle came late.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".verdict-number")
    until(page, "() => document.querySelector('#live').textContent.includes('tokens')")
    page.wait_for_selector(".verdict-words .words")
    page.keyboard.press("Tab")
    while "word" not in focused(page)["cls"]:
        page.keyboard.press("Tab")
    before = page.locator("#text").input_value()
    page.keyboard.press("Enter")
    until(page, "b => document.querySelector('#text').value !== b", before)
    until(page, "() => document.querySelector('#live').textContent.includes('tokens')")
    assert page.watch.bad == []
    assert "late" not in page.url


def test_the_list_of_hot_spots_is_the_map_for_the_keyboard(open_page):
    page = open_page("/map")
    spot = page.locator("#spots .spot").first
    spot.focus()
    page.keyboard.press("Enter")
    page.locator(".picked").wait_for(state="visible")
    assert "Selected" in page.locator(".picked").inner_text() and "pick=" in page.url
    page.keyboard.press("Escape")
    page.locator(".picked").wait_for(state="hidden")
    assert "pick=" not in page.url
    assert page.watch.bad == []


def test_the_proof_of_a_mark_opens_closes_and_gives_the_focus_back(open_page, axe):
    page = open_page("/")
    mark = page.locator("#changes .proof-open").first
    sentence = mark.inner_text()
    mark.focus()
    page.keyboard.press("Enter")
    page.locator(".proof-doors a").first.wait_for()
    assert focused(page)["id"] == "proof-title" and "proof=" in page.url
    for numbers in re.findall(r"\d+% to \d+%|\d+ to \d+", sentence):
        assert set(re.findall(r"\d+", numbers)) <= set(re.findall(r"\d+", page.locator("#proof-body").inner_text()))
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.locator("#proof").wait_for(state="hidden")
    until(page, "() => !location.search && document.activeElement.classList.contains('proof-open')")
    page.go_forward()
    page.locator(".proof-doors a").first.wait_for()
    page.go_back()
    page.locator("#proof").wait_for(state="hidden")
    page.go_forward()
    page.reload()
    door = page.locator(".proof-doors a").first
    door.wait_for()
    n = re.search(r"([\d,]+) review", door.inner_text())[1]
    door.click()
    view(page, "Reviews")
    assert page.locator("#totals").inner_text().startswith(f"{n} match")
    page.locator("#back a").click()
    page.locator(".proof-doors a").first.wait_for()
    assert page.watch.bad == []


def test_keys_of_the_review_list(open_page):
    page = open_page("/reviews")
    page.keyboard.press("/")
    assert focused(page)["id"] == "search"
    page.locator("h1").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement === document.querySelector('.review')")
    page.keyboard.press("w")
    page.locator(".review-why .words").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".review-why").first.is_hidden()


def test_charts_are_one_tab_stop_with_arrows_inside(open_page):
    page = open_page("/")
    stop = page.locator("#time .c-point[tabindex='0']")
    assert stop.count() == 1
    stop.focus()
    first = stop.get_attribute("aria-label")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") != first
    assert page.locator("#tip").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
