"""Kill workers and the one who asks, at random moments. Each function returns its counts and what went wrong."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from smart_customer_analysis.files import replacing
from smart_customer_analysis.scale.engine import Local, Ray, run_shards
from smart_customer_analysis.scale.shards import (
    Plan,
    commit,
    done_shards,
    frame_hash,
    plan_id,
    read_plan,
    write_manifest,
    write_plan,
)

ROWS = 50  # of a shard
spawn = multiprocessing.get_context("spawn")


def rows_of(shard: int) -> pd.DataFrame:
    return pd.DataFrame({"n": range(shard * ROWS, (shard + 1) * ROWS)})


@dataclass(frozen=True)
class Squares:
    "Square the numbers of a shard; some shards kill their worker the first time, before or after the part is written."

    out: Path
    plan: str
    deadly: tuple[int, ...] = ()
    pause: float = 0.0  # seconds a shard takes

    def open(self):
        return self.do

    def do(self, shard):
        mark, file = self.out / f"_killed-{shard}", f"part-{shard:06d}.parquet"
        dies = shard in self.deadly and not mark.exists()
        if dies:
            mark.touch()
        time.sleep(self.pause)
        squares = rows_of(shard).assign(square=lambda rows: rows.n**2)
        with replacing(self.out / file) as scratch:
            squares.to_parquet(scratch)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return commit(self.out, shard, self.plan, file, squares)


def square(
    out: Path, engine: Local | Ray, shards: int, deadly: tuple[int, ...] = (), pause: float = 0.0, cores: int = 1
) -> bytes:
    "Do what is missing; returns the manifest."
    plan = read_plan(out)
    if plan is None:
        listed = [{"rows": ROWS, "sha256": frame_hash(rows_of(n))} for n in range(shards)]
        plan = Plan(settings={}, inputs={}, fixed={}, account={}, shards=listed)
        write_plan(out, plan)
    receipts = done_shards(out, plan)
    left = [n for n in range(shards) if n not in receipts]
    list(run_shards(engine, Squares(out, plan_id(plan), deadly, pause), left, cores))
    write_manifest(out, plan)
    return (out / "_MANIFEST.json").read_bytes()


def wrong_rows(out: Path, shards: int) -> str:
    "Say what is lost or there twice; empty: nothing."
    numbers = pd.read_parquet(sorted(out.glob("part-*.parquet"))).n
    if numbers.tolist() == list(range(shards * ROWS)):
        return ""
    return f"{len(numbers)} rows, {numbers.nunique()} different, of {shards * ROWS}"


def kill_askers(work: Path, runs: int, workers: int, seed: int = 1, shards: int = 12) -> tuple[Counter, list[str]]:
    "SIGKILL the one who asks at a random moment, and give the same command again."
    whole, rng, outcomes, wrong = square(work / "whole", Local(), shards), random.Random(seed), Counter(), []
    pause = 0.02 * workers
    for run in range(runs):
        out = work / f"run-{run}"
        asker = spawn.Process(target=square, args=(out, Local(workers), shards, (), pause))
        asker.start()
        while not (out / "_plan.json").exists() and asker.is_alive():
            time.sleep(0.005)
        wait_for_worker(out, asker, rng.randrange(shards))
        time.sleep(rng.uniform(0, 0.03))
        children = psutil.Process(asker.pid).children() if asker.is_alive() else []
        asker.kill()
        asker.join(60)
        there = len(list((out / "_done").glob("*.json"))) if (out / "_done").exists() else 0
        outcomes["before a receipt" if not there else "half way" if there < shards else "after the last receipt"] += 1
        if square(out, Local(), shards) != whole or (why := wrong_rows(out, shards)):
            wrong.append(f"run {run}: another manifest, or {why}")
        _, alive = psutil.wait_procs(children, 180)
        wrong += [f"run {run}: a worker lives on" for _ in alive]
        shutil.rmtree(out)
    return outcomes, wrong


def wait_for_worker(out: Path, asker, receipts: int) -> None:
    "Wait for so many receipts, or for the end."
    while asker.is_alive() and len(list((out / "_done").glob("*.json"))) < receipts:
        time.sleep(0.002)


def kill_workers(
    work: Path, runs: int, engine: Local | Ray, seed: int = 1, shards: int = 12
) -> tuple[Counter, list[str]]:
    "SIGKILL workers that have written a part and not its receipt, or nothing yet."
    whole, rng, outcomes, wrong = square(work / "whole", Local(), shards), random.Random(seed), Counter(), []
    for run in range(runs):
        out, deadly = work / f"run-{run}", tuple(rng.sample(range(shards), 2))
        if square(out, engine, shards, deadly) != whole or (why := wrong_rows(out, shards)):
            wrong.append(f"run {run}: another manifest, or {why}")
        killed = len(list(out.glob("_killed-*")))
        outcomes["workers killed"] += killed
        wrong += [f"run {run}: {killed} killed, 2 planned"] if killed != 2 else []
        shutil.rmtree(out)
    return outcomes, wrong
