"""Break loads on purpose and look at what is left. Each function returns how many runs failed, with their stories."""

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event, text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "db"))
from shop import shop

from smart_customer_analysis.schema import DatabaseError
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.loads import save_load, undo_load
from smart_customer_analysis.store.migrate import migrate, revision

TABLES = ("loads", "customers", "products", "reviews", "orders", "replaced_rows", "rejects")
KEYS = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT (SELECT count(*) FROM pg_constraint) + (SELECT count(*) FROM pg_indexes WHERE schemaname = "
    "'public')",
}
fork = multiprocessing.get_context("fork")


def counts(url: str) -> dict[str, int]:
    "Rows by table, and keys and indexes, after a check that the file is whole."
    engine = make_engine(url)
    with engine.connect() as c:
        if engine.dialect.name == "sqlite":
            assert c.execute(text("PRAGMA integrity_check")).scalar() == "ok", "corrupt file"
            assert c.execute(text("PRAGMA foreign_key_check")).first() is None, "dangling reference"
        rows = {t: c.execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in TABLES}  # noqa: S608
        rows["keys and indexes"] = c.execute(text(KEYS[engine.dialect.name])).scalar()
    engine.dispose()
    return rows


def ready(url: str) -> bool:
    "Has the database its tables?"
    engine = make_engine(url)
    try:
        return revision(engine) is not None
    finally:
        engine.dispose()


def halves(n: int) -> tuple:
    "A first night's frames, and a second night's: new rows, changed rows, old rows."
    reviews, customers, orders = shop(n // 4, n)
    half = n // 2
    changed = reviews.copy()
    changed.loc[: n // 10, "text"] = "changed"
    return (reviews[:half], customers, orders[: n // 8]), (changed, customers, orders)


def _load(url: str, frames: tuple, source: str = "shop", results: object = None) -> None:
    "Load in a process of its own."
    try:
        engine = make_engine(url)
        receipt = save_load(engine, source, *frames)
        engine.dispose()
        if results is not None:
            results.put(("ok", sum(receipt.inserted.values())))
    except Exception as e:
        if results is not None:
            results.put(("error", f"{type(e).__name__}: {e}"))
        else:
            raise


def prepared(url: str, frames: tuple) -> None:
    "Migrate a database and load the first night."
    engine = make_engine(url)
    migrate(engine)
    save_load(engine, "shop", *frames)
    engine.dispose()


def kill_loader(make: Callable[[], str], runs: int, seed: int = 1, n: int = 12_000) -> list[str]:
    "SIGKILL a loader at a random moment: the database is as before or as after, and a repeat gives the same counts."
    url, wrong, rng = make(), [], random.Random(seed)
    first, second = halves(n)
    prepared(url, first)
    before, start = counts(url), time.perf_counter()
    _load(url, second)
    took, after = time.perf_counter() - start, counts(url)
    killed = 0
    for run in range(runs):
        _take_back(url)
        child = fork.Process(target=_load, args=(url, second))
        child.start()
        time.sleep(rng.uniform(0, took))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        killed += child.exitcode == -signal.SIGKILL
        left = _settled(url)
        if left not in (before, after):
            wrong.append(f"run {run}: neither before nor after: {left}")
        _load(url, second)
        if counts(url) != after:
            wrong.append(f"run {run}: repeat gives {counts(url)}, expected {after}")
    if runs and killed < runs / 4:
        wrong.append(f"only {killed} of {runs} loaders were killed before their end")
    return wrong


def _settled(url: str) -> dict[str, int]:
    "Counts, once the server has noticed that its client is gone."
    engine = make_engine(url)
    if engine.dialect.name == "postgresql":
        busy = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND state <> 'idle'"
        )
        for _ in range(600):
            with engine.connect() as c:
                if not c.execute(busy).scalar():
                    break
            time.sleep(0.05)
    engine.dispose()
    return counts(url)


def _take_back(url: str) -> None:
    "Undo every load but the first."
    engine = make_engine(url)
    with engine.connect() as c:
        later = c.execute(text("SELECT load_id FROM loads WHERE load_id > 1 ORDER BY load_id DESC")).scalars().all()
    for load_id in later:
        undo_load(engine, load_id)
    engine.dispose()


def load_at_once(make: Callable[[], str], runs: int, processes: int, same: bool, n: int = 800) -> list[str]:
    "Several loaders at the same time, of the same rows or of different ones: exact counts, nobody sees an error."
    wrong = []
    reviews, customers, orders = shop(n // 4, n)
    parts = [
        (reviews, customers, orders) if same else (reviews[i::processes], customers, orders[i::processes])
        for i in range(processes)
    ]
    for run in range(runs):
        url = make()
        engine = make_engine(url)
        migrate(engine)
        engine.dispose()
        queue = fork.Queue()
        children = [fork.Process(target=_load, args=(url, part, "shop", queue)) for part in parts]
        for child in children:
            child.start()
        results = [queue.get(timeout=120) for _ in children]
        for child in children:
            child.join()
        errors = [message for kind, message in results if kind == "error"]
        left = counts(url)
        expected = {"customers": len(customers), "reviews": n, "orders": len(orders), "replaced_rows": 0}
        if errors or any(left[k] != v for k, v in expected.items()) or left["loads"] != (1 if same else processes):
            wrong.append(f"run {run}: {errors} {left}")
    return wrong


def cut_backend(make: Callable[[], str], runs: int, seed: int = 1, n: int = 12_000) -> list[str]:
    "Terminate a loader's server process while it works: one DatabaseError, nothing of the load left, a repeat works."
    url, wrong, rng = make(), [], random.Random(seed)
    first, second = halves(n)
    prepared(url, first)
    before, cuts = counts(url), 0
    for run in range(runs):
        engine, watcher, outcome = make_engine(url), make_engine(url), []

        def work(engine=engine, outcome=outcome):
            try:
                save_load(engine, "shop", *second)
                outcome.append(None)
            except BaseException as e:
                outcome.append(e)

        loader = threading.Thread(target=work)
        loader.start()
        sought = rng.choice(["COPY%", "INSERT%", "%"])
        cut = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND "
            "pid <> pg_backend_pid() AND state = 'active' AND query LIKE :q"
        )
        with watcher.connect() as c:
            while loader.is_alive() and not c.execute(cut, {"q": sought}).scalar():
                c.rollback()
        loader.join()
        cuts += outcome[0] is not None
        if outcome[0] is not None and not isinstance(outcome[0], DatabaseError):
            wrong.append(f"run {run}: {type(outcome[0]).__name__}: {outcome[0]}")
        if outcome[0] is not None and _settled(url) != before:
            wrong.append(f"run {run}: {counts(url)} left, expected {before}")
        save_load(engine, "shop", *second)
        _take_back(url)
        engine.dispose()
        watcher.dispose()
    if cuts < runs / 2:
        wrong.append(f"only {cuts} of {runs} loaders were cut before their end")
    return wrong


def fill_disk(make: Callable[[], str], runs: int, seed: int = 1, n: int = 4_000) -> list[str]:
    "Let SQLite run out of space in the middle of a load (max_page_count): one DatabaseError, nothing of the load left."
    url, wrong, rng = make(), [], random.Random(seed)
    first, second = halves(n)
    prepared(url, first)
    before = counts(url)
    for run in range(runs):
        engine = make_engine(url, check=False)
        room = rng.randint(1, 40)

        @event.listens_for(engine, "connect")
        def limit(raw, record, room=room):
            raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0] + room}")

        try:
            save_load(engine, "shop", *second)
            wrong.append(f"run {run}: {room} pages were enough")
            _take_back(url)
        except DatabaseError as e:
            if "space on the disk" not in str(e):
                wrong.append(f"run {run}: {e}")
        engine.dispose()
        if counts(url) != before:
            wrong.append(f"run {run}: {counts(url)} left, expected {before}")
            _take_back(url)
    return wrong


def connect_without_server(runs: int) -> list[str]:
    "A server that is not there is reported in at most 10 s."
    wrong = []
    for run in range(runs):
        start = time.perf_counter()
        try:
            make_engine("postgresql://nobody:secret@127.0.0.1:9/shop")
            wrong.append(f"run {run}: connected")
        except DatabaseError as e:
            if time.perf_counter() - start > 10 or "secret" in str(e) or "\n" in str(e):
                wrong.append(f"run {run}: {e}")
    return wrong
