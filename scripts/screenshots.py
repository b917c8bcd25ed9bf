"""Take pictures of the web app: chapter 28's, or all at two widths, light and dark.

    python scripts/screenshots.py             the chapter's, into capstone/notebooks/images
    python scripts/screenshots.py FOLDER      all views, widths and themes

A service over a synthetic sample answers, and Debian's Chromium shows. The pictures are the same
up to the machine's fonts and the ids and times of its runs.
"""

import re
import sys
import tempfile
from pathlib import Path

from app import ROOT, build
from browser import chromium, make_home, served

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
IMAGES = ROOT / "capstone" / "notebooks" / "images"


def onboarding(page, address: str) -> None:
    """A new user who has chosen two articles."""
    page.goto(address)
    picks = page.locator(".pick")
    picks.nth(1).click()
    picks.nth(4).click()


def for_you(page, address: str) -> None:
    """The list of a user of the training data, after a like."""
    become_reader(page, address)
    page.get_by_role("button", name="Like:").nth(1).click()
    page.locator(".list-message[data-shown=true]").wait_for()


def become_reader(page, address: str) -> None:
    """The user of the training data with most clicks."""
    page.goto(address)
    page.get_by_role("button", name="User").click()
    page.locator(".user").nth(1).click()
    page.locator(".card").first.wait_for()


def article(page, address: str) -> None:
    """An article that was recommended."""
    become_reader(page, address)
    page.locator(".card-title").first.click()
    page.locator(".article-text").wait_for()


def search(page, address: str) -> None:
    """Results of a search."""
    page.goto(f"{address}/search?q=league match")
    page.locator(".result").first.wait_for()


def ask(page, address: str) -> None:
    """An answer with citations, and a question that the articles do not answer."""
    page.goto(f"{address}/ask")
    for question in ("What is the capital of Peru?", answerable(page)):
        page.get_by_label("Your question").fill(question)
        page.keyboard.press("Enter")
        page.locator(".answer").first.wait_for()
        page.locator(".thinking").wait_for(state="detached")


def answerable(page) -> str:
    """A question that an article of the sample answers."""
    script = "async () => (await (await fetch('/api/search?q=leads+poll')).json()).results"
    titles = (article["title"] for article in page.evaluate(script))
    return next(
        f"Who leads the poll in {found[1]}?"
        for title in titles
        if (found := re.search(r"leads poll in (\w+) by", title))
    )


def metrics(page, address: str) -> None:
    """Two runs compared."""
    page.goto(f"{address}/metrics")
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.locator(".recharts-bar-rectangle").first.wait_for()


VIEWS = {view.__name__.replace("_", "-"): view for view in (
    onboarding, for_you, article, search, ask, metrics,
)}  # fmt: skip


EVERY = [(name, size, theme) for name in VIEWS for size in SIZES for theme in THEMES]
CHAPTER = [
    ("for-you", "wide", "light"), ("onboarding", "phone", "light"), ("ask", "wide", "dark"),
    ("metrics", "wide", "light"),
]  # fmt: skip


def take(browser, address: str, folder: Path, pictures=EVERY) -> None:
    """Take pictures, each as a new visitor: (view, size, theme)."""
    for name, size, theme in pictures:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme,
            reduced_motion="reduce",
        )  # fmt: skip
        page = context.new_page()
        VIEWS[name](page, address)
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        if name == "metrics":
            show_comparison(page, size)
        page.wait_for_timeout(150)
        page.screenshot(path=folder / f"{name}-{size}-{theme}.png")
        print(f"{name}-{size}-{theme}.png")
        context.close()


def show_comparison(page, size: str) -> None:
    """The whole page where it is wide, its comparison on a phone."""
    if size == "wide":
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": SIZES[size][0], "height": height})
    else:
        page.locator("#compare-title").evaluate("title => title.scrollIntoView()")


def main(arguments: list[str]) -> int:
    """Build the app, serve it, take the pictures."""
    folder = Path(arguments[0]) if arguments else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    build()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        make_home(home)
        with served(home) as address, chromium() as browser:
            take(browser, address, folder, EVERY if arguments else CHAPTER)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
