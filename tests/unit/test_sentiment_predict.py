"""Prediction: everything read or said, the same answer in any company, a contract, words that add up."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_sentiment_train import FILLER, toy

from smart_customer_analysis.schema import InputError
from smart_customer_analysis.sentiment import drift as sentiment_drift
from smart_customer_analysis.sentiment import explain as sentiment_explain
from smart_customer_analysis.sentiment import predict as p
from smart_customer_analysis.sentiment.drift import reference_profile
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.scoring import Scores
from smart_customer_analysis.sentiment.train import train_sentiment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    work = tmp_path_factory.mktemp("predict")
    texts, labels = toy(420)
    tiny = str(tiny_encoder(work / "tiny", texts))
    recipe = dict(encoder=tiny, max_tokens=32, epochs=6, learning_rate=3e-3, batch_tokens=256, seed=1, precision="fp32")
    return train_sentiment(texts[:180], labels[:180], texts[180:], labels[180:], work / "sentiment", **recipe).folder


@pytest.fixture(scope="module")
def ask(folder):
    "As the model was measured: it has two margins, and half a step in bf16 is far."
    return p.Predictor(folder, precision="fp32")


STRANGE = {
    "empty": "",
    "blank": " \t\n",
    "one sign": "x",
    "emoji": "🙂🙂👩‍👩‍👧",
    "chinese": "质量很差，不推荐",
    "arabic": "منتج رائع",
    "portuguese": "Produto chegou quebrado, não recomendo",
    "surrogate": "bad \ud800 thing",
    "nul": "\x00\x01\x02",
    "binary": bytes(range(256)).decode("latin-1"),
    "one long word": "a" * 5000,
    "special ids": "[CLS] [SEP] [PAD] [MASK]",
    "long": "the case is fine " * 400,
}
UNREAD = {"empty", "blank", "emoji", "chinese", "arabic", "nul", "one long word"}  # no token that the tokenizer knows


@pytest.mark.parametrize("name", STRANGE)
def test_every_text_gets_an_answer_that_says_what_was_read(ask, name):
    row = ask.predict([STRANGE[name]]).frame.iloc[0]
    assert row.tokens_read == (0 if name in UNREAD else row.tokens_total)
    assert row.p_negative + row.p_positive == pytest.approx(1)
    assert pd.isna(row.label) == (row.tokens_read == 0)


@pytest.mark.parametrize("bad", [None, 1, float("nan"), b"x", pd.NA])
def test_what_is_no_text_is_refused(ask, bad):
    with pytest.raises(InputError, match="text 1"):
        ask.predict(["fine", bad])


def test_ten_megabytes_are_refused_or_cut_as_told(ask, folder):
    huge = "great sound " * 900_000
    with pytest.raises(InputError, match="10,800,000 in text 0"):
        ask.predict([huge])
    row = p.Predictor(folder, max_tokens=64).predict([huge[:1_200_000]]).frame.iloc[0]
    assert (row.tokens_read, row.tokens_total) == (64, 200_000)


@pytest.mark.parametrize(("precision", "apart"), [("fp32", 1e-4), ("bf16", 0.02)])
def test_an_answer_does_not_depend_on_its_company(folder, precision, apart):
    ask = p.Predictor(folder, precision=precision)
    texts = [*toy(60, seed=3)[0], "", "the case is fine " * 60]
    together = ask.predict(texts)
    alone = [ask.predict([t]) for t in texts]
    assert np.allclose(together.frame.p_negative, [a.frame.p_negative[0] for a in alone], atol=apart)
    assert np.allclose(together.embeddings, np.vstack([a.embeddings for a in alone]), atol=apart)
    norms = np.linalg.norm(together.embeddings, axis=1)
    assert together.embeddings.dtype == np.float32 and np.allclose(norms[:60], 1, atol=1e-5) and norms[60] == 0


def test_many_threads_get_the_same_answers(ask):
    texts, answers = toy(40, seed=4)[0], {}
    expected = ask.predict(texts).frame

    def work(k):
        answers[k] = (ask.predict(texts).frame, ask.explain(texts[k])["p_negative"])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for k in range(6):
        pd.testing.assert_frame_equal(answers[k][0], expected)
        assert answers[k][1] == pytest.approx(expected.p_negative[k], abs=1e-4)


def test_the_contract_answers_less_the_stricter_it_is(ask):
    texts, labels = toy(300, seed=9)
    shares = []
    for error in (0.2, 0.1, 0.05, 0.02):
        answer = ask.predict(texts, max_error=error)
        answered = answer.frame.label.notna().to_numpy()
        shares.append(answered.mean())
        assert answer.guarantee.coverage == answered.mean()
        assert (
            answer.frame.label[answered].astype(int).to_numpy() != np.array(labels)[answered]
        ).sum() <= error * answered.sum()
    assert shares == sorted(shares, reverse=True)
    for bad in (0, -1, 0.5, 7):
        with pytest.raises(InputError, match="max_error"):
            ask.predict(["a"], max_error=bad)


def test_a_few_texts_get_a_promise_that_says_what_it_rests_on(ask):
    few, many = (ask.predict(toy(n, seed=9)[0], max_error=0.1).guarantee for n in (3, 60))
    assert few.holds and "if they are like the reviews it was measured on" in few.sentence
    assert many.holds and "if they are like" not in many.sentence


def lot(n: int, seed: int, sure: float = 1.0, longer: float = 1.0, off: float = 0.0) -> Scores:
    "What a pass over made-up texts could find: `off` turns what they are about."
    rng = np.random.default_rng(seed)
    meaning = rng.normal([1 - off, off, 0], 0.4, (n, 3)).astype(np.float32)
    long = (rng.gamma(3, 30, n) * longer).astype(int) + 1
    return Scores(rng.normal(0, 4 * sure, n), meaning / np.linalg.norm(meaning, axis=1, keepdims=True), long, long)


@pytest.mark.parametrize(
    ("change", "named"), [({"sure": 0.4}, "how sure"), ({"longer": 2.5}, "how long"), ({"off": 0.9}, "about"), ({}, "")]
)
def test_the_promise_says_in_what_texts_are_another_kind(change, named):
    row = {"max_error": 0.1, "margin": 0.5, "proven": ["negative", "positive"]}
    calibration = {"kind": reference_profile(lot(340, 0)), "n": 340, "thresholds": [row]}
    lots = [lot(100, seed, **change) for seed in range(1, 101)]
    drifted = [sentiment_drift.drift_test(some, calibration) for some in lots]
    assert sum(any(named in name for name in names) for names in drifted) >= 98 if named else drifted.count([]) >= 98
    _, promise = p.guarantee_risk(lots[0], calibration, 0.1)
    assert promise.holds == (not named) and (not named or named in promise.sentence)


def test_empty_texts_do_not_make_a_lot_another_kind():
    calibration, some, none = {"kind": reference_profile(lot(340, 0)), "n": 340}, lot(100, 1), np.zeros(60)
    more = Scores(
        np.append(some.margin, none), np.vstack([some.embeddings, np.zeros((60, 3))]),
        np.append(some.tokens_read, none), np.append(some.tokens_total, none),
    )  # fmt: skip
    assert sentiment_drift.drift_test(more, calibration) == []
    old = {"n": 340, "thresholds": [{"max_error": 0.1, "margin": 0.5}]}  # as folders were without the record
    assert sentiment_drift.drift_test(some, old) is None
    assert "no record" in p.guarantee_risk(some, old, 0.1)[1].sentence


def test_equal_margins_are_no_other_kind():
    first, more = (lot(n, seed) for n, seed in ((340, 0), (100, 1)))
    two = [np.where(x.margin > 0, 2.05859375, -2.03125) for x in (first, more)]  # as a small model has in bf16
    calibration = {"kind": reference_profile(replace(first, margin=two[0])), "n": 340}
    assert sentiment_drift.drift_test(replace(more, margin=two[1]), calibration) == []


def test_other_texts_get_no_promise(ask):
    answer = ask.predict([" ".join(FILLER)] * 60, max_error=0.1)
    assert not answer.guarantee.holds and "cannot be guaranteed" in answer.guarantee.sentence


@pytest.mark.parametrize(
    "text", [v for k, v in STRANGE.items() if k != "one long word"] + ["I don't like it; it's naïve!"]
)
def test_explained_words_lie_where_they_say(ask, text):
    explanation = ask.explain(text)
    assert all(
        text.encode("utf-8", "replace").decode()[w["start"] : w["end"]] == w["word"] for w in explanation["words"]
    )
    assert (
        explanation["tokens_read"] <= 512
        and 0 <= explanation["p_negative"] <= 1
        and np.isfinite(explanation["faithfulness"])
    )
    assert explanation["label"] is None or explanation["label"] in (0, 1)


def test_the_words_that_carry_the_verdict_weigh_most(ask):
    hits = 0
    texts, labels = toy(40, seed=11)
    for text, label in zip(texts, labels, strict=True):
        explanation = ask.explain(text)
        top = max(explanation["words"], key=lambda w: w["weight"] * (1 if explanation["label"] else -1))["word"]
        hits += top not in FILLER and explanation["label"] == label
    assert hits >= 36


def test_words_weigh_the_same_in_either_number_format(folder):
    exact, half = (p.Predictor(folder, precision=name) for name in ("fp32", "bf16"))
    for text in toy(8)[0]:
        data = exact.encode([text])
        (a, lost), (b, lost_half) = (
            sentiment_explain.token_weights(ask, data, int(data.totals[0])) for ask in (exact, half)
        )
        assert not np.array_equal(a, b) and np.corrcoef(a, b)[0, 1] > 0.999 and abs(lost - lost_half) < 0.05


@pytest.mark.parametrize("times", [1, 16])  # in one window, and in several
def test_twelve_gradients_weigh_words_as_hundreds_do(ask, times):
    for text in toy(6 if times == 1 else 2, seed=3)[0]:
        data = ask.encode([" ".join([text] * times)])
        (a, lost), (b, _) = (sentiment_explain.token_weights(ask, data, int(data.totals[0]), n) for n in (6, 100))
        assert lost < 0.1 and np.corrcoef(a, b)[0, 1] > 0.98


def test_waypoints_lie_close_where_the_margin_turns():
    heights = np.where(np.arange(21) < 13, -4.0, 4.0)  # it turns between 0.60 and 0.65
    points = sentiment_explain.path_points(heights, 8)
    assert points[0] == 0 and points[-1] == 1 and (np.diff(points) > 0).all()
    assert ((points >= 0.6) & (points <= 0.65)).sum() >= 4
    assert np.allclose(sentiment_explain.path_points(np.zeros(5), 4), np.linspace(0, 1, 5))


def test_a_model_that_reads_nothing_in_is_not_asked(folder):
    with pytest.raises(InputError, match="max_tokens from 1"):
        p.Predictor(folder, max_tokens=0)


def test_a_packed_model_answers_as_the_model_does(folder):
    texts = [*toy(200, seed=4)[0], "", "the case is fine " * 60]
    exact, fast = (p.Predictor(folder, precision=kind) for kind in ("fp32", "bf16"))
    assert exact.scorer is exact.model
    a, b = exact.predict(texts), fast.predict(texts)
    assert np.abs(a.frame.p_negative - b.frame.p_negative).max() < 0.02
    assert np.allclose(a.embeddings, b.embeddings, atol=0.03)
    assert a.frame.tokens_read.tolist() == b.frame.tokens_read.tolist()
    assert fast.explain(texts[0])["words"]  # gradients come from the model itself
