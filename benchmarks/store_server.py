"""A PostgreSQL for the store's long checks: SCA_TEST_DATABASE_URL, or a throw-away cluster as the tests use."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "db"))


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, Callable[[], str]]]:
    "Functions that make an empty database: on SQLite, and on PostGIS where there is one."
    import conftest

    makers_by_name = {"SQLite": lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"}
    numbers = iter(range(1_000_000))
    server = conftest.pg_server.__wrapped__()
    try:
        url = next(server)
    except BaseException as e:  # pytest's skip is a BaseException
        print(f"PostgreSQL left out: {e}", file=sys.stderr)
        yield makers_by_name
        return
    makers = conftest.make_pg_database.__wrapped__(url)
    makers_by_name["PostgreSQL"] = next(makers)
    try:
        yield makers_by_name
    finally:
        for generator in (makers, server):
            next(generator, None)
