"""Loading, empty, hidden, too few, quiet, failed, no map library: three different pictures, never a blank view."""

import json
import re
import time
from pathlib import Path

import pytest
from plain_words import LOUD
from waiting import settle, until

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


NOTHING = "/?region=Norte&product=nothing-of-that-name"


def test_where_the_filter_leaves_nothing_no_card_says_that_there_is_nothing(open_page):
    page = open_page(NOTHING)
    text = page.locator("#view").inner_text()
    assert "No reviews match Region: Norte · Product: nothing-of-that-name" in text
    for untrue in ("No segments yet", "has a place yet", "carry no dates", "Nothing proven", "nothing proven"):
        assert untrue not in text, untrue
    page.locator("#headline").get_by_role("link", name=re.compile("Without Product")).click()
    settle(page)
    assert page.locator("#headline .figure-big").count() == 1
    page.goto(NOTHING.replace("/", "/map", 1))
    settle(page)
    assert "has a place yet" not in page.locator("#view").inner_text()
    assert "Nothing to draw" in page.locator(".map-cover").inner_text()


def test_without_an_earlier_period_nothing_is_called_unchanged(open_page):
    def first(o):
        sentence = "No earlier period to compare."
        o["period"] |= {"previous_start": None, "previous_end": None}
        o["change"] = {"mark": "first", "points": None, "low": None, "high": None, "sentence": sentence}
        o["changes"] |= {"proven": [], "not_comparable": [], "tested": 0, "sentence": sentence, "period": o["period"]}

    page = open_page("/", routes={"**/v1/overview*": changed(first)})
    text = page.locator("#changes").inner_text()
    assert "What changed: no earlier period to compare" in text
    assert "proven" not in text.replace("No earlier period", "") and "0 measures" not in text
    none = {"tested": 0, "proven": [], "not_comparable": []}
    page = open_page("/segments", routes={"**/v1/changes*": changed(lambda o: o.update(none))})
    assert page.locator(".seg-row .mark-none").count() == 0


def test_a_segment_without_reviews_carries_no_verdict(open_page):
    page = open_page("/segments")
    silent = page.locator(".seg-row").filter(has_text="no reviews")
    assert silent.count() and silent.locator(".mark").count() == 0
    assert page.locator(".seg-row .mark-none").count() > 0


def test_a_change_of_the_whole_is_said_once(open_page):
    page = open_page("/")
    rows, count = page.locator("#changes .change"), page.locator("#changes .card-title").inner_text()
    assert not [text for text in rows.all_inner_texts() if "Overall" in text]
    proven, tested = map(int, re.search(r"(\d+) of (\d+) measures, the share above among them", count).groups())
    others = int(re.search(r"other (\d+)", page.locator("#changes .quiet").inner_text())[1])
    assert proven + others == tested


def test_when_nothing_could_be_loaded_no_card_says_that_others_hold(open_page):
    down = {"**/v1/**": lambda r: r.abort()}
    page = open_page("/", routes=down)
    text = page.locator("#view").inner_text()
    assert text.count("The server did not answer.") == 6
    assert "still hold" not in text and "Nothing else could be loaded" in text
    assert "No dates in this source" not in page.locator("#filters").inner_text()
    assert "has a place yet" not in text


def test_a_map_that_failed_says_so_in_its_frame(open_page):
    page = open_page("/map", routes={"**/v1/map/cells*": lambda r: r.abort()})
    assert "The map could not be loaded" in page.locator(".map-cover").inner_text()
    page.unroute("**/v1/map/cells*")
    page.locator("#spots").get_by_role("button", name="Retry").click()
    page.locator(".map-cover").wait_for(state="hidden")


def test_a_view_that_cannot_be_fetched_says_so_and_comes_on_retry(open_page):
    page = open_page("/", routes={"**/views/reports.js": lambda r: r.abort()})
    page.locator("#tabs").get_by_role("link", name="Reports").click()
    page.locator("#view .state-failed").wait_for()
    assert "The server did not answer" in page.locator("#view").inner_text()
    page.unroute("**/views/reports.js")
    page.get_by_role("button", name="Retry").click()
    page.locator(".report").first.wait_for()


def test_a_hidden_point_is_drawn_nowhere(open_page):
    wide = {"reliability": "wide", "low": 0.26, "high": 0.56, "value": 0.41}

    def thin(o):
        o["headline"] |= wide
        o["previous"] |= wide
        o["over_time"][-1] |= wide | {"complete": False}
        for s in o["segments"]:
            s |= wide

    no_months = {"**/*by=month*": lambda route: route.abort()}  # the weeks stay
    page = open_page("/", routes={"**/v1/overview*": changed(thin), **no_months})
    assert page.locator(".track-other, .headline .track-dot, #segments .track-dot, #segments .track-line").count() == 0
    assert page.locator("#headline .hollow-dot").count() == 0
    assert page.locator("#time .c-running").count() == 1 and page.locator("#time .c-hollow").count() == 0
    assert "line: all" not in page.locator("#segments").inner_text()
    assert "41%" not in page.locator("#view").inner_text()
    assert re.search(r"worse: \d+ to \d+ points more than", page.locator("#headline").inner_text())


def test_a_line_of_all_has_its_range_and_count(open_page):
    for path, card in (("/", "#segments"), ("/segments", "#segment-list")):
        page = open_page(path)
        assert re.search(r"line: all \d+% \(\d+–\d+%\), [\d,]+ reviews", page.locator(card).inner_text())


def test_a_place_that_passed_no_test_has_no_colour_of_worse_or_better(open_page):
    def sharp(o):
        for f in o["features"]:
            f["properties"] |= {"state": "shown", "reliability": "ok", "share": 0.9, "low": 0.8, "high": 0.95,
                                "difference": 0.6, "hot": False}  # fmt: skip

    page = open_page(
        "/map?metric=difference",
        routes={"**/vendor/maplibre-gl*": lambda r: r.abort(), "**/v1/map/cells*": changed(sharp)},
    )
    page.locator(".map-stage .map-svg .fill-div-3").first.wait_for()
    assert page.locator(".map-svg [class*=fill-div]:not(.fill-div-3)").count() == 0


def test_the_verdict_is_shown_before_the_words(open_page):
    held = []
    page = open_page("/try", routes={"**/v1/explain": lambda r: held.append(r)})
    page.locator(".samples button").first.click()
    page.wait_for_selector(".verdict-number")
    assert "This customer gave" in page.locator("#verdict").inner_text()
    until(page, "() => document.querySelector('.verdict-words').textContent.includes('Asking')")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    page.wait_for_selector(".verdict-words .words")


def test_the_example_that_the_model_gets_wrong_is_named_so(open_page):
    page = open_page("/try")
    page.get_by_role("button", name="one it gets wrong").click()
    page.wait_for_selector(".verdict-number")
    assert "the answer is a mistake" in page.locator("#verdict").inner_text()


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
    page.wait_for_selector(".verdict-words .words")
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
    page.wait_for_selector(".verdict-words .words")
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


def test_a_period_too_thin_for_one_number_says_which_longer_one_has_it(open_page):
    page = open_page("/?start=2026-11-09&end=2026-11-15")
    assert page.locator("#headline .figure-wide").count() == 1, "the test needs a week too thin for one number"
    line = page.locator("#headline .thin")
    assert line.inner_text().startswith("Too few ") and "; over " in line.inner_text()
    share = line.locator(".figure .point").inner_text()
    line.get_by_role("link", name="Show ").click()
    until(page, "() => !location.search.includes('start=2026-11-09')")
    settle(page)
    assert page.locator("#headline .figure-big .point").inner_text() == share
    assert page.watch.bad == []


def test_what_is_new_since_the_last_look_is_kept_in_this_browser_alone(open_page):
    page = open_page("/")
    assert page.locator(".since").count() == 0, "the first visit has nothing to compare with"
    page.evaluate(
        "(() => { const key = Object.keys(localStorage).find(k => k.startsWith('seen:')), seen = JSON.parse("
        "localStorage[key]); seen.now = {...seen.now, at: '2026-01-05T08:00:00Z', n: seen.now.n - 7, marks: "
        "[...seen.now.marks.slice(1), 'worse:region:Gone']}; localStorage[key] = JSON.stringify(seen); })()"
    )
    page.reload()
    settle(page)
    sentence = "Since you last looked (5 Jan 2026): 1 new change, 1 ended, 7 new reviews."
    assert page.locator(".since").inner_text() == sentence
    assert page.context.cookies() == []
    page.goto("/?region=Lisboa")
    settle(page)
    assert page.locator(".since").count() == 0, "with a filter the list is another one"
    refused = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }})"
    page.add_init_script(refused)
    page.goto("/")
    settle(page)
    assert page.locator("#changes .change").count() and page.watch.bad == []


def test_the_map_begins_with_named_regions_inside_their_country(open_page):
    page = open_page("/map", routes={"**/maplibre-gl.mjs": lambda route: route.abort()})
    names = page.locator(".map-stage svg .m-name").all_text_contents()
    assert "Portugal" in names and "Norte" in names
    pressed = page.locator(".map-controls [aria-pressed=true]")
    assert pressed.inner_text() == "Regions"
    share = page.locator("#regions tbody tr", has_text="Norte").locator(".range").inner_text()
    page.locator('.map-stage svg [data-cell="region:Norte"]').dispatch_event("click")
    page.locator(".picked").wait_for(state="visible")
    assert page.locator(".picked .range").inner_text() == share
    assert page.locator("#spots .spot-figure a").count() == page.locator("#spots .spot").count()
