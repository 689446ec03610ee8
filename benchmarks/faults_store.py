"""Faults of the store, counted. Writes docs/measured/faults_store.md; exit code 1 where a run went wrong.

The full counts take about an hour. --only runs a part and adds its rows to docs/measured/faults_store.json, whose rows
must come from the same code: the table names the commits of the store and says how long each part took."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pandas as pd
from sim_table import FOLDER, write
from sqlalchemy import text
from store_server import databases

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
import store_faults as faults

from smart_customer_analysis.store.engine import make_engine, writing
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.tables import table_names

PIECE = 10  # runs of several loaders between two looks at the clock
KEPT = FOLDER / "faults_store.json"
STORE = ["tables.py", "spatial.py", "engine.py", "bulk.py", "staging.py", "loads.py"]


def code() -> str:
    "Short hash of the store's code as it lies here, committed or not."
    root = FOLDER.parents[1]
    files = subprocess.run(
        [
            "git",
            "ls-files",
            *(f"smart_customer_analysis/store/{name}" for name in STORE),
            "smart_customer_analysis/migrations",
            "tests/faults/store_faults.py",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    hashes = subprocess.run(["git", "hash-object", *files], cwd=root, capture_output=True, check=True).stdout
    return subprocess.run(
        ["git", "hash-object", "--stdin"], input=hashes, capture_output=True, check=True
    ).stdout.decode()[:8]


def kept() -> dict[str, dict]:
    "Rows of the parts that were run before."
    return {r["part"]: {"wanted": r["runs"]} | r for r in json.loads(KEPT.read_text())} if KEPT.exists() else {}


def again(make: Callable[[], str], folder: Path) -> Callable[[], str]:
    "A function that gives an empty, migrated database each time: a fresh file, or one database of the server, emptied."
    first = make()
    engine = make_engine(first)
    migrate(engine)
    engine.dispose()
    numbers = count()

    def fresh() -> str:
        if first.startswith("sqlite"):
            file = folder / f"again_{next(numbers)}.db"
            shutil.copy(first.removeprefix("sqlite:///"), file)
            return f"sqlite:///{file}"
        server = make_engine(first)
        with writing(server) as c:
            c.execute(text(f"TRUNCATE {', '.join(table_names())} RESTART IDENTITY CASCADE"))
        server.dispose()
        return first

    return fresh


def jobs(
    args: argparse.Namespace, makers: dict[str, Callable[[], str]], folder: Path
) -> list[tuple[str, str, str, int, Callable]]:
    "Every kind of run: part, fault, database, runs, what to do."
    parts = []
    for name, make in makers.items():
        fresh = again(make, folder)
        short = "sqlite" if name == "SQLite" else "pg"
        kills = args.kills if name == "SQLite" else args.kills // 2
        parts.append(
            (
                f"{short}-kill",
                "loader SIGKILLed at a random moment",
                name,
                kills,
                lambda n, m=make: faults.kill_loader(m, n, args.seed),
            )
        )
        for processes in (2, 4, 8):
            for same in (True, False):
                what = f"{processes} loaders at once, {'the same' if same else 'different'} rows"
                part = f"{short}-{processes}-{'same' if same else 'different'}"
                parts.append(
                    (
                        part,
                        what,
                        name,
                        args.at_once,
                        lambda n, m=fresh, p=processes, s=same: faults.load_at_once(m, n, p, s),
                    )
                )
    if "PostgreSQL" in makers:
        parts.append(
            (
                "pg-cut",
                "server process terminated while it loads",
                "PostgreSQL",
                args.cuts,
                lambda n: faults.cut_backend(makers["PostgreSQL"], n, args.seed),
            )
        )
    parts.append(
        (
            "sqlite-full",
            "no space left (max_page_count)",
            "SQLite",
            args.full,
            lambda n: faults.fill_disk(makers["SQLite"], n, args.seed),
        )
    )
    parts.append(("pg-doors", "no server at start", "PostgreSQL", args.doors, faults.connect_without_server))
    return parts


def run_part(job: tuple[str, str, str, int, Callable], before: dict | None, args: argparse.Namespace, now: str) -> dict:
    "Run a part, or what is left of it, in pieces, for at most --minutes; the row of the table."
    part, what, where, wanted, work = job
    row = {
        "part": part,
        "fault": what,
        "database": where,
        "wanted": wanted,
        "runs": 0,
        "went wrong": 0,
        "seconds": 0,
        "code": now,
    }
    if before and before["code"] == now and before["runs"] < wanted:
        row |= {k: before[k] for k in ("runs", "went wrong", "seconds")}
    start, spent = time.perf_counter(), row["seconds"]
    piece = PIECE if args.minutes and "at once" in what else wanted
    while row["runs"] < wanted and not (args.minutes and time.perf_counter() - start > 60 * args.minutes):
        n = min(piece, wanted - row["runs"])
        wrong = work(n)
        row |= {
            "runs": row["runs"] + n,
            "went wrong": row["went wrong"] + len(wrong),
            "seconds": round(spent + time.perf_counter() - start),
        }
        print(*wrong[:5], sep="\n  ", flush=True)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="killed loaders on SQLite; half as many on PostgreSQL")
    parser.add_argument("--cuts", type=int, default=30, help="server processes terminated")
    parser.add_argument("--full", type=int, default=50, help="disks full")
    parser.add_argument("--doors", type=int, default=20, help="servers that are not there")
    parser.add_argument("--at-once", type=int, default=200, help="repeats of 2, 4 and 8 loaders")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument(
        "--only",
        nargs="+",
        help="parts, for example sqlite-kill pg-8-same; their rows are added to those of earlier parts",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=0,
        help="stop a part of several loaders after so long; called again, it goes on",
    )
    args = parser.parse_args()
    start, now = time.perf_counter(), code()
    rows = kept() if args.only else {}
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as makers:
        known = jobs(args, makers, Path(folder))
        unknown = set(args.only or ()) - {part for part, *_ in known}
        if unknown:
            parser.error(f"no such part: {', '.join(sorted(unknown))}; known: {', '.join(part for part, *_ in known)}")
        for part, what, where, runs, work in known:
            if args.only and part not in args.only:
                continue
            rows[part] = run_part((part, what, where, runs, work), rows.get(part), args, now)
            print(rows[part], flush=True)
            if args.only:  # another part may have ended meanwhile
                rows = kept() | {part: rows[part]}
                KEPT.write_text(json.dumps(list(rows.values()), indent=1) + "\n")
        order = [part for part, *_ in known]
    columns = ["part", "fault", "database", "wanted", "runs", "went wrong", "seconds", "code"]
    table = pd.DataFrame(
        sorted(rows.values(), key=lambda r: order.index(r["part"]) if r["part"] in order else 99), columns=columns
    )
    intro = (
        "A run is right when the database is whole (integrity check, foreign keys), holds all of the load or nothing "
        "of it, "
        "a repeat gives the exact counts of an undisturbed load, and the error is one `DatabaseError`. "
        "`code` is a hash of the store's files as they were: parts may be run one at a time (`--only`), and in "
        "pieces (`--minutes`): fewer runs than wanted are those that were really run."
    )
    seconds = sum(r["seconds"] for r in rows.values()) if args.only else time.perf_counter() - start
    if args.only:
        sys.argv[1:] = ["--only", "PART"]
    write("faults_store", "Faults of the database", intro, {"Runs": table}, args.seed, seconds)
    return int(any(r["went wrong"] for r in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
