"""Threads read each model while it is refitted on two logs in turn; run by `test_service`.

Prints the name of each model whose every answer was that of one of the two whole models.
"""

import faulthandler
import itertools
import sys
import tempfile
import threading
import time

import numpy as np
from shared import MODELS, make_log

import recsys

SECONDS = 0.25  # per model
USERS, ITEM = np.arange(30), 7  # in both logs


LOGS = [make_log(40, 35, 300, seed=0), make_log(160, 230, 2500, seed=1)]


def arrays(parts):
    return b"".join(array.tobytes() for array in parts)


def lists(model, n):
    return arrays(model.recommend(USERS[:n], 5, items=range(2, 35), exclude=[3, 4]))


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        return lists(recsys.load(folder), 30)


READERS = {
    "recommend": lambda model: lists(model, 30),
    "score": lambda model: model.score(USERS).tobytes(),
    "explain": lambda model: arrays(model.explain(3, ITEM)),
    "fold_in": lambda model: lists(model.fold_in([[0, 1, ITEM], [ITEM, 2]]), 2),
    "save": saved,
    "similar_items": lambda model: arrays(model.similar_items(USERS, 5)),
    "similar_users": lambda model: arrays(model.similar_users(USERS, 5)),
    "recommend_labels": lambda model: model.recommend_labels(USERS).to_csv(),
    "predict": lambda model: model.predict(USERS, USERS).tobytes(),
}


def try_model(make):
    """Errors of the readers, and the names of those that gave a mixture."""
    whole = [make().fit(log, progress=False) for log in LOGS]
    model, stop, faults = make().fit(LOGS[0], progress=False), threading.Event(), []
    known = {n: {READERS[n](m) for m in whole} for n in READERS if hasattr(model, n)}

    def read(name):
        while not stop.is_set():
            try:
                if READERS[name](model) not in known[name]:
                    faults.append(f"{name} mixes two models")
            except Exception as error:
                faults.append(f"{name}: {error!r}")

    threads = [threading.Thread(target=read, args=(name,)) for name in known]
    for thread in threads:
        thread.start()
    end = time.monotonic() + SECONDS
    for log in itertools.cycle(LOGS[::-1]):
        model.fit(log, progress=False)
        if time.monotonic() > end:
            break
    stop.set()
    for thread in threads:
        thread.join()
    return sorted(set(faults))


if __name__ == "__main__":
    faulthandler.enable()
    sys.setswitchinterval(1e-5)
    for name in sys.argv[1:] or MODELS:
        faults = try_model(MODELS[name])
        print(name, *faults[:3], sep=": " if faults else "", flush=True)
