"""Scoring in blocks: one block in memory, nothing scored twice, whole after every stop."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_sentiment_train import toy

from smart_customer_analysis.sentiment import cache as c
from smart_customer_analysis.sentiment import predict as p
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.train import train_sentiment

N, BLOCK = 530, 50


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    work = tmp_path_factory.mktemp("stream")
    texts, labels = toy(160)
    recipe = dict(encoder=str(tiny_encoder(work / "tiny", texts)), max_tokens=32, epochs=1, batch_tokens=256)
    return train_sentiment(texts[:120], labels[:120], texts[120:], labels[120:], work / "sentiment", **recipe).folder


@pytest.fixture
def ask(folder):
    return p.Predictor(folder)


SHOP = pd.DataFrame({"review_id": [f"r{i}" for i in range(N)], "text": [*toy(N - 2, seed=8)[0], "", "🙂"]})


def pieces(size):
    return (SHOP[i : i + size] for i in range(0, N, size))


def test_the_answers_are_those_of_one_call_whatever_the_pieces(ask, tmp_path):
    whole = ask.predict(SHOP["text"].tolist()).frame
    for size in (1, 7, 50, 1000):
        counts = ask.score_stream(pieces(size), tmp_path / str(size), block=BLOCK)
        answers = pd.read_parquet(tmp_path / str(size))
        assert counts["reviews"] == counts["scored_now"] == N and counts["files"] == 11
        assert answers.review_id.tolist() == SHOP.review_id.tolist()
        assert np.allclose(answers.p_negative, whole.p_negative, atol=0.02)
        assert answers.label.isna().tolist() == whole.label.isna().tolist()
        assert ask.score_stream(pieces(13), tmp_path / str(size), block=BLOCK)["scored_now"] == 0


@pytest.mark.parametrize("after", [0, 1, 5, 10])
def test_stopped_and_asked_again_nothing_is_scored_twice(ask, tmp_path, monkeypatch, after):
    scored, whole = [], p.Predictor.predict

    def counted(self, texts):
        if len(scored) == after * BLOCK and not list(tmp_path.glob("stopped")):
            (tmp_path / "stopped").touch()
            raise KeyboardInterrupt
        scored.extend(texts)
        return whole(self, texts)

    monkeypatch.setattr(p.Predictor, "predict", counted)
    with pytest.raises(KeyboardInterrupt):
        ask.score_stream(pieces(90), tmp_path / "out", block=BLOCK)
    counts = ask.score_stream(pieces(90), tmp_path / "out", block=BLOCK)
    assert scored == SHOP.text.tolist() and counts["scored_now"] == N - after * BLOCK
    assert pd.read_parquet(tmp_path / "out").review_id.is_unique


def test_no_more_than_a_piece_is_read_ahead(ask, tmp_path):
    def watched():
        for k, piece in enumerate(pieces(BLOCK)):
            assert len(list(tmp_path.glob("answers-*.parquet"))) == k
            yield piece

    ask.score_stream(watched(), tmp_path, block=BLOCK)


def test_a_torn_file_a_changed_text_and_another_model_are_scored_again(ask, tmp_path, folder):
    ask.score_stream(pieces(99), tmp_path, block=BLOCK)
    torn = tmp_path / "answers-000003.parquet"
    torn.write_bytes(torn.read_bytes()[:-9])
    assert ask.score_stream(pieces(99), tmp_path, block=BLOCK)["scored_now"] == BLOCK
    edited = SHOP.assign(text=SHOP.text.where(SHOP.index != 101, "great"))
    assert ask.score_stream([edited], tmp_path, block=BLOCK)["scored_now"] == BLOCK
    assert p.Predictor(folder, max_tokens=4).score_stream([edited], tmp_path, block=BLOCK)["scored_now"] == N


def test_the_bar_shows_the_time_left_of_what_is_left(ask, tmp_path, capsys):
    ask.score_stream(pieces(99), tmp_path, total=N, block=BLOCK, progress=True)
    (tmp_path / "answers-000010.parquet").unlink()
    bar = capsys.readouterr().err
    assert f"{N}/{N}" in bar and "review/s" in bar
    ask.score_stream(pieces(99), tmp_path, total=N, block=BLOCK, progress=True)
    assert f"{N}/{N}" in capsys.readouterr().err


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
        if max_error is not None:
            label[np.abs(p - 0.5) < 0.25] = pd.NA
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


def test_an_uncertain_review_keeps_its_probability(tmp_path):
    rows = shop(200)
    for max_error, name in ((None, "all"), (0.05, "sure")):
        c.score_stream(Counting(), [rows], tmp_path / name, max_error=max_error)
    every, sure = (pd.read_parquet(tmp_path / name) for name in ("all", "sure"))
    assert 0 < sure.label.isna().sum() < 200 and every.label.notna().all()
    assert every.p_negative.tolist() == sure.p_negative.tolist()
    assert c.score_stream(Counting(), [rows], tmp_path / "sure", max_error=None)["scored_now"] == 200


def test_an_erased_review_is_in_no_block_of_any_model(tmp_path):
    rows, other = shop(90), Counting()
    other.version = "v2"
    for predictor in (Counting(), other):
        c.score_rows(predictor, rows, tmp_path / predictor.version)
    gone = rows[10:13]
    assert c.erase_predictions(tmp_path, gone.review_id, gone.text) == 6
    for path in tmp_path.rglob("answers-*.parquet"):
        assert set(pd.read_parquet(path).review_id) == set(rows.review_id) - set(gone.review_id)
    assert c.score_rows(Counting(), rows, tmp_path / "v1")[1] == 3


def test_no_reviews_give_an_empty_block(tmp_path):
    block, n = c.score_rows(Counting(), shop(5)[:0], tmp_path)
    assert (len(block.frame), n, list(block.frame)) == (0, 0, c.COLUMNS)
