"""Keys sorted by bytes on PostgreSQL, as SQLite sorts them; indexes that tell rows apart by their first column.

A server sorts text by the rules of its language, which differ between servers and cost most of the time an index
takes. And an index that begins with the source compares the same word a hundred thousand times.

Revision: 0002
Follows: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEYS = {
    "loads": ["source"],
    "rejects": ["source"],
    "replaced_rows": ["source", "key"],
    "customers": ["source", "customer_id"],
    "products": ["source", "product_id"],
    "reviews": ["source", "review_id", "customer_id", "product_id"],
    "orders": ["source", "order_id", "customer_id", "product_id"],
    "predictions": ["source", "review_id"],
    "segment_runs": ["source"],
    "segment_members": ["source", "member_id"],
}
INDEXES = {"reviews": [("source", "customer_id"), ("source", "reviewed_at")], "orders": [("source", "customer_id")]}


def upgrade() -> None:
    _indexes(before=False)
    _sort_keys_by("C")


def downgrade() -> None:
    _sort_keys_by("default")
    _indexes(before=True)


def _sort_keys_by(collation: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in KEYS.items():
            changes = ", ".join(f'ALTER COLUMN "{c}" TYPE TEXT COLLATE "{collation}"' for c in columns)
            op.execute(f"ALTER TABLE {table} {changes}")


def _indexes(before: bool) -> None:
    for table, indexes in INDEXES.items():
        for first, second in indexes:
            old, new = (first, second), (second, first)
            gone, made = (new, old) if before else (old, new)
            op.drop_index(f"ix_{table}_{'_'.join(gone)}", table_name=table)
            op.create_index(f"ix_{table}_{'_'.join(made)}", table, list(made))
