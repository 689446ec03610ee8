"""Themes: runs, themes, the theme of each sentence, and edits by people.

Revision: 0009
Follows: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
DATA = sa.JSON().with_variant(JSONB(), "postgresql")


def column(name: str, kind, *more, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "theme_runs",
        column("run_id", sa.Integer()),
        column("source", KEY),
        column("model_version", sa.Text(), nullable=True),
        column("params", DATA),
        column("evidence", DATA),
        column("events", DATA),
        column("fitted", sa.LargeBinary()),
        column("created_at", TIME),
        sa.ForeignKeyConstraint(
            ["model_version"], ["models.version"], name="fk_theme_runs_model_version", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_theme_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_theme_runs_source", "theme_runs", ["source"])
    op.create_table(
        "themes",
        column("run_id", sa.Integer()),
        column("theme_id", sa.Text()),
        column("name", sa.Text()),
        column("first_name", sa.Text()),
        column("words", DATA),
        column("sentences", sa.Integer()),
        column("reviews", sa.Integer()),
        column("share", sa.Double()),
        column("praise", DATA),
        column("complaint", DATA),
        column("pinned", sa.Boolean()),
        column("hidden", sa.Boolean()),
        column("merged_into", sa.Text(), nullable=True),
        column("origin", sa.Text()),
        sa.CheckConstraint("origin IN ('found', 'codebook')", name="ck_themes_origin"),
        sa.ForeignKeyConstraint(["run_id"], ["theme_runs.run_id"], name="fk_themes_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "theme_id", name="pk_themes"),
    )
    op.create_table(
        "review_themes",
        column("source", KEY),
        column("review_id", KEY),
        column("start", sa.Integer()),
        column("stop", sa.Integer()),
        column("theme_id", sa.Text(), nullable=True),
        column("first_id", sa.Text(), nullable=True),
        column("p_negative", sa.Double()),
        column("margin", sa.Double(), nullable=True),
        column("run_id", sa.Integer()),
        sa.CheckConstraint("p_negative BETWEEN 0 AND 1", name="ck_review_themes_p_negative"),
        sa.ForeignKeyConstraint(
            ["source", "review_id"],
            ["reviews.source", "reviews.review_id"],
            name="fk_review_themes_source_review_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "review_id", "start", name="pk_review_themes"),
    )
    op.create_index("ix_review_themes_source_theme_id", "review_themes", ["source", "theme_id"])
    op.create_table(
        "theme_edits",
        column("edit_id", sa.Integer()),
        column("source", KEY),
        column("theme_id", sa.Text(), nullable=True),
        column("edit", DATA),
        column("edited_by", sa.Text()),
        column("edited_at", TIME),
        column("undone_at", TIME, nullable=True),
        column("undone_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("edit_id", name="pk_theme_edits"),
    )
    op.create_index("ix_theme_edits_source", "theme_edits", ["source"])


def downgrade() -> None:
    for table in ("theme_edits", "review_themes", "themes", "theme_runs"):
        op.drop_table(table)
