"""Scoring and training beside Hugging Face's pipeline and Trainer, same model, same rows. Writes docs/measured/sentiment.md.

python benchmarks/bench_sentiment.py MODEL_FOLDER FASTTEXT_FILE [--rows 200]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sim_table import write
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, pipeline

from smart_customer_analysis.sentiment.dataset import encode
from smart_customer_analysis.sentiment.model import load_encoder, quiet
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.train import Recipe, multiply_rate
from smart_customer_analysis.sentiment.train import Trainer as Ours


def timed(work) -> tuple[float, object]:
    "Seconds and result of one call."
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def scoring(folder: Path, texts: list[str]) -> list[dict]:
    "Reviews per second of the pipeline at batch 1 and 32, and ours."
    ask = Predictor(folder)
    with quiet():
        theirs = pipeline("text-classification", model=str(folder), truncation=True)
    tokens = int(encode(texts, ask.tokenizer).totals.sum())
    rows, marks = [], {}
    for name, work in {
        "pipeline, batch 1": lambda: [r["label"] == "positive" for r in theirs(texts, batch_size=1)],
        "pipeline, batch 32": lambda: [r["label"] == "positive" for r in theirs(texts, batch_size=32)],
        "ours, buckets": lambda: (ask.predict(texts).frame.p_positive > 0.5).tolist(),
    }.items():
        rate = multiply_rate(ask.dtype, ask.device, 2048)
        seconds, marks[name] = timed(work)
        rows.append({
            "task": "scoring",
            "how": name,
            "reviews/s": len(texts) / seconds,
            "tokens/s": tokens / seconds,
            "share of the matrix-multiply rate": tokens / seconds * 22.2e6 / 1e9 / rate,
        })  # fmt: skip
    same = np.mean(np.array(marks["pipeline, batch 1"]) == np.array(marks["ours, buckets"]))
    print(f"labels equal to the pipeline's: {same:.1%}")
    return rows


def training(encoder: str, texts: list[str], labels: list[int]) -> list[dict]:
    "Tokens per second, padding not counted, of the Hugging Face Trainer with its defaults, and ours."
    rows, recipe = [], Recipe(encoder=encoder, epochs=1)
    with tempfile.TemporaryDirectory() as home:
        with quiet():
            model, tokenizer = load_encoder(encoder)
        data = encode(texts, tokenizer, recipe.max_tokens, labels)
        tokens = int(data.lengths.sum())
        model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = 0.1  # as it comes
        for part in model.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.1
        items = [{"input_ids": data[i][0].tolist(), "labels": int(labels[i])} for i in range(len(data))]
        try:
            plain = TrainingArguments(
                home,
                num_train_epochs=1,
                report_to=[],
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
            )
            peer = Trainer(model, plain, train_dataset=items, data_collator=DataCollatorWithPadding(tokenizer))
            seconds, _ = timed(peer.train)
            told = {"reviews/s": len(texts) / seconds, "tokens/s": tokens / seconds}
            rows.append({"task": "training", "how": "Trainer, defaults", **told})
        except ImportError as e:  # the Trainer needs accelerate, which the library does not
            print(f"no Trainer to compare with: {str(e).strip().splitlines()[0]}")
        for name, keep in (("ours", 0.0), ("ours, topics kept", recipe.keep_topics)):

            def work(keep=keep):
                run = Ours(data, Recipe(encoder=encoder, epochs=1, keep_topics=keep), Path(home), "cpu", torch.float32)
                for _ in run.plan:
                    run.step()

            seconds, _ = timed(work)
            rows.append(
                {"task": "training", "how": name, "reviews/s": len(texts) / seconds, "tokens/s": tokens / seconds}
            )
    return rows


def main() -> None:
    "Measure and write the table."
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--encoder", default=Recipe.encoder)
    args, start = parser.parse_args(), time.perf_counter()
    lines = [x.split(" ", 1) for x in args.file.read_text(encoding="utf-8").split("\n")[: args.rows] if x]
    texts, labels = [t for _, t in lines], [int(label[-1]) - 1 for label, _ in lines]
    table = pd.DataFrame([*scoring(args.folder, texts), *training(args.encoder, texts, labels)])
    for task in table["task"].unique():
        mine = table["task"] == task
        table.loc[mine, "times the first"] = table.loc[mine, "tokens/s"] / table.loc[mine, "tokens/s"].iloc[0]
    about = (
        f"{len(texts)} reviews, {torch.get_num_threads()} threads. Tokens per second without padding; peer and ours in one "
        "run, on a machine that may be shared, so read the ratios."
    )
    write(
        "sentiment",
        "Sentiment: speed beside Hugging Face",
        about,
        {"Speed": table.fillna("")},
        42,
        time.perf_counter() - start,
    )


if __name__ == "__main__":
    main()
