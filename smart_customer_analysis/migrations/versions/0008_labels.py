"""Labels given by people.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
IN_FORCE = sa.text("undone_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("label_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("review_id", KEY, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("labelled_by", sa.Text(), nullable=False),
        sa.Column("labelled_at", TIME, nullable=False),
        sa.Column("undone_at", TIME, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("size", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.CheckConstraint("label IN ('negative', 'neutral', 'positive', 'cannot tell')", name="ck_labels_label"),
        sa.PrimaryKeyConstraint("label_id", name="pk_labels"),
    )
    op.create_index(
        "uq_labels_in_force",
        "labels",
        ["source", "review_id"],
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )


def downgrade() -> None:
    op.drop_table("labels")
