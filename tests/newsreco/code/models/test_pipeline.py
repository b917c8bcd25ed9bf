"""The recommendation pipeline: complete lists, and the rules of re-ranking."""

import numpy as np
import pytest

from newsreco.data.times import DAY
from newsreco.features.matrix import candidate_features
from newsreco.models.bundle import Settings, load_model
from newsreco.models.pipeline import RecommendationPipeline, nearest_click, normalized_title
from newsreco.models.retrievers import live_articles
from newsreco.training import train
from tests.recsys.retrieval.qdrant_stub import QdrantStub


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False).model


@pytest.fixture(scope="module")
def pipeline(model):
    return RecommendationPipeline(model)


def same(one, other):
    np.testing.assert_array_equal(one.items, other.items)
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.because, other.because)
    assert one.found_by == other.found_by


def test_list_holds_distinct_live_stories_not_clicked_by_the_user(pipeline):
    state = pipeline.state
    titles = [normalized_title(title) for title in pipeline.model.articles.title]
    for user in range(40):
        found = pipeline.recommend(user, k=8)
        clicks, _ = state.recent_clicks(user)
        stories = [titles[i] for i in found.items]
        live = np.flatnonzero(live_articles(state, user, state.now, 3 * DAY))
        left = {titles[i] for i in live} - {titles[i] for i in clicks}
        assert set(stories) <= left
        assert len(stories) == len(set(stories)) == min(8, len(left))
        assert len(found.scores) == len(found.because) == len(found.found_by) == len(stories)
        assert all(found.found_by)


def test_scores_are_the_rankers_on_current_features(pipeline):
    time = pipeline.state.now + 600
    found = pipeline.recommend(5, time)
    model = pipeline.model
    X = candidate_features(pipeline.state, model.vectors, 5, time, found.items)
    np.testing.assert_allclose(found.scores, model.ranker.scores(X), rtol=1e-9)


def test_without_diversity_and_bonus_the_order_is_the_rankers(model):
    plain = RecommendationPipeline(model, trade_off=1.0, fresh_bonus=0.0)
    for user in range(20):
        scores = plain.recommend(user, k=30).scores
        assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("hours", [1.0, 6.0, 48.0])
def test_relevance_is_the_scaled_score_plus_a_bonus_halved_by_hours(model, hours):
    plain = RecommendationPipeline(model, trade_off=1.0, fresh_bonus=0.7, fresh_hours=hours)
    time = plain.state.now + 1800
    items, _ = plain.retrieve(-1, time)
    scores = np.random.default_rng(0).normal(size=len(items))
    age = (time - plain.state.arrays.first_shown[items]) / 3600
    relevance = (scores - scores.min()) / np.ptp(scores) + 0.7 * 2.0 ** (-age / hours)
    expected, stories = [], set()
    for row in np.argsort(-relevance):
        title = normalized_title(model.articles.title[items[row]])
        if title not in stories:
            expected.append(int(row))
            stories.add(title)
    assert plain.rerank(-1, time, items, scores, 15)[0].tolist() == expected[:15]


def test_new_user_gets_trending_articles(pipeline, world):
    new = pipeline.recommend(-1)
    same(new, pipeline.recommend(world.log.n_users + 7))
    assert (new.because == -1).all()
    assert all(found == ("trending",) for found in new.found_by)
    assert set(new.reasons(world.log.articles.title)) == {"trending now"}


def test_reason_names_a_click_of_the_user(pipeline, world):
    titles = world.log.articles.title
    user = int(np.argmax(pipeline.state.arrays.user_clicks))
    found = pipeline.recommend(user)
    clicks, _ = pipeline.state.recent_clicks(user)
    assert set(found.because.tolist()) <= {-1, *clicks.tolist()} and (found.because >= 0).any()
    for click, reason in zip(found.because, found.reasons(titles)):
        assert (titles[click] in reason) == (click >= 0)


def test_nearest_click_by_hand():
    vectors = np.array([[1, 0], [0, 1], [0.8, 0.6], [-1, 0], [1, 0]])
    clicks = np.array([4, 1, 0])
    assert nearest_click(vectors, np.array([2, 3]), clicks).tolist() == [4, -1]
    assert nearest_click(vectors, np.array([2, 3]), clicks[:0]).tolist() == [-1, -1]


def test_list_is_shorter_than_k_if_fewer_articles_are_live(pipeline):
    found = pipeline.recommend(0, k=1000)
    assert len(found.items) < pipeline.model.vectors.shape[0]
    assert len(set(found.items.tolist())) == len(found.items)


def test_long_after_the_log_the_freshest_articles_are_recommended(pipeline):
    now = pipeline.state.now
    for user in (-1, 0):
        late = pipeline.recommend(user, now + 30 * DAY)
        assert late.as_of == now and len(late.items) == 10
        on_time = pipeline.recommend(user, now)
        assert on_time.as_of == now and late.items.tolist() == on_time.items.tolist()
    soon = pipeline.recommend(0, now + DAY)
    assert soon.as_of == now + DAY


def test_a_user_who_clicked_all_that_is_live_gets_the_freshest_of_the_rest(pipeline):
    state = pipeline.state.copy()
    state.arrays.last_shown[:] = state.now - 9 * DAY
    state.arrays.last_shown[[3, 4]] = state.now  # what is live
    state.arrays.last_shown[[5, 6]] = state.now - 5 * DAY
    state.arrays.last_shown[7] = -np.inf  # never shown
    user = state.n_users
    state.load_history(user, np.array([3, 4]))
    mask, time = RecommendationPipeline(pipeline.model, state).live(user, state.now)
    assert time == state.now and np.flatnonzero(mask).tolist() == [5, 6]
    state.load_history(user + 1, np.flatnonzero(np.arange(state.n_items) != 7))
    assert not RecommendationPipeline(pipeline.model, state).live(user + 1, state.now)[0].any()


def test_time_in_milliseconds_is_refused(pipeline):
    with pytest.raises(ValueError, match="time must be in seconds"):
        pipeline.recommend(0, pipeline.state.now * 1000)


def test_saved_model_recommends_the_same(pipeline, tmp_path):
    pipeline.model.save(tmp_path / "model")
    again = RecommendationPipeline(load_model(tmp_path / "model"))
    for user in (-1, 0, 3, 17):
        same(again.recommend(user), pipeline.recommend(user))


def test_faiss_recommends_the_same(pipeline, model):
    pytest.importorskip("faiss")
    other = RecommendationPipeline(model, index="faiss")
    for user in range(10):
        same(other.recommend(user), pipeline.recommend(user))


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
@pytest.mark.parametrize("place", ["in process", "server"])
def test_qdrant_recommends_the_same(pipeline, model, place, monkeypatch, request):
    pytest.importorskip("qdrant_client")
    stub = QdrantStub()
    request.addfinalizer(stub.close)
    monkeypatch.setenv("NEWSRECO_QDRANT_URL", stub.url if place == "server" else "")
    monkeypatch.setenv("NEWSRECO_QDRANT_API_KEY", "secret")
    other = RecommendationPipeline(model, index="qdrant")
    for user in range(3):
        same(other.recommend(user), pipeline.recommend(user))
    assert len(stub.collections) == (place == "server") and not stub.refused
    assert stub.keys == ({"secret"} if place == "server" else set())


def test_a_vector_database_that_is_gone_costs_its_candidates_only(model, monkeypatch, caplog):
    pytest.importorskip("qdrant_client")
    stub = QdrantStub()
    monkeypatch.setenv("NEWSRECO_QDRANT_URL", stub.url)
    pipeline = RecommendationPipeline(model, index="qdrant")
    stub.close()
    found = pipeline.recommend(3)
    assert len(found.items) and not any("content" in names for names in found.found_by)
    assert f"no candidates by content: Qdrant server at {stub.url}" in caplog.text


def test_recommending_does_not_change_the_state(pipeline):
    before = [array.copy() for array in pipeline.state.arrays]
    same(pipeline.recommend(3), pipeline.recommend(3))
    for old, new in zip(before, pipeline.state.arrays):
        np.testing.assert_array_equal(old, new)


def test_titles_of_one_story_are_normalized_alike():
    same = ["Rovers win 3-1", "Update: Rovers win 3-1", "ROVERS WIN 3-1 (updated)"]
    same += ["Rovers win 3-1 - report", "Recap: Update: Rovers win, 3-1!"]
    assert len({normalized_title(title) for title in same}) == 1
    assert normalized_title("Rovers win 3-1") != normalized_title("Rovers win 3-2")
    assert normalized_title("Report: rail strike") != normalized_title("Rail strike")
    assert normalized_title("") == ""


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"pool_size": 0}, "pool_size must be at least 1"),
        ({"window_days": 0}, "window_days must be finite and above 0"),
        ({"trade_off": 2}, "trade_off must be finite and at least 0 and at most 1"),
        ({"fresh_bonus": -1}, "fresh_bonus must be finite and at least 0"),
        ({"fresh_hours": 0.0}, "fresh_hours must be finite and above 0"),
        ({"index": "annoy"}, "index must be one of"),
    ],
)
def test_wrong_settings_raise(model, settings, message):
    with pytest.raises(ValueError, match=message):
        RecommendationPipeline(model, **settings)


def test_wrong_requests_raise(pipeline):
    with pytest.raises(ValueError, match="k must be at least 1"):
        pipeline.recommend(0, k=0)
    with pytest.raises(ValueError, match="user must be at least -1"):
        pipeline.recommend(-2)
    with pytest.raises(ValueError, match="time must be finite and at least"):
        pipeline.recommend(0, time=1.0)
