"""A model and a log of other articles or users, matched by id.

A log that was exported later holds new articles, in another order. The model takes them on: their
texts are embedded with the vocabulary learned in training, and their counters begin at zero. An
article whose text has changed is embedded anew. Nothing is ever matched by number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from newsreco.data import NewsLog
from newsreco.data.renumber import MergedArticles, merge_articles, renumber
from newsreco.models.bundle import NewsModel
from newsreco.models.cooccurrence import Tables


@dataclass(frozen=True, eq=False)
class Matched:
    """A model and a log that number articles and users alike.

    Parameters
    ----------
    model : NewsModel
        With all articles of the log; `user_ids` are those known before.
    log : NewsLog
    new_articles, changed_articles, new_users : int
        Articles and users that the model did not know, and articles whose text differs.
    """

    model: NewsModel
    log: NewsLog
    new_articles: int = 0
    changed_articles: int = 0
    new_users: int = 0

    def __str__(self) -> str:
        return (
            f"{self.new_articles} new articles, {self.changed_articles} with another text, "
            f"{self.new_users} new users"
        )


def match(model: NewsModel, log: NewsLog) -> Matched:
    """Give the model and the log one numbering.

    Raises
    ------
    ValueError
        If they have no article and no user in common, or if most of the articles that they have
        in common differ in their texts: it is then the log of another site.
    """
    known = model.user_ids
    new_users = len(set(log.user_ids) - set(known))
    if _same_articles(model, log) and log.user_ids[: len(known)] == known:
        return Matched(model, log, new_users=new_users)
    merged = merge_articles(model.articles, log.articles)
    _check_same_site(merged, log, new_users)
    log = renumber(log, merged, known)
    new = len(merged.articles) - len(model.articles)
    model = take_on(model, merged)
    return Matched(model, log, new, len(merged.changed), new_users)


def _same_articles(model: NewsModel, log: NewsLog) -> bool:
    mine, theirs = model.articles, log.articles
    return mine is theirs or all(
        np.array_equal(getattr(mine, name), getattr(theirs, name))
        if name in ("category", "subcategory")
        else getattr(mine, name) == getattr(theirs, name)
        for name in mine.__dataclass_fields__
    )


def _check_same_site(merged: MergedArticles, log: NewsLog, new_users: int) -> None:
    changed, shared = len(merged.changed), merged.n_shared
    if shared == 0 and new_users == log.n_users:
        raise ValueError(
            "log must hold an article or a user of the model, and has none of them in common: "
            "train a model on it"
        )
    if changed > shared / 2:
        raise ValueError(
            f"log must be of the model's site: {changed} of the {shared} articles whose ids are "
            "those of the model's have other texts"
        )


def take_on(model: NewsModel, merged: MergedArticles) -> NewsModel:
    """The model with the merged articles; only new and changed ones are embedded."""
    articles, n_known = merged.articles, len(model.articles)
    rows = np.concatenate([merged.changed, np.arange(n_known, len(articles))]).astype(int)
    vectors = np.zeros((len(articles), model.vectors.shape[1]), np.float32)
    vectors[:n_known] = model.vectors
    if len(rows):
        texts = articles.texts()
        vectors[rows] = model.embedder.transform([texts[row] for row in rows])
    return replace(
        model,
        vectors=vectors,
        tables=_resized(model.tables, len(articles)),
        state=model.state.with_articles(articles),
        articles=articles,
    )


def _resized(tables: Tables, n_items: int) -> Tables:
    """The tables with empty rows and columns for new articles."""
    larger = {name: table.copy() for name, table in tables.items()}
    for table in larger.values():
        table.resize((n_items, n_items))
    return larger
