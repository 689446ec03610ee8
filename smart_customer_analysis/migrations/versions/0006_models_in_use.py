"""The model whose predictions of a source are shown.

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
FILL = """
INSERT INTO models_in_use (source, model_version, since)
SELECT source, version, created_at FROM (
    SELECT p.source, m.version, m.created_at,
        row_number() OVER (PARTITION BY p.source ORDER BY m.created_at DESC, m.version DESC) AS place
    FROM (SELECT DISTINCT source, model_version FROM predictions) p
    JOIN models m ON m.version = p.model_version
) newest WHERE place = 1
"""  # until now the newest model was shown


def upgrade() -> None:
    op.create_table(
        "models_in_use",
        sa.Column("source", KEY, nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version"], ["models.version"], name="fk_models_in_use_model_version", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source", name="pk_models_in_use"),
    )
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("models_in_use")
