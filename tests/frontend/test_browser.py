"""What a reader does with the app, in a browser: each test is a new visitor."""

import json

import pytest

from screenshots import SIZES, answerable

PATHS = ["/", "/search?q=match", "/ask", "/metrics"]


def titles(page):
    return page.locator(".card-title").all_inner_texts()


def become(page, number):
    """Become the user at a place in the picker."""
    page.get_by_role("button", name="User").click()
    chosen = page.locator(".user").nth(number)
    name = chosen.locator("strong").inner_text()
    chosen.click()
    page.locator(".card").first.wait_for()
    return name


def message(page):
    shown = page.locator(".list-message[data-shown=true]")
    shown.wait_for()
    return shown.inner_text()


def stored(page):
    """The events that the service has stored of the visitor, oldest first."""
    script = """async () => {
        const { user_id } = await (await fetch('/api/session')).json();
        return JSON.stringify((await (await fetch('/api/users/' + user_id)).json()).events);
    }"""
    return json.loads(page.evaluate(script))


def test_a_reader_likes_and_dismisses_and_the_list_changes_without_a_jump(open_page):
    page = open_page()
    become(page, 1)
    before = titles(page)
    height = page.evaluate("document.body.scrollHeight")
    page.get_by_role("button", name=f"Not for me: {before[0]}").click()
    assert message(page).startswith("Hidden.")
    page.get_by_text(before[0], exact=True).wait_for(state="detached")
    after = titles(page)
    assert before[0] not in after and len(after) == len(before) == 12
    page.get_by_role("button", name=f"Like: {after[2]}").click()
    page.get_by_text("Liked.", exact=False).first.wait_for()
    assert titles(page)[2] == after[2]
    assert abs(page.evaluate("document.body.scrollHeight") - height) <= 340  # one row for the liked
    kinds = [event["event"] for event in stored(page)]
    assert kinds.count("dismiss") == kinds.count("like") == 1


def test_cards_do_not_move_when_the_list_changes(open_page):
    page = open_page()
    become(page, 1)
    boxes = [card.bounding_box() for card in page.locator(".card").all()]
    page.get_by_role("button", name="Not for me:").nth(3).click()
    message(page)
    assert [card.bounding_box() for card in page.locator(".card").all()] == boxes


def test_reading_an_article_changes_the_next_list_and_tells_the_dwell_time(open_page):
    page = open_page()
    become(page, 2)
    title = titles(page)[1]
    page.get_by_role("button", name=title, exact=True).click()
    page.get_by_role("dialog").get_by_role("heading", name=title).wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert message(page).startswith("Read.")
    assert page.evaluate("document.activeElement.textContent") == title
    events = {event["event"]: event for event in stored(page)}
    assert events["click"]["position"] == 1
    assert events["click"]["list_id"] and events["dwell"]["dwell_ms"] > 0


def test_a_new_user_chooses_articles_and_gets_a_list_of_their_own(open_page):
    page = open_page()
    page.get_by_text("a cold start", exact=False).wait_for()
    picks = page.locator(".pick")
    liked = [picks.nth(n).locator(".pick-title").inner_text() for n in (0, 1)]
    for n in (0, 1):
        picks.nth(n).click()
    page.get_by_role("button", name="Show my news").click()
    page.locator(".card").first.wait_for()
    reasons = page.locator(".card .reason").all_inner_texts()
    assert any(title in reason for title in liked for reason in reasons)
    assert page.get_by_text("Cold start").count() == 0
    assert not set(liked) & set(titles(page))


def test_a_new_user_who_skips_sees_that_it_is_a_cold_start(open_page):
    page = open_page()
    page.get_by_role("button", name="Skip").click()
    assert page.locator(".card .badge", has_text="Cold start").count() == 12


def test_what_is_in_view_for_a_second_is_an_impression_once(open_page):
    page = open_page(size="phone")
    page.get_by_role("button", name="Skip").click()
    page.wait_for_timeout(1_600)
    page.mouse.wheel(0, 60)
    page.wait_for_timeout(1_200)
    seen = [event for event in stored(page) if event["event"] == "impression" and event["list_id"]]
    cards = [(event["list_id"], event["news_id"]) for event in seen]
    assert len(cards) == len(set(cards))
    last = [event["position"] for event in seen if event["list_id"] == seen[-1]["list_id"]]
    assert sorted(last) == [0, 1, 2][: len(last)] and len(last) >= 2


def test_search_as_you_type_with_a_category(open_page):
    page = open_page("/search")
    page.get_by_role("searchbox").press_sequentially("match")
    page.locator(".result").first.wait_for()
    scores = [float(t.split()[-1]) for t in page.locator(".score").all_inner_texts()]
    assert scores == sorted(scores, reverse=True) and scores[0] > 0
    chips = page.locator(".chip")
    name = chips.nth(1).inner_text()
    chips.nth(1).click()
    page.locator(f".chip[aria-pressed=true]:text-is('{name}')").wait_for()
    page.locator(".results[data-waiting=false]").wait_for()
    shown = {text.lower() for text in page.locator(".result .category").all_inner_texts()}
    assert shown == {name.lower()}


def test_an_answer_cites_an_article_that_opens(open_page):
    page = open_page("/ask")
    page.get_by_label("Your question").fill(answerable(page))
    page.keyboard.press("Enter")
    cite = page.locator(".answer-text .cite").first
    cite.click()
    page.locator(".article-text").wait_for()
    text = page.get_by_role("dialog").inner_text()
    page.get_by_role("button", name="Close").click()
    quoted = page.locator(".answer-text").inner_text().split("\n")[0].rsplit(maxsplit=1)[0]
    assert len(quoted) > 20 and quoted in text
    assert page.locator(".answer .badge").inner_text() == "Extractive"


def test_a_question_without_an_answer_is_met_kindly(open_page):
    page = open_page("/ask")
    page.get_by_label("Your question").fill("What is the capital of Peru?")
    page.keyboard.press("Enter")
    page.get_by_text("rather not guess", exact=False).first.wait_for()
    page.get_by_role("link", name="Search the articles instead").click()
    assert "q=What" in page.url


def test_two_runs_are_compared(open_page):
    page = open_page("/metrics")
    for n in (0, 1):
        page.get_by_role("checkbox").nth(n).check()
    page.locator(".recharts-bar-rectangle").nth(1).wait_for()
    assert page.locator(".recharts-errorBar").count() > 0
    assert page.locator(".recharts-line-curve").count() == 2
    columns = page.locator(".differences thead th").all_inner_texts()
    assert len(columns) == 3
    page.reload()  # the address keeps the choice
    page.locator(".recharts-line-curve").nth(1).wait_for()


def test_everything_can_be_done_with_the_keyboard(open_page):
    page = open_page()
    page.locator(".pick").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.get_by_role("button", name="Show my news").focus()
    page.keyboard.press("Enter")
    page.locator(".card").first.wait_for()
    page.locator(".card-title").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_back_closes_an_article(open_page):
    page = open_page("/search?q=match")
    page.locator(".result .card-title").first.click()
    page.get_by_role("dialog").wait_for()
    page.go_back()
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.locator(".result").count() > 0


@pytest.mark.parametrize(("size", "theme"), [("wide", "light"), ("phone", "dark")])
def test_no_serious_violation_of_accessibility_and_no_sideways_scrolling(
    open_page, violations, size, theme
):
    found = {}
    page = open_page(size=size, theme=theme)
    page.locator(".pick").first.click()
    found["onboarding"] = violations(page)
    page.get_by_role("button", name="Show my news").click()
    page.locator(".card").first.wait_for()
    found["for you"] = violations(page)
    page.get_by_role("button", name="User").click()
    page.locator(".user").nth(1).wait_for()
    found["menu"] = violations(page)
    page.keyboard.press("Escape")
    page.locator(".card-title").first.click()
    page.locator(".article-text").wait_for()
    found["article"] = violations(page)
    page.keyboard.press("Escape")
    for path in PATHS[1:]:
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        page.locator("main h1").wait_for()
        if path == "/metrics":
            page.get_by_role("checkbox").first.check()
            page.locator(".recharts-bar-rectangle").first.wait_for()
        if path == "/ask":
            page.get_by_label("Your question").fill(answerable(page))
            page.keyboard.press("Enter")
            page.locator(".answer").first.wait_for()
        found[path] = violations(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= SIZES[size][0], f"{path} is {width} pixels wide"
    assert found == {name: [] for name in found}


def test_the_theme_can_be_chosen(open_page):
    page = open_page(theme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.get_by_role("button", name="Theme: dark").wait_for()
    assert page.evaluate(background) != light


def test_an_unknown_page_is_said_in_the_app(open_page):
    page = open_page("/nothing")
    page.get_by_role("heading", name="There is no such page").wait_for()
    open_page.wrong.clear()  # the browser logs the 404
