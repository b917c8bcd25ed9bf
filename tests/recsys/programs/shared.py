"""What the programs of `test_service` share: the models, a log, and all that they answer."""

import hashlib
import sys
from pathlib import Path

import numpy as np

from recsys import Interactions, evaluate, leave_last_out
from recsys.metrics.impression import impression_metrics
from recsys.retrieval import ExactIndex

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import MODELS  # noqa: E402


def make_log(n_users, n_items, n_rows, seed):
    """A log in which every user and every item occurs."""
    rng = np.random.default_rng(seed)
    user = np.r_[np.arange(n_users), rng.integers(0, n_users, n_rows)]
    item = np.r_[np.arange(n_users) % n_items, rng.integers(0, n_items, n_rows)]
    return Interactions(user, item, np.arange(len(user)), n_users=n_users, n_items=n_items)


def answers(seed=0):
    """A digest of every compiled loop's results: fits, lists, scores, searches and metrics."""
    log = make_log(160, 230, 2500, seed)
    found = {}
    for name, make in MODELS.items():
        model = make().fit(log, progress=False)
        found[name] = [*model.recommend(np.arange(160), 20), model.score(np.arange(160))]
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(300, 8))
    found["ExactIndex"] = ExactIndex().fit(vectors).search(vectors[:50], 10)
    clicked, scores = rng.random(300) < 0.3, rng.random(300)
    found["impressions"] = impression_metrics(clicked, scores, np.arange(0, 301, 10)).values()
    train, test = leave_last_out(log)
    report = evaluate(MODELS["Popularity"]().fit(train, progress=False), train, test)
    found["evaluate"] = [np.array(str(report))]
    return {
        name: hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
        for name, arrays in found.items()
    }
