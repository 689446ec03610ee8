"Work shared between processes: the same results in the same order, whatever happens to one of them."

import multiprocessing
import os
import signal

import pandas as pd
import pytest

from smart_customer_analysis import workers
from smart_customer_analysis.data import clean
from smart_customer_analysis.data.load import read_batches

OWNER = os.getpid()


@pytest.fixture
def two_workers(monkeypatch):
    "Two processes, whatever the machine and the threads of the test runner."
    monkeypatch.setattr(workers, "count_workers", lambda: 2)


def _where(n: int) -> tuple[int, bool]:
    return n, os.getpid() != OWNER


def test_large_items_are_done_elsewhere_and_all_come_in_order(two_workers):
    results = [result for _, result in workers.in_order(_where, range(9), int, lambda n: n != 4)]
    assert results == [(n, n != 4) for n in range(9)]
    assert multiprocessing.active_children() == []


def _killed(n: int) -> int:
    if n == 3 and os.getpid() != OWNER:
        os.kill(os.getpid(), signal.SIGKILL)
    return -n


def test_a_killed_worker_costs_no_result(two_workers):
    assert list(workers.in_order(_killed, range(8), int, lambda n: True)) == [(n, -n) for n in range(8)]


def test_an_error_in_a_worker_is_raised_here_and_the_workers_end(two_workers):
    with pytest.raises(ZeroDivisionError):
        list(workers.in_order(lambda n: 1 // (3 - n), range(6), int, lambda n: True))
    assert multiprocessing.active_children() == []


def test_work_that_was_begun_is_done_elsewhere_once_and_here_where_it_died(two_workers):
    begun = workers.Begun(lambda: (os.getpid(), os.urandom(4)))
    assert begun.result == begun.result and begun.result[0] != OWNER
    assert workers.Begun(lambda: _killed(3)).result == -3
    with pytest.raises(ZeroDivisionError):
        _ = workers.Begun(lambda: 1 // 0).result
    assert multiprocessing.active_children() == []


def test_near_reviews_are_counted_the_same_elsewhere(two_workers):
    reviews = pd.DataFrame({"title": "", "text": ["a b c d e f g", "a b c d e f g", "h i j k l"] * 5, "language": "en"})
    counts = clean.StepCounts(near_rows=10)
    counts.add([], reviews)
    assert counts.near_texts is not None and counts.near() == counts.near()
    assert [n for *_, n in counts.near()] == [10, 5]


def test_batches_cleaned_by_other_processes_are_those_cleaned_here(tmp_path, two_workers, monkeypatch):
    texts = [
        f'{i},c{i % 3},{1 + i % 5},"A &amp; B","Call 555-123-{4000 + i}  or\u200bwrite, it is fine {i // 4}"'
        for i in range(60)
    ]
    (tmp_path / "reviews.csv").write_text("\n".join(["review_id,customer_id,rating,title,text", *texts]) + "\n")
    shops = []
    for large in (1, 100):
        monkeypatch.setattr(clean, "_LARGE", large)
        batches, cleaner = read_batches("csv", tmp_path / "reviews.csv", batch_rows=20), clean.Cleaner()
        batches_cleaned = [cleaner.clean(b, changes=changes) for b, changes in clean.with_changes(batches)]
        shops.append((pd.concat([b.reviews for b in batches_cleaned]), cleaner.table()))
    pd.testing.assert_frame_equal(shops[0][0], shops[1][0])
    pd.testing.assert_frame_equal(shops[0][1], shops[1][1])
    assert shops[0][0]["text"].str.contains("phone removed").all()
