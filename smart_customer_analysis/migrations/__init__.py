"""Alembic migrations, run by `smart_customer_analysis.store.migrate.migrate`."""
