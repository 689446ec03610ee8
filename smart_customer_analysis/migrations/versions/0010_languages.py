"""The language of each review.

Reviews that are stored already get theirs here: a minute for 250,000.

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op

from smart_customer_analysis.data.language import language_code

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REVIEWS = sa.table("reviews", *(sa.column(name) for name in ("source", "review_id", "title", "text", "language")))
CHUNK = 10_000  # rows that are Python objects at the same time


def upgrade() -> None:
    op.add_column("reviews", sa.Column("language", sa.Text(), nullable=True))
    c, key = op.get_bind(), (REVIEWS.c.source, REVIEWS.c.review_id)
    same = (key[0] == sa.bindparam("of"), key[1] == sa.bindparam("id"))
    found = sa.update(REVIEWS).where(*same).values(language=sa.bindparam("code"))
    rows = sa.select(*key, REVIEWS.c.title, REVIEWS.c.text).where(REVIEWS.c.language.is_(None)).limit(CHUNK)
    while part := c.execute(rows).all():
        c.execute(found, [{"of": r[0], "id": r[1], "code": language_code(r[2], r[3])} for r in part])


def downgrade() -> None:
    op.drop_column("reviews", "language")
