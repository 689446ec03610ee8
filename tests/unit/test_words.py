"Words in the reader's language: what the code writes can be read, and two readers do not mix."

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis import translate
from smart_customer_analysis.insight import shares
from smart_customer_analysis.insight.changes import PREFIX, Changes, change_sentence
from smart_customer_analysis.report.page import headline, quotes, share_text
from smart_customer_analysis.segment import describe, identity
from smart_customer_analysis.segment.features import CATALOG
from smart_customer_analysis.theme_edits import edit_sentence
from smart_customer_analysis.translate import answer_in, translated
from smart_customer_analysis.view import account, changes, maps, reviews, segments, themes
from smart_customer_analysis.words import LANGUAGES, Words, catalogue

PT = Words("pt")
NAME = "Zyx-17"  # of a region or a product
ENGLISH = re.compile(
    r"\b(the|of|are|is|and|reviews?|customers?|from|fewer|more|less|nothing|too|with|by|all|in|for|about|than|or)\b"
)


def change_sentences():
    for kind, side, wide, n in product([*PREFIX, "other"], (1, -1), (True, False), (1, 1204)):
        for low, high in ((0.05, 0.19), (0.001, 0.004), (0.001, 0.09), (0.011, 0.011)):
            ends = sorted((side * low, side * high))
            before, after = (np.nan, np.nan) if wide else (0.33, 0.41)
            yield change_sentence(kind, NAME, before, after, *ends, n)
    nothing, one = pd.DataFrame({"mark": []}), pd.DataFrame({"mark": ["worse"]})
    bad = pd.DataFrame({"name": [NAME], "reason": ["the model changed"]})
    for tested, proven, skipped in ((0, nothing, nothing), (0, nothing, bad), (1, nothing, bad), (9, one, bad)):
        yield Changes(tested, proven, skipped).sentence
    for measures in (pd.DataFrame(), pd.DataFrame({"kind": ["overall"], "points": 0.1, "low": -0.1, "high": 0.3})):
        yield changes.headline_change(Changes(1, nothing, nothing, measures))["sentence"]
    yield "No earlier period to compare."
    yield "Not comparable: the model changed."
    for part in (0.5, 1.0):
        yield account.account_text([account.Holder("region", NAME, part, 0.3)] * 2, 0.22, {})


def figure(**more):
    made = {"value": 0.4, "low": 0.3, "high": 0.5, "n_reviews": 90, "n_customers": 80, "reliability": "ok"}
    made |= {"n_labelled": 60, "n_by_hand": 0, "n_predicted": 30, "n_neutral": 0, "neutral": None, "corrected": True}
    return made | {"neutral_low": 0.05, "neutral_high": 0.1, "reason": None} | more


def list_sentences():
    for stars, by_hand, read in product((0, 40), (0, 5), (0, 1204)):
        if stars + by_hand + read:
            yield reviews.figure_sentence(figure(n_labelled=stars + by_hand, n_by_hand=by_hand, n_predicted=read), 3)
    for n, neutral, by_hand in product((1, 31), (0.07, None), (0, 5)):
        yield reviews.figure_sentence(figure(n_neutral=n, neutral=neutral, n_by_hand=by_hand), 3)
    yield reviews.figure_sentence(figure(reliability="wide", corrected=False), 3)
    yield reviews.figure_sentence(figure(corrected=False), 3)
    for reason in (shares.BLIND, shares.RATES, shares.SHIFTED):
        yield reviews.figure_sentence(figure(reliability="not_comparable", reason=reason), 3)
    yield from ("Fewer than 10 customers: no figure.", "No review matches.", "Hidden: fewer than 10 customers.")
    yield "No review that matches has stars on a side or a prediction."


def theme_sentences():
    for more in ({"reliability": "hidden"}, {"n_reviews": 0}, {"reliability": "wide"}, {}):
        yield themes.theme_sentence(NAME, figure(**more), 10)
    yield f"{themes.theme_sentence(NAME, figure(), 10)} Of the reviews themselves: No review matches."
    yield themes.BASIS
    events = [{"kind": kind, "theme_id": "A"} for kind in ("birth", "split", "merge")]
    yield from (e["sentence"] for e in themes.theme_events(events, {"A": NAME}))
    yield "Theme [C] appeared: 1,204 sentences, like none before."
    edits = ({"name": NAME}, {"hide": True, "pin": True}, {"merge_into": "B"}, {"name": NAME, "merge_into": "B"}, {})
    yield from (edit_sentence(theme, edit, {"A": NAME, "B": "Xyz"}) for theme in ("A", "C", None) for edit in edits)


def map_sentences():
    yield from (maps.map_sentence(0, 0, []), maps.map_sentence(0, 0, [], False), maps.map_sentence(9, 0, []))
    yield from (maps.map_sentence(9, 9, []), maps.map_sentence(9, 9, [{}, {}]))
    for sizes in (["large", "medium"], ["medium", "small"], ["large", "medium", "small"]):
        yield maps.map_sentence(9, 9, [{"sizes": sizes}])


def profile(**away):
    rows = [
        {"feature": f, "label": CATALOG["label"][f], "unit": CATALOG["unit"][f], "value": 9.5 if d > 0 else 0.4,
         "all": 2.1, "difference_sd": d} for f, d in away.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def segment_sentences():
    for kind, noun in product(("birth", "death", "split", "merge"), ("customers", "reviews")):
        yield identity._sentence(kind, "C", "B", 1, 40, noun)
    for kind in ("birth", "death", "split", "merge"):
        yield segments.segment_event({"kind": kind, "segment_id": "C"}, None, True)["sentence"]
    for unit in ("customer", "review"):
        small = {"id": "A", "name": NAME, "sentence": "", "stability": None, "size": 3, "share": 0.1}
        yield segments.segment_item(small, {}, set(), 10, unit)["sentence"]
    for feature in (*describe.PHRASES, *describe.MOOD):
        for side, noun in product((1.0, -1.0), ("customers", "reviewers", "reviews")):
            yield describe.sentence_of(profile(**{feature: side}), 412, noun, NAME)
    for feature in ("has_orders", "has_reviews", "sentiment_trend"):
        yield describe.sentence_of(profile(**{feature: -1.0}), 412, "customers", words=["zyx", "xyz"])
    topic = pd.DataFrame([{"feature": "topic_1", "label": "Writes about zyx, xyz", "unit": "share", "value": 1.0,
                           "all": 0.0, "difference_sd": d} for d in (1.0,)])  # fmt: skip
    yield describe.sentence_of(topic, 412, "customers")
    yield describe.sentence_of(topic.assign(difference_sd=-1.0), 412, "customers")
    yield describe.sentence_of(profile(recency=0.0), 412, "customers")
    yield describe.sentence_of(profile(recency=1.0, monetary=-1.0, mean_sentiment=1.0), 412, "customers", "Boston, MA")
    yield f"412 customers: {describe.NO_GROUPS.format('customers')}"
    yield from (describe.NO_GROUPS.format("reviews"), "close to the average in everything.")


ASKED = ("service", "theme_answers", "view/proof", "serving", "app/routes", "store/themes", "store/sources")


def error_sentences():
    "The refusals that a reader of the page meets: of modules that answer it, where all is known before."
    package = Path(translate.__file__).parent
    for name in ASKED:
        for node in ast.walk(ast.parse((package / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Query", "Found", "Ready", "Error")):
                texts = [a.value for a in node.args[::2] if isinstance(a, ast.Constant)]
                if len(node.args) == 3 and len(texts) == 2:
                    yield "Expected {}. Next: {}.".format(*texts)
    yield from ("Busy; try again in 3 s.", "This key opens nothing; ask for another.")
    yield "This is a fault of the program; the log has it."


def segment_names():
    nouns, buying = ("customers", "reviewers", "reviews"), [b[0] for b in describe.BUYING] + ["one-time buyers"]
    standing = [s[0] for s in describe.STANDING]
    yield from (f"{a} {b}" for a, b in product(standing, [*buying, *nouns, "customers who write about zyx, xyz"]))
    yield from (f"{t} {m} customers" for t, m in product(("Lapsed", "Recent", "Earlier"), ("unhappy", "happy")))
    yield from (
        b[0].upper() + b[1:] for b in [*buying, "reviewers who write about zyx", "customers who write about xyz"]
    )
    for noun in nouns:
        yield from (f"All {noun}", f"Average {noun}", f"[B] Average {noun} (B)")
        for feature, away in product(CATALOG.index, (1.0, -1.0)):
            yield describe._plain_name(profile(**{feature: away}), noun)
    yield "Customers with more writes about zyx"
    for about, words in product((1.0, -1.0, 0.0), (["zyx", "xyz"], [])):
        table = profile(p_negative=about).assign(segment_id="A")
        yield describe._review_names(table, {"A": words})["A"].popitem()[0]
    yield from (segments.NO_NAME, themes.OTHER_NAME, "unnamed place", "all reviews")


SENTENCES = (
    change_sentences, list_sentences, theme_sentences, map_sentences, segment_sentences, error_sentences
)  # fmt: skip
REASONS = (shares.BLIND, shares.RATES, shares.SHIFTED, "the model changed",
           "the wording changed, the correction cannot be trusted",
           "no stars and no predictions in one of the periods")  # fmt: skip


@pytest.mark.parametrize("make", SENTENCES, ids=lambda make: make.__name__)
def test_every_sentence_of_the_code_is_read_in_portuguese(make):
    for sentence in dict.fromkeys(make()):
        left = ENGLISH.findall(re.sub(r"/v1/\S+", "", translated(sentence, PT)))
        assert not left, f"{sentence!r} becomes {translated(sentence, PT)!r}: add its form to locale/pt/sentences.po"


@pytest.mark.parametrize(("context", "texts"), [
    ("name", list(segment_names())),
    ("reason", REASONS),
    ("label", [*CATALOG["label"], "Writes about zyx"]),
], ids=["names", "reasons", "labels"])  # fmt: skip
def test_every_name_of_ours_is_read_in_portuguese(context, texts):
    for text in texts:
        there = translated(text, PT, context)
        assert there != text and not ENGLISH.findall(there), f"{text!r} becomes {there!r}"


def test_no_form_of_the_catalogue_is_stale(monkeypatch):
    used, written = set(), translate._written
    monkeypatch.setattr(
        translate, "_written", lambda form, *rest: used.add((form.context, form.ids)) or written(form, *rest)
    )
    translate._read.cache_clear()
    for make in SENTENCES:
        for sentence in make():
            translated(sentence, PT)
    for text in segment_names():
        translated(text, PT, "name")
    for reason in REASONS:
        translated(reason, PT, "reason")
    for label in (*CATALOG["label"], "Writes about zyx"):
        translated(label, PT, "label")
    translate._read.cache_clear()
    ids = {(m.context, (m.id,) if isinstance(m.id, str) else tuple(m.id)) for m in catalogue("pt", "sentences") if m.id}
    assert not ids - used, f"no producer makes: {sorted(map(str, ids - used))}"


def test_numbers_and_days_follow_the_reader():
    assert [PT.day("2024-05-03"), Words("en").day("2024-05-03")] == ["3 de maio de 2024", "3 May 2024"]
    assert [Words("fr").percent(0.412, 1), Words("de").number(1204.5, 1)] == ["41,2\xa0%", "1.204,5"]
    share = {"value": 0.4123, "low": 0.405, "high": 0.419, "n_reviews": 12_040, "reliability": "ok"}
    assert share_text(share, PT) == "41,2% (40,5–41,9%), 12.040 avaliações"
    assert translated("37.4% of what is said about it", PT) == "37.4% of what is said about it", "no form, no change"


def test_an_answer_is_copied_and_names_that_are_keys_stay():
    answer = {
        "proven": [{"mark": "worse", "name": "Few customers", "sentence": "No proven change."}],
        "items": [{"id": "A", "name": "All customers"}],
    }
    read = answer_in(answer, PT)
    assert read["proven"][0] == {"mark": "worse", "name": "Few customers", "sentence": "Nenhuma mudança comprovada."}
    assert read["items"][0]["name"] == "Todos os clientes"
    assert answer["items"][0]["name"] == "All customers"


def test_readers_of_one_process_do_not_mix():
    share = figure(n_unsure=2)
    alone = {language: headline(share, "worse", "x", Words(language)) for language in LANGUAGES}
    with ThreadPoolExecutor(8) as pool:
        asked = list(LANGUAGES) * 40
        together = list(pool.map(lambda language: headline(share, "worse", "x", Words(language)), asked))
    assert together == [alone[language] for language in asked]
    assert len(set(alone.values())) == len(LANGUAGES)


def test_a_quote_says_its_language_and_its_direction():
    arabic = quotes([{"text": "وصل الطرد متأخرا", "reviewed_at": None, "region": None, "lang": "ar"}])
    assert "<p dir='auto' lang='ar'>وصل" in arabic
    hostile = quotes([{"text": "x", "reviewed_at": None, "region": None, "lang": "ar' onclick='x"}])
    assert "onclick" not in hostile
