"""Themes from sentences to the database, on reviews whose subjects are known; the model is a table of directions."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert, select

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.hashes import hash_texts
from smart_customer_analysis.segment.themes import find_themes
from smart_customer_analysis.sentiment.sentence_states import sentences_of
from smart_customer_analysis.sentiment.sentences import SentenceMap
from smart_customer_analysis.steps import theme_fit
from smart_customer_analysis.steps import themes as step
from smart_customer_analysis.store import themes as stored
from smart_customer_analysis.store.bulk import TABLES, merge_rows, to_arrow
from smart_customer_analysis.store.engine import make_engine, reading, writing
from smart_customer_analysis.store.erase import erase_customer, find_person
from smart_customer_analysis.store.tables import Base, Customer, Load, Model, Review, ReviewTheme, Theme

SUBJECTS = {
    "courier": "The courier lost parcel {i}",
    "price": "The price of {i} is fair money",
    "colour": "The colour faded after wash {i}",
    "hotline": "The hotline answered call {i}",
    "taste": "The taste of bottle {i} pleased us",
    "size": "The size of shirt {i} fits",
    "warranty": "The warranty of {i} was refused",
    "sleeve": "The sleeve of shirt {i} is short",
}
INSIDE = {"sleeve": ("size", 0.25)}  # a subject inside another one: so far from its middle
WIDTH, NOW = 24, datetime(2026, 11, 30, tzinfo=UTC)


def subject_of(text: str) -> str | None:
    return next((s for s in SUBJECTS if s in text), None)


def states_of(texts: pd.Series) -> np.ndarray:
    "One direction for each subject, a little noise from the content, and the opinion in the last column."
    states = np.zeros((len(texts), WIDTH + 1), "float32")
    for row, (text, seed) in enumerate(zip(texts, hash_texts(texts), strict=True)):
        rng = np.random.default_rng(int(seed))
        states[row] = rng.normal(0, 0.08, WIDTH + 1)
        about = subject_of(text)
        middle, off = INSIDE.get(about, (about, 0))
        states[row, [*SUBJECTS, None].index(middle)] += 1
        states[row, [*SUBJECTS, None].index(about)] += off
        states[row, WIDTH] = rng.normal(0, 2)
    return states


def reviews_of(subjects: list[str], n: int, first: int = 0) -> pd.DataFrame:
    "Two sentences in each review, of two subjects."
    rows = []
    for i in range(first, first + n):
        pair = subjects[i % len(subjects)], subjects[(i * 5 + 1) % len(subjects)]
        text = ". ".join(SUBJECTS[s].format(i=i) for s in pair) + "."
        rows.append({"review_id": f"r{i:04}", "customer_id": f"c{i:04}", "title": "", "text": text})
    return pd.DataFrame(rows)


class Shop:
    "A database with reviews, and a model that reads them."

    def __init__(self, home, reviews: pd.DataFrame):
        self.settings = load_settings(home, data_dir=home / "data")
        self.engine = make_engine(f"sqlite:///{home / 'shop.db'}")
        self.reviews, self.version = reviews.iloc[:0], "v1"
        with writing(self.engine) as c:
            Base.metadata.create_all(c)
            counts = dict.fromkeys(("rows_read", "rows_loaded", "rows_rejected", "rows_duplicate"), 0)
            c.execute(insert(Load).values(load_id=1, source="s", content_hash="", effect={}, loaded_at=NOW, **counts))
            models = [{"version": v, "name": "m", "folder": v, "metrics": {}, "created_at": NOW} for v in ("v1", "v2")]
            c.execute(insert(Model), models)
        self.add(reviews)

    def add(self, reviews: pd.DataFrame) -> None:
        known = {"source": "s", "load_id": 1, "first_load_id": 1}
        with writing(self.engine) as c:
            c.execute(insert(Customer), [known | {"customer_id": i} for i in reviews["customer_id"]])
            c.execute(insert(Review), [known | {"line": 2, **row} for row in reviews.to_dict("records")])
        self.reviews = pd.concat([self.reviews, reviews], ignore_index=True)

    def themes(self, now: datetime = NOW) -> dict:
        model = SimpleNamespace(version=self.version, calibration={"temperature": 1.0}, card={})
        scored = SimpleNamespace(predictions=self.reviews[["review_id"]])
        return step.themes_step(self.settings, self.engine, "s", self.reviews, scored, model, now=now)

    def letters(self) -> pd.Series:
        "Letter of each sentence."
        rows = stored.sentences_with_themes(self.engine, "s")
        texts = self.reviews.set_index("review_id")["text"]
        index = [texts[i][a:b] for i, a, b in zip(rows["review_id"], rows["start"], rows["stop"], strict=True)]
        return pd.Series(rows["theme_id"].to_numpy(), index=index)


READ: list[str] = []  # texts that were read


@pytest.fixture(scope="module", autouse=True)
def model():
    "Texts are read from the table, and counted."

    def read_states(reader, texts):
        parts = sentences_of(texts)
        READ.extend(texts)
        return parts, states_of(parts["text"])

    eye = np.eye(WIDTH + 1, dtype="float32")
    way = SentenceMap(np.zeros(WIDTH + 1), np.hstack([eye[:, :WIDTH], eye[:, -1:]]), np.zeros(WIDTH + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "read_states", read_states)
        patch.setattr(step, "fit_sentence_map", lambda *_: way)
        patch.setattr(theme_fit, "find_themes", partial(find_themes, k_min=5, k_max=8))  # fewer to try: faster
        patch.setattr(step, "plain_embeddings", lambda texts, _: states_of(pd.Series(texts))[:, :WIDTH])
        yield


SIX, N = list(SUBJECTS)[:6], 120  # subjects; reviews at first


@pytest.fixture(scope="module")
def done(tmp_path_factory, model):
    "A shop with themes. Nobody writes there."
    shop = Shop(tmp_path_factory.mktemp("themes"), reviews_of(SIX, N))
    shop.first = shop.themes()
    return shop


@pytest.fixture
def shop(done, tmp_path):
    "A copy of that shop."
    with sqlite3.connect(tmp_path / "shop.db") as copy:
        done.engine.raw_connection().backup(copy)
    made = object.__new__(Shop)
    made.__dict__.update(done.__dict__, engine=make_engine(f"sqlite:///{tmp_path / 'shop.db'}"))
    READ.clear()
    return made


def by_subject(letters: pd.Series) -> dict[str, str]:
    "The letter that most sentences of a subject have; nine of ten of them have it, and no other subject has it."
    known = letters.dropna()
    table = pd.crosstab(known.index.map(subject_of), known.to_numpy())
    assert (table.max(axis=1) >= 0.9 * letters.index.map(subject_of).value_counts()[table.index]).all(), table
    chosen = table.idxmax(axis=1).to_dict()
    assert len(set(chosen.values())) == len(chosen), table
    return chosen


def test_planted_subjects_become_themes_and_a_second_run_reads_nothing(shop):
    first = shop.first
    assert set(by_subject(shop.letters())) == set(SIX) and first["read"] == N
    counted = {i["theme_id"]: i["sentences"] for i in first["items"]}
    assert shop.letters().value_counts().to_dict() == counted and sum(counted.values()) + first["other"] == 2 * N
    again = shop.themes()
    assert (again["run_id"], again["read"], READ) == (first["run_id"], 0, [])


def test_the_order_of_the_rows_does_not_matter(shop, tmp_path):
    (tmp_path / "other").mkdir()
    other = Shop(tmp_path / "other", reviews_of(SIX, N).sample(frac=1, random_state=1))
    other.themes()
    assert shop.letters().sort_index().equals(other.letters().sort_index())


def test_only_new_reviews_are_read_and_a_new_model_reads_all_with_the_same_letters(shop):
    before = shop.letters()
    shop.add(reviews_of(SIX, 30, first=N))
    assert shop.themes()["read"] == 30 and len(READ) == 30
    assert shop.letters()[before.index].equals(before)
    shop.version = "v2"
    anew = shop.themes()
    assert (anew["read"], anew["events"]) == (N + 30, [])
    assert by_subject(shop.letters()) == by_subject(before)


def test_a_new_subject_is_told_when_a_week_has_passed(shop):
    known = set(by_subject(shop.letters()).values())
    shop.add(reviews_of(["warranty"], 60, first=N))
    assert shop.themes(NOW + timedelta(days=1))["events"] == []
    shop.add(reviews_of(["warranty"], 10, first=N + 60))
    events = shop.themes(NOW + timedelta(days=8))
    assert ([e["kind"] for e in events["events"]], events["read"]) == (["birth"], 70)  # of the week, no earlier ones
    new = shop.letters()[lambda x: x.index.map(subject_of) == "warranty"]  # those read before that week, too
    assert new.value_counts(normalize=True, dropna=False).idxmax() not in known and new.isin(known).sum() == 0


def test_a_new_subject_inside_a_theme_is_told_within_two_weekly_looks(shop):
    before = shop.letters()
    size = by_subject(before)["size"]
    shop.add(reviews_of([*SIX, "sleeve", "sleeve"], 80, first=N))
    assert shop.themes(NOW + timedelta(days=3))["events"] == []
    assert (shop.letters()[lambda x: x.index.map(subject_of) == "sleeve"] == size).mean() > 0.5
    births = []
    for week in (1, 2):
        shop.add(reviews_of([*SIX, "sleeve", "sleeve"], 40, first=N + 40 + 40 * week))
        births += shop.themes(NOW + timedelta(days=7 * week))["events"]
    assert [e["kind"] for e in births] == ["birth"]
    new = shop.letters()[lambda x: x.index.map(subject_of) == "sleeve"]
    assert (new == births[0]["segment_id"]).mean() > 0.8
    assert (shop.letters()[before.index] == before)[before.notna()].mean() > 0.97


def test_edits_hold_in_later_runs_and_are_undone(shop):
    before, letter = shop.letters(), by_subject(shop.letters())
    merged = stored.save_theme_edit(shop.engine, "s", letter["colour"], {"merge_into": letter["size"]}, "Ana")
    stored.save_theme_edit(shop.engine, "s", letter["courier"], {"name": "Couriers"}, "Ana")
    shop.add(reviews_of(SIX, 30, first=N))
    names = {i["theme_id"]: i["name"] for i in shop.themes()["items"]}
    assert names[letter["courier"]] == "Couriers" and letter["colour"] not in names
    assert set(shop.letters().dropna()) == set(letter.values()) - {letter["colour"]}
    assert stored.undo_theme_edit(shop.engine, "s", merged, "Ben")
    assert shop.letters()[before.index].equals(before)


def test_a_theme_of_ones_own_takes_its_sentences_and_the_others_keep_their_letters(shop):
    before = by_subject(shop.letters())
    stored.save_theme_edit(shop.engine, "s", None, {"name": "Wine", "phrase": "the taste of a bottle"}, "Ana")
    own = next(i for i in shop.themes()["items"] if i["name"] == "Wine")
    after = by_subject(shop.letters())
    assert (own["origin"], own["theme_id"]) == ("codebook", after["taste"])
    assert own["theme_id"] not in before.values()
    assert {s: x for s, x in after.items() if s != "taste"} == {s: x for s, x in before.items() if s != "taste"}


def test_a_run_that_is_killed_while_it_writes_leaves_the_one_before(shop, monkeypatch):
    before = shop.letters()
    shop.add(reviews_of(SIX, 30, first=N))
    with monkeypatch.context() as broken:
        broken.setattr(stored, "_apply_edits", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shop.themes()
    assert shop.letters().equals(before) and stored.last_themes(shop.engine, "s")["run_id"] == shop.first["run_id"]
    assert stored.last_themes(shop.engine, "s")["fitted"]
    assert shop.themes()["read"] == 30


def test_an_erased_person_leaves_no_sentence_and_no_quote(shop):
    with reading(shop.engine) as c:
        quotes = [q["review_id"] for row in c.execute(select(Theme.praise, Theme.complaint)) for q in row[0] + row[1]]
    theme = {"name": "Own", "examples": ["Never again.", shop.reviews.set_index("review_id")["text"][quotes[0]]]}
    stored.save_theme_edit(shop.engine, "s", None, theme, "Ana")
    erase_customer(shop.engine, find_person(shop.engine, "s", quotes[0].replace("r", "c")))
    with reading(shop.engine) as c:
        rows = c.execute(select(Theme.praise, Theme.complaint)).all()
        left = c.execute(select(ReviewTheme.review_id).where(ReviewTheme.review_id == quotes[0])).all()
    assert stored.list_theme_edits(shop.engine, "s")[0]["edit"]["examples"] == ["Never again."]
    assert quotes[0] not in re.findall(r"r\d{4}", str(rows)) and left == []


def test_another_text_of_a_review_is_read_again(shop):
    changed = shop.reviews.head(1).assign(text="The hotline answered call 999.", line=2)
    with writing(shop.engine) as c:
        rows = to_arrow(changed, TABLES["reviews"], {"source": "s", "load_id": 1, "first_load_id": 1})
        merge_rows(c, TABLES["reviews"], [rows], 1, "s", load_id=1)
    shop.reviews.loc[0, "text"] = changed["text"][0]
    assert shop.themes()["read"] == 1
    assert list(shop.letters().index).count("The hotline answered call 999.") == 1
    assert len(shop.letters()) == 2 * N - 1


def test_a_shop_without_a_model_says_why_it_has_no_themes(shop):
    nothing = SimpleNamespace(predictions=shop.reviews[["review_id"]].head(0))
    none = step.themes_step(shop.settings, shop.engine, "other", shop.reviews, nothing, None)
    assert (none["run_id"], none["note"]) == (None, "no themes: no model has read the reviews")
