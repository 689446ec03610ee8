"Waiting for the page, without Playwright's own polling."

import time


def until(page, script: str, arg=None, seconds: float = 30) -> None:
    "Wait until a script answers true. Playwright's own waiting polls by eval, which the content policy refuses."
    end = time.monotonic() + seconds
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"waited {seconds} s for {script} {arg or ''}"
        page.wait_for_timeout(40)


def settle(page) -> None:
    "Wait until no card is loading: content or a state in each, nothing updating."
    page.wait_for_selector("main h1")
    until(
        page,
        "() => document.querySelector('#view')?.childElementCount && !document.querySelector('main[aria-busy], "
        ".skeleton, .updating')"
        " && [...document.querySelectorAll('.card-body')].every(b => b.childElementCount || !b.checkVisibility())",
    )


def view(page, name: str) -> None:
    "Wait until the view of this name is there and has settled."
    until(page, "name => document.querySelector('main h1')?.textContent === name", name)
    settle(page)
