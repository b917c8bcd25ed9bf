"""The service's events as a log: what the next training learns from.

Each served list becomes one impression: the articles from the top down to the deepest one that was
seen, clicked or liked, with the time of its first event. Events without a list are impressions of
one article. Users who were deleted are left out, of the earlier log too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from newsreco.api.events.store import Event, EventStore, NewArticle, ServedList
from newsreco.data.articles import numbered
from newsreco.data.log import Articles, Impressions, NewsLog
from newsreco.data.renumber import merge_articles

CLICKS = ("click", "like")  # what counts as clicked
SEEN = ("impression", *CLICKS)


def with_events(log: NewsLog, store: EventStore) -> NewsLog:
    """The log with articles that arrived and impressions of the service, in order of time."""
    deleted = {user for _, user in store.deleted_users()}
    log = without_users(log, deleted)
    arrived = list(store.all(NewArticle))
    if arrived:  # they come after the known ones, whose numbers stay
        log = replace(log, articles=merge_articles(log.articles, as_articles(arrived)).articles)
    return _append(log, _impressions(store))


def as_articles(arrived: list[NewArticle]) -> Articles:
    """New articles as a catalogue."""
    category, categories = numbered([article.category for article in arrived])
    subcategory, subcategories = numbered([article.subcategory for article in arrived])
    return Articles(
        ids=[article.news_id for article in arrived],
        title=[article.title for article in arrived],
        abstract=[article.abstract for article in arrived],
        url=[article.url for article in arrived],
        category=category,
        subcategory=subcategory,
        categories=categories,
        subcategories=subcategories,
        entities=[()] * len(arrived),
    )


def without_users(log: NewsLog, user_ids: set[str]) -> NewsLog:
    """The log without the impressions and histories of some users."""
    kept = np.array([user not in user_ids for user in log.user_ids], bool)
    if kept.all():
        return log
    number = np.cumsum(kept, dtype=np.int32) - 1
    counts = np.where(kept, np.diff(log.history_start), 0)
    owner = np.repeat(np.arange(log.n_users), np.diff(log.history_start))
    shown = log.impressions
    rows = np.flatnonzero(kept[shown.user])
    size = np.diff(shown.start)[rows]
    here = kept[shown.user][shown.impression]
    return NewsLog(
        log.articles,
        [user for user, keep in zip(log.user_ids, kept) if keep],
        np.concatenate([[0], np.cumsum(counts[kept])]).astype(np.int64),
        log.history_item[kept[owner]],
        Impressions(
            [shown.ids[row] for row in rows],
            number[shown.user[rows]],
            shown.time[rows],
            np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
            shown.item[here],
            shown.clicked[here],
        ),
    )


def _impressions(store: EventStore) -> list[tuple[float, str, str, list[str], set[str]]]:
    """Time, id, user, articles from the top down, and those clicked, of each impression."""
    served = {row.list_id: row for row in store.all(ServedList)}
    events: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in store.all(Event):
        if event.event in SEEN:
            of_list = served.get(event.list_id)
            known = of_list is not None and of_list.user_id == event.user_id
            known = known and event.news_id in of_list.news_ids
            events[event.user_id, event.list_id if known else event.event_id].append(event)
    found = []
    for (user, key), of_key in events.items():
        seen = {event.news_id for event in of_key}
        shown = [*served[key].news_ids] if key in served else list(seen)
        depth = max(shown.index(article) for article in seen) + 1
        clicked = {event.news_id for event in of_key if event.event in CLICKS}
        found.append((min(e.time for e in of_key), f"service-{key}", user, shown[:depth], clicked))
    return sorted(found, key=lambda row: (row[0], row[1]))


def _append(log: NewsLog, rows: list[tuple]) -> NewsLog:
    """The log with further impressions; those of one time after those of the log."""
    item_of = {article: number for number, article in enumerate(log.articles.ids)}
    rows = [row for row in rows if all(article in item_of for article in row[3])]
    if not rows:
        return log
    user_of = {user: number for number, user in enumerate(log.user_ids)}
    users = [user_of.setdefault(row[2], len(user_of)) for row in rows]
    old, n_new = log.impressions, len(user_of) - log.n_users
    more = Impressions(
        ids=[row[1] for row in rows],
        user=np.array(users, np.int32),
        time=np.array([row[0] for row in rows]),
        start=np.concatenate([[0], np.cumsum([len(row[3]) for row in rows])]).astype(np.int64),
        item=np.array([item_of[article] for row in rows for article in row[3]], np.int32),
        clicked=np.array([article in row[4] for row in rows for article in row[3]], bool),
    )
    starts = np.concatenate([log.history_start, np.full(n_new, log.history_start[-1])])
    return replace(
        log, user_ids=list(user_of), history_start=starts, impressions=_merged(old, more)
    )


def _merged(one: Impressions, other: Impressions) -> Impressions:
    """Both in order of time."""
    time = np.concatenate([one.time, other.time])
    order = np.argsort(time, kind="stable")
    size = np.concatenate([np.diff(one.start), np.diff(other.start)])
    begin = np.concatenate([one.start[:-1], other.start[:-1] + one.start[-1]])
    rows = np.concatenate([np.arange(begin[r], begin[r] + size[r]) for r in order])
    ids = [*one.ids, *other.ids]
    return Impressions(
        [ids[row] for row in order],
        np.concatenate([one.user, other.user])[order],
        time[order],
        np.concatenate([[0], np.cumsum(size[order])]).astype(np.int64),
        np.concatenate([one.item, other.item])[rows],
        np.concatenate([one.clicked, other.clicked])[rows],
    )
