"""Update: a model brought up to date by later events and articles, without retraining.

Counters, clicks and co-occurrence grow with each new impression, and new articles are embedded
with the vocabulary learned in training. The ranker's weights, the vocabulary and its patterns stay
as trained: they age in weeks, the counters in hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from newsreco.data import NewsLog
from newsreco.data.times import iso_time
from newsreco.models.bundle import NewsModel
from newsreco.models.cooccurrence import tables_of_state
from newsreco.models.matching import Matched, match


@dataclass(frozen=True, eq=False)
class Update:
    """An updated model, and what it was updated with.

    Parameters
    ----------
    model : NewsModel
    matched : Matched
        New and changed articles, new users.
    counted, skipped : int
        Impressions later than the model's state, which it has counted, and the others: they are
        known already, or come too late to be counted in order of time.
    """

    model: NewsModel
    matched: Matched
    counted: int
    skipped: int

    def counts(self) -> dict[str, int]:
        """All numbers by name, for JSON."""
        names = ("new_articles", "changed_articles", "new_users")
        found = {name: getattr(self.matched, name) for name in names}
        return {"counted": self.counted, "skipped": self.skipped} | found

    def __str__(self) -> str:
        return (
            f"{self.counted} impressions counted until {iso_time(self.model.state.now)}, "
            f"{self.skipped} not later than the model's own; {self.matched}"
        )


def update(model: NewsModel, log: NewsLog) -> Update:
    """Count the impressions of a log that are later than the model's state.

    The model is not changed. `log` may hold new impressions only, or the old ones too; articles
    and users are matched by id.

    Raises
    ------
    ValueError
        If the log is that of another site (see `match`).
    """
    matched = match(model, log)
    grown, log = matched.model, matched.log
    first = int(np.searchsorted(log.impressions.time, grown.state.now, side="right"))
    state = grown.state.copy()
    state.advance(log, first, len(log.impressions))
    updated = replace(
        grown,
        state=state.compact(),
        tables=tables_of_state(state),
        user_ids=log.user_ids,
        data_fingerprint=log.fingerprint(),
    )
    return Update(updated, matched, len(log.impressions) - first, first)
