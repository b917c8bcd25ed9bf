"""A model whose articles are numbered by age, so that those of one day lie side by side.

Lists are chosen among articles of the last days. In a catalogue of other order these are spread
over the whole of it, and a search reads all vectors to compare a third of them; numbered by age,
it skips whole blocks. Ids, scores and lists stay the same; only ties may break differently.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from newsreco.data import Articles
from newsreco.features.state import State
from newsreco.models.bundle import NewsModel

TEXTS = ("ids", "title", "abstract", "url", "entities")
PER_ITEM = (
    "category", "subcategory", "first_shown", "last_shown",
    "item_time", "item_clicks", "item_views",
)  # fmt: skip


def ordered_by_age(model: NewsModel) -> NewsModel:
    """The model with the article shown last at the end; those never shown come after it."""
    shown = model.state.arrays.last_shown
    order = np.argsort(np.where(np.isfinite(shown), shown, np.inf), kind="stable")
    tables = {name: _permuted(table, order) for name, table in model.tables.items()}
    return replace(
        model,
        vectors=model.vectors[order],
        tables=tables,
        state=_reordered_state(model.state, order),
        articles=_reordered_articles(model.articles, order),
    )


def _permuted(table: sparse.csr_matrix, order: np.ndarray) -> sparse.csr_matrix:
    """Rows and columns in another order."""
    moved = table[order][:, order].tocsr()
    moved.sort_indices()
    return moved


def _reordered_state(state: State, order: np.ndarray) -> State:
    number = np.empty(len(order), np.int32)  # the new number of each article
    number[order] = np.arange(len(order))
    arrays = state.copy().arrays
    moved = {name: getattr(arrays, name)[order] for name in PER_ITEM}
    return State(arrays._replace(**moved, click_item=number[arrays.click_item]))


def _reordered_articles(articles: Articles, order: np.ndarray) -> Articles:
    texts = {name: [getattr(articles, name)[row] for row in order] for name in TEXTS}
    groups = {name: getattr(articles, name)[order] for name in ("category", "subcategory")}
    return replace(articles, **texts, **groups)
