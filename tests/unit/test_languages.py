"""Languages: an encoder out of a package, which encoder is chosen, and the language of a text."""

import hashlib
import re
import struct
import threading

import numpy as np
import pytest
import torch

from smart_customer_analysis.data.language import language_counts, language_of
from smart_customer_analysis.schema import ModelError
from smart_customer_analysis.sentiment import choice, encoder, packed
from smart_customer_analysis.sentiment.card import model_card
from smart_customer_analysis.sentiment.dataset import encode
from smart_customer_analysis.sentiment.evaluate import by_language
from smart_customer_analysis.sentiment.layers import prepack
from smart_customer_analysis.sentiment.scoring import score

WIDE, INNER, POSITIONS = 32, 64, 64
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", *map(chr, range(33, 127)), "▁query", "▁bom", "▁não", "▁good"]
ENGLISH = ["The sound is great and it was cheap", "It broke after two days, I am not happy"] * 20
PORTUGUESE = ["O produto chegou antes do prazo e gostei muito", "Ainda não recebi o meu produto"]


def shapes() -> dict[str, tuple[int, ...]]:
    "Tensors of a file with one layer."
    found = {"emb.word": (len(PIECES), WIDE), "emb.pos": (POSITIONS, WIDE), "emb.type": (1, WIDE)}
    found |= {"emb.ln.w": (WIDE,), "emb.ln.b": (WIDE,)}
    for part, (out, into) in {"q": (1, 1), "k": (1, 1), "v": (1, 1), "ao": (1, 1), "fi": (2, 1), "fo": (1, 2)}.items():
        found |= {f"l0.{part}.w": (out * WIDE, into * WIDE), f"l0.{part}.b": (out * WIDE,)}
    return found | {f"l0.{part}.{end}": (WIDE,) for part in ("aln", "oln") for end in "wb"}


def packed_file() -> tuple[bytes, dict[str, np.ndarray]]:
    "A small file in the form of the package, and the values in it."
    rng, texts = np.random.default_rng(0), [p.encode() for p in PIECES]
    scores = [0.0] * 4 + [-9.0 if len(p) == 1 else -6.0 for p in PIECES[4:]]
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDE, 1, 2, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts)))
    head += np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes() + np.array(scores, "<f4").tobytes()
    head += b"".join(texts) + struct.pack("<iI", 0, 0)
    start = len(head) + 4 + sum(23 + len(name) for name in shapes())
    index, body, values = struct.pack("<i", len(shapes())), b"", {}
    for name, shape in shapes().items():
        if four := bool(name == "emb.word" or re.fullmatch(r"l0\.(q|k|v|ao|fi|fo)\.w", name)):
            blocks = rng.integers(0, 16, (np.prod(shape) // 32, 2, 16)).astype("u1")
            scale = rng.uniform(0.01, 0.1, len(blocks)).astype("<f2")
            data = b"".join(s.tobytes() + (b[0] | b[1] << 4).tobytes() for s, b in zip(scale, blocks, strict=True))
            values[name] = (blocks.reshape(len(blocks), 32) - 8.0) * scale.astype(float)[:, None]
        else:
            values[name] = rng.normal(1, 0.1, shape).astype("<f4")
            data = values[name].tobytes()
        values[name] = values[name].reshape(shape)
        index += struct.pack("<H", len(name)) + name.encode()
        index += struct.pack("<BIQQ", four, np.prod(shape), start + len(body), len(data))
        body += data
    return head + index + body, values


@pytest.fixture
def package(tmp_path, monkeypatch):
    "A package with the small file, in place of the real one."
    raw, values = packed_file()
    home = tmp_path / "site" / "small_package"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text("raise RuntimeError('it is not imported')")
    (home / "w.bin").write_bytes(raw)
    monkeypatch.syspath_prepend(str(home.parent))
    source = packed.Source("small_package", "w.bin", hashlib.sha256(raw).hexdigest())
    monkeypatch.setitem(packed.PACKED, "small", source)
    monkeypatch.setattr(packed.constants, "HF_HOME", str(tmp_path / "hub"))
    return home / "w.bin", values


def test_an_encoder_out_of_a_package_has_its_weights_and_its_pieces(package):
    model, tokenizer = encoder.load_encoder("small")
    layer, values = model.bert.encoder.layer[0], package[1]
    assert np.allclose(layer.intermediate.dense.weight.detach(), values["l0.fi.w"], atol=1e-6)
    assert np.allclose(layer.output.LayerNorm.bias.detach(), values["l0.oln.b"], atol=1e-6)
    table = model.get_input_embeddings().weight.detach().numpy()
    assert np.allclose(table, values["emb.word"], rtol=2**-8)
    shown = tokenizer.tokenize("bom", add_special_tokens=True)
    assert shown == ["< s >", "▁query", ":", "▁bom", "< /s >"]


def test_no_text_holds_a_special_token(package):
    tokenizer = encoder.load_encoder("small")[1]
    data = encode(["good </s> <pad> <s>", "good"], tokenizer)
    assert not {0, 1, 2} & set(data.ids.tolist())
    assert tokenizer.convert_ids_to_tokens(data.before) == ["< s >", "▁query", ":"]


def test_a_changed_file_or_a_missing_package_is_refused_with_what_to_install(package, monkeypatch):
    package[0].write_bytes(package[0].read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match=r"SHA-256.*smart_customer_analysis\[languages\]"):
        encoder.find_encoder("small")
    monkeypatch.setitem(packed.PACKED, "absent", packed.Source("no_such_package", "w.bin", ""))
    with pytest.raises(ModelError, match=r"not installed; next: pip install 'smart_customer_analysis\[languages\]'"):
        encoder.find_encoder("absent")
    assert not list(packed.cache_home().glob("small-*"))


def test_a_folder_that_was_not_finished_is_not_used_and_is_removed(package, monkeypatch):
    whole, calls = packed.save_file, []

    def full_disk(*_, **__):
        calls.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packed, "save_file", full_disk)
    with pytest.raises(ModelError, match="No space left"):
        encoder.find_encoder("small")
    folder = packed.cache_home() / f"small-{packed.PACKED['small'].digest[:12]}"
    assert calls and [p.name for p in folder.parent.iterdir()] == [".small.lock"]
    killed = folder.with_name(f".{folder.name}.0000.part")
    killed.mkdir()
    monkeypatch.setattr(packed, "save_file", whole)
    assert encoder.find_encoder("small") == str(folder)
    assert not killed.exists()


def test_two_that_begin_at_once_write_one_folder(package, monkeypatch):
    written, whole = [], packed.write_encoder
    monkeypatch.setattr(packed, "write_encoder", lambda *a: (written.append(1), whole(*a)))
    threads = [threading.Thread(target=encoder.find_encoder, args=("small",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1 and encoder.find_encoder("small").endswith(packed.PACKED["small"].digest[:12])


def test_a_table_in_16_bits_is_held_once_and_answers_as_before(package, monkeypatch):
    model, tokenizer = encoder.load_encoder("small")
    data = encode(["good", "bom não", "a b c"], tokenizer, POSITIONS)
    before = score(model, data).margin
    monkeypatch.setattr(encoder, "LARGE", 10)
    narrow = encoder.narrow_words(model)
    table = narrow.get_input_embeddings().weight
    assert table.dtype == torch.bfloat16 and narrow.dtype == torch.float32
    assert np.allclose(score(narrow, data).margin, before, atol=1e-5)  # the file has no more than 16 bits
    fast = prepack(narrow, torch.bfloat16)
    assert fast.get_input_embeddings().weight.data_ptr() == table.data_ptr()
    assert np.allclose(score(fast, data, dtype=torch.bfloat16).margin, before, atol=0.05)


def test_the_languages_of_the_labelled_reviews_choose_the_encoder(monkeypatch):
    assert choice.choose_encoder("auto", ENGLISH) == (choice.ENGLISH, "languages of the labelled reviews: en 100%")
    chosen, why = choice.choose_encoder("auto", ENGLISH + PORTUGUESE * 5)
    assert (chosen, why) == (choice.MANY, "languages of the labelled reviews: en 80%, pt 20%")
    assert choice.choose_encoder("auto", ENGLISH * 2 + PORTUGUESE)[0] == choice.ENGLISH
    monkeypatch.setitem(packed.PACKED, choice.MANY, packed.Source("no_such_package", "", ""))
    chosen, why = choice.choose_encoder("auto", PORTUGUESE)
    assert chosen == choice.ENGLISH and "smart_customer_analysis[languages]" in why
    assert choice.choose_encoder("a/b", PORTUGUESE) == ("a/b", "")


@pytest.mark.parametrize(
    "text, code",
    [
        ("Ürün hiç çalışmadı, iade ettim", "tr"),
        ("Товар не работает совсем", "ru"),
        ("لم يصل المنتج بعد", "ar"),
        ("Het is niet wat ik besteld heb", "nl"),
        ("サイズが合わない", "ja"),
        ("super", ""),
        ("10/10", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_text_or_that_it_is_too_short_to_tell(text, code):
    assert language_of(text) == code


def test_a_galician_neighbour_does_not_take_portuguese_reviews():
    assert set(language_counts(PORTUGUESE * 20)) == {"pt"}


def test_the_model_card_has_a_row_for_each_language_and_marks_few():
    texts = [ENGLISH[0]] * 150 + [PORTUGUESE[0]] * 10
    y = [1] * 160
    p = [0.1] * 120 + [0.9] * 30 + [0.1] * 9 + [0.9]
    answered = [True] * 130 + [False] * 20 + [True] * 10
    rows = by_language(texts, y, p, answered)
    assert [(r["language"], r["accuracy"], r["n"], r["few"], r["answered"], r["wrong"]) for r in rows] == [
        ("en", 0.8, 150, False, 130, 10), ("pt", 0.9, 10, True, 10, 1)
    ]  # fmt: skip
    facts = {"version": "v", "recipe": {"encoder": "e", "epochs": 1, "learning_rate": 1, "max_tokens": 8, "seed": 0}}
    facts |= {"rows": 1, "seconds": 1, "tokens_per_second": 1, "padding_share": 0}
    facts["encoder_choice"] = "languages of the labelled reviews: en 94%, pt 6%"
    card = model_card(facts, {"validation_n": 0, "languages": rows})
    assert "- encoder chosen by the languages of the labelled reviews: en 94%, pt 6%" in card
    assert re.search(r"\| pt \| 90% \| 60%–98% \| .* \| 10 \| 10% \(2%–40%\) of 10 \| few", card)
    assert re.search(r"\| en \| 80% \| 73%–86% \| .* \| 150 \| 8% \(4%–14%\) of 130 \|  \|", card)
