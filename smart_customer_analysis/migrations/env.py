"""Run the migrations on the connection that `store.migrate.migrate` hands over; there is no alembic.ini."""

from alembic import context

from smart_customer_analysis.store.migrate import VERSION_TABLE, our_objects
from smart_customer_analysis.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_object=our_objects(connection.dialect.name),
    compare_type=True,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,  # SQLite can, once the driver leaves transactions to us
)
with context.begin_transaction():
    context.run_migrations()
