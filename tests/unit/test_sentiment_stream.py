"""A stream of reviews: one block in memory, nothing answered twice, whole after every stop."""

import numpy as np
import pandas as pd
import pytest
from test_sentiment_train import toy

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
        told = ask.score_stream(pieces(size), tmp_path / str(size), block=BLOCK)
        found = pd.read_parquet(tmp_path / str(size))
        assert told["reviews"] == told["scored_now"] == N and told["files"] == 11
        assert found.review_id.tolist() == SHOP.review_id.tolist()
        assert np.allclose(found.p_negative, whole.p_negative, atol=0.02)
        assert found.label.isna().tolist() == whole.label.isna().tolist()
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
    told = ask.score_stream(pieces(90), tmp_path / "out", block=BLOCK)
    assert scored == SHOP.text.tolist() and told["scored_now"] == N - after * BLOCK
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
    told = capsys.readouterr().err
    assert f"{N}/{N}" in told and "review/s" in told
    ask.score_stream(pieces(99), tmp_path, total=N, block=BLOCK, progress=True)
    assert f"{N}/{N}" in capsys.readouterr().err
