"""One user's data: who may read and write them, over every route, and their deletion."""

from collections import Counter

import pytest
from api_clients import KEY, open_session

from newsreco.api.main import create_app
from newsreco.config import Config

ROUTES = [
    ("GET", "/api/recommend/{user}", None),
    ("GET", "/api/users/{user}", None),
    ("DELETE", "/api/users/{user}", None),
    ("POST", "/api/feedback", {"user_id": "{user}", "news_id": "N1", "event": "click"}),
]
ADMIN_ROUTES = [
    ("POST", "/api/articles", {"id": "A1", "title": "A title"}),
    ("POST", "/api/admin/reload", None),
    ("GET", "/api/admin/events", None),
    ("GET", "/api/models/runs", None),
    ("GET", "/api/models/runs/{run}", None),
    ("GET", "/api/models/runs/{run}/history", None),
    ("GET", "/api/models/summary", None),
    ("POST", "/api/models/compare", {"run_ids": "{run}"}),
]
OPEN_ROUTES = {
    "/api/health", "/api/ready", "/api/search", "/api/ask", "/api/articles/{article}",
    "/api/session", "/api/session/users",
}  # fmt: skip


def call(client, route, user, **more):
    method, path, body = route
    if body is not None:
        body = {name: value.format(user=user, run="") for name, value in body.items()}
    path = path.format(user=user, run="0" * 32)
    return client.request(method, path, json=body, **more)


def known_article(client):
    return client.get("/api/search", params={"q": "win"}).json()["results"][0]["id"]


def test_every_route_is_open_or_tested_for_access(admin):
    paths = set(admin.get("/openapi.json").json()["paths"])
    tested = {path for _, path, _ in ROUTES + ADMIN_ROUTES}
    named = {path.replace("_id}", "}") for path in paths}
    assert named == tested | OPEN_ROUTES


@pytest.mark.parametrize("route", ROUTES + ADMIN_ROUTES, ids=lambda r: f"{r[0]} {r[1]}")
def test_without_key_and_session_nothing_of_a_user_is_read_or_written(start, route):
    assert call(start(), route, "ann").status_code == 401


@pytest.mark.parametrize("route", ROUTES + ADMIN_ROUTES, ids=lambda r: f"{r[0]} {r[1]}")
def test_a_wrong_key_is_refused_even_with_a_session(browser, route):
    assert call(browser, route, browser.user, headers={"X-API-Key": KEY[:-1]}).status_code == 401


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r[0]} {r[1]}")
def test_a_session_reads_and_writes_for_its_own_user_only(browser, route):
    assert call(browser, route, "ann").status_code == 403
    if "{user}" in route[1]:
        assert call(browser, route, browser.user).status_code == 200


@pytest.mark.parametrize("route", ADMIN_ROUTES, ids=lambda r: f"{r[0]} {r[1]}")
def test_a_session_is_no_administrator(browser, route):
    assert call(browser, route, browser.user).status_code == 401


def test_a_service_without_a_key_is_refused(home):
    with pytest.raises(ValueError, match="NEWSRECO_API_KEY"):
        create_app(home, Config())


def test_writes_of_a_session_need_its_token(browser):
    body = {"user_id": browser.user, "news_id": known_article(browser), "event": "click"}
    assert browser.post("/api/feedback", json=body).status_code == 200
    for token in ("", "wrong"):
        answer = browser.post("/api/feedback", json=body, headers={"X-CSRF-Token": token})
        assert answer.status_code == 403 and "X-CSRF-Token" in answer.json()["detail"]


def test_a_token_of_one_session_does_not_write_for_another(start):
    one, other = open_session(start()), open_session(start())
    body = {"user_id": one.user, "news_id": known_article(one), "event": "click"}
    token = other.headers["X-CSRF-Token"]
    assert one.post("/api/feedback", json=body, headers={"X-CSRF-Token": token}).status_code == 403


def test_cookie_is_signed_and_hidden_from_scripts_and_other_sites(start):
    client = start()
    cookie = client.get("/api/session").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    user = client.get("/api/session").json()["user_id"]
    value = client.cookies["newsreco_session"]
    client.cookies.clear()
    client.cookies.set("newsreco_session", ("A" if value[0] != "A" else "B") + value[1:])
    assert client.get(f"/api/recommend/{user}").status_code == 401


def test_a_user_can_be_chosen_in_a_demonstration_only(start):
    for demo, status in ((False, 403), (True, 200)):
        client = open_session(start(demo=demo))
        answer = client.post("/api/session", json={"user_id": "U7"})
        assert answer.status_code == status
        if demo:
            assert answer.json()["user_id"] == "U7"
            assert client.get("/api/recommend/U7").status_code == 200


def test_users_to_choose_are_listed_in_a_demonstration_only(start, world):
    assert start().get("/api/session/users").status_code == 403
    users = start(demo=True).get("/api/session/users").json()["users"]
    clicks = [user["clicks"] for user in users]
    assert 1 < len(users) <= 6 and clicks == sorted(clicks, reverse=True) and clicks[-1] >= 1
    most = max(Counter(world.log.clicks().user.tolist()).values())
    assert clicks[0] >= most  # clicks before the log began count, too
    assert {user["user_id"] for user in users} <= set(world.log.user_ids)


def test_deletion_forgets_a_user_at_once_and_after_a_restart(start, world):
    clicks = world.log.clicks()
    user = world.log.user_ids[int(clicks.user[0])]  # of the training data
    client = start()
    client.headers["X-API-Key"] = KEY
    article = known_article(client)
    client.post("/api/feedback", json={"user_id": user, "news_id": article, "event": "click"})
    data = client.get(f"/api/users/{user}").json()
    assert data["in_training_data"] and len(data["events"]) == 1
    assert not client.get(f"/api/recommend/{user}").json()["cold_start"]
    assert client.delete(f"/api/users/{user}").json()["rows"] == 2
    again = start()
    again.headers["X-API-Key"] = KEY
    for one in (client, again):
        assert one.get(f"/api/recommend/{user}").json()["cold_start"]
        data = one.get(f"/api/users/{user}").json()
        assert (data["in_training_data"], data["events"], data["lists"]) == (False, [], [])


def test_events_of_a_deleted_user_are_not_stored(admin):
    article = known_article(admin)
    admin.delete("/api/users/ann")
    body = {"user_id": "ann", "news_id": article, "event": "click"}
    assert not admin.post("/api/feedback", json=body).json()["stored"]
    assert admin.get("/api/users/ann").json()["events"] == []
