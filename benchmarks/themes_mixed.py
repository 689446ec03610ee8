"""Which reviews both praise and complain: found and missed by the bound from which a sentence counts as sure.

Writes docs/measured/themes_mixed.md. Sentences with people's labels (aspects), four in a row as one review."""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write
from themes_pass import ENCODER, as_reviews, labelled, polarity

from smart_customer_analysis.sentiment.loaded import LoadedModel, probabilities
from smart_customer_analysis.sentiment.sentences import fit_sentence_map, sentence_states
from smart_customer_analysis.store.mentions import SURE


def mixed(model: LoadedModel, name: str) -> list[dict]:
    "One row for each bound: reviews that are mixed by people's labels, and by the model's sentences."
    rows = labelled(name)
    whole, places = as_reviews([r["text"] for r in rows])
    _, states = sentence_states(model, whole, places)
    way = fit_sentence_map(model, places["text"].tolist(), states, ENCODER)  # without labels
    sentences = places.assign(p=1 - probabilities(way.apply(states)[1], model.calibration))
    sides = sentences.assign(truth=[polarity(r) for r in rows]).groupby("row")
    truth = ((sides["truth"].max() == 1) & (sides["truth"].min() == 0)).to_numpy()
    table = []
    for bound in (0.7, SURE, 0.9, 0.95):
        read = ((sides["p"].max() >= bound) & (1 - sides["p"].min() >= bound)).to_numpy()
        table.append({"set": name, "sure from": bound, "reviews": len(truth), "mixed by labels": truth.mean(),
                      "mixed as read": read.mean(), "precision": truth[read].mean() if read.any() else np.nan,
                      "recall": read[truth].mean()})  # fmt: skip
    return table


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--model", type=Path, required=True, help="a published model folder")
    args = options.parse_args()
    started, model = time.time(), LoadedModel(args.model)
    table = pd.DataFrame([row for name in ("restaurant16", "laptop14") for row in mixed(model, name)])
    intro = (
        "A review is mixed where one sentence is surely negative and another surely positive. By labels: people gave "
        "one sentence only negative and another only positive opinions. Reviews are four labelled sentences in "
        f"a row. The product uses the bound {SURE}. The model was trained on the made-up sample shop."
    )
    write("themes_mixed", "Reviews of both minds", intro, {"Found and missed": table}, 0, time.time() - started)
