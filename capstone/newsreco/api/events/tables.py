"""The tables of the event store; `migrations` creates and changes them.

Rows are numbered in the order in which they are committed, so that a reader who has seen number n
asks for the rows after n and misses none (see `store.EventStore.transaction`).
"""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers only these

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    sa.Column("news_id", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("list_id", sa.Text),
    sa.Column("position", sa.Integer),
    sa.Column("dwell_ms", sa.BigInteger),
    sqlite_autoincrement=True,  # a number is never given twice, even after a deletion
)

LISTS = sa.Table(
    "lists",
    METADATA,
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("list_id", sa.Text, nullable=False, unique=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("bucket", sa.Text, nullable=False),
    sa.Column("news_ids", sa.Text, nullable=False),  # from the top down, separated by spaces
    sa.Column("explored", sa.Integer, nullable=False),  # the position of exploration
    sa.Column("propensity", sa.Double, nullable=False),  # of the article shown there
    sqlite_autoincrement=True,
)

ARTICLES = sa.Table(
    "articles",
    METADATA,
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("news_id", sa.Text, nullable=False, unique=True),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("subcategory", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("abstract", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sqlite_autoincrement=True,
)

DELETED_USERS = sa.Table(
    "deleted_users",
    METADATA,
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, unique=True),
    sa.Column("time", sa.Double, nullable=False),
    sqlite_autoincrement=True,
)
