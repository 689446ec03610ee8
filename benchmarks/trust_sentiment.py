"""What a trained model promises, checked on real reviews. Writes docs/measured/sentiment_trust.md.

python benchmarks/trust_sentiment.py [--only PART ...]

The models are those of accuracy_sentiment.py: seed 0, and what it kept of the others. Parts: resplits, far, facts,
contract, explain, gate. What a part found is kept beside the model, so that they can be run one at a time; without
--only the missing ones are run and the table is written.
"""

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accuracy_sentiment import REAL, RUNS, difference_text, drawn, english_kinds, rows_of, standard_model, with_range
from scipy.stats import spearmanr
from sim_table import write

from smart_customer_analysis.sentiment.card import held_out
from smart_customer_analysis.sentiment.dataset import bare_backend, encode
from smart_customer_analysis.sentiment.evaluate import compare, length_group, prediction_flips, promotion_gate
from smart_customer_analysis.sentiment.explain import owners, token_weights, words_of
from smart_customer_analysis.sentiment.predict import Predictor, guarantee_risk
from smart_customer_analysis.sentiment.recipe import Recipe
from smart_customer_analysis.sentiment.scoring import Scores, score
from smart_customer_analysis.stats import proportion

# over 512 tokens each; no sentence of them is in neutral.toml, and the last two are of kinds it does not have
STORIES = {
    "a purchase": 12
    * (
        "I ordered it on Monday and it came on Thursday in a brown box. My brother lives near the post office. "
        "He walked there with the dog after lunch. The box stood on the table in the kitchen until the evening. "
    ),
    "a river": 9
    * (
        "The river rises in the hills in the north of the province and flows through four districts before it "
        "reaches the sea. "
        "Its upper valley was settled in the ninth century. A railway along the left bank was opened in 1874 and "
        "closed in 1961. "
        "The largest town on the river has a market hall, two schools and a museum of local history. "
    ),
    "a household": 11
    * (
        "My sister and I share a flat with two other students. On weekdays she leaves at seven and I leave at eight. "
        "The university is at the other end of the city, so we go by tram. In the evening somebody cooks and the "
        "others wash up. "
    ),
    "a lease": 8
    * (
        "The landlord lets to the tenant the ground floor and the parking space that is marked on the plan. The term "
        "begins on the first of October. "
        "The rent is due in advance on the third working day of the month and is transferred to the account named "
        "below. "
        "Either side may end the contract in writing, three months before the end of a quarter. Pets other than fish "
        "require consent. "
    ),
    "a lecture": 8
    * (
        "In the last hour we defined the limit of a sequence. Today we look at functions of two variables and ask "
        "what continuity means for them. "
        "Let f be defined on an open subset of the plane. We choose a point and draw a small disc around it. "
        "The proof has two parts, and the second is left as homework. Are there questions before I go on to the next "
        "slide? "
    ),
}


def test_rows() -> pd.DataFrame:
    "The 855 rows no model here has learnt from."
    return rows_of(REAL / "amazon_polarity" / "test.ft.txt")


def kept_out(seed: int = 0) -> pd.DataFrame:
    "The rows that were held out of the training of this seed."
    train = rows_of(REAL / "amazon_polarity" / "train.ft.txt")
    return drawn(train, len(train), seed)[1]


def scored(ask: Predictor, texts: pd.Series) -> Scores:
    "What one pass finds."
    return score(ask.scorer, ask.encode(texts.tolist()), dtype=ask.dtype)


def part(scores: Scores, i: np.ndarray) -> Scores:
    "Some of the texts."
    return Scores(scores.margin[i], scores.embeddings[i], scores.tokens_read[i], scores.tokens_total[i])


# --- reads it all ---------------------------------------------------------------------------------------------------


def far(seeds: tuple[int, ...] = (0, 1, 2)) -> list[dict]:
    "The verdict moved beyond token 512; one training is too noisy to tell."
    return [{"seed": seed} | line for seed in seeds for line in far_of(Predictor(standard_model(seed)))]


def far_means(lines: list[dict], draws: int = 4000) -> pd.DataFrame:
    "The mean of the seeds for each story, and of the stories; interval over reviews (bootstrap)."
    right = {
        name: np.mean(group["right"].tolist(), axis=0)
        for name, group in pd.DataFrame(lines).groupby("reviews", sort=False)
    }
    right["mean of the five stories"] = np.mean([right[f"behind {name}"] for name in STORIES], axis=0)
    written, rng, means = right["as written"], np.random.default_rng(0), []
    drawn = rng.integers(0, len(written), (draws, len(written)))
    for name, hits in right.items():
        less = hits - written
        low, high = np.quantile(less[drawn].mean(1), [0.025, 0.975])
        comparison = {"difference": less.mean(), "low": low, "high": high}
        means.append(
            {
                "reviews": name,
                "accuracy": hits.mean(),
                "less as written": difference_text(comparison) if less.any() else "",
            }
        )
    return pd.DataFrame(means)


def far_of(ask: Predictor) -> list[dict]:
    "What one model says; `right` holds 1 for every review it is right about."
    rows = test_rows()
    y, texts, p = rows["label"].to_numpy(), rows["text"].tolist(), {}
    ways = {"as written": ("", None)} | {f"behind {name}": (story, None) for name, story in STORIES.items()}
    ways["behind a purchase, only the first 512 tokens read"] = (STORIES["a purchase"], 512)
    lines = []
    for name, (story, limit) in ways.items():
        before = len(encode([story], ask.tokenizer).ids)
        assert not story or before > 512
        data, start = ask.encode([story + text for text in texts]), time.perf_counter()
        scores = score(ask.scorer, data, limit=limit, dtype=ask.dtype)
        right = (scores.margin > 0) == (y == 1)
        p[name] = 1 / (1 + np.exp(scores.margin))
        comparison = compare(y, p["as written"], p[name])
        lines.append({
            "reviews": name, "tokens before the verdict": before,
            "accuracy": with_range(proportion(int(right.sum()), len(y))),
            "less as written": difference_text(comparison) if story else "",
            "mean tokens": round(float(scores.tokens_total.mean())),
            "read in full": f"{(scores.tokens_read == scores.tokens_total).mean():.0%}",
            "seconds": round(time.perf_counter() - start, 1), "right": right.astype(int).tolist(),
        })  # fmt: skip
    return lines


# --- the error contract ---------------------------------------------------------------------------------------------


def contract(ask: Predictor, resplits: int = 400) -> list[dict]:
    "Half of the unseen rows calibrates, the other half is answered; then reviews of other kinds, as published."
    held = kept_out()
    rows = pd.concat([test_rows(), held], ignore_index=True)
    scores, y = scored(ask, rows["text"]), rows["label"].to_numpy()
    who = {"reviews": f"same kind, {resplits} resplits of {len(y)}"}
    lines = [who | line for line in halves(scores, y, resplits)]
    last = np.arange(len(y))[-len(held) :]
    calibration, _ = held_out(part(scores, last), y[last], Recipe.max_tokens)
    kinds = {"same kind, the test rows": test_rows()} | other_kinds()
    return lines + [line for name, other in kinds.items() for line in elsewhere(ask, calibration, name, other)]


def other_kinds() -> dict[str, pd.DataFrame]:
    "Labelled rows the model was not made for."
    portuguese = pd.read_csv(REAL / "olist" / "order_reviews.csv").dropna(subset=["review_comment_message"])
    portuguese = portuguese[portuguese["review_score"] != 3]
    portuguese = pd.DataFrame(
        {"text": portuguese["review_comment_message"], "label": (portuguese["review_score"] > 3).astype(int)}
    )
    english = english_kinds()
    sold, films = english["books, DVDs, electronics (2006)"], english["films"]
    kinds = {"other products (2006)": sold, "films": films, "Portuguese": portuguese}
    return {name: rows.sample(1000, random_state=0) for name, rows in kinds.items()}


def elsewhere(ask: Predictor, calibration: dict, name: str, rows: pd.DataFrame) -> list[dict]:
    "The contract on other reviews, asked in lots of 100."
    scores, y, lines = scored(ask, rows["text"]), rows["label"].to_numpy(), []
    off = (scores.margin > 0) != (y == 1)
    lots = np.array_split(np.arange(len(y)), len(y) // 100)
    for error in (0.02, 0.05, 0.1):
        results = [guarantee_risk(part(scores, i), calibration, error) for i in lots]
        answered = np.concatenate([a for a, _ in results])
        held = sum(
            not p.holds or not a.any() or off[i][a].mean() <= error for (a, p), i in zip(results, lots, strict=True)
        )
        lines.append({
            "reviews": f"{name}, lots of 100", "max_error": error,
            "promise given": f"{sum(p.holds for _, p in results)} of {len(lots)}", "answered": float(answered.mean()),
            "wrong of these": float(off[answered].mean()) if answered.any() else 0.0,
            "at or below max_error": f"{held} of {len(lots)} (or no promise)",
        })  # fmt: skip
    return lines


def resplits(draws: int = 400) -> list[dict]:
    "The contract on the 855 test rows, by the models of three seeds: half calibrates, half is answered."
    rows = test_rows()
    y = rows["label"].to_numpy()
    return [
        {"seed": k} | line
        for k in range(3)
        for line in halves(scored(Predictor(standard_model(k)), rows["text"]), y, draws)
    ]


def halves(scores: Scores, y: np.ndarray, draws: int) -> list[dict]:
    "Half of the rows calibrates, the other half is answered; many times."
    rng, lines = np.random.default_rng(0), []
    for error in (0.02, 0.05, 0.1):
        kept, promised, coverage, wrong = 0, 0, [], []
        for _ in range(draws):
            order = rng.permutation(len(y))
            held, new = order[: len(y) // 2], order[len(y) // 2 :]
            calibration, _ = held_out(part(scores, held), y[held], Recipe.max_tokens)
            answered, promise = guarantee_risk(part(scores, new), calibration, error)
            off = ((scores.margin[new] > 0) != (y[new] == 1))[answered]
            kept, promised = kept + (not len(off) or off.mean() <= error), promised + promise.holds
            coverage.append(answered.mean())
            wrong.append(off.mean() if len(off) else 0.0)
        lines.append({
            "max_error": error, "promise given": f"{promised} of {draws}", "answered": float(np.mean(coverage)),
            "wrong of these": float(np.mean(wrong)), "at or below max_error": f"{kept} of {draws}",
        })  # fmt: skip
    return lines


def stored(n: int) -> list[dict]:
    "Runs on n labels, by the recipe as shipped, that accuracy_sentiment.py kept."
    runs = (json.loads(p.read_text()) for p in sorted(RUNS.glob(f"run-{n}-*.json")))
    return [r for r in runs if r["recipe"] == asdict(Recipe(seed=r["seed"]))]


# --- explanations ---------------------------------------------------------------------------------------------------


def explain(ask: Predictor, folder: Path, n: int = 300, minutes: float = 8) -> list[dict]:
    "Deletion against chance, completeness, time; and with words weighed by a model whose weights are random."
    rows = test_rows().sample(n, random_state=1)["text"].tolist()
    half, begun = folder.parent / f"trust-explained-{ask.version}.json", time.perf_counter()
    explanations = json.loads(half.read_text()) if half.is_file() else []  # so that it can be made in pieces
    for text in rows[len(explanations) :]:
        start, busy = time.perf_counter(), time.process_time()
        explanations.append(ask.explain(text))
        explanations[-1] |= {"clock": time.perf_counter() - start, "busy": time.process_time() - busy}
        if time.perf_counter() - begun > 60 * minutes:
            half.write_text(json.dumps(explanations, default=float))
            raise SystemExit(f"{len(explanations)} of {n} explained; run it again")
    half.write_text(json.dumps(explanations, default=float))
    seconds, busy = (np.array([t[k] for t in explanations]) for k in ("clock", "busy"))
    tokens = np.array([t["tokens_total"] for t in explanations])
    near, wide = (tokens >= 112) & (tokens <= 144), (tokens >= 96) & (tokens <= 160)
    faith = np.array([t["faithfulness"] for t in explanations])
    complete = np.array([t["completeness_error"] for t in explanations])
    scrambled = Predictor(folder)
    torch.manual_seed(0)
    for name, weight in scrambled.model.named_parameters():
        if weight.ndim > 1 and "embeddings" not in name:
            weight.data.normal_(0, weight.std().item())
    rng = np.random.default_rng(0)
    scrambled.model.words = tuple(
        replace(w, weights=rng.normal(0, w.weights.std(), len(w.weights))) for w in scrambled.model.words
    )
    chance, alike = [], []
    for text, true in list(zip(rows, explanations, strict=True))[:100]:
        if len(true["words"]) < 3 or true["tokens_total"] > 160:
            continue
        data, spans = ask.encode([text]), words_of(text)
        owner = owners(spans, bare_backend(ask.tokenizer).encode(text, add_special_tokens=False).offsets)
        parts, _ = token_weights(scrambled, data, int(data.totals[0]))
        weights = np.bincount(owner[owner >= 0], parts[owner >= 0], len(spans))
        chance.append(ask.faithfulness(data, owner, weights))
        alike.append(spearmanr(weights, [w["weight"] for w in true["words"]]).statistic)
    mean = lambda x: f"{np.mean(x):.2f}"  # noqa: E731
    return [
        {"what": "reviews explained", "found": str(n), "asked for": "300"},
        {
            "what": "fall when the top 15 % of words go, times chance: mean (median)",
            "found": f"{mean(faith)} ({np.median(faith):.2f})", "asked for": "at least 3",
        },
        {"what": "marked faithful (at least 2 times chance)", "found": f"{(faith >= 2).mean():.0%}", "asked for": ""},
        {
            "what": "completeness error: median (95th percentile)",
            "found": f"{np.median(complete):.3f} ({np.quantile(complete, 0.95):.3f})", "asked for": "0.02",
        },
        {
            "what": f"seconds, 112 to 144 tokens ({near.sum()} reviews): median (95th percentile)",
            "found": f"{np.median(seconds[near]):.2f} ({np.quantile(seconds[near], 0.95):.2f})",
            "asked for": "p95 under 1.5",
        },
        {
            "what": f"seconds, 96 to 160 tokens ({wide.sum()} reviews): median (95th percentile)",
            "found": f"{np.median(seconds[wide]):.2f} ({np.quantile(seconds[wide], 0.95):.2f})", "asked for": "",
        },
        {
            "what": "112 to 144 tokens in processor seconds (two cores spend two a second)",
            "found": f"{np.median(busy[near]):.2f} ({np.quantile(busy[near], 0.95):.2f})",
            "asked for": "3.0 are 1.5 s on 2 idle cores",
        },
        {
            "what": "seconds, all lengths: 95th percentile", "found": f"{np.quantile(seconds, 0.95):.2f}",
            "asked for": "",
        },
        {
            "what": f"words weighed by random weights ({len(chance)} reviews): times chance",
            "found": f"{mean(chance)} ({np.median(chance):.2f})", "asked for": "near 1 or below",
        },
        {"what": "… rank correlation with the trained model's words", "found": mean(alike), "asked for": "near 0"},
    ]  # fmt: skip


# --- the gate -------------------------------------------------------------------------------------------------------


def gate(ask: Predictor, draws: int = 100) -> list[dict]:
    "Equal, worse and damaged models on 700 test rows, drawn without replacement: a row drawn twice would count as two."
    rows, rng, lines = test_rows(), np.random.default_rng(0), []
    y, texts = rows["label"].to_numpy(), rows["text"]
    by = pd.DataFrame({"words": length_group(rows["text"].str.split().str.len()), "label": rows["label"]})
    first, *others = [1 / (1 + np.exp(np.array(r["margin"]))) for r in stored(3400)]
    cases = {
        f"equal: answers of seeds 0 and {k + 1} exchanged at random": (o, "at most 5", True)
        for k, o in enumerate(others)
    }
    for r in stored(250):
        cases["worse: learnt from 250 labels"] = (1 / (1 + np.exp(np.array(r["margin"]))), str(draws), False)
    for amount in (0.5, 1.0):
        hurt = damaged(ask, amount)
        worse = 1 / (1 + np.exp(scored(hurt, texts).margin))
        cases[f"damaged: noise of {amount:g} standard deviations on its weights"] = (worse, str(draws), False)
    cases["damaged: labels exchanged"] = (1 - first, str(draws), False)
    for name, (p, wanted, equal) in cases.items():
        refused = 0
        for _ in range(draws):
            swap = rng.random(len(y)) < 0.5 if equal else np.zeros(len(y), bool)
            old, new, i = np.where(swap, p, first), np.where(swap, first, p), rng.choice(len(y), 700, replace=False)
            refused += (
                promotion_gate(prediction_flips(y[i], old[i], new[i], by.iloc[i].reset_index(drop=True))) is not None
            )
        right = float(((p >= 0.5) == (y == 0)).mean())
        lines.append(
            {"new model": name, "its accuracy": right, "refused": f"{refused} of {draws}", "asked for": wanted}
        )
    return lines


def damaged(ask: Predictor, amount: float) -> Predictor:
    "The same model with noise on its weights, in standard deviations of each matrix."
    hurt = Predictor(ask.folder)
    torch.manual_seed(int(amount * 10))
    for name, weight in hurt.model.named_parameters():
        if weight.ndim > 1 and "embeddings" not in name:
            weight.data += torch.randn_like(weight) * weight.std() * amount
    hurt.scorer = hurt.model  # a packed one would be a copy made before
    return hurt


def shown(lines: list[dict]) -> pd.DataFrame:
    "A table without the answers to single reviews."
    return pd.DataFrame(lines).drop(columns="right", errors="ignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=["resplits", "far", "contract", "explain", "gate"])
    args, start = parser.parse_args(), time.perf_counter()
    folder, results = standard_model(), {}
    ask = Predictor(folder)
    work = {
        "resplits": resplits,
        "far": far,
        "contract": lambda: contract(ask),
        "explain": lambda: explain(ask, folder),
        "gate": lambda: gate(ask),
    }
    for part in args.only or work:
        kept = folder.parent / f"trust-{part}-{ask.version}.json"
        if not kept.is_file():
            begun = time.perf_counter()
            lines = work[part]()
            kept.write_text(json.dumps({"lines": lines, "seconds": time.perf_counter() - begun}, default=str))
        results[part] = json.loads(kept.read_text())
        print(shown(results[part]["lines"]).to_string(), flush=True)
    heads = {
        "resplits": "Answers under an error contract, test rows only (asked for: kept in at least 95 %; the halves "
        "share one pool, so a lucky calibration meets an unlucky other half)",
        "far": "A verdict beyond token 512 (all test rows; asked for: 500 within 0.01)",
        "contract": "Answers under an error contract (asked for: kept in at least 95 %)",
        "explain": "Words that carry the answer",
        "gate": "The gate before a swap (accuracy on 855 rows; refusals on 700 of them at a time)",
    }
    left = [heads[p].split(" (")[0] for p in heads if p not in results]
    missing = f"Not run yet: {'; '.join(left)}." if left else ""
    recipe = ask.card["training"]["recipe"]
    tables = {}
    for p, result in results.items():
        tables[heads[p]] = shown(result["lines"]).fillna("")
        if p == "far":
            tables["A verdict beyond token 512, mean of the seeds"] = far_means(result["lines"])
    write(
        "sentiment_trust",
        "Sentiment: what the model promises, checked",
        f"One model, trained on {ask.card['training']['rows']:,} rows of `amazon_polarity/train.ft.txt` (seed "
        f"{recipe['seed']}, "
        f"see sentiment_accuracy.md), calibrated on {ask.calibration['n']} more. It has seen none of the rows used "
        f"here. " + missing,
        tables,
        0,
        max(sum(f["seconds"] for f in results.values()), time.perf_counter() - start),
    )


if __name__ == "__main__":
    main()
