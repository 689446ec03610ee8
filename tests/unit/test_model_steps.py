"""What is done with models outside the main job: measured on a file, compared, and used on files without a database.

The reviews are toys in which one word decides. One model has learnt them, another the opposite, so every
figure is known."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.daily import close, plan_close, plan_text
from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.sample import make_shop, write_shop
from smart_customer_analysis.health import health
from smart_customer_analysis.pipeline import score_only
from smart_customer_analysis.privacy import pseudonym, pseudonymise
from smart_customer_analysis.promotion import admit_model, compare_models, promote, replaced_text
from smart_customer_analysis.scale.engine import Local
from smart_customer_analysis.schema import InputError, ModelError
from smart_customer_analysis.sentiment import shards
from smart_customer_analysis.sentiment.encoder import load_encoder, tiny_encoder
from smart_customer_analysis.sentiment.registry import active_model, rollback_model, save_model
from smart_customer_analysis.sentiment.train import train_sentiment
from smart_customer_analysis.service import Service
from smart_customer_analysis.steps.files import evaluate_only, score_files
from smart_customer_analysis.steps.load import load_only
from smart_customer_analysis.store import query
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.migrate import open_database

WORDS = {1: ["great", "lovely"], 0: ["awful", "broken"]}
TEXTS = [f"{WORDS[i % 2][i // 2 % 2]} thing number {i}" for i in range(400)]
LABELS = [i % 2 for i in range(400)]
N_LEARNT = 200  # both models learn the first 200 texts


def write(path: Path, texts: list[str], labels: list[int]) -> Path:
    "A labelled file."
    path.write_text("".join(f"__label__{y + 1} {x}\n" for x, y in zip(texts, labels, strict=True)))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, str, str]:
    "Folder with two models; the version that is right, and the one that says the opposite. Nobody writes there."
    home = tmp_path_factory.mktemp("models")
    encoder = str(tiny_encoder(home / "tiny", TEXTS))
    recipe = dict(encoder=encoder, max_tokens=24, epochs=4, learning_rate=5e-3, batch_tokens=256, seed=1)
    texts, labels = TEXTS[:N_LEARNT], LABELS[:N_LEARNT]
    wrong = train_sentiment(texts, [1 - y for y in labels], [], [], home / "models" / "sentiment", **recipe)
    right = train_sentiment(texts, labels, [], [], home / "models" / "sentiment", **recipe)
    return home, right.version, wrong.version


@pytest.fixture
def home(trained, tmp_path) -> Path:
    return Path(shutil.copytree(trained[0], tmp_path / "home"))


@pytest.fixture
def settings(home):
    return load_settings(home)


@pytest.fixture
def right(home, trained) -> Path:
    return home / "models" / "sentiment" / trained[1]


@pytest.fixture
def wrong(home, trained) -> Path:
    return home / "models" / "sentiment" / trained[2]


# --- compare ----------------------------------------------------------------------------------------------------------


def test_a_model_that_turns_right_into_wrong_is_refused_with_the_counts(settings, home, right, wrong):
    comparison = compare_models(settings, new=wrong, old=right, file=write(home / "all.txt", TEXTS, LABELS))
    assert (comparison["new"], comparison["old"]) == (wrong.name, right.name)
    assert (comparison["rows"], comparison["left_out"]) == (200, 200), "what the models learnt from is left out"
    assert (comparison["accuracy"]["old"]["value"], comparison["accuracy"]["new"]["value"]) == (1.0, 0.0)
    whole = comparison["flips"][0]
    assert (whole["slice"], whole["n"], whole["right_to_wrong"], whole["wrong_to_right"]) == ("all", 200, 200, 0)
    by_label = {f["group"]: f["right_to_wrong"] for f in comparison["flips"] if f["slice"] == "label"}
    assert by_label == {"negative": 100, "positive": 100}
    assert comparison["refusal"].startswith("worse on all rows: 200 right became wrong, 0 wrong became right")


def test_a_model_that_turns_wrong_into_right_is_not_refused(settings, home, right, wrong):
    comparison = compare_models(settings, new=right, old=wrong, file=write(home / "all.txt", TEXTS, LABELS))
    assert (comparison["accuracy"]["old"]["value"], comparison["accuracy"]["new"]["value"]) == (0.0, 1.0)
    assert (comparison["flips"][0]["right_to_wrong"], comparison["flips"][0]["wrong_to_right"]) == (0, 200)
    assert comparison["refusal"] is None


def test_a_model_compared_with_itself_changes_nothing(settings, home, right):
    comparison = compare_models(settings, new=right, old=right, file=write(home / "all.txt", TEXTS, LABELS))
    assert {(f["right_to_wrong"], f["wrong_to_right"]) for f in comparison["flips"]} == {(0, 0)}
    assert comparison["refusal"] is None


def test_too_few_new_rows_decide_nothing(settings, home, right, wrong):
    file = write(home / "few.txt", TEXTS[: N_LEARNT + 40], LABELS[: N_LEARNT + 40])
    comparison = compare_models(settings, new=right, old=wrong, file=file)
    assert (comparison["rows"], comparison["left_out"]) == (40, 200)
    assert comparison["refusal"] == "40 rows to compare on, at least 100 are needed"


def test_stored_reviews_are_compared_only_if_both_models_say_what_they_learnt_from(settings, home, right, wrong):
    load_only(settings, "fasttext", train=write(home / "all.txt", TEXTS, LABELS))
    comparison = compare_models(settings, new=wrong, old=right)
    assert (comparison["rows"], comparison["left_out"], comparison["flips"][0]["right_to_wrong"]) == (200, 200, 200)
    content = {name: (wrong / name).read_bytes() for name in ("calibration.json", "metrics.json", "README.md")}
    silent = save_model(*load_encoder(str(wrong)), wrong.parent, "29991231T000000Z-aaaaaaaa", content)
    with pytest.raises(ModelError, match="give --file with labelled rows that neither has seen"):
        compare_models(settings, new=silent, old=right)


def test_a_damaged_model_or_a_missing_file_is_not_compared(settings, home, right, wrong):
    with pytest.raises(InputError, match="nothing at"):
        compare_models(settings, new=right, old=wrong, file=home / "none.txt")
    weights = wrong / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        compare_models(settings, new=right, old=wrong, file=write(home / "all.txt", TEXTS, LABELS))


def test_only_a_model_that_is_no_worse_is_put_in_force(settings, home, right, wrong):
    file = write(home / "all.txt", TEXTS, LABELS)
    promote(settings, right, force="it is the one we trust")
    with pytest.raises(ModelError, match="worse on all rows: 200 right became wrong"):
        promote(settings, wrong, file)
    assert active_model(settings.models_dir).name == right.name
    promote(settings, wrong, force="to see the way back")
    promotion = promote(settings, right, file)
    assert (promotion["version"], promotion["before"]) == (right.name, wrong.name)
    assert promotion["compared"]["flips"][0]["wrong_to_right"] == 200


def shown(settings) -> tuple[str, list, str | None]:
    "The model whose predictions are shown, the labels it gave, and what the overview says has replaced it."
    service = Service(settings)
    try:
        card, facts = service.overview(Filters())["model"], query.review_facts(service.connection.engine())
    finally:
        service.close()
    return card["version"], facts["marked"].tolist(), card["replaced_by"]


def test_figures_leave_a_replaced_model_at_the_next_score_or_close_and_say_so_until_then(settings, home, right, wrong):
    load_only(settings, "fasttext", train=write(home / "all.txt", TEXTS, LABELS))
    promote(settings, right, force="the first")
    score_only(settings)
    promote(settings, wrong, force="a lesson")
    first, labels, after = shown(settings)
    assert (first, after) == (right.name, wrong.name), "nothing is predicted anew by the promotion itself"
    figures = next(check for check in health(settings) if check["what"] == "figures")
    assert "its figures still rest on" in figures["found"] and wrong.name in replaced_text(settings)
    assert score_only(settings)["model"] == wrong.name
    assert (second := shown(settings))[0] == wrong.name and second[2] is None and second[1] != labels
    assert (rollback_model(settings.models_dir), shown(settings)[2]) == (right.name, right.name)
    assert "to predict anew" in plan_text(plan_close(settings))
    closed = close(settings)
    assert (closed["new"], closed["model"], closed["replaced"]) == (0, right.name, wrong.name)
    assert shown(settings) == (right.name, labels, None) and replaced_text(settings) == ""
    assert close(settings)["replaced"] is None, "once is enough"
    engine = open_database(settings)
    used, why = admit_model(settings, engine, query.overview(engine)["source"], None, wrong, right)
    assert used == right and f"to use it: sca model promote {wrong.name}" in why, "a run does not undo a rollback"
    assert active_model(settings.models_dir) == right


# --- evaluate ---------------------------------------------------------------------------------------------------------


def test_an_evaluation_counts_planted_mistakes_and_leaves_out_learnt_rows(settings, home, right):
    labels = [1 - y if 300 <= i < 310 else y for i, y in enumerate(LABELS)]  # ten labels are wrong
    evaluation = evaluate_only(settings, write(home / "test.txt", TEXTS, labels), right)
    assert (evaluation["model"], evaluation["rows"], evaluation["left_out"]) == (right.name, 200, 200)
    assert (evaluation["accuracy"]["value"], evaluation["accuracy"]["n"]) == (0.95, 200)
    assert evaluation["confusion"] == {"tp": 95, "fn": 5, "tn": 95, "fp": 5}
    assert {m["text"] for m in evaluation["mistakes"]} == set(TEXTS[300:310])
    by_label = {s["group"]: (s["n"], s["accuracy"]) for s in evaluation["slices"] if s["slice"] == "label"}
    assert by_label == {"negative": (100, 0.95), "positive": (100, 0.95)}
    assert not (settings.data_dir / "processed").exists(), "nothing is stored"


def test_an_evaluation_takes_the_model_in_force_if_none_is_named(settings, home, right, wrong):
    file = write(home / "test.txt", TEXTS, LABELS)
    for model, accuracy in ((right, 1.0), (wrong, 0.0)):
        promote(settings, model, force="for the test")
        evaluation = evaluate_only(settings, file)
        assert (evaluation["model"], evaluation["accuracy"]["value"]) == (model.name, accuracy)


def test_nothing_is_evaluated_without_a_model_or_a_file(tmp_path, settings, home):
    file = write(tmp_path / "test.txt", TEXTS, LABELS)
    with pytest.raises(ModelError, match="a trained model"):
        evaluate_only(load_settings(tmp_path), file)
    with pytest.raises(InputError, match="nothing at"):
        evaluate_only(settings, home / "none.txt")


# --- score files ------------------------------------------------------------------------------------------------------


def test_files_are_scored_as_planted_and_rejects_are_counted(settings, home, right):
    file = write(home / "new.txt", TEXTS, LABELS)
    file.write_text(file.read_text() + f"no label here\n__label__1 {TEXTS[0]}\n")
    result = score_files(settings, "fasttext", (file,), home / "answers", right)
    assert result["rows"] == {"read": 402, "loaded": 400, "rejected": 1, "duplicate": 1}
    assert (result["model"], result["reviews"], result["scored_now"]) == (right.name, 400, 400)
    answers = pd.read_parquet(home / "answers")
    reviews = load("fasttext", (file,)).reviews
    assert answers["review_id"].tolist() == reviews["review_id"].tolist()
    assert (answers["p_negative"] > 0.5).tolist() == [y == 0 for y in LABELS]
    assert not list(home.rglob("*.db")), "no database is made"


def test_asked_again_nothing_is_scored_and_what_has_changed_is_refused(settings, home, right, wrong):
    file, out = write(home / "new.txt", TEXTS, LABELS), home / "answers"
    first = score_files(settings, "fasttext", (file,), out, right)
    again = score_files(settings, "fasttext", (file,), out, right)
    assert (first["scored_now"], again["scored_now"]) == (400, 0) and first["sha256"] == again["sha256"]
    with pytest.raises(InputError, match=f"expected model as planned .{right.name}.; found {wrong.name}"):
        score_files(settings, "fasttext", (file,), out, wrong)
    with pytest.raises(InputError, match="threads as planned"):
        score_files(settings, "fasttext", (file,), out, right, threads=7)
    file.write_text(file.read_text() + "__label__1 one more\n")
    with pytest.raises(InputError, match="the file new.txt as planned"):
        score_files(settings, "fasttext", (file,), out, right)


def test_a_damaged_part_is_scored_again_although_the_texts_were_removed(settings, home, right):
    file, out = write(home / "new.txt", TEXTS, LABELS), home / "answers"
    whole = score_files(settings, "fasttext", (file,), out, right)
    assert not (out / "_texts").exists(), "texts of customers are not left behind"
    part = out / "answers-000000.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    again = score_files(settings, "fasttext", (file,), out, right)
    assert (again["scored_now"], again["sha256"], len(pd.read_parquet(out))) == (400, whole["sha256"], 400)


class Copies(Local):
    "Workers that hold a copy of the job, as in other processes."

    def crew(self, job, cores):
        return super().crew(pickle.loads(pickle.dumps(job)), cores)


def test_a_worker_elsewhere_gives_the_same_answers_to_the_last_bit(settings, home, right):
    file = write(home / "new.txt", TEXTS, LABELS)
    here, elsewhere = (
        score_files(settings, "fasttext", (file,), home / name, right, machines=machines, threads=1)
        for name, machines in (("here", Local()), ("elsewhere", Copies()))
    )
    assert here["sha256"] == elsewhere["sha256"]


def test_a_worker_on_another_kind_of_processor_refuses(settings, home, right, monkeypatch):
    file, out = write(home / "new.txt", TEXTS, LABELS), home / "answers"
    monkeypatch.setattr(shards, "device_of", lambda predictor: "cpu Z80")
    with pytest.raises(ModelError, match="a processor as planned"):
        score_files(settings, "fasttext", (file,), out, right)


def test_a_file_that_is_refused_is_refused_before_anything_is_scored(settings, home, right, tmp_path):
    (home / "bad.txt").write_text("__label__9 what is this\n" * 500)
    with pytest.raises(InputError):
        score_files(settings, "fasttext", (home / "bad.txt",), home / "answers", right)
    assert not (home / "answers").exists()
    with pytest.raises(ModelError, match="a trained model"):
        score_files(load_settings(tmp_path), "fasttext", (home / "bad.txt",), home / "answers")


# --- pseudonyms -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    "Files of a small shop. Nobody writes there."
    folder = tmp_path_factory.mktemp("shop")
    write_shop(make_shop(n_customers=40, n_reviews=60, seed=3), folder)
    return folder


def test_every_id_becomes_its_keyed_hash_and_the_tables_still_fit(files):
    loaded = load("sample", (files,))
    anonymous = loaded.reviews["customer_id"].where(loaded.reviews.index >= 3)  # three reviews of nobody
    loaded = replace(loaded, reviews=loaded.reviews.assign(customer_id=anonymous))
    reviews = loaded.reviews.copy()
    hidden = pseudonymise(loaded, "a key")
    for name in ("reviews", "customers", "orders"):
        before, after = getattr(loaded, name), getattr(hidden, name)
        expected = [i if pd.isna(i) else pseudonym(i, "a key") for i in before["customer_id"]]
        assert after["customer_id"].isna().tolist() == before["customer_id"].isna().tolist()
        assert after["customer_id"].dropna().tolist() == [i for i in expected if not pd.isna(i)]
        assert after["customer_id"].dtype == before["customer_id"].dtype
        others = [c for c in before if c != "customer_id"]
        pd.testing.assert_frame_equal(after[others], before[others])
    assert hidden.customers["customer_id"].nunique() == loaded.customers["customer_id"].nunique()
    assert hidden.customers["customer_id"].str.fullmatch("[0-9a-f]{32}").all()
    assert len(loaded.rejects) and len(hidden.rejects) == len(loaded.rejects)
    assert set(hidden.rejects["raw"]) == set(hidden.rejects["detail"]) == {""}, "a rejected line may name a person"
    assert hidden.reviews["customer_id"].isna().sum() == 3
    pd.testing.assert_frame_equal(loaded.reviews, reviews)


def test_another_key_gives_other_pseudonyms_and_no_key_changes_nothing(files):
    loaded = load("sample", (files,))
    first, other = (pseudonymise(loaded, key).customers["customer_id"] for key in ("a key", "another key"))
    assert not set(first) & set(other)
    assert pseudonymise(loaded, "") is loaded
