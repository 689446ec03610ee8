"""Shards: what comes out does not depend on who did them, on kills, or on how often the command was given."""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
from shard_faults import Squares, rows_of, square, wrong_rows

from smart_customer_analysis.scale import engine as e
from smart_customer_analysis.scale import shards as s
from smart_customer_analysis.schema import InputError


@dataclass
class Scripted:
    "Workers in this process that are lost, or fail, as planned."

    workers: int
    lost: Counter  # shard -> how often its worker is lost
    given: list

    def crew(self, job, cores):
        self.work, self.events, self.hired = job.open(), [], 0
        return self

    def hire(self):
        self.events.append((self.hired, "ready", None))
        self.hired += 1

    def give(self, worker, shard):
        self.given.append((worker, shard))
        if self.lost[shard] > 0:
            self.lost[shard] -= 1
            self.events += [(worker, "lost", "code -9"), (worker, "ready", None)]
        else:
            self.events.insert(0, (worker, *e.attempt(self.work, shard)))

    def next(self):
        return self.events.pop(0)

    def close(self):
        self.given.append("closed")


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_any_number_of_workers_and_lost_ones_give_the_same_manifest(tmp_path, workers):
    whole = square(tmp_path / "whole", e.Local(), 9)
    crew = Scripted(workers, Counter({0: 2, 4: 1, 8: 2}), [])
    assert square(tmp_path / "out", crew, 9) == whole and wrong_rows(tmp_path / "out", 9) == ""
    assert Counter(shard for _, shard in crew.given[:-1])[0] == 3 and crew.given[-1] == "closed"


def test_a_shard_that_costs_three_workers_is_given_up_and_the_others_are_done(tmp_path):
    plan = s.Plan(settings={}, inputs={}, fixed={}, account={}, shards=[{"rows": 50}] * 5)
    s.write_plan(tmp_path, plan)
    crew = Scripted(2, Counter({3: 99}), [])
    results = dict(e.run_shards(crew, Squares(tmp_path, s.plan_id(plan)), range(5)))
    assert results[3] == "code -9" and sorted(s.done_shards(tmp_path, plan)) == [0, 1, 2, 4]
    with pytest.raises(s.ShardError, match=r"1 without a result: \[3\]"):
        s.write_manifest(tmp_path, plan)
    assert not (tmp_path / "_MANIFEST.json").exists()


def test_an_error_about_the_data_is_not_tried_again_and_workers_that_cannot_begin_end_the_run():
    tries = Counter()

    def work(shard):
        tries[shard] += 1
        raise (InputError("a text", "none", "look") if shard == 0 else OSError("away"))

    results = dict(e.run_shards(e.Local(), SimpleNamespace(open=lambda: work), [0, 1]))
    assert tries == {0: 1, 1: 3} and "found none" in results[0] and results[1] == "OSError: away"
    crew = SimpleNamespace(hire=lambda: None, next=lambda: (0, "lost", "code 1"), close=lambda: None)
    with pytest.raises(s.ShardError, match="a worker that can begin"):
        list(e.run_shards(SimpleNamespace(workers=1, crew=lambda job, cores: crew), None, [0]))


def test_a_receipt_of_another_plan_or_without_its_part_does_not_count(tmp_path):
    square(tmp_path, e.Local(), 4)
    plan = s.read_plan(tmp_path)
    assert s.done_shards(tmp_path, plan | {"settings": {"model": "v2"}}) == {}
    (tmp_path / "part-000002.parquet").unlink()
    assert sorted(s.done_shards(tmp_path, plan)) == [0, 1, 3]


def test_a_second_writer_may_write_the_same_and_nothing_else(tmp_path):
    square(tmp_path, e.Local(), 2)
    name = s.plan_id(s.read_plan(tmp_path))
    Squares(tmp_path, name).do(1)
    with pytest.raises(s.ShardError, match="two results"):
        s.commit(tmp_path, 1, name, "part-000001.parquet", rows_of(1).assign(square=0))


def test_the_content_of_a_frame_is_named_to_the_last_bit():
    rows = pd.DataFrame({"p": [0.1, 0.5], "label": pd.array([0, None], "Int8")})
    other = (rows.assign(p=[0.1 + 2e-17, 0.5]), rows[::-1], rows[:1], rows.rename(columns={"p": "q"}))
    assert s.frame_hash(rows) == s.frame_hash(rows.copy())
    assert s.frame_hash(rows) not in {s.frame_hash(frame) for frame in other}


# --- Ray, without Ray -------------------------------------------------------------------------------------------------


class RayLike:
    "The part of Ray that is used; the actor is lost at the second shard, once."

    exceptions = SimpleNamespace(RayError=OSError)

    def __init__(self):
        self.log, self.lost = [], True

    def put(self, value):
        return value

    def remote(self, **options):
        self.options = options
        return lambda kind: SimpleNamespace(remote=lambda job: self.actor(kind(job)))

    def actor(self, actor):
        return SimpleNamespace(
            ready=SimpleNamespace(remote=lambda: ("ready", actor.ready, ())),
            do=SimpleNamespace(remote=lambda shard: ("do", actor.do, (shard,))),
        )

    def wait(self, calls, num_returns):
        return calls[:1], calls[1:]

    def get(self, call):
        name, method, arguments = call
        self.log.append((name, *arguments))
        if arguments == (1,) and self.lost:
            self.lost = False
            raise OSError("its node is gone")
        return method(*arguments)

    def shutdown(self):
        self.log.append("shutdown")


def test_a_lost_ray_actor_gets_no_shard_before_it_answers_again(tmp_path, monkeypatch):
    ray = RayLike()
    monkeypatch.setattr(e, "_join_ray", lambda address, cores: ray)
    whole = square(tmp_path / "whole", e.Local(), 3)
    assert square(tmp_path / "out", e.Ray(1), 3, cores=2) == whole
    assert ray.log == [("ready",), ("do", 0), ("do", 1), ("ready",), ("do", 2), ("do", 1), "shutdown"]
    assert ray.options == {"max_restarts": -1, "max_task_retries": 0, "num_cpus": 2}


def test_ray_is_asked_for_in_one_line(monkeypatch):
    monkeypatch.setattr(e, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'smart_customer_analysis\[ray\]'"):
        e.Ray(2).crew(None, 1)
    with pytest.raises(InputError, match="ray job submit"):
        e.Ray(2, "ray://head:10001").crew(None, 1)
