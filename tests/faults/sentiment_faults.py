"""Break trainings and model folders on purpose. Each function returns its counts and the stories of what went wrong."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from test_sentiment_train import toy

from smart_customer_analysis import files as files_module
from smart_customer_analysis.scale.engine import Local, Ray, run_shards
from smart_customer_analysis.scale.shards import Plan, done_shards, plan_id, read_plan, write_manifest, write_plan
from smart_customer_analysis.schema import ModelError
from smart_customer_analysis.sentiment import checkpoint
from smart_customer_analysis.sentiment import encoder as sentiment_encoder
from smart_customer_analysis.sentiment import recipe as sentiment_recipe
from smart_customer_analysis.sentiment import registry as m
from smart_customer_analysis.sentiment import train as t
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.shards import ScoreJob, device_of, write_texts

server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(["sentiment_faults"])


def train(home: Path, encoder: str, epochs: int = 2) -> t.TrainResult:
    "A small training that saves after every step."
    texts, labels = toy(160)
    recipe = dict(
        encoder=encoder,
        max_tokens=24,
        epochs=epochs,
        learning_rate=5e-3,
        batch_tokens=256,
        seed=1,
        device="cpu",
        precision="fp32",
    )
    return t.train_sentiment(
        texts[:120], labels[:120], texts[120:], labels[120:], home / "sentiment", checkpoint_steps=1, **recipe
    )


def _train(home: Path, encoder: str, messages) -> None:
    torch.set_num_threads(1)
    messages.put("begins")
    train(home, encoder)
    messages.put("done")


def _dies_writing(home: Path, encoder: str, messages, at: int) -> None:
    "Train, and be killed in the middle of the write number `at`."
    torch.set_num_threads(1)
    calls, whole = [0], {n: getattr(checkpoint, n) for n in ("save_file", "write_file")}
    whole |= {"publish": m.write_file, "rename": os.rename}

    def write(name: str):
        def half(a, b):
            calls[0] += 1
            if calls[0] > at:
                target = Path(b if name in ("save_file", "rename") else a)
                if name != "rename":
                    target.write_bytes(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
            return whole[name](a, b)

        return half

    checkpoint.save_file, checkpoint.write_file, m.write_file, os.rename = (
        write(n) for n in ("save_file", "write_file", "publish", "rename")
    )
    train(home, encoder)
    messages.put("done")


def same_metrics(home: Path, encoder: str, whole: t.TrainResult) -> str:
    "Train again in this process; what differs from the run that nobody disturbed, or nothing."
    again = train(home, encoder)
    one, two = (load_file(r.folder / "model.safetensors") for r in (again, whole))
    if not all(torch.allclose(one[n], two[n], atol=1e-5) for n in two):
        return "other weights"
    metrics = [json.loads((r.folder / "metrics.json").read_text()) for r in (again, whole)]
    for key in ("validation_accuracy", "validation_confusion", "validation_n"):
        if metrics[0][key] != metrics[1][key]:
            return f"{key}: {metrics[0][key]} instead of {metrics[1][key]}"
    if not np.allclose(again.history.drop(columns="seconds"), whole.history.drop(columns="seconds"), atol=1e-4):
        return "another history"
    left = sorted(p.name for p in (home / "sentiment").iterdir() if not p.name.startswith(".staged"))
    return "" if left == [again.version] else f"left over: {left}"


def where_it_died(home: Path) -> str:
    "What the killed process was doing."
    if list(home.glob("sentiment/.staged-*")):
        return "while the model was published"
    steps = sorted(home.glob("sentiment/.training-*/step-*"))
    if steps and not (steps[-1] / "COMPLETE.json").is_file():
        return "while a checkpoint was written"
    if list(home.glob("sentiment/2*")):
        return "after the model was published"
    return "between two checkpoints" if steps else "before the first checkpoint"


def kill_training(work: Path, runs: int, seed: int = 1) -> tuple[Counter, list[str]]:
    """SIGKILL a training at random moments, two of three after its first checkpoint.

    Training again ends with the same weights and metrics."""
    torch.set_num_threads(1)
    encoder, wrong, rng, places = (
        str(sentiment_encoder.tiny_encoder(work / "tiny", toy(100)[0])),
        [],
        random.Random(seed),
        Counter(),
    )
    whole, took = train(work / "whole", encoder), 0.0
    for run in range(runs + 1):
        home, messages = work / f"run-{run}", server.Queue()
        process = server.Process(target=_train, args=(home, encoder, messages))
        process.start()
        messages.get(timeout=120)
        while run % 3 != 1 and process.is_alive() and not list(home.glob("sentiment/.training-*/step-*")):
            time.sleep(0.001)
        begun = time.perf_counter()
        if run == 0:  # this one is only timed
            process.join(120)
            took = time.perf_counter() - begun
            continue
        time.sleep(rng.uniform(0, took))
        process.kill()  # it may have ended already
        process.join(60)
        places[where_it_died(home)] += 1
        if damaged := [f.name for f in home.glob("sentiment/2*") if f not in m.valid_versions(home)]:
            wrong.append(f"run {run}: half a model: {damaged}")
        if difference := same_metrics(home, encoder, whole):
            wrong.append(f"run {run}: {difference}")
        shutil.rmtree(home, ignore_errors=True)
    return places, wrong


def kill_saving(work: Path, runs: int) -> tuple[Counter, list[str]]:
    "SIGKILL in the middle of the k-th write: of weights, moments, state, marker, model files, or the last rename."
    torch.set_num_threads(1)
    encoder, wrong, places = str(sentiment_encoder.tiny_encoder(work / "tiny", toy(100)[0])), [], Counter()
    whole = train(work / "whole", encoder)
    steps = len(sentiment_recipe.plan_batches(*_plan(encoder))) - 1  # no checkpoint after the last one
    last = 4 * steps + 6  # four writes for each checkpoint, then five files, the manifest and the rename
    for run, at in enumerate(sorted({round(x) for x in np.linspace(0, last, runs)})):
        home, messages = work / f"run-{run}", server.Queue()
        process = server.Process(target=_dies_writing, args=(home, encoder, messages, at))
        process.start()
        process.join(120)
        if process.exitcode != -signal.SIGKILL:
            wrong.append(f"write {at}: the training was not killed, exit code {process.exitcode}")
        places[where_it_died(home)] += 1
        if m.valid_versions(home):
            wrong.append(f"write {at}: a model although it was never finished")
        if difference := same_metrics(home, encoder, whole):
            wrong.append(f"write {at}: {difference}")
        shutil.rmtree(home, ignore_errors=True)
    return places, wrong


def _plan(encoder: str) -> tuple:
    "What `plan_batches` needs to plan the training above."
    from smart_customer_analysis.sentiment.dataset import encode

    texts, labels = toy(160)
    recipe = sentiment_recipe.Recipe(encoder=encoder, max_tokens=24, epochs=2, batch_tokens=256, seed=1)
    return encode(texts[:120], sentiment_encoder.load_encoder(encoder)[1], 24, labels[:120]), recipe


# --- scoring a stream -------------------------------------------------------------------------------------------------


def _score(folder: Path, out: Path, n: int, messages) -> None:
    torch.set_num_threads(1)
    messages.put("begins")
    score_all(Predictor(folder, precision="fp32"), out, n)
    messages.put("done")


def score_all(ask: Predictor, out: Path, n: int, machines: Local | Ray = Local()) -> int:
    "Score n reviews in shards of 50, or what is missing of them; returns how many were scored now."
    plan = read_plan(out)
    if plan is None:
        fixed = {"device": device_of(ask), "threads": 1, "engine": "torch"}
        plan = Plan(settings={}, inputs={}, fixed=fixed, account={}, shards=write_texts(many(n), out, 50))
        write_plan(out, plan)
    receipts = done_shards(out, plan)
    left = [shard for shard in range(len(plan["shards"])) if shard not in receipts]
    list(run_shards(machines, ScoreJob(ask, out, plan_id(plan), plan["fixed"]), left))
    write_manifest(out, plan)
    return 50 * len(left)


def many(n: int) -> list[pd.DataFrame]:
    "Reviews in pieces of 70."
    rows = pd.DataFrame({"review_id": [str(i) for i in range(n)], "text": toy(n, seed=3)[0]})
    return [rows[i : i + 70] for i in range(0, n, 70)]


def kill_scoring(work: Path, runs: int, seed: int = 1, n: int = 3_000) -> tuple[Counter, list[str]]:
    "SIGKILL a scoring at random moments: what is there stays, the rest is scored, every review once."
    torch.set_num_threads(1)
    folder = train(work / "models", str(sentiment_encoder.tiny_encoder(work / "tiny", toy(100)[0]))).folder
    ask, wrong, rng, outcomes = Predictor(folder, precision="fp32"), [], random.Random(seed), Counter()
    begun = time.perf_counter()
    score_all(ask, work / "whole", n)
    took, whole = time.perf_counter() - begun, (work / "whole" / "_MANIFEST.json").read_bytes()
    for run in range(runs):
        out, messages = work / f"run-{run}", server.Queue()
        process = server.Process(target=_score, args=(folder, out, n, messages))
        process.start()
        messages.get(timeout=120)
        time.sleep(rng.uniform(0, took))
        process.kill()  # it may have ended already
        process.join(60)
        there = 50 * len(list((out / "_done").glob("*.json")))
        outcomes["before the first receipt" if not there else "half way" if there < n else "after the last"] += 1
        again = score_all(ask, out, n)
        if again != n - there:
            wrong.append(f"run {run}: {there} were there, {again} of {n} were scored again")
        if (out / "_MANIFEST.json").read_bytes() != whole:
            wrong.append(f"run {run}: other answers")
        shutil.rmtree(out)
    return outcomes, wrong


# --- model folders ----------------------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


def gone(path: Path) -> None:
    path.unlink()


def reseal(folder: Path, **changes) -> None:
    "Write a manifest that is valid again after a change."
    manifest = json.loads((folder / m.MANIFEST).read_text())
    files_module.write_file(folder / m.MANIFEST, m.seal_manifest(manifest | changes))


def relist(folder: Path, name: str) -> None:
    "Give a changed file its place in the manifest, as somebody would who wants it to pass."
    files, path = json.loads((folder / m.MANIFEST).read_text())["files"], folder / name
    reseal(folder, files=files | {name: {"sha256": [files_module.file_hash(path)], "bytes": [path.stat().st_size]}})


def labels_exchanged(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    files_module.write_file(folder / "config.json", config | {"id2label": {"0": "positive", "1": "negative"}})
    relist(folder, "config.json")


def other_tokenizer(folder: Path) -> None:
    files_module.write_file(
        folder / "tokenizer.json", (folder / "tokenizer.json").read_text().replace('"great"', '"gr8at"')
    )


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def code_inside(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    files_module.write_file(
        folder / "config.json", config | {"auto_map": {"AutoModelForSequenceClassification": "evil.Model"}}
    )
    (folder / "evil.py").write_text("raise SystemExit('code of a model folder was run')\n")


def half_copied(folder: Path) -> None:
    for path in sorted(folder.iterdir())[4:]:
        path.unlink()


FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "calibration.json",
    "metrics.json",
)
FILES += ("README.md", "seen.safetensors", "words.safetensors", m.MANIFEST)
CASES = {f"{name} {damage.__name__}": (damage, name) for name in FILES for damage in (gone, cut, flip)}
CASES |= {
    "labels exchanged, manifest made to fit": (labels_exchanged, ""),
    "another tokenizer": (other_tokenizer, ""),
    "pickled weights": (pickled, ""),
    "code in the folder": (code_inside, ""),
    "half copied": (half_copied, ""),
    "another format": (lambda d: reseal(d, format=2), ""),
    "a model of another kind": (lambda d: reseal(d, kind="segments"), ""),
    "renamed folder": (lambda d: reseal(d, version="other"), ""),
    "an empty folder": (lambda d: [p.unlink() for p in list(d.iterdir())], ""),
}


def damage_folders(work: Path, cases: dict = CASES) -> tuple[Counter, list[str]]:
    "Damage the newest model in every way: it is refused in one sentence and the one before goes on serving."
    torch.set_num_threads(1)
    encoder, wrong, outcomes = str(sentiment_encoder.tiny_encoder(work / "tiny", toy(100)[0])), [], Counter()
    old = train(work / "models", encoder).folder
    trained = train(work / "new", encoder, epochs=1).folder
    serving, question = Predictor(old), ["great case, works", "awful, returned it"]
    answer = serving.predict(question).frame
    for name, (damage, file) in cases.items():
        new = Path(shutil.copytree(trained, old.parent / trained.name))
        if m.active_model(work / "models") != new:
            wrong.append(f"{name}: the new model was not active before it was damaged")
        damage(new / file if file else new)
        try:
            Predictor(new)
            wrong.append(f"{name}: accepted")
        except ModelError as e:
            fits = str(e).startswith("expected ") and "\n" not in str(e) and len(str(e)) < 500
            outcomes["refused in one sentence" if fits else "refused"] += 1
            if not fits:
                wrong.append(f"{name}: refused without a sentence: {e}")
        except BaseException as e:
            wrong.append(f"{name}: {type(e).__name__}: {e}")
        now = m.active_model(work / "models")
        if now != old or not Predictor(now).predict(question).frame.equals(answer):
            wrong.append(f"{name}: {now} serves")
        else:
            outcomes["the one before serves"] += 1
        shutil.rmtree(new)
    return outcomes, wrong
