"The form of the Reports view is made from a notebook's parameters cell, and a report comes out of it."

import json

import pytest
from browser_shop import write_template
from waiting import settle, until

FIRST = "document.activeElement.name"


def choose(page, name: str) -> None:
    page.locator("#make-kind").select_option(name)
    until(page, "name => document.querySelector('#command').textContent.includes(`run ${name}`)", name)


def test_the_form_asks_for_what_the_notebook_takes(open_page):
    page = open_page("/reports")
    choose(page, "mine")
    fields = page.evaluate(
        "[...document.querySelectorAll('.field')].map(f => { const e = f.querySelector('[name]'); "
        "return [e.name, e.type, f.querySelector('label').textContent, f.querySelector('.caption').textContent, "
        "e.min || '', e.max || '']; })"
    )
    assert fields == [
        ["weeks", "number", "Weeks", "Weeks compared (1 to 104)", "1", "104"],
        ["unit", "select-one", "Unit", "Length of a step", "", ""],
        ["region", "select-one", "Region", "Only this region", "", ""],
        ["since", "date", "Since", "First day", "", ""],
        ["pictures", "checkbox", "Pictures", "With the map", "", ""],
        ["names", "textarea", "Names", "Products, one in a line; empty: all", "", ""],
    ]
    shown = page.evaluate("fetch('/v1/filters').then(r => r.json())")["regions"]
    offered = page.locator("[name=region] option").evaluate_all("all => all.map(o => [o.value, o.textContent])")
    assert offered == [["", "All"], *([r, r] for r in shown)]
    assert page.locator("#command").text_content() == "sca report run mine"
    page.locator("[name=names]").fill("kettle\nold lamp")
    page.locator("[name=pictures]").uncheck()
    assert (
        page.locator("#command").text_content()
        == """sca report run mine -p pictures=no -p 'names=["kettle","old lamp"]'"""
    )
    assert page.watch.bad == []


@pytest.mark.parametrize("width", [1440, 360])
def test_a_bad_value_is_said_beside_its_field_and_nothing_is_sent(open_page, axe, width):
    page = open_page("/reports", width=width, height=800)
    choose(page, "mine")
    if width < 720:
        page.locator(".make-more summary").first.click()
    for value in ("105", "0", "1.5"):
        page.locator("[name=weeks]").fill(value)
        page.keyboard.press("Enter")
        assert page.locator(".field-error").first.inner_text().strip() == "A whole number from 1 to 104."
        assert page.locator("[name=weeks]").get_attribute("aria-invalid") == "true"
        assert page.evaluate(FIRST) == "weeks"
    assert axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.locator("[name=weeks]").fill("8")
    assert page.locator(".field-error").first.inner_text().strip() == ""
    assert len([r for r in page.watch.requests if r.endswith("/v1/reports")]) == 1, "the list was read, nothing sent"
    assert page.watch.bad == []


def test_what_the_server_refuses_is_said_beside_its_field_as_text(open_page):
    payload = "<img src=x onerror=alert(1)>"
    body = {"type": "urn:sca:invalid", "title": "Unprocessable Content", "status": 422, "detail": f"unit: {payload}"}
    body |= {"request_id": "r", "errors": [{"field": "unit", "message": payload}]}

    def refuse(route):
        if route.request.method != "POST":
            return route.continue_()
        route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(body))

    page = open_page("/reports", routes={"**/v1/reports": refuse})
    choose(page, "mine")
    page.get_by_role("button", name="Make report").click()
    page.locator("[name=unit][aria-invalid]").wait_for()
    assert page.locator(".field-error").nth(1).inner_text().strip() == payload
    assert page.evaluate(FIRST) == "unit" and page.watch.dialogs == []
    assert not [b for b in page.watch.bad if "422" not in b]


def test_a_full_queue_says_when_to_try_again(open_page):
    def busy(route):
        if route.request.method != "POST":
            return route.continue_()
        body = {"type": "urn:sca:busy", "title": "Too Many Requests", "status": 429, "detail": "Busy", "request_id": ""}
        headers = {"retry-after": "30", "content-type": "application/problem+json"}
        route.fulfill(status=429, headers=headers, body=json.dumps(body))

    page = open_page("/reports", routes={"**/v1/reports": busy})
    page.get_by_role("button", name="Make report").click()
    page.locator("#make-status").get_by_text("Try again in 30 s").wait_for()


def test_a_report_is_made_by_keyboard_alone(open_page):
    "The real runner: the notebook is executed, its page is in the list and opens."
    page = open_page("/reports")
    before = page.locator(".report").count()
    page.locator("#make-kind").focus()
    choose(page, "mine")
    for _ in range(8):
        page.keyboard.press("Tab")
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none"
        if page.evaluate(FIRST) == "weeks":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("6")
    page.keyboard.press("Enter")
    page.locator("#make-status a").wait_for(timeout=120_000)
    settle(page)
    until(page, "n => document.querySelectorAll('.report').length > n", before)
    assert (
        "Mine" in page.locator(".report").first.inner_text() and "6 weeks" in page.locator(".report").first.inner_text()
    )
    assert page.locator("#live").text_content() == "Made."
    with page.context.expect_page() as opened:
        page.locator("#make-status a").click()
    assert opened.value.locator("h1").inner_text() == "Mine, 6 weeks by week"
    assert page.watch.bad == []


def test_a_new_parameter_is_in_the_form_with_no_other_edit(open_page, site_settings):
    write_template(
        site_settings.templates_dir, "depth = 2  # steps looked back (1 to 9)", "60_later.ipynb", "Later: why?"
    )
    page = open_page("/reports")
    choose(page, "later")
    assert page.locator("[name=depth]").get_attribute("max") == "9"
    assert page.locator("#make .card-sub").inner_text() == "Why?"
    (site_settings.templates_dir / "60_later.ipynb").unlink()


def test_the_filters_of_the_page_are_taken_over(open_page):
    page = open_page("/reports?region=Norte&end=2026-11-15&start=2026-10-05&q=late")
    assert page.locator("#command").text_content() == (
        "sca report run weekly -p end=2026-11-15 -p weeks=6 -p region=Norte"
    )
    assert "Not taken over, this report has no such parameter: Words" in page.locator("#make").inner_text()
