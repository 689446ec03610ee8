"""Faults of the store, counted. Writes docs/measured/faults_store.md; exit code 1 where a run went wrong."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write
from store_server import databases

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
import store_faults as faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="killed loaders on SQLite; half as many on PostgreSQL")
    parser.add_argument("--cuts", type=int, default=30, help="server processes terminated")
    parser.add_argument("--full", type=int, default=50, help="disks full")
    parser.add_argument("--doors", type=int, default=20, help="servers that are not there")
    parser.add_argument("--at-once", type=int, default=200, help="repeats of 2, 4 and 8 loaders")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    start, rows = time.perf_counter(), []

    def count(what: str, where: str, runs: int, work) -> None:
        wrong = work(runs)
        rows.append({"fault": what, "database": where, "runs": runs, "went wrong": len(wrong)})
        print(rows[-1], *wrong[:5], sep="\n  ", flush=True)

    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as makers:
        for name, make in makers.items():
            runs = args.kills if name == "SQLite" else args.kills // 2
            count(
                "loader SIGKILLed at a random moment",
                name,
                runs,
                lambda n, make=make: faults.kill_loader(make, n, args.seed),
            )
            for processes in (2, 4, 8):
                for same in (True, False):
                    what = f"{processes} loaders at once, {'the same' if same else 'different'} rows"
                    count(
                        what,
                        name,
                        args.at_once,
                        lambda n, make=make, p=processes, same=same: faults.load_at_once(make, n, p, same),
                    )
        if "PostgreSQL" in makers:
            count(
                "server process terminated while it loads",
                "PostgreSQL",
                args.cuts,
                lambda n: faults.cut_backend(makers["PostgreSQL"], n, args.seed),
            )
        count(
            "no space left (max_page_count)",
            "SQLite",
            args.full,
            lambda n: faults.fill_disk(makers["SQLite"], n, args.seed),
        )
        count("no server at start", "PostgreSQL", args.doors, faults.knock_at_closed_door)
    intro = (
        "A run is right when the database is whole (integrity check, foreign keys), holds all of the load or nothing of it, "
        "a repeat gives the exact counts of an undisturbed load, and the error is one `DatabaseError`."
    )
    write(
        "faults_store",
        "Faults of the database",
        intro,
        {"Runs": pd.DataFrame(rows)},
        args.seed,
        time.perf_counter() - start,
    )
    return int(any(r["went wrong"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
