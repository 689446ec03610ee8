"""What single words say: the same as scikit-learn's own TF-IDF says, shared out among the tokens without a rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from test_sentiment_train import toy

from smart_customer_analysis.files import file_hash
from smart_customer_analysis.sentiment import train as t
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.explain import token_weights
from smart_customer_analysis.sentiment.lexical import fit_lexical, lexical_score, read_lexical, token_contributions
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.scoring import score
from smart_customer_analysis.sentiment.train import train_sentiment

rng = np.random.default_rng(0)


def flat(texts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(sum(texts, []), np.uint16), np.cumsum([0, *map(len, texts)])


MADE = [rng.integers(0, 40, rng.integers(1, 30)).tolist() for _ in range(200)]  # token 7 speaks for positive, 8 against
LABELS = np.array([float(t.count(7) > t.count(8)) for t in MADE])
WORDS = fit_lexical(*flat(MADE), LABELS, weight=1.0)


def test_it_is_what_scikit_learn_says():
    texts = [" ".join(f"t{i}" for i in t) for t in MADE]
    rare = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\S+")
    line = LogisticRegression(C=10, max_iter=300).fit(rare.fit_transform(texts), LABELS)
    new = [[7, 7, 1], [8, 2, 3, 8], [7, 8], [99, 98]]
    expected = line.decision_function(rare.transform([" ".join(f"t{i}" for i in t) for t in new]))
    assert np.allclose(lexical_score([WORDS], *flat(new)), expected, atol=1e-3)
    assert expected[0] > 1 > -1 > expected[1]


@given(st.lists(st.lists(st.integers(0, 45), max_size=40), min_size=1, max_size=8), st.integers(0, 10))
@settings(max_examples=60, deadline=None)
def test_votes_add_up_and_neighbours_do_not_matter(texts, limit):
    margin = lexical_score([WORDS], *flat(texts))
    alone = [lexical_score([WORDS], *flat([t]))[0] for t in texts]
    assert np.allclose(margin, alone)
    votes = [token_contributions([WORDS], flat([t])[0]) for t in texts]
    assert [len(v) for v in votes] == [len(t) for t in texts]
    assert np.allclose([v.sum() for v in votes], margin - WORDS.constant)
    cut = lexical_score([WORDS], *flat([t[:limit] for t in texts]))
    assert np.allclose(lexical_score([WORDS], *flat(texts), limit=limit), cut)


def test_what_stands_in_passages_only_says_nothing():
    both = [*MADE, *([50, 51, 52] for _ in range(60))]
    words = fit_lexical(*flat(both), np.concatenate([LABELS, np.full(60, 0.5)]))
    assert abs(lexical_score([words], *flat([[50, 51, 52]]))[0]) < 0.1 < lexical_score([words], *flat([[7, 7]]))[0]


def test_more_texts_than_are_looked_at_are_drawn_the_same_way_twice():
    first, second = (fit_lexical(*flat(MADE), LABELS, most=1500) for _ in range(2))
    assert np.array_equal(first.keys, second.keys) and np.array_equal(first.weights, second.weights)
    assert len(first.keys) < len(WORDS.keys)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    work, (texts, labels) = tmp_path_factory.mktemp("words"), toy(200)
    recipe = dict(max_tokens=24, epochs=1, batch_tokens=256, precision="fp32")
    data = (texts[:150], labels[:150], texts[150:], labels[150:])
    whole = train_sentiment(*data, work / "a", encoder=str(tiny_encoder(work / "tiny", texts)), **recipe).folder
    further = train_sentiment(*data, work / "b", encoder=str(whole), **recipe).folder
    without = train_sentiment(*data, work / "c", encoder=str(work / "tiny"), lexical=0, **recipe).folder
    return texts, whole, further, without


def test_a_published_model_adds_its_words(folders):
    texts, whole, further, without = folders
    assert [len(read_lexical(f)) for f in (whole, further, without)] == [1, 2, 0]
    ask = Predictor(whole, precision="fp32")
    data = ask.encode([*texts, "", "the case is fine " * 60])
    both, lexical = score(ask.scorer, data).margin, lexical_score(ask.model.words, data.ids, data.offsets)
    ask.scorer.words = ()
    alone = score(ask.scorer, data)
    assert np.allclose(both - alone.margin, np.where(alone.tokens_read > 0, lexical, 0)) and np.abs(lexical).max() > 0.5
    assert both[len(texts)] == 0  # nothing read, nothing said


def test_what_a_model_is_trained_on_from_is_named_by_its_words_too(folders):
    _, whole, _, without = folders
    assert file_hash(whole / "model.safetensors") == file_hash(without / "model.safetensors")
    assert t._weights_hash(str(whole)) != t._weights_hash(str(without))


def test_the_parts_of_an_explanation_hold_the_words(folders):
    texts, whole, *_ = folders
    ask = Predictor(whole, precision="fp32")
    data = ask.encode(texts[:1])
    with_words, error = token_weights(ask, data, int(data.totals[0]))
    assert error < 0.05
    votes = token_contributions(ask.model.words, data.ids)
    ask.model.words = ()
    assert np.allclose(with_words - token_weights(ask, data, int(data.totals[0]))[0], votes, atol=1e-5)


def test_the_mean_of_two_sets_counts(folders):
    ids, offsets = flat(MADE[:5])
    other = fit_lexical(*flat(MADE[:100]), 1 - LABELS[:100])
    apart = [lexical_score([w], ids, offsets) for w in (WORDS, other)]
    assert np.allclose(lexical_score([WORDS, other], ids, offsets), np.mean(apart, axis=0))
    assert np.allclose(
        token_contributions([WORDS, other], ids[:9]),
        (token_contributions([WORDS], ids[:9]) + token_contributions([other], ids[:9])) / 2,
    )
