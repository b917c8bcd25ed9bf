"""What the store holds: feature views, one table each.

A *view* says whose features these are (its keys) and which numbers describe them. Every row
carries two clocks:

- `event_time`, when it became true in the world, and
- `created_time`, when the store learned of it.

A row that is late has the second far behind the first. Rows are added and never changed: a
correction is a new row with a later `created_time` (the two clocks of Snodgrass and Ahn 1985,
there called valid time and transaction time). Keys are the ids of the files ("U13", "N55528"),
which outlive the numbering of any one log. Features are finite float64, counts included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

CLOCKS = ("event_time", "created_time")


@dataclass(frozen=True)
class View:
    """One kind of features.

    Parameters
    ----------
    name : str
        The table is called `{name}_features`.
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
        wrong = [n for n in names if not n.isidentifier() or n in ("id", "place", "moment")]
        if wrong or not self.keys or not self.features or len(set(names[1:])) < len(names) - 1:
            raise ValueError(
                "a view must have a name, keys and features that are different identifiers, none "
                f"of them id, place or moment; got {self.name!r}, {self.keys}, {self.features}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Keys, the two clocks, features: what a row is written with."""
        return (*self.keys, *CLOCKS, *self.features)

    @cached_property
    def table(self) -> sa.Table:
        """The table; its index finds the latest row of a key before a moment in a few steps."""
        import sqlalchemy as sa

        number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # sqlite numbers only these
        return sa.Table(
            f"{self.name}_features",
            sa.MetaData(),
            sa.Column("id", number, primary_key=True),
            *[sa.Column(name, sa.Text, nullable=False) for name in self.keys],
            *[sa.Column(name, sa.Double, nullable=False) for name in CLOCKS + self.features],
            sa.UniqueConstraint(*self.keys, *CLOCKS, name=f"{self.name}_features_as_of"),
        )


USER = View("user", ("user_id",), ("visits", "clicks", "decayed_clicks"))
USER_CATEGORY = View("user_category", ("user_id", "category"), ("clicks", "share"))
ITEM = View("item", ("item_id",), ("views", "clicks", "ctr"))
USER_ITEM = View("user_item", ("user_id", "item_id"), ("shown", "clicks", "last_shown"))
VIEWS = (USER, USER_CATEGORY, ITEM, USER_ITEM)
