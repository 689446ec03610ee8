"""The shop's own columns, kept with reviews, customers and orders.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("customers", "reviews", "orders")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("extra", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "extra")
