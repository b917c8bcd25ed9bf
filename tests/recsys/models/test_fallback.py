"""Fallback: the next model fills the positions that the first leaves empty."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys
from recsys import Interactions, bundle, leaderboard
from recsys.models import (
    BiasedMF,
    ContentBased,
    Fallback,
    ImplicitALS,
    ItemKNN,
    Markov,
    Popularity,
    Random,
    Trending,
)
from recsys.models.base import Recommender
from recsys.models.fallback import append_below

WALKS = Interactions([0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 0, 3], [1, 2, 1, 2, 3, 8, 9], n_items=6)
SCORES = st.sampled_from([-np.inf, -2.0, 0.0, 0.5, 0.5, 3.0])


def test_the_next_list_follows_without_duplicates():
    """User 0 last chose 1, after which came 2; popular are 0 (3), 1 (2), 2, 3, then 4, 5 (none)."""
    model = Fallback(Markov(), Popularity()).fit(WALKS)
    items, scores = model.recommend(0, 6)
    assert items.tolist() == [2, 3, 4, 5, -1, -1]
    # Below 2's score of 1 come 0, 1, 3, 4, 5 in turn, of which the user has seen 0 and 1.
    assert scores.tolist() == [1, -2, -3, -4, -np.inf, -np.inf]
    assert model.score(0).tolist() == [0, -1, 1, -2, -3, -4]
    assert model.recommend(1, 3)[0].tolist() == [3, 4, 5]
    assert model.score(1).tolist() == [-1, -2, -3, -4, -5, -6]


def test_merged_by_hand_from_the_lists_of_its_models(train):
    parts = Markov(), ItemKNN(n_neighbors=5), Popularity()
    model, users = Fallback(*parts).fit(train, progress=False), np.arange(300)
    for exclude_seen in (True, False):
        lists = [p.recommend(users, 150, exclude_seen)[0] for p in model.fitted_models]
        merged = [
            [i for i in dict.fromkeys(np.concatenate(rows).tolist()) if i >= 0]
            for rows in zip(*lists)
        ]
        items, _ = model.recommend(users, 150, exclude_seen)
        assert [row[row >= 0].tolist() for row in items] == merged
        short, _ = model.recommend(users, 40, exclude_seen)
        assert (short == items[:, :40]).all()
        assert (np.diff([len(set(row) - {-1}) for row in lists[0].tolist()]) != 0).any()


@given(rows=st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=12))
def test_later_scores_are_below_in_their_own_order(rows):
    first, later = np.array(rows, np.float32).T
    scores = first.copy()
    append_below(scores, later)
    rated = first > -np.inf
    added = ~rated & (later > -np.inf)
    assert (scores[rated] == first[rated]).all()
    assert np.isneginf(scores[~rated & ~added]).all()
    if rated.any() and added.any():
        assert scores[added].max() < first[rated].min()
    order = np.argsort(-scores[added], kind="stable")
    assert (order == np.argsort(-later[added], kind="stable")).all()
    assert len(set(scores[added])) == added.sum()


def test_large_scores_keep_the_order():
    for size in (1e9, -1e9, 3e7):
        scores = np.array([size, -np.inf, -np.inf, -np.inf], np.float32)
        append_below(scores, np.array([0, 1, 3, 2], np.float32))
        assert np.argsort(-scores).tolist() == [0, 2, 3, 1] and len(set(scores)) == 4


def test_a_new_user_gets_the_next_models_list(train):
    wider = Interactions(train.user, train.item, train.time, n_users=301, n_items=150)
    model = Fallback(ItemKNN(), Trending(half_life=5_000.0)).fit(wider, progress=False)
    trending = Trending(half_life=5_000.0).fit(wider)
    assert model.recommend(300, 10)[0].tolist() == trending.recommend(300, 10)[0].tolist()


def test_the_given_models_are_not_changed():
    first, second = Markov(), Popularity()
    model = Fallback(first, second).fit(WALKS)
    assert not first.is_fitted and not second.is_fitted and model.is_fitted
    other = Interactions([0, 0], [4, 5], [1, 2], n_items=6)
    again = Fallback(first.fit(other), second).fit(WALKS)
    assert again.recommend(0, 3)[0].tolist() == model.recommend(0, 3)[0].tolist()
    assert first.n_users == 1


def test_names_on_a_leaderboard(train_test):
    chains = [Fallback(Markov(), Popularity()), Fallback(ItemKNN(50), Popularity())]
    table = leaderboard([Popularity(), *chains], *train_test, progress=False)
    assert table.index.tolist() == [
        "Popularity",
        "Fallback(Markov(content_weight=0.0), Popularity())",
        "Fallback(ItemKNN(n_neighbors=50, shrinkage=0.0), Popularity())",
    ]
    assert not any(chain.is_fitted for chain in chains)


def chain():
    features = np.eye(6) + 0.1
    inner = Fallback(Markov(0.3, features), ImplicitALS(2, rng=np.random.default_rng(4)))
    return Fallback(Markov(), inner, ContentBased(features, 2.0), Random(rng=9))


def test_a_chain_of_chains_is_saved_and_loaded(tmp_path):
    model = chain().fit(WALKS, progress=False)
    model.save(tmp_path / "chain")
    loaded = recsys.load(tmp_path / "chain")
    users = np.arange(3)
    assert loaded.score(users).tobytes() == model.score(users).tobytes()
    assert type(loaded.models[1]) is Fallback and loaded.models[3].rng == 9
    inner = loaded.models[1].models[1]
    assert inner.rng.random() == model.fitted_models[1].models[1].rng.random()
    again = loaded.fit(WALKS, progress=False)
    assert again.recommend(0, 6)[0][0] == 2
    with np.load(tmp_path / "chain" / "arrays.npz") as arrays:
        assert [name for name in arrays.files if "history" in name] == [
            f"history.{part}" for part in ("data", "indices", "indptr", "shape")
        ]


def test_unknown_class_of_a_part_is_refused(tmp_path):
    Fallback(Markov(), Popularity()).fit(WALKS).save(tmp_path / "chain")
    path = tmp_path / "chain" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["parameters"]["models"][0]["module"] = "os"
    manifest["checksum"] = bundle.checksum(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="^module os has no model class 'Markov'"):
        recsys.load(tmp_path / "chain")


def test_fold_in_needs_fold_in_of_every_model():
    model = Fallback(Markov(), ItemKNN(), Popularity()).fit(WALKS, progress=False)
    folded = model.fold_in([[1, 0], []])
    assert folded.recommend([0, 1], 3)[0].tolist() == [[3, 2, 4], [0, 1, 2]]
    assert model.n_users == 3 and model.fitted_models[0].n_users == 3


class FirstUsersFirst(Recommender):
    """A model that has learned something about each user and cannot fold in."""

    needs_history = False

    def _fit(self, train, progress):
        self.own = np.arange(self.n_users * self.n_items, dtype=np.float32)

    def _scores(self, users):
        return self.own.reshape(-1, self.n_items)[users]


def test_a_model_without_fold_in_is_refused():
    model = Fallback(FirstUsersFirst(), Popularity()).fit(WALKS, progress=False)
    with pytest.raises(ValueError, match=r"^models must all be able to fold in, got FirstUsers"):
        model.fold_in([[0]])


def test_new_users_do_not_get_the_training_users_ratings():
    """User 0 likes even items, user 1 odd ones; the new user 0 likes odd ones."""
    user, item = np.divmod(np.arange(80), 20)
    value = np.where((item + user) % 2 == 0, 5.0, 1.0)
    train = Interactions(user, item, None, value)
    model = Fallback(BiasedMF(4, 0.05, epochs=60), Popularity()).fit(train, progress=False)
    assert set(model.recommend(0, 8, exclude_seen=False)[0] % 2) == {0}
    rows = np.arange(10)
    new = Interactions(np.zeros(10), rows, None, np.where(rows % 2, 5.0, 1.0), 1, 20)
    items, _ = model.fold_in(new).recommend(0, 4)
    assert set(items % 2) == {1} and items.min() >= 10


@pytest.mark.parametrize("models", [(), (Popularity(),), (Popularity, Random()), (Random(), "x")])
def test_invalid_chains_raise(models):
    with pytest.raises(ValueError, match="^models must be .*, got"):
        Fallback(*models)


def test_errors_of_the_models_are_raised():
    with pytest.raises(ValueError, match="train.time must be given for Markov, got None"):
        Fallback(Markov(), Popularity()).fit(Interactions([0], [0]))


def test_one_user_and_one_item():
    model = Fallback(Markov(), Popularity()).fit(Interactions([0], [0], [5]))
    assert model.recommend(0, 2)[0].tolist() == [-1, -1] and model.score(0).tolist() == [-1]
