"""Themes whose truth is known: the planted topic of each review, and one that four reviews speak of."""

import pandas as pd
from sqlalchemy import Engine

from smart_customer_analysis.data.review_text import review_texts
from smart_customer_analysis.data.sentences import split_reviews
from smart_customer_analysis.store.themes import save_theme_run

SMELL = "The smell of tar"  # name of the theme of few people


def planted_sentences(reviews: pd.DataFrame, topics: dict[str, str]) -> tuple[pd.DataFrame, dict[str, str]]:
    "Sentences with their theme, short ones without; and the letter of each topic."
    whole = pd.DataFrame({"review_id": reviews["review_id"], "text": review_texts(reviews)})
    rows = split_reviews(whole)
    letters = dict(zip(sorted(set(topics.values())), "ABCDEFGHIJKLMNOP", strict=False))
    theme = rows["review_id"].map(topics).map(letters)
    rows["first_id"] = theme.where(rows["text"].str.split().str.len() >= 5, None)
    few = rows["review_id"].isin(reviews["review_id"].iloc[:4])
    rows["first_id"] = rows["first_id"].mask(few & ~rows["review_id"].duplicated(), "Z")
    stars = rows["review_id"].map(reviews.set_index("review_id")["rating"]).fillna(3).astype(float)
    rows = rows.assign(p_negative=0.95 - 0.18 * (stars - 1), margin=0.5)
    of_both_minds = rows["review_id"].isin(reviews["review_id"].iloc[4:40])  # where they have two sentences
    for side, p in (("first", 0.05), ("last", 0.95)):
        rows.loc[of_both_minds & ~rows["review_id"].duplicated(keep=side), "p_negative"] = p
    return rows, letters


def plant_themes(engine: Engine, source: str, reviews: pd.DataFrame, topics: dict[str, str]) -> pd.DataFrame:
    "Store a run of themes; returns its sentences."
    rows, letters = planted_sentences(reviews, topics)
    themes = []
    for name, letter in [*letters.items(), (SMELL, "Z")]:
        mine = rows[rows["first_id"] == letter].drop_duplicates("review_id")
        sides = {"praise": mine[mine["p_negative"] < 0.3], "complaint": mine[mine["p_negative"] > 0.7]}
        quotes = {s: q[["review_id", "start", "stop", "text"]].tail(2).to_dict("records") for s, q in sides.items()}
        of = {"theme_id": letter, "name": name.capitalize(), "words": [name, "late"], "origin": "found"}
        themes.append(of | quotes)
    run = {"model_version": None, "params": {}, "evidence": [], "fitted": b""}
    run["events"] = [{"kind": "birth", "segment_id": "A", "n": 40, "sentence": "[A] appeared: 40 sentences."}]
    save_theme_run(engine, source, run, pd.DataFrame(themes), [rows.drop(columns="text")], whole=True)
    return rows
