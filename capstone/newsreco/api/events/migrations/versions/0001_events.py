"""Events, served lists, articles that arrived, deleted users."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables; written out, since a migration must not change when the tables do."""
    op.create_table(
        "events",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("user_id", sa.Text, nullable=False, index=True),
        sa.Column("news_id", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("list_id", sa.Text),
        sa.Column("position", sa.Integer),
        sa.Column("dwell_ms", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lists",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("list_id", sa.Text, nullable=False, unique=True),
        sa.Column("user_id", sa.Text, nullable=False, index=True),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("news_ids", sa.Text, nullable=False),
        sa.Column("explored", sa.Integer, nullable=False),
        sa.Column("propensity", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "articles",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("news_id", sa.Text, nullable=False, unique=True),
        *[
            sa.Column(name, sa.Text, nullable=False)
            for name in ("category", "subcategory", "title", "abstract", "url")
        ],
        sa.Column("time", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deleted_users",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False, unique=True),
        sa.Column("time", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
