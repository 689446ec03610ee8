"""Fixtures for all tests: the repository, the real data sets, and databases that are thrown away.

A PostgreSQL server is taken from SCA_TEST_DATABASE_URL (databases named sca_test_* are made and dropped there, the
named one is never written to), or a cluster of our own is started in a temporary folder. What cannot be had is skipped
with one line; with SCA_CI_NO_SKIPS=1 it fails instead.
"""

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres import Cluster, missing, programs_folder

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo_root() -> Path:
    "Root of the repository."
    return REPO


@pytest.fixture(scope="session")
def real_data() -> Path:
    "Folder of the real data sets (SCA_REAL_DATA, else ../shared/data)."
    folder = Path(os.environ.get("SCA_REAL_DATA") or REPO.parent / "shared" / "data")
    if not folder.is_dir():
        missing(f"no real data: set SCA_REAL_DATA to their folder (looked in {folder})")
    return folder


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    "URL of a PostgreSQL server with PostGIS on which databases may be made."
    from sqlalchemy import create_engine, text

    env_url, cluster = os.environ.get("SCA_TEST_DATABASE_URL"), None
    if not env_url:
        programs = programs_folder()
        if programs is None:
            missing(
                "no PostgreSQL: apt-get install postgresql postgis postgresql-15-postgis-3, or set "
                "SCA_TEST_DATABASE_URL"
            )
        cluster = Cluster(programs)
    url = env_url or cluster.url
    try:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
        with engine.connect() as c:
            there = c.execute(text("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'")).scalar()
        engine.dispose()
        if not there:
            missing("no PostGIS for this PostgreSQL: apt-get install postgresql-15-postgis-3")
        yield url
    finally:
        if cluster:
            cluster.remove()


@pytest.fixture(scope="session")
def make_pg_database(pg_server: str) -> Iterator[Callable[[], str]]:
    "Function that makes a database with PostGIS and returns its URL; all are dropped at the end."
    from sqlalchemy import create_engine, make_url, text

    server = create_engine(pg_server.replace("postgresql://", "postgresql+psycopg2://"), isolation_level="AUTOCOMMIT")
    names = []

    def make() -> str:
        name = f"sca_test_{uuid.uuid4().hex[:12]}"
        with server.connect() as c:
            template = names[0] if names else "template1"
            c.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        names.append(name)
        if len(names) == 1:  # the first one is the template of the others
            one = create_engine(make_url(server.url).set(database=name), isolation_level="AUTOCOMMIT")
            with one.connect() as c:
                c.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
            one.dispose()
            return make()
        return make_url(server.url).set(database=name).render_as_string(hide_password=False)

    yield make
    with server.connect() as c:
        for name in names:
            c.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(scope="session")
def pg_url(make_pg_database: Callable[[], str]) -> str:
    "URL of one throw-away database with PostGIS, shared by the tests of a session."
    return make_pg_database()


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgis", marks=pytest.mark.db)])
def make_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    "Function that makes an empty database and returns its URL, once on SQLite and once on PostGIS."
    if request.param == "postgis":
        return request.getfixturevalue("make_pg_database")
    folder, numbers = tmp_path_factory.mktemp("sqlite"), itertools.count()
    return lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"


@pytest.fixture
def database_url(make_database: Callable[[], str]) -> str:
    "URL of an empty database, once on SQLite and once on PostGIS."
    return make_database()


@pytest.fixture
def engine(database_url: str) -> Iterator:
    "Engine of a migrated, empty database, once on SQLite and once on PostGIS."
    from smart_customer_analysis.store.engine import make_engine
    from smart_customer_analysis.store.migrate import migrate

    migrated = make_engine(database_url)
    migrate(migrated)
    yield migrated
    migrated.dispose()


# --- other fixtures below this line -----------------------------------------------------------------------------------
