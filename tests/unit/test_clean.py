"Cleaning: nothing changes without a count, nothing leaves without an account, and doing it twice changes nothing."

import re
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_customer_analysis.data.clean import clean
from smart_customer_analysis.data.duplicates import near_duplicates
from smart_customer_analysis.data.language import language_of, languages_of
from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.places import repair_coordinates
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.data.text import mask_personal, strip_html, tidy_text
from smart_customer_analysis.schema import Customer, check_row_counts, conform

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
MARKUP = st.lists(
    st.sampled_from(
        [
            "&amp;",
            "&lt;",
            "&gt;",
            "b>",
            "<br/>",
            "<script>",
            "</script>",
            "&#39;",
            "<",
            ">",
            "x",
            " ",
            "&nbsp;",
            "&amp;lt;i&amp;gt;",
            "é",
            "3",
        ]
    ),
    max_size=15,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, MARKUP))
def test_cleaning_a_clean_text_changes_nothing(text):
    once = mask_personal(tidy_text(strip_html(text)))
    assert tidy_text(once) == once and mask_personal(once) == once
    assert "\x00" not in once and once == once.strip()


@pytest.mark.parametrize(
    ("dirty", "plain"),
    [
        ("a &amp; b", "a & b"), ("a<br>b", "a b"), ("<p>one</p><p>two</p>", "one two"),
        ("<a href='x' onclick=\"y\">link</a>", "link"), ("if a<b and c>d", "if a<b and c>d"),
        ("I <3 this", "I <3 this"), ("<sarcasm>great</sarcasm>", "<sarcasm>great</sarcasm>"),
        ("<!-- hidden -->shown", "shown"), ("<SCRIPT>x()</SCRIPT>ok", "ok"), ("AT&T", "AT&T"), ("&lt;br /&gt;x", "x"),
        ("5 &lt; 6", "5 < 6"), ("tab\there", "tab here"), ("a\u00a0b", "a b"), ("\ufeffstart", "start"),
        ("soft\u00adhyphen", "softhyphen"), ("\u202eevil", "evil"),
    ],
)  # fmt: skip
def test_text_becomes_readable(dirty, plain):
    assert tidy_text(strip_html(dirty)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "ISBN 0-306-40615-2", "978-3-16-148410-0", "#0195215672", "on 12/31/2006 at 10:30", "1998-2004",
        "$1,234,567.89", "model XR-555-1234A", "v1.10.2.30", "1 800 pages", "@home and @work", "8 @ 2.5 GHz",
        "user@localhost", "4111 1111 1111 1112", "0000 0000 0000 0000", "1234567890123456789012345", "1750 @ 1.8 gpm",
        "97% signal @ 54mb.", "call 911", "24/7/365", "3.14159265358979", "http://us.imdb.com/Title?0093638",
        "No. 003830/42",
    ],
)  # fmt: skip
def test_numbers_that_are_nobodys_stay(text):
    assert mask_personal(f"I read {text} today") == f"I read {text} today"


@pytest.mark.parametrize(
    "text",
    [
        "ana.silva@example.pt", "A_B-c+d@sub.domain.co.uk", "ana (at) mail (dot) com", "555-123-4567", "(555) 123-4567",
        "555.123.4567", "1-800-555-0199", "+44 20 7946 0018", "+351 912 345 678", "912 345 678", "(11) 98687-8025",
        "call me: 5551234567", "tel. 7599207310", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005",
    ],
)  # fmt: skip
def test_what_belongs_to_somebody_goes(text):
    masked = mask_personal(f"Please use {text}, thanks")
    assert "removed]" in masked and masked.startswith("Please use ") and masked.endswith(", thanks")
    assert not any(part in masked for part in ("silva", "4567", "1111", "0199", "8025", "7310"))


@pytest.mark.parametrize(
    ("dirty", "plain"),
    [
        ("USB&microphone, ?a=1&copy=2&reg=3, food&region", "USB&microphone, ?a=1&copy=2&reg=3, food&region"),
        ("&copy; &eacute; &#146; &#x41; R&D; &notit;", "© é ’ A R&D; &notit;"), ("AT&ampT", "AT&ampT"),
        ("weight <b and size=5> fine, <p or q=1>", "weight <b and size=5> fine, <p or q=1>"),
        ('<a href="x" rel=nofollow>a</a><input type=text checked/><TD nowrap>b</TD>c', "a b c"),
        ("<table><tr><td>One</td><td>two</td></tr></table>", "One two"), ("<a href=http://x.y/z/>w</a>", "w"),
        ("don\x92t \x93buy\x94\x85", "don’t “buy”…"), ("two\u200bwords, a\x0bb\x1cc", "two words, a b c"),
        ("\u200bedge\u200b", "edge"),
    ],
)  # fmt: skip
def test_only_what_is_html_goes_and_no_words_run_together(dirty, plain):
    assert tidy_text(strip_html(dirty)) == plain


@pytest.mark.parametrize(
    "text",
    ["paid 300 000 000 VND", "cost 250 000 000 won", "it was 345 678 900 yen", "about 412 345 678", "€ 300 000 000",
     "fits all 12 2015-2019 Civics", "11 2019-2020 models", "order 00123456789", "Order no. 020 7946 0018",
     "invoice #555-123-4567", "grew by +100 000 000", "model 500-200-1000", "sizes 06 08 10 12 14", "00123456789",
     "size (10) 20000 3000 mm", "450 000 000 people", "0306406152", "in 2015-2019", "phone it in 1234567 times"],
)  # fmt: skip
def test_prices_counts_years_and_numbers_of_things_stay(text):
    assert mask_personal(f"I say {text}, thanks") == f"I say {text}, thanks"


@pytest.mark.parametrize(
    "number",
    ["06 12 34 56 78", "06.12.34.56.78", "0612345678", "09012345678", "01012345678", "07911123456", "01712345678",
     "+33 6 12 34 56 78", "001 555 123 4567", "11 91234-5678"],
)  # fmt: skip
def test_mobile_numbers_of_several_countries_are_masked(number):
    assert mask_personal(f"Write to {number}, thanks") == "Write to [phone removed], thanks"


HOSTILE = {
    "comment that never ends": ("", "<!--"), "comments in comments": ("", "<!-- <!--"), "opening brackets": ("", "<"),
    "links": ("", "<a "), "links with signs": ("", "<a ="), "one link of signs": ("<a ", "="),
    "one link of spaces": ("<a ", " "), "one link of attributes": ("<a ", "x= "), "ampersands": ("", "&"),
    "numbers of characters": ("", "&#"), "one number of a character": ("&#", "9"), "entities without end": ("", "&amp"),
    "script names": ("", "<script"), "scripts": ("", "<script>"), "styles": ("", "<style>"),
    "closed by the other": ("", "<script></style>"), "closed and not closed": ("<script>", "</script "),
    "comments and scripts": ("", "<!--<script>"), "at signs": ("", "@"), "names at": ("", "a@"),
    "apostrophes": ("", "a'"), "dots": ("", "a."), "at in words": ("", "a (at) b "),
    "dots in words": ("a (at) b", " (dot) c"), "digits": ("", "4"), "digits and spaces": ("", "4 "),
    "digits and dashes": ("", "4-"), "numbers from abroad": ("", "00111111111111111x "), "brackets": ("+1", "(1"),
    "area codes": ("", "(555) 123-"), "calls": ("", "call "), "calls and digits": ("", "call 1 "), "spaces": ("", " "),
    "hard spaces": ("", "\u00a0"), "lines": ("", "\n"), "lines and spaces": ("", "\n "),
    "accents": ("a", "\u0301\u0316"), "accents in one sign": ("a", "\u0f73"), "attributes": ("<b ", "a=b "),
    "phones": ("", "0612345678 "), "groups of digits": ("", "912 345 678 "), "entities": ("", "&copy;"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_four_times_a_hostile_text_takes_about_four_times_the_work(case):
    start, unit = HOSTILE[case]

    def seconds(n: int) -> float:
        text, taken = start + (unit * n)[:n] + " at) @1234567", []
        for _ in range(3):
            began = time.process_time()
            mask_personal(tidy_text(strip_html(text)))
            taken.append(time.process_time() - began)
        return min(taken)

    assert seconds(24_000) < 10 * max(seconds(6_000), 0.002)


def test_hidden_parts_go_only_where_they_are_closed():
    text = "a<!--b-->c<script>d</SCRIPT >e<style type='x'>f</style>g<!-- h <script>i</script>j<!-- k"
    assert strip_html(text) == "a c e g<!-- h  j<!-- k"
    assert strip_html("<script>a<!--b-->c") == "a c" and strip_html("&#" + "9" * 6000 + ";x") == "\ufffdx"


def test_only_accents_beyond_the_thirtieth_on_a_letter_go():
    thirty = "o" + "\u0323\u031b" * 15
    assert tidy_text(thirty) == unicodedata.normalize("NFC", thirty)
    assert tidy_text("o" + "\u0316" * 400 + "x" + "\u2764" * 400) == "o" + "\u0316" * 30 + "x" + "\u2764" * 400


NAMES = ("ana", "j.smith", "Marta_89", "info", "kim+shop", "O'Neil", "sales-team")
HOSTS = ("example.com", "mail.example.co.uk", "shop-online.de", "posta.it", "my.work.org")
PHONES = (
    "({a}) {b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "1-{a}-{b}-{c}", "+1 {a} {b} {c}", "+44 20 7{b} {c}",
    "+49 30 {b}{c}", "+351 9{a2} {b} {d}", "9{a2} {b} {d}", "({a2}) 9{c}-{c}", "020 7{b} {c}", "0049-30-{b}{c}",
)  # fmt: skip
NOBODYS = (
    "ISBN 0-306-{n5}-2", "978-3-16-{n6}-0", "on 12/31/20{n2} at 10:{n2}", "in 19{n2}-20{n2}", "for $1,{n3},{n3}.{n2}",
    "the XR-{n3}-{n4}A", "v1.{n2}.{n2}.3", "order no. {n5}", "model {n6}", "{n4}x{n4} pixels", "{n3} mm by {n3} mm",
    "part #{n8}", "weighs {n3},{n3} g", "since 2024-11-{n2}", "{n2}:{n2}:{n2} long", "serial SN{n8}X",
    "pages {n3}-{n3}", "{n3} of 1 000 000", "a {n2}.{n8} ratio", "€ {n3} {n3}", "@reader{n2} said", "at 2.{n2} GHz",
    "{n2}% of {n8}",
)  # fmt: skip


def planted(seed: int, n: int = 3_000) -> pd.DataFrame:
    "Sentences of the sample shop; into each goes something of somebody's, or a number that is nobody's."
    rng = np.random.default_rng(seed)
    texts = make_shop(n_customers=200, n_reviews=400, seed=seed).reviews["text"]
    digits = lambda k: str(rng.integers(10 ** (k - 1), 10**k))  # noqa: E731
    rows = []
    for i in range(n):
        kind = ("e-mail", "phone", "card", "nobody's", "nobody's")[i % 5]
        if kind == "e-mail":
            address = f"{rng.choice(NAMES)}@{rng.choice(HOSTS)}"
        elif kind == "phone":
            address = str(rng.choice(PHONES)).format(
                a=rng.integers(201, 990), a2=rng.integers(11, 70), b=digits(3), c=digits(4), d=digits(3)
            )
        elif kind == "card":
            number = str(rng.choice(["4", "51", "37", "6011"]))
            number += "".join(map(str, rng.integers(0, 10, (14 if number == "37" else 15) - len(number))))
            number += str(next(k for k in range(10) if luhn(number + str(k))))
            address = str(rng.choice(["", " ", "-"])).join(number[j : j + 4] for j in range(0, len(number), 4))
        else:
            address = str(rng.choice(NOBODYS)).format(**{f"n{k}": digits(k) for k in range(2, 9)})
        words = str(rng.choice(texts)).split()
        at = rng.integers(0, len(words) + 1)
        rows.append((kind, address, " ".join(words[:at]), " ".join(words[at:])))
    return pd.DataFrame(rows, columns=["kind", "what", "before", "after"])


def luhn(number: str) -> bool:
    "The check digit, written another way than in the library."
    odd, even = number[-1::-2], number[-2::-2]
    return (sum(map(int, odd)) + sum(sum(divmod(2 * int(d), 10)) for d in even)) % 10 == 0


def test_planted_personal_data_is_masked_and_little_else():
    rows = planted(7)
    masked = [mask_personal(" ".join(filter(None, (r.before, r.what, r.after)))) for r in rows.itertuples()]
    n_masks = pd.Series([t.count("removed]") for t in masked])
    somebodys = rows["kind"] != "nobody's"
    gone = pd.Series([what not in text for what, text in zip(rows["what"], masked, strict=True)])
    recall, precision = gone[somebodys].mean(), gone[somebodys].sum() / n_masks.sum()
    assert recall >= 0.98, f"{recall:.3f}\n{rows[somebodys & ~gone]['what'].head(20).to_string()}"
    assert precision >= 0.9, f"{precision:.3f}\n{rows[~somebodys & (n_masks > 0)]['what'].head(20).to_string()}"
    whole = rows[gone & somebodys]
    left = [re.sub(r"\W", "", w)[-4:] in re.sub(r"\W", "", masked[i]) for i, w in whole["what"].items()]
    assert np.mean(left) < 0.02, "the end of a number stayed behind"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("It was not what I wanted but they were nice.", "en"), ("O produto não chegou ainda, muito ruim", "pt"),
        ("No lo compré por el precio, pero es muy bueno", "es"),
        ("Le produit est très bien mais pas dans les temps", "fr"), ("Das ist nicht gut und sehr teuer für mich", "de"),
        ("배송이 빨라요", "ko"), ("とても良いです", "ja"), ("很好用", "zh"), ("Очень хорошо", "ru"),
        ("ok", ""), ("", ""),
    ],
)  # fmt: skip
def test_language(text, code):
    assert language_of(text) == code


def test_the_languages_of_many_texts_are_those_of_each():
    sentences = [
        "Vrlo dobro", "врло добро", "Ürün hiç çalışmadı", "لم يصل المنتج", "배송이 빨라요", "とても良いです", "很好用",
        "Super!", "NOT GOOD AT ALL", "Recomendo muito", "Lieferung kam schnell an", "e\u0301te\u0301", "", "10/10",
        "Очень хорошо, спасибо", "\udc80 broken", "ok",
    ]  # fmt: skip
    texts = [s[:n] for s in sentences for n in (3, 9, 14, 300)] + ["x" * 500, "good " * 100]
    assert languages_of(texts).tolist() == [language_of(text) for text in texts]


def test_near_duplicates_are_those_with_seventy_percent_in_common():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(2000)]
    texts = [list(rng.choice(words, 60)) for _ in range(300)]
    near = [[*t[:30], "changed", *t[31:]] for t in texts[:100]]  # 55 of 61 sequences shared
    far = [[*t[:10], *rng.choice(words, 50)] for t in texts[100:200]]
    groups = near_duplicates(pd.Series([" ".join(t) for t in texts + near + far])).to_numpy()
    assert (groups[:100] == groups[300:400]).mean() >= 0.99
    assert len(set(groups)) == 500 - (groups[:100] == groups[300:400]).sum()


def test_each_coordinate_fault_is_mended_or_kept_by_rule():
    people = conform(
        pd.DataFrame(
            [
                ("ok", -46.6, -23.5, "BR"), ("swapped", -23.5, -46.6, "BR"), ("zero", 0, 0, "BR"),
                ("elsewhere", 2.3, 48.8, "BR"), ("none", None, None, "BR"), ("unknown", 5, 50, None),
            ],
            columns=["customer_id", "lon", "lat", "country"],
        ),
        Customer,
    )  # fmt: skip
    mended, rules = repair_coordinates(people)
    assert list(rules.values()) == [1, 1, 1]
    assert mended.set_index("customer_id")["lon"].astype(object).where(
        mended.set_index("customer_id")["lon"].notna(), None
    ).to_dict() == {"ok": -46.6, "swapped": -46.6, "zero": None, "elsewhere": 2.3, "none": None, "unknown": 5.0}
    assert repair_coordinates(mended)[1]["swapped pair turned round"] == 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(["BR", "US", "Portugal", None])),
        min_size=1,
        max_size=10,
    )
)
def test_coordinates_stay_or_turn_round_or_go(rows):
    people = conform(
        pd.DataFrame(
            {
                "customer_id": [str(i) for i in range(len(rows))],
                "lon": [r[0] for r in rows],
                "lat": [r[1] for r in rows],
                "country": [r[2] for r in rows],
            }
        ),
        Customer,
    )
    mended, _ = repair_coordinates(people)
    for (lon, lat, _c), new in zip(rows, conform(mended, Customer).itertuples(), strict=True):
        assert pd.isna(new.lon) == pd.isna(new.lat) and (
            pd.isna(new.lon) or (new.lon, new.lat) in ((lon, lat), (lat, lon))
        )


def test_the_law_holds_and_the_argument_is_untouched(tmp_path):
    same = "I bought this kettle in May and it broke after two weeks."
    (tmp_path / "train.txt").write_text(f"__label__1 A: {same}\n__label__2 <b></b>: <br/>\n__label__2 B: fine\n")
    (tmp_path / "test.txt").write_text(f"__label__1 A: {same}  \n__label__2 B: good\n")
    raw = load("fasttext", train=tmp_path / "train.txt", test=tmp_path / "test.txt")
    before = raw.reviews.copy()
    shop, steps = clean(raw)
    pd.testing.assert_frame_equal(raw.reviews, before)
    check_row_counts(shop.counts)
    assert shop.rows == {"read": 5, "loaded": 4, "rejected": 1, "duplicate": 0}
    assert len(shop.test_ids) == 2 and len(shop.rejects) == 1
    assert steps["rows"].ge(0).all() and list(steps.columns) == ["step", "rule", "rows"]


@pytest.mark.real
def test_the_repeated_texts_of_the_multidomain_set_are_reported(real_data):
    shop, steps = clean(load("amazon-multidomain", real_data / "amazon_multidomain" / "reviews.csv.gz"))
    assert shop.rows == {"read": 6000, "loaded": 5879, "rejected": 0, "duplicate": 121}
    assert shop.rules.set_index("rule")["rows"].to_dict() == {"repeated_text": 121}
    assert not shop.reviews["text"].str.contains(r"&amp;|&quot;|<br", regex=True).any()


@pytest.mark.real
def test_half_of_the_olist_reviews_are_portuguese_and_none_is_lost(real_data):
    shop, steps = clean(load("olist", real_data / "olist"))
    assert shop.rows["loaded"] == 16229
    assert steps.set_index("rule").loc["pt", "rows"] > 2200


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("8 (800) 555-35-35", "[phone removed]"), ("8-912-345-67-89", "[phone removed]"),
        ("138-1234-5678", "[phone removed]"), ("微信13812345678", "微信[phone removed]"),
        ("АННА@почта.рф", "[e-mail removed]"), ("联系我 ann@x.com谢谢", "联系我 [e-mail removed]谢谢"),
        ("order 138-1234-5678", "order 138-1234-5678"), ("150 1000 2000", "150 1000 2000"),
        ("model 8-500-200-10-20", "model 8-500-200-10-20"), ("x@y.com_z", "x@y.com_z"),
    ],
)  # fmt: skip
def test_numbers_and_addresses_of_russia_and_china_are_masked(text, masked):
    assert mask_personal(text) == masked
