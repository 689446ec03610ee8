"""A real browser in front of the real app, which serves a small generated shop from SQLite."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_shop import build, served
from postgres import missing
from waiting import settle

ARGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="package")
def chromium() -> Iterator:
    "Chromium of this machine. Package scope: a running Playwright holds an event loop that breaks other tests."
    program = os.environ.get("SCA_CHROMIUM") or next((p for name in CHROMIUM if (p := shutil.which(name))), None)
    if program is None:
        missing("no Chromium: apt-get install chromium, or set SCA_CHROMIUM to its program")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=program, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def vendored() -> None:
    "The npm packages the page serves, and axe."
    from smart_customer_analysis.app import vendor

    if vendor.problems():
        try:
            vendor.vendor()
        except vendor.VendorError as err:
            missing(f"the page's npm packages are not there: {err}")


@pytest.fixture(scope="package")
def site_settings(tmp_path_factory):
    "Settings of the generated shop."
    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="package")
def site(chromium, vendored, site_settings) -> Iterator[str]:
    "Address of the running app."
    with served(site_settings) as address:
        _warm(address)
        yield address


def _warm(address: str) -> None:
    "Ask the model once: its first answer loads torch, 20 s on a busy machine, and is not what a view is tested for."
    for path in ("predict", "explain"):
        httpx.post(f"{address}/v1/{path}", json={"text": "The box was late."}, timeout=600).raise_for_status()


class Watch:
    "Everything a page must not do."

    def __init__(self, page, base: str):
        self.base, self.bad, self.requests, self.dialogs = base, [], [], []
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
        )
        page.on(
            "console",
            lambda m: self.bad.append(f"console {m.type}: {m.text}") if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda e: self.bad.append(f"error: {e}"))
        page.on("request", self._request)
        page.on("response", lambda r: self.bad.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on("dialog", self._dialog)

    def _request(self, request):
        self.requests.append(request.url)
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.bad.append(f"left the origin: {request.url}")

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def open_page(chromium, site):
    "Function that opens an address of the site in a fresh profile and waits until the cards have settled."
    contexts = []

    def opened(
        path: str = "/",
        width: int = 1440,
        height: int = 900,
        scheme: str = "light",
        routes: dict | None = None,
        **options,
    ):
        context = chromium.new_context(
            base_url=site,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
            **{"locale": "en-GB", **options},
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.watch = Watch(page, site)
        for pattern, handler in (routes or {}).items():
            page.route(pattern, handler)
        page.goto(path)
        settle(page)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    from smart_customer_analysis.app import vendor

    return vendor.axe().read_text(encoding="utf-8")


@pytest.fixture
def axe(axe_source):
    "Function that returns the serious and critical findings of axe on a page."

    def run(page) -> list[str]:
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(axe_source)  # a script tag would be refused by the content policy
        violations = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
        return [
            f"{v['impact']} {v['id']}: {'; '.join(str(n['target'][0]) + ' ' + n['html'][:160] for n in v['nodes'][:3])}"
            for v in violations
            if v["impact"] in ("serious", "critical")
        ]

    return run
