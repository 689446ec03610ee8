"""Loading, empty, hidden, too few, quiet, failed, no map library: three different pictures, never a blank view."""

import json
import re
import time
from pathlib import Path

import pytest
from plain_words import LOUD
from waiting import settle

STATIC = Path(__file__).parents[2] / "smart_customer_analysis" / "app" / "static"
HIDDEN = {
    "value": None,
    "low": None,
    "high": None,
    "n_reviews": None,
    "n_customers": None,
    "n_unsure": None,
    "counted": None,
    "reliability": "hidden",
    "evidence": None,
}


def changed(change):
    "Handler that alters the real answer."

    def handle(route):
        answer = route.fetch()
        body = answer.json()
        change(body)
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    return handle


def test_a_quiet_week_looks_finished(open_page):
    def quiet(o):
        o["changes"] |= {
            "proven": [],
            "not_comparable": [],
            "tested": 60,
            "sentence": "Nothing proven changed. 60 measures tested.",
        }
        o["change"] = {"mark": "none", "points": 0.01, "low": -0.02, "high": 0.03, "sentence": "No proven change."}
        o["hotspots"] = []

    page = open_page("/", routes={"**/v1/overview*": changed(quiet)})
    assert "Nothing proven changed. 60 measures tested." in page.locator("#changes").inner_text()
    assert "No proven change" in page.locator("#headline").inner_text()
    assert page.locator("#headline .mark-worse, #changes .mark-worse").count() == 0


def test_hidden_wide_and_missing_look_different(open_page):
    def mixed(o):
        o["headline"] |= HIDDEN
        o["previous"] = None
        o["segments"][0] |= HIDDEN
        o["segments"][1] |= {"reliability": "wide", "low": 0.26, "high": 0.56, "value": 0.41, "n_reviews": 41}
        o["segments"][2] |= {"value": None, "low": None, "high": None, "reliability": "none", "n_reviews": 0}

    page = open_page("/", routes={"**/v1/overview*": changed(mixed)})
    assert "[c]" in page.locator("#headline").inner_text()
    rows = page.locator("#segments .dot-rows li")
    assert "[c]" in rows.nth(0).inner_text() and rows.nth(0).locator("a.figure").count() == 0
    assert "26–56% [u]" in rows.nth(1).inner_text() and "41%" not in rows.nth(1).inner_text()
    assert "no reviews" in rows.nth(2).inner_text()
    assert page.locator("#segments .track-hidden").count() == 1


def test_a_failed_card_says_what_and_leaves_the_others(open_page):
    body = json.dumps(
        {
            "type": "about:blank",
            "title": "Unavailable",
            "status": 503,
            "detail": "The database does not answer.",
            "request_id": "req-7",
        }
    )
    page = open_page(
        "/map",
        routes={"**/v1/shares*": lambda r: r.fulfill(status=503, content_type="application/problem+json", body=body)},
    )
    text = page.locator("#regions").inner_text()
    assert "The database does not answer." in text and "req-7" in text and "still hold" in text
    assert page.locator("#spots .spot").count() > 0
    page.unroute("**/v1/shares*")
    page.locator("#regions").get_by_role("button", name="Retry").click()
    page.locator("#regions tbody tr").nth(2).wait_for()


def test_nothing_found_offers_what_to_drop(open_page):
    page = open_page("/reviews?region=Norte&q=zzzyx")
    text = page.locator("#list").inner_text()
    assert "No reviews match" in text and "Without Words: zzzyx" in text
    page.locator("#list").get_by_role("link", name=re.compile("Without Words")).click()
    settle(page)
    assert page.locator(".review").count() > 0


def test_loading_keeps_the_frame_and_shows_a_skeleton(open_page):
    def late(route):
        time.sleep(1)
        route.continue_()

    page = open_page("/reports")
    page.route("**/v1/segments*", late)
    page.locator("#tabs").get_by_role("link", name="Segments").click()
    page.locator("#segment-list .skeleton").wait_for()
    settle(page)
    assert page.locator(".seg-row").count() == 5


@pytest.mark.parametrize("width", [1440, 360])
def test_without_the_map_library_the_map_is_a_picture_and_says_so(open_page, width):
    page = open_page("/map", width=width, routes={"**/vendor/maplibre-gl*": lambda r: r.abort()})
    page.locator(".map-stage .map-svg").wait_for()
    assert "map library is not installed" in page.locator(".map-note").inner_text()
    page.locator("#spots .spot").first.click()
    page.locator(".picked").wait_for(state="visible")
    assert not [b for b in page.watch.bad if "maplibre" not in b and "Failed to load resource" not in b]


def test_busy_counts_down_and_keeps_the_text(open_page):
    answers = iter([429, 429])

    def busy(route):
        if next(answers, None) is None:
            return route.continue_()
        route.fulfill(
            status=429,
            headers={"retry-after": "1"},
            content_type="application/problem+json",
            body=json.dumps({"title": "Busy", "status": 429, "detail": "Busy."}),
        )

    page = open_page("/try", routes={"**/v1/predict": busy, "**/v1/explain": busy})
    page.locator("#text").fill("It came late and broken.")
    page.get_by_text("Busy, again in").wait_for()
    page.wait_for_selector(".verdict-number")
    assert page.locator("#text").input_value() == "It came late and broken."


def test_unsure_and_unfaithful_are_said(open_page):
    unsure = changed(
        lambda o: o["predictions"][0].update(
            label=None, p_negative=0.52, p_positive=0.48, tokens_read=4, tokens_total=9
        )
    )
    page = open_page(
        "/try", routes={"**/v1/predict": unsure, "**/v1/explain": changed(lambda o: o.update(faithful=False))}
    )
    page.locator("#text").fill("Well, it is a kettle.")
    page.wait_for_selector(".verdict-number")
    text = page.locator("#verdict").inner_text()
    assert "Unsure" in text and "does not answer" in text and "5 not read" in text and "Highlights not shown" in text
    assert page.locator("#verdict .word-1, #verdict .word-2, #verdict .word-3").count() == 0


def test_words_wear_the_side_they_speak_for_and_a_sure_answer_lies_outside_the_band(open_page):
    sure = changed(lambda o: o["predictions"][0].update(label="positive", p_negative=0.03, p_positive=0.97))
    spoken = changed(
        lambda o: o.update(
            faithful=True, words=[w | {"weight": 1.0 if w["word"] == "great" else -1.0} for w in o["words"]]
        )
    )
    band = changed(lambda o: o["model"].update(unsure_band=[0.4, 0.6]))
    page = open_page("/try", routes={"**/v1/predict": sure, "**/v1/explain": spoken, "**/v1/overview*": band})
    page.locator("#text").fill("great but late")
    page.wait_for_selector(".verdict-number")
    sides = {w.inner_text(): w.get_attribute("class") for w in page.locator("#verdict .words .word").all()}
    assert "word-positive" in sides["great"] and "word-negative" in sides["late"]
    assert "Positive, sure" in page.locator("#verdict").inner_text()
    dot, unsure = (page.locator(c).bounding_box() for c in (".scale-dot", ".scale-band"))
    assert dot["x"] + dot["width"] < unsure["x"]


def test_the_source_of_the_page_keeps_its_promises():
    for path in [*STATIC.glob("js/**/*.js"), STATIC / "index.html"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            path
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path
        assert not LOUD.search(re.sub(r"^\s*//.*$", "", text, flags=re.M)), path
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script>", page)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    hi, lo = sorted((luminance(a), luminance(b)), reverse=True)
    return (hi + 0.05) / (lo + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_keep_their_contrast(scheme):
    css = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    token = {m[0]: (m[1], m[2])[scheme] for m in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)}
    token |= {name: value for name, value in re.findall(r"--(on-\w): (#\w{6});", css)}
    for text in ("ink", "ink-2", "muted", "worse", "better", "failure", "caution"):
        assert min(contrast(token[text], token[ground]) for ground in ("surface", "page")) >= 4.5, text
    for mark in ("worse-mark", "better-mark", "same", "control"):
        assert min(contrast(token[mark], token[ground]) for ground in ("surface", "page")) >= 3, mark
    for letter in "abcdef":
        assert contrast(token[f"seg-{letter}"], token[f"on-{letter}"]) >= 4.5, letter
    for tint in ("tint-negative", "tint-positive"):
        assert contrast(token["ink"], token[tint]) >= 4.5
    for step in range(5):
        assert max(contrast(token[f"seq-{step}"], token[line]) for line in ("ink", "halo")) >= 3.9, step
