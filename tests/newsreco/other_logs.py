"""The same log in other words: renumbered, or with some of its articles only."""

from dataclasses import replace

import numpy as np

from newsreco.data import Articles, Impressions, NewsLog


def take_articles(articles, rows):
    """The articles of these rows, in their order, with categories numbered in reverse."""
    kept = {}
    for name in ("ids", "title", "abstract", "url", "entities"):
        kept[name] = [getattr(articles, name)[row] for row in rows]
    for name, names in (("category", "categories"), ("subcategory", "subcategories")):
        kept[names] = getattr(articles, names)[::-1]
        kept[name] = (len(kept[names]) - 1 - getattr(articles, name)[rows]).astype(np.int32)
    return Articles(**kept)


def renumbered(log, articles, users):
    """The log with its articles and users in the order of these permutations."""
    number, user_number = np.argsort(articles), np.argsort(users)
    histories = np.split(log.history_item, log.history_start[1:-1])
    histories = [number[histories[user]] for user in users]
    return NewsLog(
        take_articles(log.articles, articles),
        [log.user_ids[user] for user in users],
        np.cumsum([0, *map(len, histories)]),
        np.concatenate(histories).astype(np.int32),
        replace(
            log.impressions,
            user=user_number[log.impressions.user].astype(np.int32),
            item=number[log.impressions.item].astype(np.int32),
        ),
    )


def without_articles(log, dropped):
    """The log of a site that never had the articles of a mask (n_items,)."""
    keep, shown = np.flatnonzero(~dropped), log.impressions
    number = np.cumsum(~dropped) - 1
    rows = ~dropped[shown.item]
    sizes = np.add.reduceat(rows, shown.start[:-1], dtype=int)
    some = np.flatnonzero(sizes)
    owner = np.repeat(np.arange(log.n_users), np.diff(log.history_start))
    old = ~dropped[log.history_item]
    counts = np.bincount(owner[old], minlength=log.n_users)
    impressions = Impressions(
        [shown.ids[r] for r in some],
        shown.user[some],
        shown.time[some],
        np.cumsum([0, *sizes[some]]),
        number[shown.item[rows]].astype(np.int32),
        shown.clicked[rows],
    )
    return NewsLog(
        take_articles(log.articles, keep),
        log.user_ids,
        np.cumsum([0, *counts]),
        number[log.history_item[old]].astype(np.int32),
        impressions,
    )


def later(log, time):
    """The impressions of a log from a time on, with all its articles and users."""
    first = log.cut(time)
    return replace(log, impressions=log.impressions.rows(first, len(log.impressions)))
