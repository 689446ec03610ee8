"""Small versions of the store's fault runs; `make faults` runs the full counts."""

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from tqdm.auto import tqdm

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.steps.load import load_only

sys.path.insert(0, str(Path(__file__).resolve().parent))
import store_faults as faults

# tqdm's own lock is shared with forked children: one that is killed while it holds it would stop this process for ever
tqdm.set_lock(threading.RLock())


def test_killed_loader(make_database):
    assert faults.kill_loader(make_database, 4) == []


@pytest.mark.parametrize("same", [True, False], ids=["same rows", "different rows"])
def test_loaders_at_once(make_database, same):
    assert faults.load_at_once(make_database, 1, 4, same) == []


@pytest.mark.db
def test_backend_cut(make_pg_database):
    assert faults.cut_backend(make_pg_database, 3) == []


def test_disk_full(tmp_path):
    assert faults.fill_disk(lambda: f"sqlite:///{tmp_path}/full.db", 4, n=2_000) == []


def test_nobody_there():
    assert faults.knock_at_closed_door(1) == []


@pytest.mark.real
def test_olist_is_whole_after_kills(make_database, real_data, tmp_path):
    "The whole command, killed five times at random moments, then left alone: the counts of an undisturbed load."
    undisturbed, killed = make_database(), make_database()
    start = time.perf_counter()
    load_olist(undisturbed, real_data, tmp_path)
    took, expected = time.perf_counter() - start, faults.counts(undisturbed)
    assert expected["reviews"] == 5462 and expected["rejects"] == 99
    rng = random.Random(4)
    for _ in range(5):
        child = faults.fork.Process(target=load_olist, args=(killed, real_data, tmp_path))
        child.start()
        time.sleep(rng.uniform(0.3, 1.0) * took)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        left = faults._settled(killed) if faults.ready(killed) else None
        assert left is None or left == expected or sum(left[t] for t in faults.TABLES) == 0, left
    load_olist(killed, real_data, tmp_path)
    assert faults.counts(killed) == expected
    load_olist(killed, real_data, tmp_path)
    assert faults.counts(killed) == expected


def load_olist(url: str, data: Path, home: Path) -> None:
    "What `sca load --source olist` does."
    load_only(load_settings(home, database_url=url), "olist", (data / "olist",))
