"""A model speaks only of what it can read. Planted shops, whose share of negative stars is known, through the main job.

The model in force has learnt English reviews in which one word decides; the shops are what people really bring."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis import pipeline, promotion
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.registry import active_model, promote_model
from smart_customer_analysis.sentiment.train import train_sentiment
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.query import review_facts
from smart_customer_analysis.store.results import save_model, save_predictions
from smart_customer_analysis.summary import summary_text

ENGLISH = {1: ["great", "lovely"], 0: ["awful", "broken"]}
TEXTS = [f"The {ENGLISH[i % 2][i // 2 % 2]} thing number {i} is what I have" for i in range(300)]
LABELS = [i % 2 for i in range(300)]
GERMAN = {
    1: ["Der Kessel {} ist super und wir sind mit ihm sehr zufrieden", "Ich bin mit der Kanne {} sehr glücklich"],
    0: ["Der Kessel {} ist kaputt und das ist nicht schön", "Die Kanne {} war zu spät und auch nicht ganz"],
}
PORTUGUESE = {
    1: ["O produto {} é muito bom e chegou antes do prazo", "Gostei do produto {} e recomendo para todos"],
    0: ["O produto {} não funciona e não recebi o meu dinheiro", "Ainda não recebi o produto {} que comprei"],
}
JAPANESE = {1: ["とても良い商品でした{}です"], 0: ["すぐに壊れてしまいました{}です"]}
TWO_WORDS = {1: ["very good{}", "works well{}"], 0: ["very bad{}", "broken again{}"]}


def write_csv(folder: Path, texts: list[str], stars: list[int | None], customers: int = 60) -> Path:
    "A folder of reviews and customers."
    folder.mkdir(parents=True, exist_ok=True)
    n, day = len(texts), pd.Timestamp("2026-06-01", tz="UTC")
    rows = {"review_id": [f"r{i:04d}" for i in range(n)], "customer_id": [f"c{i % customers:03d}" for i in range(n)]}
    rows |= {"text": texts, "title": "", "rating": stars}
    rows |= {"reviewed_at": [(day + pd.Timedelta(hours=5 * i)).isoformat() for i in range(n)]}
    pd.DataFrame(rows).astype({"rating": "Int64"}).to_csv(folder / "reviews.csv", index=False)
    ids = sorted(set(rows["customer_id"]))
    pd.DataFrame({"customer_id": ids, "region": "Hessen"}).to_csv(folder / "customers.csv", index=False)
    return folder


def shop(folder: Path, words: dict[int, list[str]], n: int, starred: int, negative: float = 0.36) -> Path:
    "Reviews of which a share is negative; the first `starred` have stars, with the same share."
    labels = [int(i % 25 >= 25 * negative) for i in range(n)]
    texts = [words[y][i % len(words[y])].format(i) for i, y in enumerate(labels)]
    return write_csv(folder, texts, [5 if y else 1 for y in labels[:starred]] + [None] * (n - starred))


@pytest.fixture(scope="module")
def english(tmp_path_factory) -> Path:
    "A home with an English model in force. Nobody writes there."
    home = tmp_path_factory.mktemp("english")
    words = [x.format(i) for group in (GERMAN, PORTUGUESE, TWO_WORDS) for y in group for i, x in enumerate(group[y])]
    encoder = str(tiny_encoder(home / "tiny", TEXTS + words))
    recipe = dict(encoder=encoder, max_tokens=24, epochs=3, learning_rate=5e-3, batch_tokens=512, seed=1)
    model = train_sentiment(
        TEXTS[:150], LABELS[:150], TEXTS[150:], LABELS[150:], home / "models" / "sentiment", **recipe
    )
    promote_model(model.folder)
    return home


@pytest.fixture
def home(english, tmp_path) -> Path:
    return Path(shutil.copytree(english, tmp_path / "home"))


@pytest.fixture
def settings(home):
    return load_settings(home, encoder=str(home / "tiny"), epochs=1, max_tokens=24, learning_rate=5e-3)


@pytest.fixture
def no_report(monkeypatch):
    "The report is not what is tested."
    monkeypatch.setattr(pipeline, "run_report", lambda *args, **named: SimpleNamespace(html="none"))


def share(settings) -> dict:
    "The published share of negative reviews of the shop."
    return Service(settings).shares(Filters(source="csv"))["items"][0]


def versions(settings) -> list[str]:
    return sorted(p.name for p in (settings.models_dir / "sentiment").glob("2*"))


def test_a_german_shop_publishes_its_stars_and_no_word_of_an_english_model(settings, home):
    files = shop(home / "files", GERMAN, 300, starred=45)
    summary = pipeline.run(settings, "csv", (files,))
    facts = review_facts(make_engine(settings.database), Filters(source="csv"))
    assert facts["p_negative"].isna().all() and summary["scored"] == 0
    assert summary["outside"] == {"language de": 300}
    figure = share(settings)
    stars = 1 - facts["label"].astype("Float64")
    assert figure["n_reviews"] == 300 and figure["value"] == pytest.approx(float(stars.mean()), abs=1e-4)
    assert figure["low"] < 0.36 < figure["high"] and not figure["corrected"]
    quoted = Service(settings).reviews(Filters(source="csv"), sort="negative", limit=5)["items"]
    assert [q["mark"] for q in quoted] == ["negative"] * 5, "praise is not quoted as complaint"
    assert "language de" in summary_text(summary) and "45 labelled reviews" in summary_text(summary)
    page = Path(summary["report"]).read_text()
    assert "Praise" in page or summary["segments"]
    assert "corrected for its errors" not in page


def test_a_prediction_stored_before_the_rule_is_removed(settings, home, no_report):
    files = shop(home / "files", GERMAN, 60, starred=20)
    pipeline.run(settings, "csv", (files,))
    engine, model = make_engine(settings.database), active_model(settings.models_dir)
    save_model(engine, model.name, "sentiment", model.name, {})
    row = {"review_id": ["r0001"], "label": [0], "p_negative": [0.9], "p_positive": [0.1]}
    save_predictions(engine, model.name, pd.DataFrame(row | {"tokens_read": [9], "tokens_total": [9]}), source="csv")
    assert review_facts(engine, Filters(source="csv"))["p_negative"].notna().sum() == 1
    pipeline.score_only(settings, "csv")
    assert review_facts(engine, Filters(source="csv"))["p_negative"].isna().all()


def test_in_a_mixed_shop_only_the_foreign_reviews_stay_unread(settings, home, no_report):
    files = shop(home / "files", {y: [ENGLISH_LINE[y], GERMAN[y][0]] for y in (0, 1)}, 200, starred=40)
    summary = pipeline.run(settings, "csv", (files,))
    facts = review_facts(make_engine(settings.database), Filters(source="csv"))
    frame = pd.read_csv(files / "reviews.csv").set_index("review_id")["text"]
    german = frame.str.startswith(("Der", "Die")).reindex(facts["review_id"]).to_numpy()
    assert summary["outside"] == {"language de": int(german.sum())} and 50 < german.sum() < 150
    assert facts["p_negative"].isna().tolist() == german.tolist()


ENGLISH_LINE = {1: "The great thing number {} is what I have", 0: "The awful thing number {} is what I have"}

SHOPS = {  # name -> files, model of its own, a part of the line that says why not
    "german": (lambda f: shop(f, GERMAN, 200, starred=200), True, ""),
    "portuguese": (lambda f: shop(f, PORTUGUESE, 200, starred=200), True, ""),
    "japanese": (lambda f: shop(f, JAPANESE, 200, starred=200), False, "without a word that the encoder knows"),
    "two words": (
        lambda f: shop(f, {y: [x.replace("{}", " {}") for x in v] for y, v in TWO_WORDS.items()}, 200, 200),
        None,
        "",
    ),
    "one star only": (
        lambda f: shop(f, ENGLISH_TWO, 80, starred=80, negative=0),
        False,
        "80 labelled reviews, all of them positive",
    ),
    "forty reviews": (lambda f: shop(f, ENGLISH_TWO, 40, starred=40), False, "40 labelled reviews"),
    "repeated texts": (
        lambda f: write_csv(f, ["Good, as always.", "Bad, as always."] * 60, [5, 1] * 60),
        False,
        "to test on",
    ),
}
ENGLISH_TWO = {y: [ENGLISH_LINE[y]] for y in (0, 1)}


@pytest.mark.parametrize("name", list(SHOPS))
@pytest.mark.parametrize("model", ["none yet", "english"])
def test_every_shop_gets_stars_segments_and_map_with_or_without_a_model(name, model, settings, home, no_report):
    make, own, why = SHOPS[name]
    if model == "none yet":
        shutil.rmtree(home / "models")
    before = versions(settings)
    summary = pipeline.run(settings, "csv", (make(home / "files"),))
    new = [v for v in versions(settings) if v not in before]
    if own is not None:
        assert bool(new) is own and (summary["trained_on"] > 0) is own
    for version in new:
        metrics = json.loads((settings.models_dir / "sentiment" / version / "metrics.json").read_text())
        assert metrics["accuracy"]["n"] >= 5, "no model is published that was measured on a row or two"
    assert why in summary["note"] and summary_text(summary).count("\nTraining  ") == bool(summary["note"])
    stars = pd.read_csv(home / "files" / "reviews.csv")["rating"]
    assert share(settings)["value"] == pytest.approx(float((stars < 3).mean()), abs=0.01)
    assert sum(s["size"] for s in summary["segments"]) > 0
    assert Service(settings).cells(Filters(source="csv"), "large")["type"] == "FeatureCollection"


def test_texts_without_a_known_word_have_no_answer(settings, english):
    texts = ["👎", "😡 😡", "แย่มาก", "𝒂𝒘𝒇𝒖𝒍", "x" * 200, "", "The awful thing"]
    frame = Predictor(active_model(english / "models")).predict(texts, max_error=0.2).frame
    assert frame["tokens_read"].tolist() == [0] * 6 + [3] and frame["label"].isna().tolist()[:6] == [True] * 6
    assert np.allclose(frame["p_negative"][:6], 0.5) and frame["label"][6] == 0


def test_special_tokens_typed_by_a_customer_are_plain_text(english):
    model = Predictor(active_model(english / "models"))
    data = model.encode(["[SEP] [CLS] great", "[UNK]"])
    signs = {model.tokenizer.sep_token_id, model.tokenizer.cls_token_id}
    assert not signs & set(data.ids.tolist()) and data.totals[1] > 1


# --- the gate ---------------------------------------------------------------------------------------------------------


def shop_of_own(home: Path, n: int) -> Path:
    words = {y: [f"The {w} thing number {{}} is what I have" for w in ENGLISH[y]] for y in (0, 1)}
    return shop(home / "files", words, n, starred=n, negative=0.48)


def state_of(settings) -> tuple:
    "Everything a run could change: files of models, predictions, the published figure."
    files = {str(p): p.read_bytes() for p in sorted((settings.models_dir).rglob("*")) if p.is_file()}
    facts = review_facts(make_engine(settings.database), Filters(source="csv"))
    return files, facts[["review_id", "p_negative", "marked", "segment_id"]].to_csv(), share(settings)


def test_a_second_run_on_the_same_rows_trains_publishes_and_changes_nothing(settings, home, no_report):
    files = shop_of_own(home, 300)
    shutil.rmtree(home / "models")
    first = pipeline.run(settings, "csv", (files,))
    before = state_of(settings)
    again = pipeline.run(settings, "csv", (files,))
    assert state_of(settings) == before and len(versions(settings)) == 1
    assert {k: again[k] for k in ("model", "accuracy", "segments")} == {
        k: first[k] for k in ("model", "accuracy", "segments")
    }


def test_a_new_model_comes_in_force_through_the_gate_only(settings, home, no_report, monkeypatch):
    shutil.rmtree(home / "models")
    files = shop_of_own(home, 300)
    first = pipeline.run(settings, "csv", (files,))
    good = active_model(settings.models_dir)
    before = state_of(settings)
    other = settings.model_copy(update={"learning_rate": 1e-6})  # learns nothing
    refused = pipeline.run(other, "csv", (files,))
    assert len(versions(settings)) == 2 and active_model(settings.models_dir) == good
    assert refused["model"] == first["model"] and f"{good.name} stays active" in refused["note"]
    assert refused["accuracy"] == first["accuracy"], "figures of the model in force, not measured on what it has learnt"
    assert state_of(settings)[1:] == before[1:], "no figure has changed"
    assert pipeline.run(other, "csv", (files,))["model"] == first["model"], "asked again, refused again"
    monkeypatch.setattr(promotion, "promotion_gate", lambda flips: None)
    passed = pipeline.run(other, "csv", (files,))
    assert passed["model"] != first["model"] and active_model(settings.models_dir).name == Path(passed["model"]).name


def test_the_first_model_of_a_shop_reads_it_and_the_model_of_another_shop_stays_active(settings, home, no_report):
    english = active_model(settings.models_dir)
    summary = pipeline.run(settings, "csv", (shop(home / "files", GERMAN, 200, starred=200),))
    assert summary["scored"] == 200 and Path(summary["model"]).name != english.name
    assert active_model(settings.models_dir) == english and "used for this shop only" in summary["note"]


# --- what a person passes to a model ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def predictor(english) -> Predictor:
    return Predictor(active_model(english / "models"))


def test_predictions_of_a_column_keep_its_index(predictor):
    table = pd.DataFrame({"text": ["The awful thing", "The lovely thing", "The broken thing"]}, index=[2, 0, 1])
    table["p"] = predictor.predict(table["text"]).frame["p_negative"]
    assert (table["p"] > 0.5).tolist() == [True, False, True]
    assert predictor.predict(table["text"].tolist()).frame.index.tolist() == [0, 1, 2]
    assert np.allclose(predictor.predict_proba(table["text"])[:, 0], table["p"])
    assert predictor.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("make", [lambda t: pd.DataFrame({"text": t}), set, iter, dict.fromkeys, lambda t: t[0]])
def test_what_is_no_list_of_texts_is_refused(predictor, make):
    with pytest.raises(InputError, match="a list of texts"):
        predictor.predict(make(["The awful thing"]))


@pytest.mark.parametrize("max_error", ["0.1", 0, 0.5, -1])
def test_a_senseless_error_is_refused(predictor, max_error):
    with pytest.raises(InputError, match="max_error between 0 and 0.5"):
        predictor.predict(["The awful thing"], max_error=max_error)


def test_a_device_that_is_not_there_is_refused(predictor):
    with pytest.raises(InputError, match="device cpu"):
        Predictor(predictor.folder, device="tpu")


def test_a_model_loads_from_the_folder_one_is_in(predictor, monkeypatch):
    monkeypatch.chdir(predictor.folder)
    assert Predictor(".").version == predictor.version


def test_files_that_finder_and_jupyter_leave_do_not_disable_a_model(home, settings):
    folder = active_model(settings.models_dir)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / ".ipynb_checkpoints").mkdir()
    assert active_model(settings.models_dir) == folder and Predictor(folder).version == folder.name
    (folder / "pickle.bin").write_bytes(b"x")
    assert active_model(settings.models_dir) is None, "anything else is still refused"


@pytest.mark.parametrize("labels", [["positive", "negative"], [0.5, 1], [2, 1], [None, 1]])
def test_labels_other_than_0_and_1_are_refused(tmp_path, labels):
    with pytest.raises(InputError, match="labels 0"):
        train_sentiment(["good", "bad"], labels, [], [], tmp_path)


@pytest.mark.parametrize("option", [{"epochs": 0}, {"epochs": -1}, {"learning_rate": 0}])
def test_a_training_that_would_learn_nothing_is_refused(tmp_path, option):
    with pytest.raises(InputError, match=next(iter(option))):
        train_sentiment(["good", "bad"], [1, 0], [], [], tmp_path, **option)
    assert not list(tmp_path.iterdir())


def test_the_card_names_the_majority_beside_every_accuracy(home, settings, no_report):
    shutil.rmtree(home / "models")
    summary = pipeline.run(settings, "csv", (shop(home / "files", GERMAN, 300, starred=300, negative=0.04),))
    card = (Path(summary["model"]) / "README.md").read_text()
    assert card.count("accuracy on the") == card.count("always positive on the same rows") == 2
    assert "always positive on the same rows" in summary_text(summary)
