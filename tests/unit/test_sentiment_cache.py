"""Predictions in blocks on disk: nothing scored twice, whole after every stop."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_sentiment_train import toy

from smart_customer_analysis.sentiment import cache as c


class Counting:
    "A predictor without a model: counts what it predicts, and can be killed."

    version, limit = "v1", None

    def __init__(self, kill_at: int | None = None):
        self.texts, self.kill_at = [], kill_at

    def predict(self, texts, max_error=None):
        if self.kill_at is not None and len(self.texts) >= self.kill_at:
            raise KeyboardInterrupt
        self.texts += texts
        p = np.array([(len(t) % 97) / 97 for t in texts])
        label = pd.array((p < 0.5).astype(int), dtype="Int8")
        frame = pd.DataFrame({"label": label, "p_negative": p, "p_positive": 1 - p})
        frame = frame.assign(tokens_read=[len(t) for t in texts], tokens_total=[len(t) for t in texts])
        return SimpleNamespace(frame=frame, embeddings=np.outer(p, np.linspace(-1, 1, 8)).astype("float32"))


def shop(n, seed=0):
    return pd.DataFrame({"review_id": [f"{seed}-{i}" for i in range(n)], "text": toy(n, seed=seed)[0]})


def test_a_killed_run_goes_on_where_it_was_and_ends_as_one_that_was_not(tmp_path):
    rows, whole = shop(5_000), Counting()
    wanted, _ = c.score_rows(whole, rows, tmp_path / "whole")
    killed = Counting(kill_at=2 * c.BLOCK)
    with pytest.raises(KeyboardInterrupt):
        c.score_rows(killed, rows, tmp_path / "killed")
    again = Counting()
    block, n = c.score_rows(again, rows, tmp_path / "killed")
    assert n == len(again.texts) == 5_000 - 2 * c.BLOCK
    pd.testing.assert_frame_equal(block.frame, wanted.frame)
    assert np.array_equal(block.embeddings, wanted.embeddings)


def test_predictions_from_memory_and_from_disk_are_the_same_to_the_last_bit(tmp_path):
    rows = shop(300)
    new, scored = c.score_rows(Counting(), rows, tmp_path)
    old, nothing = c.score_rows(Counting(), rows, tmp_path)
    pd.testing.assert_frame_equal(new.frame, old.frame)
    assert (scored, nothing) == (300, 0) and new.embeddings.tobytes() == old.embeddings.tobytes()


def test_other_rows_in_another_order_score_only_what_is_new(tmp_path):
    first, second = shop(100), shop(50, seed=1)
    c.score_rows(Counting(), first, tmp_path)
    mixed = pd.concat([second, first[20:]]).sample(frac=1, random_state=0)
    predictor = Counting()
    block, n = c.score_rows(predictor, mixed, tmp_path)
    assert n == 50 and sorted(predictor.texts) == sorted(second.text)
    assert block.frame.review_id.tolist() == mixed.review_id.tolist()
    assert block.frame.tokens_total.tolist() == mixed.text.str.len().tolist()


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "another format"])
def test_a_damaged_block_counts_as_not_written(tmp_path, damage):
    rows = shop(400)
    wanted, _ = c.score_rows(Counting(), rows, tmp_path)
    path = c.block_files(tmp_path)[0]
    raw = path.read_bytes()
    broken = {"torn": raw[:-20], "flipped": raw[:200] + bytes([raw[200] ^ 4]) + raw[201:], "empty": b""}
    path.write_bytes(broken.get(damage, b"PK\x03\x04 npz"))
    block, n = c.score_rows(Counting(), rows, tmp_path)
    assert n == 400
    pd.testing.assert_frame_equal(block.frame, wanted.frame)


def test_an_erased_review_is_in_no_block_of_any_model(tmp_path):
    rows, other = shop(90), Counting()
    other.version = "v2"
    for predictor in (Counting(), other):
        c.score_rows(predictor, rows, tmp_path / predictor.version)
    erased = rows[10:13]
    assert c.erase_predictions(tmp_path, erased.review_id, erased.text) == 6
    for path in tmp_path.rglob("answers-*.parquet"):
        assert set(pd.read_parquet(path).review_id) == set(rows.review_id) - set(erased.review_id)
    assert c.score_rows(Counting(), rows, tmp_path / "v1")[1] == 3


def test_no_reviews_give_an_empty_block(tmp_path):
    block, n = c.score_rows(Counting(), shop(5)[:0], tmp_path)
    assert (len(block.frame), n, list(block.frame)) == (0, 0, c.COLUMNS)
