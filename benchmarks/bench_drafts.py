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

# Tried by hand on 30 November 2026 against the kinds of input that had failed before; what was mended became a test.
VARIANTS = """
old encodings | 35 | 3 | 0 | a Polish letter read as Ukrainian | UTF-7 read as ASCII; ISO 8859-16 as cp1250 (ţ, ț)
old encodings, short files drawn | 784 | 1 | 0 |  | two signs of Chinese alone (6 files, 4 valid UTF-8)
numbers, ids, joins | 18 | 2 | 0 | 17850,0 beside 17850 |
dates | 53 | 0 | 0 | months of twelve more languages, 1er, 13th, 2026年1月13日, +0100 | zone names, no year; asked
archives, JSON | 43 | 1 | 5 | JSON lines in UTF-16; damaged archives; broken files alone in a folder | xz, zstd; refused
tables of text | 45 | 2 | 0 | XML read as reviews; repeated header without use; table without rows | Markdown tables
ratings, currencies, repeats | 61 | 0 | 0 |  |
Parquet, SQL, URLs | 40 | 0 | 1 | a Parquet file cut off |
markup, signs, long texts | 86 | 0 | 0 |  |
personal data | 79 | 1 | 0 | phones of Russia and China, addresses in other scripts | IBAN, tax numbers, local forms
countries | 230 | 1 | 0 | Congo, Democratic Republic; eight names |
places | 308 | 4 | 0 | Milano (MI), Neustadt, Valence, Parma |
"""

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
variants = [[cell.strip() for cell in line.split("|")] for line in VARIANTS.strip().splitlines()]
tried = ["kind", "variants", "kinds wrong without a word", "tracebacks", "mended", "left"]
tables = {
    "Outcome": outcomes,
    "Each export": pd.DataFrame(rows, columns=names),
    "Variants tried by hand, 30 November 2026": pd.DataFrame(variants, columns=tried),
}
write("drafts", "Drafts of descriptions", about, tables, 0, time.perf_counter() - started)
