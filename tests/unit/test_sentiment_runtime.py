"""Other engines: the same answers, chosen by measurement, never against what torch says."""

import os
from functools import partial

import numpy as np
import pandas as pd
import pytest
from test_sentiment_train import toy

from smart_customer_analysis.config import Settings
from smart_customer_analysis.schema import InputError, ModelError
from smart_customer_analysis.sentiment import runtime as r
from smart_customer_analysis.sentiment.cache import score_rows
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.train import train_sentiment

TEXTS, LABELS = toy(220)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    work = tmp_path_factory.mktemp("runtime")
    recipe = dict(encoder=str(tiny_encoder(work / "tiny", TEXTS)), max_tokens=24, epochs=4, learning_rate=5e-3)
    recipe |= dict(batch_tokens=256, precision="fp32")
    right = train_sentiment(TEXTS[:160], LABELS[:160], TEXTS[160:], LABELS[160:], work / "a", **recipe)
    wrong = train_sentiment(TEXTS[:160], [1 - y for y in LABELS[:160]], [], [], work / "b", **recipe)
    for int8 in (False, True):
        r.export_onnx(Predictor(right.folder, precision="fp32"), work / "engines", int8)
    return right.folder, wrong.folder, work / "engines"


@pytest.fixture
def ask(trained):
    return Predictor(trained[0], precision="fp32")


@pytest.mark.parametrize(("int8", "apart"), [(False, 1e-4), (True, 0.02)])
def test_a_graph_answers_as_the_model_does(ask, trained, int8, apart):
    texts = [*TEXTS, "", "x", "the case is fine " * 60, "🙂"]
    before = ask.predict(texts)
    ask.scorer = r.OnnxModel(r.export_onnx(ask, trained[2], int8), ask.model)
    after = ask.predict(texts)
    assert np.abs(after.frame.p_negative - before.frame.p_negative).max() < apart
    assert np.allclose(after.embeddings, before.embeddings, atol=0.05)
    assert after.frame.tokens_read.tolist() == before.frame.tokens_read.tolist()
    assert ask.explain(TEXTS[0])["words"]  # gradients are still torch's


@pytest.fixture
def speeds(ask, monkeypatch):
    """Seconds that each engine seems to take."""
    whole, clock, durations = r.score, [0.0], {"torch": 3.0, "onnx fp32": 3.0, "onnx int8": 3.0}

    def timed(engine, *a, **k):
        name = "torch" if engine is ask.model else "onnx int8" if "int8" in engine.session._model_path else "onnx fp32"
        clock[0] += durations[name]
        return whole(engine, *a, **k)

    monkeypatch.setattr(r, "score", timed)
    monkeypatch.setattr(r.time, "perf_counter", lambda: clock[0])
    return durations


@pytest.mark.parametrize("winner", ["torch", "onnx fp32", "onnx int8"])
def test_the_fastest_is_chosen(ask, trained, speeds, winner):
    speeds[winner] = 1.0
    table = r.fastest(ask, TEXTS, trained[2], rounds=1).set_index("engine")
    assert table.chosen[winner] and table.chosen.sum() == 1
    assert (ask.scorer is ask.model) == (winner == "torch")


def test_many_reviews_are_scored_by_the_fastest_engine(ask, trained, speeds, tmp_path):
    speeds["onnx fp32"] = 1.0
    rows = pd.DataFrame({"review_id": [str(i) for i in range(1000)], "text": toy(1000, seed=3)[0]})
    plain, measured = (Settings(engine=name, models_dir=trained[2].parent) for name in ("torch", "fastest"))
    score_rows(ask, rows[:999], tmp_path / "few", before=partial(r.choose_engine, ask, measured))
    slow, _ = score_rows(ask, rows, tmp_path / "many", before=partial(r.choose_engine, ask, plain))
    assert ask.scorer is ask.model
    fast, n = score_rows(ask, rows, tmp_path / "fast", before=partial(r.choose_engine, ask, measured))
    assert ask.scorer is not ask.model and n == 1000
    assert np.allclose(fast.frame["p_negative"], slow.frame["p_negative"], atol=0.02)


def test_a_graph_that_says_something_else_is_never_chosen(ask, trained, speeds, tmp_path):
    other, ask.model.words = Predictor(trained[1], precision="fp32"), ()  # the graph alone answers
    os.replace(r.export_onnx(other, tmp_path), tmp_path / f"{ask.version}-fp32.onnx")
    speeds |= {"onnx fp32": 1.0, "onnx int8": 2.0}
    table = r.fastest(ask, TEXTS, tmp_path, rounds=1).set_index("engine")
    assert table.chosen["torch"] and table.changed["onnx fp32"] > 0.5 and ask.scorer is ask.model


def test_without_the_extra_and_with_few_texts_it_says_so(ask, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="at least 100 texts"):
        r.fastest(ask, TEXTS[:99], tmp_path)
    monkeypatch.setattr(r, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="the extra onnx"):
        r.fastest(ask, TEXTS, tmp_path)
