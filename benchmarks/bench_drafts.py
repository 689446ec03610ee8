"""Forty made-up exports: how many are drafted right without an edit, which are asked about, which are wrong.

Writes docs/measured/drafts.md."""

import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import exports

from smart_customer_analysis.data.load import load
from smart_customer_analysis.steps.source import draft_of

started = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    rows = []
    for export in exports.write_exports(Path(folder)):
        drafted = draft_of([export.path])
        if drafted.open:
            outcome = f"asked: {drafted.open[0].key}"
        else:
            shop = load(drafted.source(), [export.path])
            outcome = "; ".join(exports.faults(export, shop.reviews, shop.orders)) or "right"
        country, language, delimiter, encoding, scale = export.words.split(" | ")
        rows.append((export.name, export.shape, country, language, delimiter, encoding, scale, outcome))
right = sum(row[-1] == "right" for row in rows)
n_asked = sum(row[-1].startswith("asked") for row in rows)
summary = [(len(rows), right, n_asked, len(rows) - right - n_asked)]
about = (
    "Each export has 60 rows written as in one of eight countries; the loaded texts, stars, dates, customers, amounts "
    "and currencies are compared with what was written. Two can be read in two ways: 07 has no day over 12, 36 has "
    "grades from 3 to 8 on a scale of ten."
)
outcomes = pd.DataFrame(summary, columns=["exports", "right without an edit", "asked", "wrong without a word"])
names = ["export", "rows", "country", "header", "delimiter", "encoding", "ratings", "outcome"]
tables = {"Outcome": outcomes, "Each export": pd.DataFrame(rows, columns=names)}
write("drafts", "Drafts of descriptions", about, tables, 0, time.perf_counter() - started)
