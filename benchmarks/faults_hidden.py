"""Attack on hidden groups, counted. Writes docs/measured/hidden.md; exit code 1 where something was recovered.

The shop is planted: its small cells are known. --database attacks another one beside it, for example the sample
shop or Olist after `sca run`. --label names the code that is attacked; rows of other labels stay in
docs/measured/hidden.json."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import FOLDER, write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
import hidden_faults as faults

KEPT = FOLDER / "hidden.json"
TEXT = (
    "Random pairs of questions (region, segment, product, days, words, mark) by random doors: lists of reviews page by "
    "page (the CSV of the page holds the same rows), shares, overview, segments, map, customers. The attacker reads "
    "badges, lays lists side by side, subtracts shown groups from totals, and one answer from another that asks for a "
    "day or a word more. A cell is a region, a segment, or both together; it is hidden where fewer than 10 people are "
    "in it, and recovered where the cell of at least one of its people is known. What a review is about is not "
    "hidden: its text, day, stars and product. So a count for a period, a word or a product can be had from a list "
    "that may be read; the map is protected within one answer, not against two that differ by a day."
)


def main() -> None:
    "Attack, write the table, and fail where something was recovered."
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument(
        "--minutes", type=float, default=600, help="stop then; the table says how many pairs were asked"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--label", default="now")
    parser.add_argument("--database", help="SQLAlchemy URL of a filled database; default: the planted shop")
    options, start = parser.parse_args(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        home, url = Path(folder), options.database or f"sqlite:///{folder}/shop.db"
        if not options.database:
            faults.plant(url)
        with faults.served(url, home) as client:
            source, recovered = faults.attack(client, url, options.pairs, options.seed, options.minutes)
    row = {"shop": source, "code": options.label} | recovered
    row["seconds"] = round(time.perf_counter() - start)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else []
    kept = [r for r in kept if (r["shop"], r["code"]) != (source, options.label)] + [row]
    KEPT.write_text(json.dumps(sorted(kept, key=lambda r: (r["shop"], r["code"])), indent=1) + "\n")
    table = pd.DataFrame(sorted(kept, key=lambda r: (r["shop"], r["code"]))).set_index(["shop", "code"]).T
    table.columns = [f"{shop}, {code}" for shop, code in table.columns]
    table = table.reset_index(names="counted")
    write("hidden", "Hidden groups under attack", TEXT, {"What was recovered": table}, options.seed, row["seconds"])
    sys.exit(any(n for kind, n in recovered.items() if kind not in ("pairs", "hidden cells")))


if __name__ == "__main__":
    main()
