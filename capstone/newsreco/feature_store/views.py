"""Feature views, one table each.

A *view* has keys (whose features these are) and features (numbers). It is bitemporal: every row
carries

- `event_time`, when it became true, and
- `created_time`, when the store learned of it.

A late row has a `created_time` far behind its `event_time`. Rows are added and never changed: a
correction is a new row with a later `created_time` (Snodgrass and Ahn 1985, who call the two
valid time and transaction time). Keys are the ids of the data files ("U13", "N55528"), which are
independent of the numbering of any one log. Features are finite float64, counts included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

TIMES = ("event_time", "created_time")
RESERVED = ("id", "position", "time")  # columns of the table and of the queries


@dataclass(frozen=True)
class View:
    """One kind of features.

    Parameters
    ----------
    name : str
        The table is called `{name}_features`, that of the latest rows `{name}_latest`.
    keys : tuple of str
        Names of the key columns, text.
    features : tuple of str
        Names of the feature columns, float64.
    """

    name: str
    keys: tuple[str, ...]
    features: tuple[str, ...]

    def __post_init__(self) -> None:
        names = [self.name, *self.columns]
        wrong = [name for name in names if not name.isidentifier() or name in RESERVED]
        if wrong or not self.keys or not self.features or len(set(names[1:])) < len(names) - 1:
            raise ValueError(
                "a view must have a name, keys and features that are different identifiers, none "
                f"of them {', '.join(RESERVED)}; got {self.name!r}, {self.keys}, {self.features}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Keys, both times, features: the columns of a row to write."""
        return (*self.keys, *TIMES, *self.features)

    @cached_property
    def table(self) -> sa.Table:
        """The table; its index leads to the latest row of a key before a time."""
        number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers only these
        return sa.Table(
            f"{self.name}_features",
            sa.MetaData(),
            sa.Column("id", number, primary_key=True),
            *[sa.Column(name, sa.Text, nullable=False) for name in self.keys],
            *[sa.Column(name, sa.Double, nullable=False) for name in TIMES + self.features],
            sa.UniqueConstraint(*self.keys, *TIMES, name=f"{self.name}_features_as_of"),
        )

    @cached_property
    def latest(self) -> sa.Table:
        """The table of the latest row of each key: the one that counts once all are known."""
        return sa.Table(
            f"{self.name}_latest",
            sa.MetaData(),
            *[sa.Column(name, sa.Text, primary_key=True) for name in self.keys],
            *[sa.Column(name, sa.Double, nullable=False) for name in TIMES + self.features],
        )


USER = View("user", ("user_id",), ("impressions", "clicks", "decayed_clicks"))
USER_CATEGORY = View("user_category", ("user_id", "category"), ("clicks", "fraction"))
ITEM = View("item", ("item_id",), ("views", "clicks", "ctr"))
USER_ITEM = View("user_item", ("user_id", "item_id"), ("shown", "clicks", "last_shown"))
VIEWS = (USER, USER_CATEGORY, ITEM, USER_ITEM)
