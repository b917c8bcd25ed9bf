"""Train one side of a race in a process of its own: `python train.py SIDE FOLDER`.

FOLDER holds `log.npz` (user, item, time of the training rows) and `setting.json`; the lists of ten
(n_users, 10), without items of the history, go to SIDE.npy, seconds and steps per epoch to
SIDE.json. Imports nothing but what the side's environment has.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

K = 10


def ours(name: str, log: dict[str, np.ndarray], setting: dict) -> tuple[list[float], np.ndarray]:
    """One of recsys.neural's models."""
    import recsys.neural
    from recsys import Interactions

    train = Interactions(log["user"], log["item"], time=log["time"].astype(float))
    model = getattr(recsys.neural, name)(rng=0, **setting).fit(train, progress=False)
    items, _ = model.recommend(np.arange(train.n_users), K)
    return [record["seconds"] for record in model.training_history], items


def rectools(log: dict[str, np.ndarray], setting: dict) -> tuple[list[float], np.ndarray]:
    """RecTools' SASRec."""
    import pandas as pd
    import torch
    from pytorch_lightning import Callback, Trainer
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    torch.set_num_threads(setting["n_threads"])
    torch.manual_seed(0)
    seconds: list[float] = []

    class Watch(Callback):
        def on_train_epoch_start(self, *others: object) -> None:
            self.started = time.perf_counter()

        def on_train_epoch_end(self, *others: object) -> None:
            seconds.append(time.perf_counter() - self.started)

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=setting["epochs"], accelerator="cpu", callbacks=[Watch()], logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip

    frame = pd.DataFrame(
        {
            Columns.User: log["user"],
            Columns.Item: log["item"],
            Columns.Weight: 1.0,
            Columns.Datetime: pd.to_datetime(log["time"], unit="s"),
        }
    )
    dataset = Dataset.construct(frame)
    model = SASRecModel(
        n_factors=setting["factors"], n_blocks=setting["blocks"], n_heads=setting["heads"],
        dropout_rate=setting["dropout"], session_max_len=setting["max_length"],
        lr=setting["learning_rate"], batch_size=setting["batch_size"], epochs=setting["epochs"],
        loss=setting["loss"], get_trainer_func=trainer,
    )  # fmt: skip
    model.fit(dataset)
    users = np.arange(log["user"].max() + 1)
    found = model.recommend(users, dataset, k=K, filter_viewed=True)
    items = np.full((len(users), K), -1)
    items[found[Columns.User], found[Columns.Rank] - 1] = found[Columns.Item]
    return seconds, items


def recbole(
    log: dict[str, np.ndarray], setting: dict, folder: Path
) -> tuple[list[float], np.ndarray]:
    """RecBole's LightGCN, all rows in its training set."""
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.model.general_recommender import LightGCN
    from recbole.trainer import Trainer
    from recbole.utils import init_seed

    torch.set_num_threads(setting["n_threads"])
    (folder / "log").mkdir(exist_ok=True)
    rows = np.column_stack([log["user"], log["item"]])
    np.savetxt(
        folder / "log" / "log.inter", rows, fmt="%d", delimiter="\t", comments="",
        header="user_id:token\titem_id:token",
    )  # fmt: skip
    config = Config(
        model="LightGCN",
        dataset="log",
        config_dict={
            "data_path": str(folder),
            "load_col": {"inter": ["user_id", "item_id"]},
            "eval_args": {
                "split": {"RS": [1, 0, 0]}, "group_by": None, "order": "RO", "mode": "full",
            },
            "embedding_size": setting["factors"],
            "n_layers": setting["layers"],
            "reg_weight": setting["reg"],
            "learning_rate": setting["learning_rate"],
            "train_batch_size": setting["batch_size"], "epochs": setting["epochs"],
            "use_gpu": False, "show_progress": False, "state": "ERROR", "seed": 0,
            "checkpoint_dir": str(folder), "worker": 0,
        },
    )  # fmt: skip
    init_seed(0, True)
    dataset = create_dataset(config)
    train, _, _ = data_preparation(config, dataset)
    model = LightGCN(config, train.dataset)
    trainer = Trainer(config, model)
    seconds = []
    for epoch in range(setting["epochs"]):
        started = time.perf_counter()
        trainer._train_epoch(train, epoch)
        seconds.append(time.perf_counter() - started)
    model.eval()
    with torch.no_grad():
        users, items = (part.numpy() for part in model.forward())
    n_users, n_items = log["user"].max() + 1, log["item"].max() + 1
    users = users[dataset.token2id("user_id", [str(u) for u in range(n_users)])]
    known = np.unique(log["item"])
    scores = np.full((n_users, n_items), -np.inf, np.float32)
    scores[:, known] = users @ items[dataset.token2id("item_id", [str(i) for i in known])].T
    scores[log["user"], log["item"]] = -np.inf
    return seconds, np.argsort(-scores, axis=1, kind="stable")[:, :K]


def main() -> None:
    side, folder = sys.argv[1], Path(sys.argv[2])
    task = json.loads((folder / "setting.json").read_text())
    with np.load(folder / "log.npz") as arrays:
        log = dict(arrays)
    if side == "ours":
        seconds, items = ours(task["model"], log, task["setting"])
    elif side == "rectools":
        seconds, items = rectools(log, task["setting"])
    else:
        seconds, items = recbole(log, task["setting"], folder)
    np.save(folder / f"{side}.npy", items.astype(np.int32))
    (folder / f"{side}.json").write_text(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
