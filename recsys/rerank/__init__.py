"""Re-ranking: the list as a whole, after a ranker scored one item at a time.

- `mmr`: diversity within a list
- `calibrated`: a list with the mix of genres of the user's history
- `exposure`, `provider_exposure`, `share_exposure`: what providers receive over many lists
- `drop_duplicates`, `limit_per_group`, `limit_in_a_row`: business rules
- `to_unit_range`, `freshness`: scores on one scale, and discounted by age
"""

from recsys.rerank.calibration import calibrated
from recsys.rerank.exposure import exposure, position_weights, provider_exposure, share_exposure
from recsys.rerank.mmr import mmr
from recsys.rerank.rules import drop_duplicates, limit_in_a_row, limit_per_group, number_texts
from recsys.rerank.scores import freshness, to_unit_range

__all__ = [
    "calibrated",
    "drop_duplicates",
    "exposure",
    "freshness",
    "limit_in_a_row",
    "limit_per_group",
    "mmr",
    "number_texts",
    "position_weights",
    "provider_exposure",
    "share_exposure",
    "to_unit_range",
]
