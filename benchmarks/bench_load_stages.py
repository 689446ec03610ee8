"""Where the time of `sca load` goes, stage by stage. Writes docs/measured/load_stages.md."""

import argparse
import hashlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from bench_load import write_large
from sim_table import write

DATA = Path(os.environ.get("SCA_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
STAGES = {  # the outermost functions of each stage; what they call is theirs, unless it is a stage of its own
    "read lines": ["data.files.read_with_progress", "data.files.rebatch"],
    "rows to typed frames": ["data.load.type_batch"],
    "texts that need cleaning": ["data.clean.unclean"],
    "cleaning": ["data.clean._cleaned"],
    "languages": ["data.clean.language_codes", "data.clean.language_code"],
    "new columns, second check": ["data.clean.clean_texts"],
    "repeated texts": ["data.clean.SeenTexts.repeated"],
    "near duplicates": ["data.clean._count_near", "data.clean.StepCounts.near"],
    "customers and places": ["data.geocode.place_customers", "steps.load._stored_beside", "steps.load._with_earlier"],
    "rows to Arrow, held back": ["store.loads.LoadBuffer.add"],
    "write to SQLite": ["store.loads.LoadBuffer.save"],
}


def write_amazon(path: Path, rows: int, seed: int) -> str:
    "Write real Amazon lines, again and again, every second word another; returns what they are."
    file = DATA / "amazon_polarity" / "train.ft.txt"
    if not file.is_file():
        write_large(path, rows, seed)
        return "sentences of the sample shop"
    lines = [line.split(" ") for line in file.read_text(encoding="utf-8").splitlines()]
    pool, rng = [word for line in lines for word in line[1:]], np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for i in range(rows):
            words = lines[i % len(lines)].copy()
            n = 1 + len(words) // 2
            for at, new in zip(rng.integers(2, len(words), n), rng.integers(0, len(pool), n), strict=True):
                words[at] = pool[new]
            out.write(" ".join(words) + "\n")
    return "Amazon reviews, repeated with every second word another"


class Clock:
    "Processor time of stages, each without the stages inside it."

    def __init__(self):
        self.spent, self.calls, self.open = Counter(), Counter(), []

    def enter(self, stage: str) -> None:
        self.open.append([stage, time.process_time(), 0.0])

    def leave(self) -> None:
        stage, began, inside = self.open.pop()
        whole = time.process_time() - began
        self.spent[stage] += whole - inside
        self.calls[stage] += 1
        if self.open:
            self.open[-1][2] += whole

    def watch(self, stage: str, name: str) -> None:
        "Put a clock around a function or a method."
        parts = name.split(".")
        at = next((k for k, part in enumerate(parts) if part[0].isupper()), len(parts) - 1)
        owner = import_module("smart_customer_analysis." + ".".join(parts[:at]))
        for part in parts[at:-1]:
            owner = getattr(owner, part)
        inner = getattr(owner, parts[-1], None)
        if inner is None:
            return

        def timed(*args, **options):
            self.enter(stage)
            try:
                return inner(*args, **options)
            finally:
                self.leave()

        for module in [owner, *list(sys.modules.values())]:
            if getattr(module, parts[-1], None) is inner and "smart_customer" in str(getattr(module, "__name__", "")):
                setattr(module, parts[-1], timed)
        setattr(owner, parts[-1], timed)


def stored_hash(database: Path) -> str:
    "Hash everything that was stored but moments of loading."
    h = hashlib.sha256()
    with sqlite3.connect(database) as c:
        c.text_factory = bytes
        for table, key in (("reviews", "review_id"), ("customers", "customer_id"), ("rejects", "reject_id")):
            for row in c.execute(f"SELECT * FROM {table} ORDER BY {key}"):  # noqa: S608  (our own names)
                h.update(repr(row).encode())
    return h.hexdigest()[:16]


def load_file(file: str, cores: int, by_stage: bool) -> None:
    "Load a file as `sca load` does, on so many cores; prints what it took as JSON."
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:cores])
    from smart_customer_analysis.config import load_settings
    from smart_customer_analysis.steps.load import load_only

    clock = Clock()
    for stage, names in STAGES.items() if by_stage else ():
        for name in names:
            clock.watch(stage, name)
    settings = load_settings()
    began, busy = time.perf_counter(), time.process_time()
    clock.enter("all else")
    result = load_only(settings, "fasttext", (file,))
    clock.leave()
    seconds, own = time.perf_counter() - began, time.process_time() - busy
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "own": own,
                "others": children.ru_utime + children.ru_stime,
                "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "stages": clock.spent,
                "hash": stored_hash(Path("data/processed/customers.db")),
                "rules": hashlib.sha256(json.dumps(result["rules"]).encode()).hexdigest()[:16],
            }
        )
    )


def in_a_child(file: Path, cores: int, by_stage: bool, code: str = "") -> dict:
    "Load in a process and a home of its own, with the code of another folder where one is named."
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "settings.ini").write_text("[sca]\n")
        command = [sys.executable, str(Path(__file__).resolve()), "--load", str(file), "--cores", str(cores)]
        command += ["--stages"] * by_stage
        environment = os.environ | {"OMP_NUM_THREADS": "1"} | ({"PYTHONPATH": code} if code else {})
        out = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
        if out.returncode:
            raise SystemExit(out.stderr)
        return json.loads(out.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--beside", type=Path, help="folder with earlier code, to measure beside this")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--stages", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.load:
        load_file(args.load, args.cores, args.stages)
        return
    began, n_cores = time.perf_counter(), len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.ft.txt"
        texts = write_amazon(file, args.rows, args.seed)
        size = file.stat().st_size / 1e6
        now = [in_a_child(file, 1, True), in_a_child(file, n_cores, False)]
        code = str(args.beside.resolve()) if args.beside else ""
        before = [in_a_child(file, 1, True, code), in_a_child(file, n_cores, False, code)] if code else []
    stored = {(run["hash"], run["rules"]) for run in now + before}
    assert len(stored) == 1, f"other rows: {stored}"
    stages = pd.DataFrame({"seconds": now[0]["stages"]} | ({"before": before[0]["stages"]} if before else {})).fillna(0)
    stages = stages.sort_values("seconds", ascending=False).round(1)
    stages["µs a row"] = (stages["seconds"] / args.rows * 1e6).round(1)
    runs = [
        {
            "code": code,
            "cores": cores,
            "processor s, own": round(run["own"], 1),
            "processor s, workers": round(run["others"], 1),
            "seconds": round(run["seconds"], 1),
            "peak MB": run["peak MB"],
        }
        for code, pair in (("now", now), ("before", before))
        for cores, run in zip((1, n_cores), pair, strict=False)
    ]
    intro = (
        f"{args.rows:,} fastText lines, {size:,.0f} MB, {texts}, into an empty SQLite database. Stages are seconds of "
        "the processor, each without the stages inside it, in one process on one core. What is stored is hashed: all "
        f"runs stored the same (`{now[0]['hash']}`, account of cleaning `{now[0]['rules']}`). `seconds` are those of "
        "a clock on a machine with other work; on a quiet one a load takes about as long as its own process works: "
        f"{args.rows / now[1]['own']:,.0f} rows a second on {n_cores} cores. Asked for: 30,000."
    )
    tables = {"Stages": stages.reset_index(names="stage"), "Runs": pd.DataFrame(runs)}
    write("load_stages", "Where the time of loading goes", intro, tables, args.seed, time.perf_counter() - began)


if __name__ == "__main__":
    main()
