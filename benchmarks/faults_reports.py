"""Faults of report runs, counted. Writes docs/measured/faults_reports.md; exit code 1 where something went wrong."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
import report_faults as faults

TEXT = (
    "A template with one good report is run again while a fault is injected. The run is right when the command or the "
    "call fails, the run table has one more run, `failed` with the reason, every published file is byte for byte what "
    "it was, the index still lists one report, and neither a scratch folder nor a kernel is left."
)


def main() -> None:
    "Inject each fault, write the table, and fail where something went wrong."
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each fault")
    args, begin, rows, failures = parser.parse_args(), time.perf_counter(), [], []
    for name, fault in faults.FAULTS.items():
        with tempfile.TemporaryDirectory() as home:
            settings, start = faults.plant(Path(home)), time.perf_counter()
            wrong = fault(settings, args.runs)
        seconds = round(time.perf_counter() - start)
        rows.append({"fault": name, "runs": args.runs, "went wrong": len(wrong), "seconds": seconds})
        failures += [f"{name}: {w}" for w in wrong]
        print(rows[-1], wrong, flush=True)
    table = pd.DataFrame(rows)
    write("faults_reports", "Faults of report runs", TEXT, {"Runs": table}, 1, round(time.perf_counter() - begin))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
