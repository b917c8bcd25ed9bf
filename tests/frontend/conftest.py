"""The real app on the real API, in a headless Chromium; skipped by name where there is none."""

import json

import pytest

from app import BUILT, MODULES, build
from browser import TRIALS, chromium, find_chromium, make_home, served
from screenshots import SIZES


@pytest.fixture(scope="session")
def built():
    """The built app's folder."""
    build()
    return BUILT


@pytest.fixture(scope="session")
def browser():
    if find_chromium() is None:
        pytest.skip("no Chromium on the PATH: sudo apt-get install chromium")
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def address(built, browser, tmp_path_factory):
    """The address of a service over a small home with two runs."""
    home = tmp_path_factory.mktemp("browser") / "home"
    make_home(home, TRIALS[1:], n_articles=150, n_impressions=800, n_users=100)
    with served(home) as address:
        yield address


@pytest.fixture
def open_page(browser, address):
    """A function that opens an address as a new visitor: width and theme may be given.

    At the end it checks that no page logged an error or asked another host for anything.
    """
    contexts, wrong = [], []

    def open_page(path="/", size="wide", theme="light", motion="reduce"):
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion=motion
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda line: line.type == "error" and wrong.append(line.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda made: made.url.startswith(address) or wrong.append(made.url))
        page.goto(address + path)
        return page

    open_page.wrong = wrong
    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def violations():
    """A function that lists what axe-core finds serious on a page."""
    axe = (MODULES / "axe-core" / "axe.min.js").read_text()

    def violations(page):
        page.evaluate(axe)  # by the debugger, which the content security policy lets pass
        found = page.evaluate("axe.run().then((result) => JSON.stringify(result.violations))")
        return [
            f"{rule['id']}: {[node['target'] for node in rule['nodes']][:3]}"
            for rule in json.loads(found)
            if rule["impact"] in ("serious", "critical")
        ]

    return violations
