"Two shops never overwrite one another: files of one's own need a source, and a format is stored by its folder."

import json

import pytest
from typer.testing import CliRunner

from smart_customer_analysis.cli import main
from smart_customer_analysis.commands.load import loads
from smart_customer_analysis.config import ScaError
from smart_customer_analysis.steps import load as steps


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "settings.ini").write_text("[sca]\n")
    for shop, text in (("shop_a", "The kettle is quick"), ("shop_b", "The sofa is soft")):
        (tmp_path / shop).mkdir()
        (tmp_path / shop / "reviews.csv").write_text(f"review_id,text,rating\n1,{text},5\n2,{text} no more,1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(*args):
    result = CliRunner().invoke(loads, [*args, "--json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def test_two_shops_through_one_format_are_two_sources(home):
    assert ask("shop_a", "--source", "csv")["source"] == "shop-a"
    assert ask("shop_b/reviews.csv", "--source", "csv")["source"] == "shop-b"
    assert [(x["source"], x["inserted"], x["updated"]) for x in ask("list")] == [("shop-b", 2, 0), ("shop-a", 2, 0)]
    assert "repeat" in ask("shop_a/reviews.csv", "--source", "csv")["load"], "the folder names it, given or not"


def test_a_source_can_be_named(home):
    assert ask("shop_a", "--source", "csv", "--name", "kettles")["source"] == "kettles"
    with pytest.raises(ScaError, match="correct --name"):
        ask("shop_a", "--source", "csv", "--name", "../kettles")


def test_a_description_and_a_public_set_keep_their_names(home):
    (home / "kannen.toml").write_text('[files.r]\nformat = "csv"\n[review]\nfile = "r"\n')
    assert ask("shop_a/reviews.csv", "--source", "kannen.toml")["source"] == "kannen"
    assert steps.stored_name("olist", ("shop_a",)) is None and steps.stored_name("sample") is None


@pytest.mark.parametrize("arguments", [("shop_a",), ("shop_a/reviews.csv",), ("--train", "shop_a/reviews.csv")])
def test_files_without_a_source_are_drafted_and_never_mixed_into_the_sample(home, arguments):
    assert ask(*arguments)["source"] == "shop-a"
    assert [x["source"] for x in ask("list")] == ["shop-a"]


def test_files_that_can_be_read_in_two_ways_are_not_loaded_without_a_source(home):
    rows = "".join(f"{i},0{1 + i % 9}/03/2026,The kettle is quick\n" for i in range(20))
    (home / "shop_a" / "reviews.csv").write_text(f"id,date,comment\n{rows}")
    with pytest.raises(ScaError, match="next: run: sca source new"):
        ask("shop_a")
    with pytest.raises(ScaError, match="expected a database"):  # none was made
        ask("list")


def test_a_load_that_is_interrupted_says_that_nothing_was_written(home, monkeypatch, capsys):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(steps.LoadBuffer, "save", stop)
    with pytest.raises(SystemExit) as end:
        main(["load", "--source", "csv", "shop_a"])
    assert end.value.code == 130 and capsys.readouterr().err == "sca: interrupted, nothing was written\n"
    assert ask("list") == []


def test_the_rows_of_a_load_are_the_same_in_the_list_and_in_its_own_answer(home):
    (home / "shop_a" / "people.csv").write_text("customer_id,town\nc1,Oslo\nc2,Bergen\n")
    (home / "shop_a" / "reviews.csv").write_text("review_id,customer_id,text\n1,c1,Good lid\n2,c2,Bad lid\n")
    (home / "joined.toml").write_text(
        '[files.reviews]\npath = "reviews.csv"\nformat = "csv"\n[files.people]\npath = "people.csv"\nformat = "csv"\n'
        '[review]\nfile = "reviews"\ncolumns = { place = "town" }\n'
        'joins = [{ file = "people", on = "customer_id", take = { town = "first" } }]\n'
    )
    answer = ask("shop_a", "--source", "joined.toml")
    listed, shown = ask("list")[0], ask("show", "1")
    assert answer["rows"] == {k: listed[f"rows_{k}"] for k in answer["rows"]} == shown["rows"]
    assert answer["rows"]["read"] == 2
