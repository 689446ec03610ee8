"""Small versions of the store's fault runs; `make faults` runs the full counts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import store_faults as faults


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.db)])
def make(request, tmp_path):
    "Function that makes an empty database."
    numbers = iter(range(1000))
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"
    return request.getfixturevalue("make_pg_database")


def test_killed_loader(make):
    assert faults.kill_loader(make, 4) == []


@pytest.mark.parametrize("same", [True, False], ids=["same rows", "different rows"])
def test_loaders_at_once(make, same):
    assert faults.load_at_once(make, 1, 4, same) == []


@pytest.mark.db
def test_backend_cut(make_pg_database):
    assert faults.cut_backend(make_pg_database, 3) == []


def test_disk_full(tmp_path):
    assert faults.fill_disk(lambda: f"sqlite:///{tmp_path}/full.db", 4, n=2_000) == []


def test_nobody_there():
    assert faults.knock_at_closed_door(1) == []
