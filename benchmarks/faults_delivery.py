"""Kills while reports are made and sent. Writes docs/measured/faults_delivery.md; exit code 1 where one went wrong."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write
from store_server import databases

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
from delivery_faults import EXPECTED, killed_runs

N = sum(EXPECTED.values())
TEXT = (
    "A process that makes and sends reports is killed (SIGKILL) at a random moment; the next one goes on, until one "
    f"gets to the end. Each plan has {N} deliveries to a mail server on the same machine (plain SMTP). "
    "Right is: every run recorded once, every delivery recorded once and sent, every mail arrived, no mail under two "
    "Message-IDs, and a further run sends nothing. The kernel and the page of a notebook are stood in for, so "
    "that the kills fall on recording and sending; kills of the kernel are counted in `faults_reports.py`. "
    "Mails that came again were taken by the server before the kill (it waits 50 ms before it says so); they carry "
    "the same Message-ID."
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    begun, rows, all_wrong = time.time(), [], []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as makers:
        for backend, make_url in makers.items():
            start, here = time.time(), Path(folder) / backend
            hit, repeated, wrong = killed_runs(here, args.kills, args.seed, make_url)
            row = {"database": backend, "kills": hit.total()} | {f"while {n}": k for n, k in sorted(hit.items())}
            row |= {"went wrong": len(wrong), "mails that came again": repeated}
            row |= {"scratch files left": len([*here.rglob("*.part")]), "seconds": round(time.time() - start)}
            rows.append(row)
            all_wrong += wrong
    print("\n".join(all_wrong))
    title = "Kills while reports are made and sent"
    table = pd.DataFrame(rows).fillna(0).convert_dtypes()
    write("faults_delivery", title, TEXT, {"Kills": table}, args.seed, time.time() - begun)
    sys.exit(bool(all_wrong))
