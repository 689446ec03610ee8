"""Kills of the whole daily close. Writes docs/measured/faults_close.md; exit code 1 where one went wrong."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write
from store_server import databases

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
from close_faults import EACH, FIRST, killed_closes

TEXT = (
    f"Every day a file of {EACH} reviews comes to a shop of {FIRST}, and `sca close` loads, segments, tests, makes "
    "a report and sends it to two people. The process is killed (SIGKILL) at a random moment; the next one goes "
    "on, until one gets to the end of the day. Right is: every review, customer and text stored once and none "
    "missing, one run and one delivery per day and recipient, every mail arrived, no mail under two Message-IDs, "
    "a stopped close told at most once a day and only to who asked for failures, no change told twice, and a "
    "further close sends nothing. There is no model; the kernel and the page of the report are stood in for "
    "(kills of a kernel: faults_reports.md). Mails that came again were taken by the server before the kill (it "
    "waits 50 ms before it says so); they carry the same Message-ID."
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--postgres-kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    begun, rows, all_wrong = time.time(), [], []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as makers:
        for backend, kills in {"SQLite": args.kills, "PostgreSQL": args.postgres_kills}.items():
            if backend not in makers or not kills:
                continue
            start = time.time()
            hit, days, again, wrong = killed_closes(Path(folder) / backend, kills, args.seed, makers[backend]())
            all_wrong += wrong
            row = {"database": backend, "kills": hit.total(), "days closed": days}
            row |= {f"while {n}": hit[n] for n in sorted(hit)} | {
                "went wrong": len(wrong),
                "mails that came again": again,
            }
            rows.append(row | {"seconds": round(time.time() - start)})
    print("\n".join(all_wrong))
    table = pd.DataFrame(rows).fillna(0).convert_dtypes()
    write("faults_close", "Kills of the daily close", TEXT, {"Kills": table}, args.seed, time.time() - begun)
    sys.exit(bool(all_wrong))
