"The short path: a frame, a model, and findings that show themselves."

import warnings
from dataclasses import replace

import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import smart_customer_analysis as sca
from smart_customer_analysis import all as names
from smart_customer_analysis import shop as shops
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.sample import make_shop, write_shop
from smart_customer_analysis.display import card_html, table_html
from smart_customer_analysis.schema import InputError, ModelError
from smart_customer_analysis.segment.customers import CustomerSegments
from smart_customer_analysis.sentiment.classifier import SentimentClassifier
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.view.maps import hot_spots, place_rows, shop_resolutions

FRAME = pd.DataFrame({
    "blurb": ["The pot keeps warm", "It broke after a week", "Late, and the box was open"] * 4,
    "stars": [5, 1, 2] * 4,
    "who": [1.0, 2.0, 3.0] * 4,
})  # fmt: skip


@parametrize_with_checks([CustomerSegments(2, 3)])
def test_segments_keep_the_contract_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_the_package_gives_the_names_of_all_and_names_the_nearest():
    assert set(sca._NAMES) == set(names.__all__), "correct _NAMES in __init__.py or _all_ in 790_all"
    assert sca.from_frame is names.from_frame
    with pytest.raises(AttributeError, match="did you mean from_frame"):
        _ = sca.from_fram


def test_a_wrong_column_names_the_nearest():
    with pytest.raises(InputError, match="write text='blurb'"):
        sca.from_frame(FRAME, text="Blurbs")


def test_an_unknown_frame_names_the_columns_with_the_most_words():
    with pytest.raises(InputError, match="say which it is: text='blurb'"):
        sca.from_frame(FRAME[["blurb", "who"]].rename(columns={"who": "k"}))


def test_a_frame_is_left_as_it_was_and_numbers_of_customers_lose_their_point():
    before = FRAME.copy()
    shop = sca.from_frame(FRAME, text="blurb", customer="who", rating="stars")
    pd.testing.assert_frame_equal(FRAME, before)
    assert set(shop.reviews["customer_id"]) == {"1", "2", "3"}
    assert "12 read = " in shop._repr_html_()


def test_no_stars_and_no_model_is_refused_with_what_to_do(tmp_path):
    shop = sca.from_frame(FRAME[["blurb", "who"]], text="blurb", customer="who")
    shop.settings = load_settings(tmp_path)
    with pytest.raises(ModelError, match=r"next: say which column holds the stars .*model=FOLDER"):
        shop.sentiment()


# --- with a tiny model ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    "A small shop and a tiny model trained on its stars. Nobody changes them."
    home = tmp_path_factory.mktemp("short")
    write_shop(make_shop(n_customers=120, n_reviews=300, seed=3), home / "files")
    shop = shops.make_shop_of(load("sample", home / "files"), settings=load_settings(home))
    rows = shop.reviews.dropna(subset="label")
    encoder = str(tiny_encoder(home / "tiny", rows["text"].tolist()))
    options = {"batch_tokens": 512, "precision": "fp32"}
    model = SentimentClassifier(encoder, 1, 32, 3e-3, options, models_dir=home / "models")
    return shop, model.fit(rows["text"], rows["label"].astype(int))


@pytest.fixture
def shop(small):
    shop = replace(small[0], _read=None)
    shop.sentiment(small[1])
    return shop


def test_a_model_trained_in_passing_comes_from_the_encoder_of_the_settings(small, tmp_path):
    rows, tiny = small[0].reviews, small[1].encoder
    settings = load_settings(tmp_path, encoder=tiny, models_dir=tmp_path / "models")
    assert shops.train_in_passing(settings, rows).predictor.card["training"]["recipe"]["encoder"] == tiny
    assert SentimentClassifier().encoder == "auto", "the languages of the texts decide"


def test_share_and_frame_cover_every_review(shop):
    sentiment = shop.sentiment()
    assert len(sentiment.frame) == len(shop.reviews) == sentiment.share["n_reviews"]
    assert sentiment.share["low"] <= (shop.reviews["label"] == 0).sum() / shop.reviews["label"].notna().sum()
    assert "Trained on" in sentiment._repr_html_() and sentiment.model[0] in sentiment._repr_html_()


def test_letters_and_names_outlive_a_second_run_on_fewer_rows(shop):
    first = shop.segments()
    fewer = replace(shop.loaded, customers=shop.loaded.customers[3:])
    again = replace(shop, loaded=fewer).segments(previous=first)
    both = again.members.merge(first.members, on="member_id")
    assert (both["segment_id_x"] == both["segment_id_y"]).mean() > 0.9
    kept = again.table.merge(first.table, on="segment_id")
    assert (kept["name_x"] == kept["name_y"]).all()


def test_a_small_segment_is_in_the_table_and_not_on_the_card(shop):
    segments = shop.segments()
    hidden = replace(segments, k=int(segments.table["size"].min()) + 1)
    smallest = segments.table.loc[segments.table["size"].idxmin()]
    assert smallest["name"] in segments._repr_html_() and smallest["name"] not in hidden._repr_html_()
    assert smallest["name"] in set(hidden.table["name"])


def test_themes_cover_every_sentence_and_quote_no_small_group(shop):
    themes = shop.themes(2, 3)
    assert themes.table["sentences"].sum() == len(themes.sentences)
    quote = next(q["text"] for row in themes.table["praise"] for q in row)
    assert quote[:20] not in replace(themes, k=10_000)._repr_html_()


def test_the_map_has_words_for_those_who_do_not_see_it(shop):
    drawn = shop.map()
    assert "alt='" in drawn._repr_html_() and drawn.figure.get_label().startswith(drawn.spots.sentence)


def test_the_map_is_that_of_the_estimator(shop):
    drawn, tables = shop.map(), shop.sentiment().tables
    rows = place_rows(tables, tables.reviews)
    again = clone(drawn.fitted).fit(rows.drop(columns="negative"), rows["negative"])
    pd.testing.assert_frame_equal(again.spots_.cells, drawn.spots.cells)
    of_the_page = hot_spots(tables, tables.reviews, shop_resolutions(tables), seed=shop.settings.seed)
    pd.testing.assert_frame_equal(of_the_page.cells, drawn.spots.cells)


def test_a_classifier_abstains_and_is_cloned(small):
    model = small[1]
    again = clone(model).set_params(max_error=0.001)
    again.folder_, again.classes_ = model.folder_, model.classes_
    assert set(again.predict(["pot", "tea"])) == {None}
    assert set(model.predict(["pot", "tea"])) <= {0, 1}
    assert SentimentClassifier.load(model.folder_).predict_proba(["pot"]).shape == (1, 2)


def test_a_notebook_shows_the_card_of_a_model_and_not_its_parameters(small):
    shown, _ = DisplayFormatter().format(small[1])
    assert "Right on" in shown["text/html"] and "sk-global" not in shown["text/html"]


def test_what_customers_write_never_becomes_markup():
    hostile = "</div><script>alert(1)</script>"
    shown = card_html(hostile, [hostile], [hostile], hostile) + table_html(pd.DataFrame({hostile: [hostile]}))
    assert "<script" not in shown
