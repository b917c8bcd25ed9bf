"""Recommendations that follow events, search, answers, and articles that arrive."""

import pytest
from api_clients import KEY

from tests.recsys.retrieval.qdrant_stub import QdrantStub


def listed(client, user, k=10):
    answer = client.get(f"/api/recommend/{user}", params={"k": k})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found):
    return [row["id"] for row in found["recommendations"]]


def send(client, user, article, event, **more):
    body = {"user_id": user, "news_id": article, "event": event} | more
    answer = client.post("/api/feedback", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_unknown_user_is_a_cold_start_with_trending_articles(admin):
    found = listed(admin, "nobody", k=7)
    assert found["cold_start"] and len(set(ids(found))) == 7
    assert {row["reason"] for row in found["recommendations"]} == {"trending now"}


def test_known_user_is_no_cold_start(admin, world):
    clicks = world.log.clicks()
    user = world.log.user_ids[int(clicks.user[0])]
    assert not listed(admin, user)["cold_start"]


def test_a_click_changes_the_very_next_list(admin):
    first = listed(admin, "ann")
    clicked = first["recommendations"][3]
    send(admin, "ann", clicked["id"], "click", list_id=first["list_id"], position=3)
    second = listed(admin, "ann")
    assert not second["cold_start"] and clicked["id"] not in ids(second)
    assert ids(second) != ids(first)
    assert listed(admin, "bob")["cold_start"], "of this user only"


def test_a_dismissed_article_is_never_recommended_again(admin):
    gone = ids(listed(admin, "ann"))[0]
    send(admin, "ann", gone, "dismiss")
    assert gone not in ids(listed(admin, "ann", k=100))
    assert gone in ids(listed(admin, "bob", k=100))


def test_a_like_counts_as_interest(admin):
    liked = ids(listed(admin, "ann"))[2]
    send(admin, "ann", liked, "like")
    assert not listed(admin, "ann")["cold_start"]


def test_an_event_is_stored_once_however_often_it_is_sent(admin):
    article = ids(listed(admin, "ann"))[0]
    assert send(admin, "ann", article, "click", event_id="e1")["stored"]
    assert not send(admin, "ann", article, "click", event_id="e1")["stored"]
    assert admin.get("/api/admin/events").text.count('"event_id": "e1"') == 1


def test_events_of_one_worker_reach_the_lists_of_another(start):
    one, other = start(), start()
    for client in (one, other):
        client.headers["X-API-Key"] = KEY
    article = ids(listed(one, "ann"))[0]
    send(one, "ann", article, "click")
    assert not listed(other, "ann")["cold_start"]


def test_events_are_counted_again_after_a_restart(start):
    for restart in range(2):
        client = start()
        client.headers["X-API-Key"] = KEY
        found = listed(client, "ann")
        assert found["cold_start"] == (restart == 0)
        if restart == 0:
            send(client, "ann", ids(found)[0], "click")
            kept = ids(listed(client, "ann"))
    assert ids(found) == kept


def test_an_article_that_arrives_is_recommended_at_once_and_found(admin):
    new = {"id": "NEW1", "title": "Zeppelin lands in Ostermoor", "category": "travel"}
    assert admin.post("/api/articles", json=new).status_code == 201
    assert admin.get("/api/articles/NEW1").json()["title"] == new["title"]
    assert "NEW1" in ids(listed(admin, "ann", k=100))
    assert admin.post("/api/articles", json=new).status_code == 409
    assert admin.get("/api/health").json()["articles"] == 101


def test_list_is_stored_with_its_model_bucket_and_propensity(start):
    client = start(explore=1.0)
    client.headers["X-API-Key"] = KEY
    served = listed(client, "ann", k=5)
    send(client, "ann", ids(served)[0], "impression", list_id=served["list_id"], position=0)
    (stored,) = client.get("/api/users/ann").json()["lists"]
    assert stored["news_ids"] == ids(served) and stored["list_id"] == served["list_id"]
    assert stored["explored"] == 4 and stored["bucket"] in ("a", "b")
    assert stored["model"] == client.get("/api/health").json()["model_version"]
    assert 0 < stored["propensity"] < 1 / 50


def test_the_setting_of_the_index_reaches_the_service(start, world, monkeypatch):
    pytest.importorskip("qdrant_client")
    stub = QdrantStub()
    monkeypatch.setenv("NEWSRECO_QDRANT_URL", stub.url)
    lists = []
    for index in ("exact", "qdrant"):
        client = start(index=index)
        client.headers["X-API-Key"] = KEY
        lists.append(ids(listed(client, world.log.user_ids[3], k=5)))
        assert len(stub.collections) == (index == "qdrant")
    assert lists[0] == lists[1] and not stub.refused
    stub.close()


@pytest.mark.parametrize("k", [0, 101, -3, 10**30])
def test_k_out_of_range_is_refused_with_the_range(admin, k):
    answer = admin.get("/api/recommend/ann", params={"k": k})
    assert answer.status_code == 422
    assert {"greater_than_equal", "less_than_equal"} & {e["type"] for e in answer.json()["detail"]}


def test_search_finds_titles_best_first_within_a_category(admin, world):
    articles = world.log.articles
    found = admin.get("/api/search", params={"q": articles.title[0], "k": 5}).json()["results"]
    assert found[0]["id"] == articles.ids[0]
    assert [row["score"] for row in found] == sorted((r["score"] for r in found), reverse=True)
    category = found[0]["category"]
    params = {"q": "win final", "category": category}
    assert {r["category"] for r in admin.get("/api/search", params=params).json()["results"]} <= {
        category
    }
    params = {"q": "win final", "category": "no such"}
    assert admin.get("/api/search", params=params).json()["results"] == []


def test_ask_quotes_its_sources_verbatim_or_abstains(admin, world):
    articles = world.log.articles
    answer = admin.post("/api/ask", json={"query": "What is the capital of Portugal?"}).json()
    assert answer["mode"] == "abstains" and answer["sources"] == []
    title = articles.title[5]
    answer = admin.post("/api/ask", json={"query": title}).json()
    for source in answer["sources"]:
        item = articles.ids.index(source["id"])
        assert source["quote"] in f"{articles.title[item]}\n{articles.abstract[item]}"


def test_unknown_article_is_404_that_names_it(admin):
    answer = admin.get("/api/articles/N404")
    assert answer.status_code == 404 and "'N404'" in answer.json()["detail"]
    body = {"user_id": "ann", "news_id": "N404", "event": "click"}
    answer = admin.post("/api/feedback", json=body)
    assert answer.status_code == 404 and "'N404'" in answer.json()["detail"]
