"""Reading speed beside a plain Python loop and pandas, and a million rows with planted faults. Writes docs/measured/load.md; --large writes load_large.md."""

import argparse
import cProfile
import os
import pstats
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.data.delimited import read_csv
from smart_customer_analysis.data.encoding import open_bytes, utf8_blocks
from smart_customer_analysis.data.fasttext import read_fasttext
from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.sample import make_shop

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
FAULTS = {
    "too_many_fields": "{i},c,5,T,one field,too many,\n",
    "too_few_fields": "{i},c,5\n",
    "unclosed_quote": '{i},c,5,"T,text\n',
    "stray_quote": '{i},c,5,"T" x,text\n',
    "blank_line": "\n",
    "rating_out_of_range": "{i},c,7,T,text\n",
    "bad_rating": "{i},c,five,T,text\n",
    "missing_id": ",c,5,T,text\n",
    "empty_text": "{i},c,5,,  \n",
    "nul_byte": "{i},c,5,T,te\0xt\n",
}


def loop(path: Path) -> int:
    "The plain way: a line at a time into lists, lists into a frame."
    labels, titles, texts = [], [], []
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            label, text = line.rstrip("\n").split(" ", 1)
            title, _, body = text.partition(": ")
            labels.append(label)
            titles.append(title)
            texts.append(body)
    return len(pd.DataFrame({"label": labels, "title": titles, "text": texts}))


def fasttext(path: Path) -> int:
    "Ours: label, title, text, line number, rejects."
    return sum(rows.read for rows in read_fasttext(utf8_blocks(open_bytes(path), "utf-8")))


def pandas_csv(path: Path) -> int:
    "pandas' C reader, all columns as text."
    return len(pd.read_csv(path, dtype=str, keep_default_na=False))


def our_csv(path: Path) -> int:
    "Ours: every field checked, line numbers, rejects."
    return sum(rows.read for rows in read_csv(utf8_blocks(open_bytes(path), "utf-8")))


def compare(peer, ours, path: Path, rounds: int) -> dict:
    "Both in turns; medians of the processor time, which other work on the machine disturbs least."
    times = {peer: [], ours: []}
    for _ in range(rounds):
        for f in (peer, ours):
            start = time.process_time()
            rows = f(path)
            times[f].append(time.process_time() - start)
    size = path.stat().st_size / 1e6
    peer_s, our_s = statistics.median(times[peer]), statistics.median(times[ours])
    return {
        "file": f"{size:.0f} MB, {rows:,} rows",
        "peer MB/s": round(size / peer_s),
        "ours MB/s": round(size / our_s),
        "ratio": round(peer_s / our_s, 2),
    }


def profile(path: Path) -> pd.DataFrame:
    "Where our fastText reader spends its time, by function."
    watch = cProfile.Profile()
    watch.runcall(fasttext, path)
    spent = {}
    for (_, _, name), (_, calls, own, _, _) in pstats.Stats(watch).stats.items():
        name = re.sub(r"^<(?:method|built-in method) (.*?)>$", r"\1", name).replace("'", "")
        n, s = spent.get(name, (0, 0.0))
        spent[name] = (n + calls, s + own)
    whole = sum(s for _, s in spent.values())
    top = sorted(spent.items(), key=lambda x: -x[1][1])[:8]
    return pd.DataFrame([{"function": k, "calls": n, "seconds": s, "share": f"{s / whole:.0%}"} for k, (n, s) in top])


def dirty(path: Path, rows: int, seed: int) -> dict[int, str]:
    "Write a CSV in which one row in a hundred is faulty; returns the rule by line."
    rng, planted, kinds = np.random.default_rng(seed), {}, list(FAULTS)
    bad = dict(
        zip(
            rng.choice(rows, rows // 100, replace=False).tolist(),
            rng.integers(0, len(kinds), rows // 100).tolist(),
            strict=True,
        )
    )
    with path.open("w", encoding="utf-8", newline="\n") as f:
        f.write("review_id,customer_id,rating,title,text\n")
        for i in range(rows):
            kind = bad.get(i)
            if kind is None:
                f.write(f'{i},c{i % 1000},{1 + i % 5},"Title, {i}","A text with ""quotes"", number {i}."\n')
            else:
                planted[i + 2] = kinds[kind]
                f.write(FAULTS[kinds[kind]].format(i=i))
    return planted


def check_dirty(path: Path, rows: int, seed: int) -> None:
    "Load the dirty file and compare; run in a process of its own, for its memory."
    planted = dirty(path, rows, seed)
    start = time.perf_counter()
    shop = load("csv", path)
    rules = dict(zip(shop.rejects["line"], shop.rejects["rule"], strict=True))
    right = sum(rules.get(line) == rule for line, rule in planted.items())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        rows,
        len(planted),
        right,
        len(rules) - right,
        rows - len(planted) - len(shop.reviews),
        round(time.perf_counter() - start),
        round(peak),
    )


def write_large(path: Path, rows: int, seed: int, length: int = 430) -> None:
    "Write fastText lines of the sample shop's sentences; titles and ends are numbered, so that no two are the same."
    reviews = make_shop(seed=seed).reviews
    reviews = reviews[reviews["label"].notna() & (reviews["text"].str.len() > 20)]
    texts = reviews["text"].str.replace("\n", " ").tolist()
    heads = [
        f"__label__{k + 1} {t}" for k, t in zip(reviews["label"], reviews["title"].str.replace(":", ""), strict=True)
    ]
    with path.open("w", encoding="utf-8", newline="\n") as f:
        for i in range(rows):
            at = i % len(texts)
            text = texts[at]
            while len(text) < length:
                at = (at * 31 + 17) % len(texts)
                text += " " + texts[at]
            f.write(f"{heads[i % len(texts)]} {i}: {text} Order {i}.\n")


def child(code: str, home: Path) -> tuple[float, int]:
    "Run a program in a process of its own; seconds and peak memory in MB."
    start = time.perf_counter()
    pid = subprocess.Popen([sys.executable, "-c", code], cwd=home, env=os.environ | {"OMP_NUM_THREADS": "1"}).pid
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"exit status {status} of {code}")
    return time.perf_counter() - start, used.ru_maxrss // 1024


def large(rows: int, seed: int) -> None:
    "Load a file larger than memory should hold, through the command line, and read back what training needs."
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        home, file = Path(folder), Path(folder) / "large.ft.txt"
        (home / "settings.ini").write_text("[sca]\n")
        write_large(file, rows, seed)
        size = file.stat().st_size / 1e6
        load_s, load_mb = child(
            f"from smart_customer_analysis.cli import main; main(['load', {file.name!r}, '--source', 'fasttext'])", home
        )
        read = "from smart_customer_analysis.store import engine, query; e = engine.make_engine('sqlite:///data/processed/customers.db')\n"
        read += f"assert query.count_reviews(e) == {rows}\nassert len(query.stored_frames(e, most=200_000, seed=42)['reviews']) == {min(rows, 200_000)}"
        read_s, read_mb = child(read, home)
        database = sum(f.stat().st_size for f in (home / "data" / "processed").glob("customers.db*")) / 1e6
    steps = [
        {"what": "sca load: read, clean, store", "seconds": round(load_s), "rows per second": f"{rows / load_s:,.0f}"},
        {"what": "count, and a seeded sample of 200,000 for training", "seconds": round(read_s), "rows per second": ""},
    ]
    table = pd.DataFrame(steps).assign(**{"peak MB": [load_mb, read_mb]})
    intro = f"{rows:,} fastText lines, {size:,.0f} MB, into SQLite ({database:,.0f} MB), each step in a process of its own. Asked for: under 2,000 MB."
    write("load_large", "A file larger than memory", intro, {"Runs": table}, seed, time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the dirty file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--large", type=int, default=0, help="load a file of so many lines instead, 3600000 for 1.6 GB")
    parser.add_argument("--dirty", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.large:
        large(args.large, args.seed)
        return
    if args.dirty:
        check_dirty(args.dirty, args.rows, args.seed)
        return
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        ft, table = Path(folder) / "big.ft.txt", Path(folder) / "big.csv"
        lines = [
            x
            for x in (SAMPLE / "train.ft.txt").read_bytes().splitlines(True)
            if x.startswith((b"__label__1 ", b"__label__2 ")) and b": " in x
        ]
        ft.write_bytes(b"".join(lines) * 150)
        rows = (SAMPLE / "reviews.csv").read_bytes()
        head = rows.index(b"\n") + 1
        table.write_bytes(rows[:head] + rows[head:] * 120)
        long = Path(folder) / "long.ft.txt"
        write_large(long, 80_000, args.seed)
        speed = [
            {"reader": "fastText, lines of the sample", "peer": "Python loop into pandas"}
            | compare(loop, fasttext, ft, args.rounds),
            {"reader": "fastText, lines as long as Amazon's", "peer": "Python loop into pandas"}
            | compare(loop, fasttext, long, args.rounds),
            {"reader": "CSV", "peer": "pandas, C reader"} | compare(pandas_csv, our_csv, table, args.rounds),
        ]
        where = profile(long)
        command = [
            sys.executable,
            __file__,
            "--dirty",
            str(Path(folder) / "dirty_reviews.csv"),
            "--rows",
            str(args.rows),
            "--seed",
            str(args.seed),
        ]
        counts = subprocess.run(
            command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        ).stdout.split()
    names = [
        "rows",
        "faults planted",
        "found with line and rule",
        "other rejects",
        "good rows lost",
        "seconds",
        "peak MB",
    ]
    faults = pd.DataFrame([dict(zip(names, map(int, counts), strict=True))])
    intro = (
        "Parsing with its accounting (every line a row or a reject, line numbers, strict quotes and encoding) beside a peer without any. "
        "Processor time, medians of turns in one run; a ratio above 1 is faster than the peer. "
        "Asked for: fastText at 4, or the profile; CSV at 0.5. A Python loop pays by the line, ours by the byte: on long lines the time goes "
        "into passes over all bytes (cut at line ends, find line ends, colons, labels and NULs, check UTF-8, copy the texts out), and each pass alone runs at memory speed. "
        f"The dirty file has one faulty row in a hundred, of {len(FAULTS)} kinds, and is loaded to typed, conformed frames in memory."
    )
    write(
        "load",
        "Reading files",
        intro,
        {"Speed": pd.DataFrame(speed), "fastText, long lines: where the time goes": where, "A dirty file": faults},
        args.seed,
        time.perf_counter() - start,
    )


if __name__ == "__main__":
    main()
