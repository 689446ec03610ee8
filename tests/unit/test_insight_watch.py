"""The daily look: a quiet quarter says nothing, a planted rise is told once, a small group is never named."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.insight.watch import ALERTS, simulate_days, watch_day, watch_days
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.sentiment.drift import STRANGE, day_counts, drift_day

FIRST = pd.Timestamp("2025-01-01")


def on(n: int) -> pd.Timestamp:
    "The day with this number."
    return FIRST + pd.Timedelta(days=n)


@pytest.fixture(scope="module")
def risen() -> pd.DataFrame:
    "A shop of 90 days with a rise of 15 points from day 60 on, in two regions."
    return simulate_days(90, points=0.15, rise=(60, 90), groups=2, seed=3)


@pytest.mark.parametrize("shop", [{}, {"icc": 0.3, "most": 19}, {"labelled": 0.1}])
def test_a_quiet_quarter_raises_no_alarm(shop: dict) -> None:
    rows = simulate_days(110, seed=7, **shop)
    assert watch_days(rows, pd.date_range(on(20), on(109))).empty


def test_a_rise_and_its_end_are_told_once_each_near_their_day() -> None:
    rows = simulate_days(150, points=0.08, rise=(60, 110), seed=2)
    days = watch_days(rows, pd.date_range(on(58), on(149)))
    assert days["mark"].tolist() == ["worse", "better"]
    assert days["day"][0] <= on(81) and days["day"][1] <= on(131), "within 21 days"
    since = pd.to_datetime(days["since"])
    assert abs((since[0] - on(60)).days) <= 10 and abs((since[1] - on(110)).days) <= 10


def test_what_was_told_is_not_told_again(risen: pd.DataFrame) -> None:
    first = watch_day(risen, on(72))
    assert set(first.alerts["key"]) == {"", "0", "1"} and list(first.alerts.columns) == ALERTS
    earlier = first.alerts.assign(day=on(72))
    later = [watch_day(risen, on(n), earlier) for n in (73, 78, 84, 89)]
    assert not sum(len(look.alerts) for look in later)
    assert later[-1].tested == 3, "the risen level is the new baseline"
    assert len(watch_day(risen, on(73), earlier[earlier["key"] != "1"]).alerts) == 1, "what was not told is"


def test_the_same_day_asked_twice_gives_the_same(risen: pd.DataFrame) -> None:
    look = watch_day(risen, on(72))
    again = watch_day(risen, on(72), look.alerts.assign(day="2025-03-14"))  # that day's own alerts are stored by then
    pd.testing.assert_frame_equal(look.alerts, again.alerts)
    shuffled = watch_day(risen.sample(frac=1, random_state=1), on(72))
    assert shuffled.alerts[["key", "since", "sentence"]].equals(look.alerts[["key", "since", "sentence"]])


def test_days_after_the_look_do_not_count(risen: pd.DataFrame) -> None:
    whole, cut = watch_day(risen, on(66)), watch_day(risen[risen["day"] <= on(66)], on(66))
    pd.testing.assert_frame_equal(whole.alerts, cut.alerts)


def test_a_small_group_is_never_named() -> None:
    rows = simulate_days(90, seed=5)
    small = rows[rows["customer_id"] % 500 == 0].assign(kind="region", key="F", name="Faro")
    assert 0 < small["customer_id"].nunique() < 60
    angry = small.assign(stars=(small["day"] >= on(70)) * 1.0)
    three = angry[angry["day"] >= on(70)]["customer_id"].nunique() + 1
    table = pd.concat([rows, angry], ignore_index=True)
    assert "Faro" not in str(watch_day(table, on(89), k=three).alerts.to_dict())
    assert watch_day(table, on(89), k=three).tested == 1
    one = angry.assign(customer_id=np.where(angry["day"] >= on(70), 1, angry["customer_id"]))
    assert watch_day(pd.concat([rows, one, one, one, one]), on(89), k=2).tested == 1, "one customer, many reviews"


def test_missing_days_are_no_change(risen: pd.DataFrame) -> None:
    holes = risen[~risen["day"].isin([on(n) for n in (*range(20, 40, 2), 71, 72)])]
    look = watch_day(holes, on(72))
    assert look.alerts["mark"].eq("worse").all() and "" in set(look.alerts["key"]) and look.tested == 3
    few = risen[(risen["day"] < on(13)) | (risen["day"] >= on(60))]
    assert watch_day(few, on(66)).tested == 0, "thirteen days are no reference"
    assert watch_day(risen, on(400)).sentence == "Too few customers or days to test a change."
    assert watch_day(risen.head(0), on(72)).tested == 0


def test_a_frame_without_days_and_no_looks_are_refused(risen: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="a column day"):
        watch_day(risen.drop(columns="day"), on(72))
    with pytest.raises(InputError, match="1 look or more"):
        watch_day(risen, on(72), looks=0)


def days_of(n: int, size: int, rate: float, seed: int) -> pd.DataFrame:
    "Counts of quiet days."
    draw = np.random.default_rng(seed).binomial(size, rate, (n, len(STRANGE)))
    return pd.DataFrame(draw, columns=list(STRANGE)).assign(day=pd.date_range(FIRST, periods=n), n=size)


@pytest.mark.parametrize("rate", [0.0, 0.002, 0.01, 0.05])
def test_a_quiet_year_of_strange_texts_raises_no_alarm(rate: float) -> None:
    counts = days_of(365, 100, rate, 1)
    assert not sum(len(drift_day(counts, day)) for day in counts["day"])


def mixed(share: float, day: int, counts: pd.DataFrame, kind: str = "language") -> pd.DataFrame:
    "The counts, with a share of one day strange."
    extra = np.where(counts["day"] == on(day), (share * counts["n"]).astype(int), 0)
    return counts.assign(**{kind: counts[kind] + extra})


@pytest.mark.parametrize("size", [100, 300])
def test_a_tenth_of_a_day_is_told_once(size: int) -> None:
    counts = mixed(0.08, 40, days_of(60, size, 0.003, 2))  # four in five of a tenth are recognised
    alerts = drift_day(counts, on(40))
    assert alerts["key"].tolist() == ["language"] and str(alerts["since"][0]) == "2025-02-10"
    assert f"of {size} reviews are in a language" in alerts["sentence"][0]
    stays = mixed(0.08, 41, counts)
    assert len(drift_day(stays, on(41))) == 1 and drift_day(stays, on(41), alerts).empty
    assert len(drift_day(mixed(0.5, 41, counts), on(41), alerts)) == 1, "many more than was told"
    assert len(drift_day(stays, on(40), alerts.assign(day=on(40)))) == 1, "asked twice"


def test_a_first_day_has_nothing_to_be_compared_with() -> None:
    assert drift_day(days_of(1, 100, 0.5, 3), FIRST).empty
    assert drift_day(days_of(9, 100, 0.5, 3), on(30)).empty, "a day without reviews"


@pytest.fixture(scope="module")
def counted() -> Callable[[list[str], list[int]], dict]:
    "Counts of one day of texts, by the profile of English texts of 10 to 108 tokens."
    calibration = {"kind": {"centre": [1.0, 0.0], "nearness": [0.5] * 101, "length": list(range(10, 111))}}

    def count(texts: list[str], tokens: list[int], near: float = 0.8, why: str = "") -> dict:
        n = len(texts)
        embeddings = np.full((n, 2), [near, 0.0])
        row = day_counts(["2025-01-01"] * n, texts, np.array(tokens), embeddings, np.full(n, why), calibration)
        return row.iloc[0][["n", *STRANGE]].to_dict()

    return count


def test_strange_texts_are_counted_by_kind(counted: Callable) -> None:
    plain = " ".join(["word"] * 20)
    assert counted([plain], [24]) == {"n": 1, "language": 0, "subject": 0, "longer": 0, "shorter": 0}
    assert counted([plain], [60])["language"] == 1, "three pieces a word: the tokenizer does not know the language"
    assert counted([plain], [24], why="language pt")["language"] == 1
    assert counted([plain], [24], near=0.1)["subject"] == 1
    assert counted([plain], [60], near=0.1)["subject"] == 0, "one reason a text is enough"
    assert counted([plain * 10], [240])["longer"] == 1 and counted(["bad thing"], [3])["shorter"] == 1
