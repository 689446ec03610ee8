"""Up, check, down, up on both backends; databases that are not ours are refused."""

import pytest
from shop import shop
from sqlalchemy import inspect, text

from smart_customer_analysis.data.language import language_code
from smart_customer_analysis.schema import DatabaseError
from smart_customer_analysis.store.engine import make_engine, writing
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import (
    VERSION_TABLE,
    capabilities,
    check_schema,
    downgrade,
    migrate,
    newest_revision,
    schema_changes,
)
from smart_customer_analysis.store.tables import Base, table_names


def ours(engine):
    return set(inspect(engine).get_table_names()) & {*table_names(), VERSION_TABLE}


def test_up_check_down_up(database_url):
    engine = make_engine(database_url)
    before = set(inspect(engine).get_table_names())
    for _ in range(2):
        assert migrate(engine) == newest_revision()
        assert ours(engine) == {*table_names(), VERSION_TABLE}
        assert schema_changes(engine) == []
        downgrade(engine)
        assert set(inspect(engine).get_table_names()) - {VERSION_TABLE} == before, (
            "system tables of the backend must survive"
        )


def test_an_older_database_keeps_its_rows(engine):
    reviews, *others = shop(n_customers=20, n_reviews=50)
    reviews.loc[:1, "text"] = ["The sound is great and it was cheap", "O produto chegou antes do prazo"]
    pairs = zip(reviews["title"], reviews["text"], strict=True)
    save_load(engine, "shop", reviews.assign(language=[language_code(*pair) for pair in pairs]), *others)
    sql = "SELECT * FROM reviews ORDER BY review_id"
    with engine.connect() as c:
        before = c.execute(text(sql)).all()
    downgrade(engine, "0001")
    with pytest.raises(DatabaseError, match="revision 0001; next: run: sca db upgrade"):
        check_schema(engine)
    migrate(engine)
    with engine.connect() as c:
        assert c.execute(text(sql)).all() == before and len(before) == 50
        assert c.execute(text("SELECT language FROM reviews ORDER BY review_id")).scalars().all()[:2] == ["en", "pt"]
    names = {i["name"] for i in inspect(engine).get_indexes("reviews")}
    assert names == {"ix_reviews_customer_id_source", "ix_reviews_reviewed_at_source"}
    assert schema_changes(engine) == []


def test_keys_are_sorted_by_bytes_whatever_the_language_of_the_server(engine):
    for source in ("b", "é", "A"):
        save_load(engine, source, *shop(n_customers=20, n_reviews=50))
    with engine.connect() as c:
        assert c.execute(text("SELECT source FROM loads ORDER BY source")).scalars().all() == ["A", "b", "é"]
    if engine.dialect.name == "sqlite":
        return  # it knows no languages
    held = text(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND collation_name IS DISTINCT FROM 'C' AND column_name IN ('source', 'key', 'customer_id', 'product_id', "
        "'review_id', 'order_id', 'member_id') AND table_name = ANY (:ours)"
    )
    with engine.connect() as c:
        assert c.execute(held, {"ours": list(table_names())}).scalars().all() == []


def test_migrate_twice_does_nothing(engine):
    assert migrate(engine) == newest_revision() == check_schema(engine)
    assert capabilities(engine)["ready"]


def test_one_spatial_index(engine):
    on_geom = [i["name"] for i in inspect(engine).get_indexes("customers") if i["column_names"] == ["geom"]]
    on_numbers = [i["name"] for i in inspect(engine).get_indexes("customers") if i["column_names"] == ["lat", "lon"]]
    expected = ([], ["ix_customers_lat_lon"]) if engine.dialect.name == "sqlite" else (["ix_customers_geom"], [])
    assert (on_geom, on_numbers) == expected


def test_migrations_and_classes_make_the_same_tables(database_url, tmp_path):
    engine = make_engine(database_url)
    with engine.begin() as c:
        Base.metadata.create_all(c)
    created = {t: {c["name"] for c in inspect(engine).get_columns(t)} for t in table_names()}
    assert schema_changes(engine) == []
    with engine.begin() as c:
        Base.metadata.drop_all(c)
    migrate(engine)
    assert {t: {c["name"] for c in inspect(engine).get_columns(t)} for t in table_names()} == created


def test_newer_schema_is_refused(engine):
    with writing(engine) as c:
        c.execute(text("UPDATE sca_version SET version_num = '9999'"))
    for refuse in (migrate, check_schema, downgrade):
        with pytest.raises(DatabaseError, match="revision 9999.*upgrade smart_customer_analysis"):
            refuse(engine)


def test_foreign_schema_is_refused_and_untouched(database_url):
    engine = make_engine(database_url)
    with writing(engine) as c:
        c.execute(text("CREATE TABLE customers (id INTEGER)"))
        c.execute(text("INSERT INTO customers VALUES (7)"))
    for refuse in (migrate, check_schema):
        with pytest.raises(DatabaseError, match="'customers' that this library did not make"):
            refuse(engine)
    with engine.connect() as c:
        assert c.execute(text("SELECT id FROM customers")).scalar() == 7


def test_other_tables_are_left_alone(database_url):
    engine = make_engine(database_url)
    with writing(engine) as c:
        c.execute(text("CREATE TABLE wages (id INTEGER)"))
    migrate(engine)
    assert schema_changes(engine) == []
    downgrade(engine)
    assert "wages" in inspect(engine).get_table_names()


def test_a_database_that_was_never_migrated_is_refused(database_url):
    with pytest.raises(DatabaseError, match="revision none; next: run: sca db upgrade"):
        check_schema(make_engine(database_url))


def test_failed_migration_leaves_nothing(database_url, monkeypatch):
    from alembic import command

    engine = make_engine(database_url)
    upgrade = command.upgrade

    def broken(config, target):
        upgrade(config, target)
        raise RuntimeError("power cut")

    monkeypatch.setattr(command, "upgrade", broken)
    with pytest.raises(RuntimeError):
        migrate(engine)
    assert ours(engine) == set()
