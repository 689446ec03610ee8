"""The first tables.

Revision: 0001
Follows: nothing
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _need_postgis()
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Integer(), nullable=False),
        sa.Column("erased_at", TIME, nullable=False),
        sa.Column("rows", JSON, nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasures"),
    )
    op.create_table(
        "loads",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("loaded_at", TIME, nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_loaded", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_duplicate", sa.Integer(), nullable=False),
        sa.Column("effect", JSON, nullable=False),
        sa.CheckConstraint("rows_read = rows_loaded + rows_rejected + rows_duplicate", name="ck_loads_law_of_rows"),
        sa.PrimaryKeyConstraint("load_id", name="pk_loads"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_loads_source", "loads", ["source"])
    op.create_table(
        "models",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("metrics", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_models"),
    )
    op.create_table(
        "report_runs",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("path_html", sa.Text(), nullable=True),
        sa.Column("path_nb", sa.Text(), nullable=True),
        sa.Column("summary", JSON, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("report_id", name="pk_report_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_runs_name", "report_runs", ["name"])
    op.create_table(
        "customers",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("first_seen", TIME, nullable=True),
        sa.Column("geom", Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("first_load_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(lon IS NULL) = (lat IS NULL)", name="ck_customers_whole_point"),
        sa.CheckConstraint("lat BETWEEN -90 AND 90", name="ck_customers_lat"),
        sa.CheckConstraint("lon BETWEEN -180 AND 180", name="ck_customers_lon"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_customers_load_id"),
        sa.PrimaryKeyConstraint("source", "customer_id", name="pk_customers"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_customers_geom", "customers", ["geom"], postgresql_using="gist")
    else:
        op.create_index("ix_customers_lat_lon", "customers", ["lat", "lon"])
    op.create_table(
        "load_counts",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("duplicate", sa.Integer(), nullable=False),
        sa.CheckConstraint("read = loaded + rejected + duplicate", name="ck_load_counts_law_of_rows"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_load_counts_load_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("load_id", "file", "entity", name="pk_load_counts"),
    )
    op.create_table(
        "load_files",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_load_files_load_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("load_id", "file", name="pk_load_files"),
    )
    op.create_table(
        "products",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("first_load_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_products_load_id"),
        sa.PrimaryKeyConstraint("source", "product_id", name="pk_products"),
    )
    op.create_table(
        "rejects",
        sa.Column("reject_id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_rejects_load_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("reject_id", name="pk_rejects"),
    )
    op.create_index("ix_rejects_load_id", "rejects", ["load_id"])
    op.create_table(
        "replaced_rows",
        sa.Column("replaced_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=False),
        sa.Column("row", JSON, nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_replaced_rows_load_id"),
        sa.ForeignKeyConstraint(["replaced_by"], ["loads.load_id"], name="fk_replaced_rows_replaced_by"),
        sa.PrimaryKeyConstraint("replaced_id", name="pk_replaced_rows"),
    )
    op.create_index("ix_replaced_rows_replaced_by", "replaced_rows", ["replaced_by"])
    op.create_table(
        "segment_runs",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("params", JSON, nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("migration", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("unit IN ('customer', 'review')", name="ck_segment_runs_unit"),
        sa.ForeignKeyConstraint(
            ["model_version"], ["models.version"], name="fk_segment_runs_model_version", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_segment_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_segment_runs_source", "segment_runs", ["source"])
    op.create_table(
        "orders",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("ordered_at", TIME, nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("first_load_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_orders_load_id"),
        sa.ForeignKeyConstraint(
            ["source", "customer_id"],
            ["customers.source", "customers.customer_id"],
            name="fk_orders_source_customer_id",
        ),
        sa.ForeignKeyConstraint(
            ["source", "product_id"], ["products.source", "products.product_id"], name="fk_orders_source_product_id"
        ),
        sa.PrimaryKeyConstraint("source", "order_id", name="pk_orders"),
    )
    op.create_index("ix_orders_source_customer_id", "orders", ["source", "customer_id"])
    op.create_table(
        "reviews",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("label", sa.SmallInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reviewed_at", TIME, nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("first_load_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("label IN (0, 1)", name="ck_reviews_label"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="ck_reviews_rating"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.load_id"], name="fk_reviews_load_id"),
        sa.ForeignKeyConstraint(
            ["source", "customer_id"],
            ["customers.source", "customers.customer_id"],
            name="fk_reviews_source_customer_id",
        ),
        sa.ForeignKeyConstraint(
            ["source", "product_id"], ["products.source", "products.product_id"], name="fk_reviews_source_product_id"
        ),
        sa.PrimaryKeyConstraint("source", "review_id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_source_customer_id", "reviews", ["source", "customer_id"])
    op.create_index("ix_reviews_source_reviewed_at", "reviews", ["source", "reviewed_at"])
    op.create_table(
        "segments",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("stability", sa.Double(), nullable=True),
        sa.Column("profile", JSON, nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.Column("quotes", JSON, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["segment_runs.run_id"], name="fk_segments_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "segment_id", name="pk_segments"),
    )
    op.create_table(
        "predictions",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=True),
        sa.Column("p_negative", sa.Double(), nullable=False),
        sa.Column("p_positive", sa.Double(), nullable=False),
        sa.Column("tokens_read", sa.Integer(), nullable=False),
        sa.Column("tokens_total", sa.Integer(), nullable=False),
        sa.CheckConstraint("label IN (0, 1)", name="ck_predictions_label"),
        sa.CheckConstraint("p_negative BETWEEN 0 AND 1", name="ck_predictions_p_negative"),
        sa.ForeignKeyConstraint(
            ["model_version"], ["models.version"], name="fk_predictions_model_version", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source", "review_id"],
            ["reviews.source", "reviews.review_id"],
            name="fk_predictions_source_review_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "review_id", "model_version", name="pk_predictions"),
    )
    op.create_table(
        "segment_members",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.Column("margin", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id", "segment_id"],
            ["segments.run_id", "segments.segment_id"],
            name="fk_segment_members_run_id_segment_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "member_id", name="pk_segment_members"),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


TABLES = [
    "segment_members",
    "predictions",
    "segments",
    "reviews",
    "orders",
    "segment_runs",
    "replaced_rows",
    "rejects",
    "products",
    "load_files",
    "load_counts",
    "customers",
    "report_runs",
    "models",
    "loads",
    "erasures",
]


def _need_postgis() -> None:
    "Switch PostGIS on where it is not; a role that may not is told by the server's own sentence."
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        there = sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")
        if not connection.execute(there).scalar():
            op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
