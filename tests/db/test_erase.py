"An erased person is nowhere afterwards: twenty planted words are sought in every project file and the whole database."

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postgres import programs_folder

from smart_customer_analysis import pipeline
from smart_customer_analysis import privacy as privacy_module
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop, write_shop
from smart_customer_analysis.schema import Customer, InputError, conform
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.steps.load import load_only
from smart_customer_analysis.store import migrate as store_migrate
from smart_customer_analysis.store.erase import Person
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.results import save_report_run

WORDS = [f"zqplant{i:02}x" for i in range(20)]
WHO = WORDS[0]
LONG = f"the {WORDS[1]} lamp from {WORDS[2]} street broke twice and {WORDS[3]} never answered my letters about it"


def append(file: Path, *lines: str) -> None:
    "Write more lines at the end of a file."
    text = file.read_text(encoding="utf-8")
    file.write_text(text + ("" if text.endswith("\n") else "\n") + "".join(f"{x}\n" for x in lines), encoding="utf-8")


def plant(files: Path) -> None:
    "One customer who leaves a word in every field that is theirs, and in lines that are refused."
    append(
        files / "customers.csv", f"{WHO},{WORDS[4]} village,Norte,Portugal,-8.4,41.6,2024-12-11T06:16:36Z", f"{WHO},x,y"
    )
    append(
        files / "orders.csv",
        f"{WORDS[5]},{WHO},P01,EUR,25.06,2025-11-18T11:02:27Z",
        f"{WORDS[6]},{WHO},P01,EUR,free,2025-11-18T11:02:27Z",
    )
    append(
        files / "reviews.csv",
        f"{WORDS[7]},{WHO},P02,1,{WORDS[8]} again,{LONG},2025-11-20T08:52:00Z",
        f"{WORDS[9]},{WHO},P02,1,No,bad {WORDS[10]} bad,2025-11-21T08:52:00Z",
        f"{WORDS[11]},{WHO},P02,9,Title {WORDS[12]},a row of nine stars by {WORDS[13]},2025-11-22T08:52:00Z",
        f"{WORDS[7]},{WHO},P02,1,{WORDS[8]} again,{LONG},2025-11-20T08:52:00Z",
        f"R999001,{WHO},P02,1,Old,an older {WORDS[14]} version said {WORDS[15]} and more than "
        f"that,2025-11-20T08:52:00Z",
    )


@pytest.fixture
def home(tmp_path, database_url):
    "A whole job with the planted customer, twice: the second night brings a changed review."
    shop = make_shop(n_customers=200, n_reviews=400, seed=3)
    files = tmp_path / "shop"
    write_shop(shop, files)
    tiny_encoder(tmp_path / "tiny", shop.reviews["text"].tolist())
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.ini").write_text("[sca]\n")
    options = {"encoder": str(tmp_path / "tiny"), "epochs": 1, "max_tokens": 32, "learning_rate": 5e-3}
    config = load_settings(home, database_url=None if database_url.startswith("sqlite") else database_url, **options)
    plant(files)
    load_only(config, "sample", (files,))
    rows = (files / "reviews.csv").read_text(encoding="utf-8")
    changed = rows.replace(f"an older {WORDS[14]} version", f"a newer {WORDS[16]} version")
    (files / "reviews.csv").write_text(changed, encoding="utf-8")
    pipeline.run(config, "sample", (files,))
    return config


def quote(config) -> None:
    "Let a report, its memory and a table of the run quote the person; another report quotes nobody."
    for day, words in (
        ("2026-01-01", f"<p>{LONG[:70]} {WORDS[17]}</p>"),
        ("2026-01-02", "<p>nobody in particular</p>"),
    ):
        folder = config.reports_dir / "weekly" / day
        folder.mkdir(parents=True)
        (folder / "weekly.html").write_text(words)
        at, engine = datetime(2026, 1, 2, tzinfo=UTC), store_migrate.open_database(config)
        page = f"weekly/{day}/weekly.html"
        save_report_run(engine, "weekly", {}, "made", page, None, {"said": words.replace(WORDS[17], "")}, at, at)
        engine.dispose()
    table = config.data_dir / "processed" / "sample" / "export"
    table.mkdir()
    pd.DataFrame({"customer_id": [WHO], "n": [1]}).to_parquet(table / "members.parquet")
    pd.DataFrame({"customer_id": ["00001"], "n": [1]}).to_parquet(table / "others.parquet")


def planted_words(config) -> dict[str, list[str]]:
    "Planted words, by where they are."
    places = {str(p.relative_to(config.home)): p.read_bytes() for p in config.home.rglob("*") if p.is_file()}
    if config.database.startswith("postgresql"):
        dump = programs_folder() / "pg_dump" if programs_folder() else "pg_dump"
        url = config.database.replace("postgresql+psycopg2", "postgresql")
        places["pg_dump"] = subprocess.run([dump, url], capture_output=True, check=True, env=os.environ).stdout
    hits = {name: [w for w in WORDS if w.encode() in data] for name, data in places.items()}
    return {name: words for name, words in hits.items() if words}


def test_twenty_planted_words_are_gone(home):
    quote(home)
    before = planted_words(home)
    there = {w for words in before.values() for w in words}
    assert there == set(WORDS) - {WORDS[18], WORDS[19]}, "the words are there before"
    assert any("rejects.csv" in name for name in before) and any("weekly.html" in name for name in before)
    cached = sum(p.stat().st_size for p in (home.data_dir / "interim").rglob("answers-*.parquet"))
    erased = privacy_module.erase(home, WHO)
    assert planted_words(home) == {}
    assert (
        erased["marks"] >= 3
        and sum(p.stat().st_size for p in (home.data_dir / "interim").rglob("answers-*.parquet")) < cached
    )
    assert erased["rows"]["customers"] == 1 and erased["rows"]["reviews"] == 3 and erased["rows"]["orders"] == 1
    assert (
        erased["rows"]["rejects"] >= 6 and erased["rows"]["replaced_rows"] >= 1 and erased["rows"]["report_runs"] >= 1
    )
    assert "weekly/2026-01-01" in erased["reports"] and "weekly/2026-01-02" not in erased["reports"]
    assert (home.reports_dir / "weekly" / "2026-01-02" / "weekly.html").exists()
    assert (home.data_dir / "processed" / "sample" / "export" / "others.parquet").exists()
    with pytest.raises(InputError, match="who is in no table"):
        privacy_module.erase(home, WHO)
    assert pipeline.score_only(home, "sample")["marked_now"] == 0, "nobody else's marks are gone"


def test_a_pseudonym_is_erased_by_the_id_of_the_shop(tmp_path):
    files = tmp_path / "shop"
    write_shop(make_shop(n_customers=60, n_reviews=100, seed=3), files)
    plant(files)
    (tmp_path / "settings.ini").write_text("[sca]\n")
    config = load_settings(tmp_path, pseudonym_key="a key outside the database")
    load_only(config, "sample", (files,))
    hidden = privacy_module.pseudonym(WHO, "a key outside the database")
    database = Path(config.database.removeprefix("sqlite:///"))
    assert WHO.encode() not in database.read_bytes() and hidden.encode() in database.read_bytes()
    assert privacy_module.erase(config, WHO)["rows"]["reviews"] == 3
    assert not any(
        w.encode() in f.read_bytes() for f in database.parent.glob("customers.db*") for w in [hidden, *WORDS]
    )


WORD = st.text("abcdefghijklmnop", min_size=1, max_size=8)


def test_an_address_is_erased_however_it_was_stored(tmp_path):
    settings_of_test = load_settings(tmp_path)
    engine = store_migrate.open_database(settings_of_test)
    who = ["Ana@Shop.example", "ana@shop.example", "anna@shop.example", "BOB"]  # as earlier versions stored them, too
    save_load(engine, "own", customers=conform(pd.DataFrame({"customer_id": who}), Customer))
    engine.dispose()
    assert privacy_module.erase(settings_of_test, "ANA@shop.example", "own")["rows"]["customers"] == 2
    with pytest.raises(InputError, match="in no table"):
        privacy_module.erase(settings_of_test, "bob", "own")  # only addresses are the same in small letters


@settings(max_examples=200, deadline=None)
@given(
    st.lists(WORD, min_size=6, max_size=30),
    st.integers(0, 24),
    st.sampled_from(["<p>{}</p>", "{}", '"text": "{} …"', "a, b; {}!"]),
)
def test_six_words_in_a_row_are_always_found(words, start, page):
    person = Person(
        "s", {"customers": ["c"], "reviews": [], "orders": []}, pd.DataFrame({"title": [""], "text": [" ".join(words)]})
    )
    part = words[min(start, len(words) - 6) :][:6]
    assert person.quoted_in(page.format(" ".join(part)))
    assert not person.quoted_in(page.format("7 others wrote other things about it"))
