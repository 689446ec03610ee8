"""200 scripted questions and 10,000 random calls to the server for assistants. Writes docs/measured/mcp.md; exit code 1
where a question did not resolve, or a hidden group was recovered."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "app")]
import hidden_faults
import made_up
import mcp_faults as faults

TEXT = (
    "Two things are asked of the ten tools of `sca mcp`. Scripted: {n} questions on the sample shop, each with a tool "
    "and its arguments; a question resolves where the answer holds a number with range, n, period and the address of "
    "its reviews, or states why there is none (hidden, not comparable, none), or is a list of reports or names, or "
    "refuses with what was expected, what was found and what is next. {fixed} of them have one outcome that is right "
    "and written down; no model was trained, so that `predict` refuses. Random: calls on the planted shop of "
    "[hidden groups](hidden.md), by the same attacker: region, segment, product, days, words and mark at random, lists "
    "page by page, groups subtracted from totals, one answer from another that asks for a day or a word more. Every "
    "number of every answer is compared with the fewest people that may be shown, 10."
)


def main() -> None:
    "Ask, attack, write the table, and fail where something is wrong."
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options, start = parser.parse_args(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        home, rows = Path(folder), faults.questions()
        made_up.fill(f"sqlite:///{home}/sample.db", home / "reports")
        service = faults.served(f"sqlite:///{home}/sample.db", home)
        counted, wrong = faults.script(service, rows)
        service.close()
        hidden_faults.plant(f"sqlite:///{home}/planted.db")
        recovered = faults.attack(f"sqlite:///{home}/planted.db", home, options.calls, options.seed)
    resolved = pd.Series(counted).unstack(fill_value=0).rename_axis("tool").reset_index()
    resolved["asked"] = resolved.iloc[:, 1:].sum(axis=1)
    leaks = pd.DataFrame({"counted": list(recovered), "number": list(recovered.values())})
    tables = {
        f"Scripted questions: {len(rows) - len(wrong)} of {len(rows)} resolved as they should": resolved,
        "Random calls: what was recovered": leaks,
    }
    text = TEXT.format(n=len(rows), fixed=sum(bool(wanted) for *_, wanted in rows))
    write("mcp", "Questions of an assistant", text, tables, options.seed, time.perf_counter() - start)
    print(*wrong, sep="\n")
    sys.exit(bool(wrong) or any(n for kind, n in recovered.items() if kind not in ("calls", "hidden cells")))


if __name__ == "__main__":
    main()
