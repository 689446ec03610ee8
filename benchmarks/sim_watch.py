"""The daily look on simulated years and, with a model, strange texts among the reviews of a day.

Writes docs/measured/watch.md."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.data.review_text import text_of
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.insight.estimate import simulate_reviews
from smart_customer_analysis.insight.watch import simulate_days, watch_days
from smart_customer_analysis.sentiment.drift import STRANGE, day_counts, drift_day
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.scope import outside_scope
from smart_customer_analysis.stats import confusion_counts, score_distribution

REAL = Path(os.environ.get("SCA_REAL_DATA", "../shared/data"))
FIRST = pd.Timestamp("2025-01-01")
SHOPS = {
    "1 review each, stars": {}, "1 to 19 reviews each, ICC 0.3, stars": {"icc": 0.3, "most": 19},
    "1 review each, predictions only": {"labelled": 0.0}, "1 review each, stars, 8 regions": {"groups": 8},
}  # fmt: skip


def shop_of(days: int, seed: int, **shop: float) -> tuple[pd.DataFrame, dict]:
    "A shop, and how it is looked at: without stars, with the confusion counts of 2,000 held-out reviews."
    rows = simulate_days(days, seed=seed, **shop)
    if shop.get("labelled") != 0.0:
        return rows, {}
    held = simulate_reviews(2000, 0.5, labelled=0, seed=seed + 1)
    pairs = 1 - held["truth"], held["p_negative"]
    return rows.drop(columns="stars"), {"confusion": confusion_counts(*pairs) | score_distribution(*pairs)}


def quiet(years: int, seed: int) -> pd.DataFrame:
    "Alarms of years in which nothing happens."
    out = []
    for name, shop in SHOPS.items():
        n = max(years // 2, 1) if "groups" in shop else years
        alarms = []
        for year in range(n):
            rows, how = shop_of(365, seed + year, **shop)
            alarms.append(len(watch_days(rows, pd.date_range(FIRST, periods=365), **how)))
        out.append(
            {"customers": name, "years": n, "looks": 365 * n, "alarms": sum(alarms), "most in a year": max(alarms)}
        )
        print(out[-1], flush=True)
    return pd.DataFrame(out)


def planted(runs: int, seed: int) -> pd.DataFrame:
    "How soon a rise from 30 to 38 % and its end 55 days later are told, and how often."
    out = []
    for name in list(SHOPS)[: 3 if runs >= 40 else 1]:
        days, shifts, marks = [], [], []
        for run in range(runs):
            rows, how = shop_of(160, seed + run, points=0.08, rise=(60, 115), **SHOPS[name])
            alerts = watch_days(rows, pd.date_range(FIRST + pd.Timedelta(days=40), periods=115), **how)
            marks.append(alerts["mark"].tolist())
            day, since = ((pd.to_datetime(alerts[c]) - FIRST).dt.days.tolist() for c in ("day", "since"))
            for mark, begin in (("worse", 60), ("better", 115)):
                place = marks[-1].index(mark) if mark in marks[-1] else None
                days.append(np.inf if place is None else day[place] - begin + 1)
                shifts.append(np.nan if place is None else abs(since[place] - begin))
        days, shifts = np.array(days).reshape(-1, 2), np.array(shifts).reshape(-1, 2)
        out.append({
            "customers": name, "runs": runs, "rise told within 21 days": float((days[:, 0] <= 21).mean()),
            "median days": float(np.median(days[:, 0])), "end told within 21 days": float((days[:, 1] <= 21).mean()),
            "told once each, nothing else": float(np.mean([m == ["worse", "better"] for m in marks])),
            "median error of its first day": float(np.nanmedian(shifts)),
        })  # fmt: skip
        print(out[-1], flush=True)
    return pd.DataFrame(out)


def texts() -> dict[str, list[str]]:
    "Texts of the sample shop that no model has seen, and of strangers."

    def some(of: pd.Series | list[str], n: int) -> list[str]:
        return [list(of)[i] for i in np.random.default_rng(0).permutation(len(of))[:n]]

    def lines(path: str) -> list[str]:
        return [json.loads(line)["text"] for line in (REAL / path).read_text(encoding="utf-8").splitlines()]

    home = make_shop(n_customers=800, n_reviews=1200, seed=11, dirty=False)
    olist = pd.read_csv(REAL / "olist/order_reviews.csv")
    olist = (olist["review_comment_title"].fillna("") + " " + olist["review_comment_message"].fillna("")).str.strip()
    books = pd.read_csv(REAL / "amazon_multidomain/reviews.csv.gz")
    kinds = {k: books[books["product_type"].astype(str).str.startswith(k)] for k in ("electronics", "books")}
    return {
        "home": some([t for t in text_of(home.reviews) if t.strip()], 700),
        "Portuguese, shop (Olist)": some(olist[olist != ""].tolist()[:1500], 150),
        "English, restaurants": some(lines("aspects/restaurant16.jsonl")[:800], 150),
        "English, laptops": some(lines("aspects/laptop14.jsonl")[:800], 150),
        **{f"{name}, restaurants": some(lines(f"restaurants_languages/{c}.jsonl")[:500], 100)
           for c, name in (("tr", "Turkish"), ("fr", "French"), ("es", "Spanish"))},
        **{f"English, {k} (multi-domain)": some(
            (f["title"].fillna("") + ": " + f["review_text"].fillna("")).tolist(), 100) for k, f in kinds.items()},
    }  # fmt: skip


def flags(model: Path, kept: Path | None) -> dict[str, pd.DataFrame]:
    "Which texts are strange, one row a text; `kept` holds the scores of an earlier run."
    predictor, every = Predictor(model), texts()
    out: dict[str, pd.DataFrame] = {}
    for name, of in every.items():
        file = kept / f"{''.join(c for c in name if c.isalnum())}.npz" if kept else None
        if file and file.is_file():
            s = dict(np.load(file))
        else:
            p = predictor.predict(of)
            s = {"read": p.frame["tokens_read"].to_numpy(), "total": p.frame["tokens_total"].to_numpy()}
            s["embeddings"] = p.embeddings.astype("float16")  # as predictions are kept
            if file:
                np.savez(file, **s)
        s["embeddings"] = s["embeddings"].astype("float32")
        guests = [*every["home"], *of]  # a language is told in the company of the shop's own texts
        pad = np.ones(len(guests) - len(of), dtype=int)
        e = np.vstack([np.zeros((len(pad), s["embeddings"].shape[1]), "float32"), s["embeddings"]])
        why = outside_scope(
            guests, np.r_[pad, s["read"]], np.r_[pad, s["total"]], e, predictor.calibration, predictor.card
        )
        why = why[len(pad) :]
        out[name] = day_counts(np.arange(len(of)), of, s["total"], s["embeddings"], why, predictor.calibration)
        print(name, out[name][list(STRANGE)].mean().round(3).to_dict(), flush=True)
    return out


def drawn(rng: np.random.Generator, of: pd.DataFrame, days: int, n: int) -> np.ndarray:
    "Counts of days of texts drawn with replacement, (days, kinds)."
    return of[list(STRANGE)].to_numpy()[rng.integers(0, len(of), (days, n))].sum(axis=1)


def strange(every: dict[str, pd.DataFrame], draws: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    "How often a tenth of a day is told; alarms of years without strangers."
    rng, home, out, calm = np.random.default_rng(seed), every["home"], [], []
    dates = pd.date_range(FIRST, periods=365)
    for n in (100, 300):
        alarms = []
        for _ in range(max(draws // 10, 1)):
            table = pd.DataFrame(drawn(rng, home, 365, n), columns=list(STRANGE)).assign(day=dates, n=n)
            alarms.append(sum(len(drift_day(table, day)) for day in dates))
        calm.append({"reviews a day": n, "years": len(alarms), "alarms": sum(alarms), "most in a year": max(alarms)})
    for name, of in every.items():
        row = {"tenth of the day": name, **of[list(STRANGE)].mean().to_dict()}
        for n in (100, 300):
            days_with_alert = 0
            for _ in range(draws):
                table = drawn(rng, home, 57, n)
                table[-1] = drawn(rng, home, 1, n - n // 10)[0] + drawn(rng, of, 1, n // 10)[0]
                days = pd.DataFrame(table, columns=list(STRANGE)).assign(day=dates[:57], n=n)
                days_with_alert += len(drift_day(days, dates[56])) > 0
            row[f"days with an alert, {n} a day"] = days_with_alert / draws
        out.append(row)
    return pd.DataFrame(out), pd.DataFrame(calm)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--model", type=Path, help="folder of a model trained on the sample shop")
    parser.add_argument("--scores", type=Path, help="folder that keeps the scores of the texts for a repeat")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    start, tables = time.perf_counter(), {}
    if args.model and (REAL / "olist").exists():
        tenths, calm = strange(flags(args.model, args.scores), args.draws, args.seed)
        tables |= {"A tenth of one day from elsewhere": tenths, "Years of strange texts, nothing from elsewhere": calm}
    rise = planted(args.runs, args.seed)
    tables = {"Quiet years": quiet(args.years, args.seed), "A rise from 30 to 38 %, and its end": rise} | tables
    intro = (
        "100 reviews a day. Asked for: at most 1 alarm in a quiet year of 365 looks; a rise of 8 points told within 21 "
        "days in at least 90 of 100, once, and its end once; a tenth of a day from another shop or language told in at "
        "least 95 of 100. The columns of the tenth are the shares of its texts that are strange in each way; the row "
        "`home` is the sample shop itself. The model has learnt the sample shop; texts are drawn with replacement."
    )
    write("watch", "The daily look", intro, tables, args.seed, time.perf_counter() - start)


if __name__ == "__main__":
    main()
