"""Neural models: the contract of `recsys.models`, with PyTorch inside.

They are imported on use, so that the rest of the library works without PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

MODULES = {
    "BERT4Rec": "transformer",
    "DeepFM": "fm",
    "FactorizationMachine": "fm",
    "GRU4Rec": "gru4rec",
    "LightGCN": "lightgcn",
    "MultVAE": "multvae",
    "NeuMF": "neumf",
    "SASRec": "transformer",
    "TwoTower": "two_tower",
}

__all__ = list(MODULES)


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module 'recsys.neural' has no attribute {name!r}")
    try:
        module = importlib.import_module(f"recsys.neural.{MODULES[name]}")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(
            "recsys.neural needs PyTorch, which is not installed: pip install -e '.[neural]'"
        ) from None
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})
