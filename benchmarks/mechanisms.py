"""Does each mechanism of the recipe earn its place? Writes docs/measured/mechanisms.md.

python benchmarks/mechanisms.py [--cells CELL ...]    train what is missing, then write the table
python benchmarks/mechanisms.py --write               write the table from the runs there are

Every training is kept in models/mechanisms (not in git), so that the table can be made in pieces. Several processes
(of one thread each: OMP_NUM_THREADS=1) share the work: each takes the next training that nobody has begun. After a
kill, remove the *.begun files.

Design. English: 400 Amazon products (2013) to learn from, 100 to calibrate, others are tested; and reviews of another
kind. Portuguese: the same with reviews of Olist. Passages, reviews behind one, topics and the rate are on or off in
eight trainings on the same rows, half of the sixteen combinations: the full recipe, nothing at 1e-4, and six between
(a factorial design: every mechanism is on in four and off in four, and each other one is as often on beside it as
off). What single words say and the second reading are left out when the rows are scored, in each of the eight. Few
rows are few steps (Portuguese, nothing added: about 14), so rate and words are judged for little data only.

The rule, written before any figure was seen. Gain: mean with the mechanism minus mean without it (calibration error:
the other way round). Interval: two standard errors to both sides, of the rows (bootstrap, paired) and of the trainings
(what is left of them when the mechanisms are taken out) together.
Measures, the first weighs most: reviews of the kind learnt from, in English; the same in Portuguese; reviews of
another kind; reviews behind a story; calibration error; topics (does a topic hold one type of product?). A mechanism
stays if the interval of one measure or more is all gain and that of no measure is all loss. Where there are both, the
measure named first decides. Without either it goes.
"""

import argparse
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from accuracy_sentiment import REAL, REPO, english_kinds, rows_of
from sim_table import write
from trust_sentiment import STORIES

from smart_customer_analysis.schema import NEGATIVE
from smart_customer_analysis.segment.topics import TopicModel
from smart_customer_analysis.sentiment.calibrate import fit_calibration
from smart_customer_analysis.sentiment.dataset import two_readings
from smart_customer_analysis.sentiment.evaluate import compare
from smart_customer_analysis.sentiment.lexical import lexical_score
from smart_customer_analysis.sentiment.predict import Predictor, probabilities
from smart_customer_analysis.sentiment.scoring import pool_margins, score
from smart_customer_analysis.sentiment.train import train_sentiment

RUNS = REPO / "models" / "mechanisms"
CELLS = ("english-0", "portuguese-0", "english-1", "portuguese-1", "english-2", "portuguese-2")
LEARN, HELD = 400, 100
TRAINED = {  # mechanism: what switches it off
    "passages without a verdict": {"neutral": 0.0},
    "reviews behind a passage": {"prefixed": 0.0},
    "topics kept": {"keep_topics": 0.0},
    "rate 2e-4, not 1e-4": {"learning_rate": 1e-4},
}
SCORED = ("what single words say", "second reading")
HALF = [s for s in product((1, -1), repeat=4) if np.prod(s) == 1]
DESIGN = [s for half in zip(HALF[:4], reversed(HALF[4:]), strict=True) for s in half]  # each beside its opposite


# --- rows -----------------------------------------------------------------------------------------------------------


def sources() -> dict[str, pd.DataFrame]:
    "Labelled rows, by kind; every text once."
    kinds, mine = english_kinds(), rows_of(REAL / "amazon_polarity" / "test.ft.txt")
    sold = pd.read_csv(REAL / "amazon_multidomain" / "reviews.csv.gz").dropna(subset=["review_text"])
    films, shop, products = kinds.values()
    olist = pd.read_csv(REAL / "olist" / "order_reviews.csv").dropna(subset=["review_comment_message"])
    olist = olist[olist["review_score"] != 3]
    title = olist["review_comment_title"].fillna("").map(lambda t: f"{t}: " if t else "")
    olist = pd.DataFrame({
        "text": title + olist["review_comment_message"],
        "label": (olist["review_score"] > 3).astype(int),
    })  # fmt: skip
    kinds = {
        "english": pd.concat([products, mine]), "portuguese": olist,
        "shop": shop.assign(type=sold["product_type"].to_numpy()), "films": films,
    }  # fmt: skip
    return {name: rows.drop_duplicates("text", ignore_index=True) for name, rows in kinds.items()}


def rows_of_cell(cell: str, kinds: dict) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.DataFrame]]:
    "Rows to learn from, rows to calibrate on, and test rows by name."
    name, seed = cell.split("-")
    rows = kinds[name].sample(frac=1, random_state=int(seed))
    learn, held, rest = rows[:LEARN], rows[LEARN : LEARN + HELD], rows[LEARN + HELD :]
    if name == "portuguese":
        return learn, held, {"same": rest[:1000]}
    others = {
        k: kinds[k][~kinds[k]["text"].isin(rows["text"])].sample(frac=1, random_state=int(seed))
        for k in ("shop", "films")
    }
    films = others["films"]
    tests = {
        "same": rest[:600],
        "other": others["shop"][:120],
        "long": films[films["text"].str.len().between(1400, 3000)][:40],
    }
    stories = [s[: (s + s).find(s, 1)] for s in STORIES.values()]  # once: a story there repeats itself
    for name, n, times in (("short story", 150, 1), ("long story", 60, 5)):
        behind = rest[:n]
        before = [times * stories[i % len(stories)] for i in range(n)]
        tests[name] = behind.assign(text=[b + t for b, t in zip(before, behind["text"], strict=True)])
    alone = [s.strip() + "." for story in stories for s in story.split(". ") if s.strip()]
    return learn, held, tests | {"no verdict": pd.DataFrame({"text": alone, "label": 0})}


# --- runs -----------------------------------------------------------------------------------------------------------


def ablated_margins(ask: Predictor, texts: list[str]) -> tuple[dict[str, list[float]], list[int], np.ndarray]:
    "Margins with and without words (w) and second reading (s), tokens and embedding of each text, from one pass."
    data, words, ask.scorer.words = ask.encode(texts), ask.model.words, ()
    cut = [(i, a, b) for i, n in enumerate(data.totals) if n for a, b in two_readings(int(n), data.room)]
    owner, start, stop = np.array(cut).T
    ids = [data.ids[data.offsets[i] + a : data.offsets[i] + b] for i, a, b in cut]
    pieces = replace(data, ids=np.concatenate(ids), offsets=np.cumsum([0, *map(len, ids)]))
    scores = score(ask.scorer, pieces, ask.batch_tokens, dtype=ask.dtype)
    margin, embeddings = np.zeros((2, len(texts))), np.zeros((len(texts), scores.embeddings.shape[1]))
    for i in np.unique(owner):
        own = np.flatnonzero(owner == i)
        size, own_margin = (stop - start)[own], scores.margin[own]
        whole = size == size.max()
        margin[:, i] = (
            pool_margins(own_margin[whole], size[whole]) @ own_margin[whole],
            pool_margins(own_margin, size) @ own_margin,
        )
        embeddings[i] = scores.embeddings[own].sum(0)
    lexical = lexical_score(words, data.ids, data.offsets)
    ask.scorer.words = words
    margins = {f"w{w}s{s}": (margin[s] + w * lexical).round(4).tolist() for w in (0, 1) for s in (0, 1)}
    return margins, data.totals.tolist(), embeddings


def topic_hits(embeddings: np.ndarray, margin: list[float], types: pd.Series) -> list[int]:
    "1 where a review is of the type that is the commonest in its topic."
    topics = TopicModel(random_state=0)
    topics.fit(embeddings, 1 / (1 + np.exp(np.array(margin) / 3)))
    assigned, types = pd.Series(topics.predict(embeddings)), types.reset_index(drop=True)
    return (types == assigned.map(types.groupby(assigned).agg(lambda t: t.mode()[0]))).astype(int).tolist()


def named(signs: tuple[int, ...]) -> str:
    "++-- and the like: passages, behind, topics, rate."
    return "".join("+" if s > 0 else "-" for s in signs)


def one_run(cell: str, signs: tuple[int, ...], kinds: dict) -> None:
    "Train, score, and keep the measures, unless another process has begun it."
    path = RUNS / f"{cell}{named(signs)}.json"
    claim = path.with_suffix(".begun")
    if path.is_file() or claim.is_file():
        return
    claim.touch(exist_ok=False)
    learn, held, tests = rows_of_cell(cell, kinds)
    off = {k: v for sign, how in zip(signs, TRAINED.values(), strict=True) if sign < 0 for k, v in how.items()}
    data = (learn["text"].tolist(), learn["label"].tolist(), [], [], RUNS / path.stem)
    trained, results = train_sentiment(*data, seed=int(cell[-1]), checkpoint_steps=10**6, **off), {}
    ask, start = Predictor(trained.folder), time.perf_counter()
    for name, rows in ({"held": held} | tests).items():
        margins, tokens, embeddings = ablated_margins(ask, rows["text"].tolist())
        results[name] = {"y": rows["label"].tolist(), "tokens": tokens, **margins}
        if "type" in rows:
            results[name]["topics"] = topic_hits(embeddings, margins["w1s1"], rows["type"])
    run = {
        "seconds": trained.seconds,
        "scoring_s": time.perf_counter() - start,
        "precision": str(ask.dtype),
        "tests": results,
    }
    path.write_text(json.dumps(run))
    claim.unlink()
    shutil.rmtree(RUNS / path.stem)
    print(path.stem, round(run["seconds"]), round(run["scoring_s"]), flush=True)


# --- measures -------------------------------------------------------------------------------------------------------


def probability(run: dict, name: str, key: str = "w1s1") -> np.ndarray:
    "Calibrated probability of positive."
    held = run["tests"]["held"]
    return probabilities(np.array(run["tests"][name][key]), fit_calibration(np.array(held[key]), np.array(held["y"])))


def hits(*names: str) -> Callable:
    "1 for each row of these names that is answered right; every name counts the same, however many rows."

    def of(run: dict, key: str) -> list[np.ndarray]:
        tests = [run["tests"][n] for n in names]
        return [((np.array(t[key]) > 0) == (np.array(t["y"]) != NEGATIVE)).astype(float) for t in tests]

    return of


def sure_and_right(run: dict, key: str) -> list[np.ndarray]:
    "How sure, and whether right."
    p = probability(run, "same", key)
    return [np.c_[np.maximum(p, 1 - p), (p > 0.5) == (np.array(run["tests"]["same"]["y"]) != NEGATIVE)]]


def topics(run: dict, key: str) -> list[np.ndarray]:
    "Hits of the topics: neither words nor readings are part of them."
    return [np.array(run["tests"]["other"]["topics"], float)]


def figure(sets: list[np.ndarray]) -> float:
    "Mean of the sets; of two columns the expected calibration error, ten bins of equal size."
    values = []
    for x in sets:
        if x.ndim == 1:
            values.append(x.mean())
        else:
            parts = np.array_split(x[np.argsort(x[:, 0], kind="stable")], 10)
            values.append(sum(abs(b[:, 0].mean() - b[:, 1].mean()) * len(b) for b in parts) / len(x))
    return float(np.mean(values))


MEASURES = {  # heading: language, what is measured, +1 where more is better
    "same kind, English": ("english", hits("same"), 1),
    "same kind, Portuguese": ("portuguese", hits("same"), 1),
    "another kind": ("english", hits("other"), 1),
    "behind a story": ("english", hits("short story", "long story"), 1),
    "calibration error": ("", sure_and_right, -1),
    "topics": ("english", topics, 1),
}


def design_of(signs: list[tuple]) -> np.ndarray | None:
    "A column of ones, then one for each mechanism; None: too few trainings to tell them apart."
    design = np.c_[np.ones(len(signs)), np.array(signs)] if signs else np.zeros((0, 5))
    return design if np.linalg.matrix_rank(design) == 5 < len(signs) else None


def sets_of(run: dict, measure: Callable, mechanism: str) -> list[list[np.ndarray]]:
    "What one training says, once; of what is switched in scoring: with, then without."
    keys = {SCORED[0]: ("w1s1", "w0s1"), SCORED[1]: ("w1s1", "w1s0")}.get(mechanism, ("w1s1",))
    return [measure(run, key) for key in keys]


def effect(runs: dict, mechanism: str, language: str, measure: Callable, draws: int = 400) -> dict | None:
    "Mean with it minus mean without it, and its standard error."
    gains, variances, rng = [], [], np.random.default_rng(0)
    for cell in [c for c in CELLS if c.startswith(language)]:
        signs = [s for s in DESIGN if (cell, s) in runs]
        design = design_of(signs)
        if mechanism in SCORED and signs:
            w = np.ones(len(signs)) / len(signs)
        elif mechanism in TRAINED and design is not None:
            w = 2 * np.linalg.pinv(design)[1 + list(TRAINED).index(mechanism)]
        else:
            continue
        sets = [sets_of(runs[cell, s], measure, mechanism) for s in signs]

        def one(rows: list | None = None, sets=sets) -> np.ndarray:
            some = [[[x[i] for x, i in zip(a, rows, strict=True)] for a in s] if rows else s for s in sets]
            return np.array([figure(s[0]) - (figure(s[1]) if len(s) > 1 else 0) for s in some])

        sizes, whole = [len(x) for x in sets[0][0]], one()
        drawn = [w @ one([rng.integers(0, n, n) for n in sizes]) for _ in range(draws)]
        if mechanism in SCORED:
            between = np.var(whole, ddof=1) / len(whole) if len(whole) > 1 else 0.0
        else:
            left = whole - design @ np.linalg.lstsq(design, whole, rcond=None)[0]
            between = (left @ left) / (len(signs) - 5) * (w @ w)
        gains.append(float(w @ whole))
        variances.append(np.var(drawn) + between)
    if not gains:
        return None
    return {"gain": float(np.mean(gains)), "error": float(np.sqrt(np.sum(variances)) / len(gains)), "each": gains}


def gain_text(estimate: dict | None, sign: int) -> str:
    "+1.2 (+0.3 to +2.1), in points; for the calibration error, how much smaller it is."
    if estimate is None:
        return ""
    gain, error = 100 * sign * estimate["gain"], 200 * estimate["error"]
    return f"{gain:+.1f} ({gain - error:+.1f} to {gain + error:+.1f})"


def verdict(estimates: dict[str, dict | None]) -> str:
    "The rule of the first lines."
    for name, one in estimates.items():
        gain = MEASURES[name][2] * one["gain"] if one else 0.0
        if one and abs(gain) > 2 * one["error"]:
            return f"stays: {name}" if gain > 0 else f"goes: costs {name}"
    return "goes: no gain"


def effects(runs: dict) -> pd.DataFrame:
    "One line per mechanism."
    lines = []
    for mechanism in (*TRAINED, *SCORED):
        estimates = {
            head: effect(runs, mechanism, *how[:2])
            for head, how in MEASURES.items()
            if not (head == "topics" and mechanism in SCORED)
        }
        shown = {head: gain_text(estimates.get(head), how[2]) for head, how in MEASURES.items()}
        whole = all(sum(k == c for k, _ in runs) == len(DESIGN) for c, _ in runs)  # the rule is about whole cells
        lines.append({"mechanism": mechanism, **shown, "by the rule": verdict(estimates) if whole else "not known yet"})
    return pd.DataFrame(lines)


STEPS = {  # more than one mechanism at a time: training and scoring without, with
    "all of them": ((-1, -1, -1, -1), "w0s0", (1, 1, 1, 1), "w1s1"),
    "passages, and reviews behind one": ((-1, -1, -1, -1), "w1s1", (1, 1, -1, -1), "w1s1"),
    "then topics, and 2e-4 in place of 1e-4": ((1, 1, -1, -1), "w1s1", (1, 1, 1, 1), "w1s1"),
}


def steps(runs: dict) -> pd.DataFrame:
    "Two trainings on the same rows at a time."
    lines = []
    for what, (before, old, after, new) in STEPS.items():
        for cell in [c for c in CELLS if (c, before) in runs and (c, after) in runs]:
            a, b = runs[cell, before], runs[cell, after]
            for name in [n for n in a["tests"] if n not in ("held", "no verdict")]:
                y = np.array(a["tests"][name]["y"])
                p, q = 1 - probability(a, name, old), 1 - probability(b, name, new)
                comparison, right = compare(y, p, q), [((x < 0.5) == (y != NEGATIVE)).mean() for x in (p, q)]
                gain, low, high = (100 * comparison[k] for k in ("difference", "low", "high"))
                lines.append({
                    "added": what, "cell": cell, "rows": name, "n": len(y), "without": right[0], "with": right[1],
                    "gain in points": f"{gain:+.1f} ({low:+.1f} to {high:+.1f})", "p (McNemar)": comparison["p_value"],
                })  # fmt: skip
    return pd.DataFrame(lines)


def each_scoring(runs: dict) -> pd.DataFrame:
    "Words and second reading, training by training: what they add depends on what the network has learnt."
    lines = []
    for (cell, signs), run in runs.items():
        line = {"cell": cell, "training": named(signs)}
        for name in [n for n in ("same", "long", "short story", "long story") if n in run["tests"]]:
            right = {key: figure(hits(name)(run, key)) for key in ("w0s0", "w1s0", "w0s1", "w1s1")}
            line[f"{name}: neither · words · second · both"] = " · ".join(f"{x:.3f}" for x in right.values())
        errors = [figure(sure_and_right(run, key)) for key in ("w0s1", "w1s1")]
        lines.append(line | {"calibration error without words · with": " · ".join(f"{x:.3f}" for x in errors)})
    return pd.DataFrame(lines).fillna("")


def as_they_are(runs: dict) -> pd.DataFrame:
    "What each training reached."
    lines = []
    for (cell, signs), run in runs.items():
        tests = run["tests"]
        line = {"cell": cell} | {m: "on" if s > 0 else "off" for m, s in zip(TRAINED, signs, strict=True)}
        for name in ("same", "other", "long", "short story", "long story"):
            line[name] = figure(hits(name)(run, "w1s1")) if name in tests else ""
        line["calibration error"] = figure(sure_and_right(run, "w1s1"))
        line["topics"] = figure(topics(run, "")) if "other" in tests else ""
        line["no verdict, sure over 0.9"] = (
            float((abs(probability(run, "no verdict") - 0.5) > 0.4).mean()) if "no verdict" in tests else ""
        )
        lines.append(line | {"train s": round(run["seconds"])})
    return pd.DataFrame(lines)


def long_ones(runs: dict) -> pd.DataFrame:
    "The second reading, on texts of more than one window; mean of the trainings, interval over texts."
    lines = []
    for name in ("long", "other", "long story"):
        gains = []
        for cell in dict.fromkeys(c for c, _ in runs if c.startswith("english")):
            tests = [r["tests"][name] for (c, _), r in runs.items() if c == cell]
            right = [[(np.array(t[k]) > 0) == (np.array(t["y"]) != NEGATIVE) for t in tests] for k in ("w1s0", "w1s1")]
            gains.append(np.mean(right, axis=1)[:, np.array(tests[0]["tokens"]) > 254])
        one, two = np.concatenate(gains, axis=1) if gains else np.zeros((2, 1))
        gain, error = 100 * (two - one).mean(), 200 * (two - one).std() / np.sqrt(len(one))
        lines.append(
            {
                "texts": name,
                "n": len(one),
                "one reading": one.mean(),
                "two": two.mean(),
                "gain in points": f"{gain:+.1f} ({gain - error:+.1f} to {gain + error:+.1f})",
            }
        )
    return pd.DataFrame(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="*", default=CELLS[:3], help=f"of {', '.join(CELLS)}")
    parser.add_argument("--write", action="store_true", help="write the table from the runs there are")
    args = parser.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    if not args.write:
        kinds = sources()
        for i in range(0, len(DESIGN), 2):
            for cell in args.cells:
                for signs in DESIGN[i : i + 2]:
                    one_run(cell, signs, kinds)
    files = {(c, s): RUNS / f"{c}{named(s)}.json" for c in CELLS for s in DESIGN}
    runs = {key: json.loads(path.read_text()) for key, path in files.items() if path.is_file()}
    rule = " ".join(__doc__[__doc__.index("Design.") :].split()).replace("The rule, ", "\n\nThe rule, ")
    done = ", ".join(f"{c} {sum(k == c for k, _ in runs)} of 8" for c in dict.fromkeys(c for c, _ in runs))
    precision = ", ".join(sorted({r["precision"].removeprefix("torch.") for r in runs.values()}))
    tables = {
        "Gain of each mechanism, in points": effects(runs),
        "Several at a time, one training each (intervals of the rows alone)": steps(runs),
        "What each training reached": as_they_are(runs),
        "Words and second reading, training by training": each_scoring(runs),
        "The second reading, on texts over one window": long_ones(runs),
    }
    seconds = sum(r["seconds"] + r["scoring_s"] for r in runs.values())
    intro = f"{rule}\n\nTrainings: {done}; {precision}. Seconds are those of a machine shared with other work."
    write(
        "mechanisms",
        "Sentiment: does each mechanism earn its place?",
        intro,
        tables,
        sorted({int(c[-1]) for c, _ in runs}),
        seconds,
    )


if __name__ == "__main__":
    main()
