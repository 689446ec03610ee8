"The version stands in one place, and the changelog tells of it."

import datetime as dt
import re

import tree

from smart_customer_analysis import __version__

HEAD = re.compile(r"^## \[(.+?)\](?: - (\S+))?$", re.M)


def heads() -> list[tuple[str, str]]:
    "Version and date of each entry; the date is empty for what is not released."
    return HEAD.findall((tree.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_the_changelog_begins_with_what_is_not_released():
    assert heads()[0] == ("Unreleased", "")


def test_the_newest_dated_entry_is_the_version_of_the_package():
    dated = [version for version, day in heads() if day]
    assert dated[0] == __version__, f"expected an entry for {__version__}, found {dated[0]}: see RELEASING.md"


def test_entries_are_dated_newest_first():
    days = [dt.date.fromisoformat(day) for version, day in heads() if version != "Unreleased"]
    assert days == sorted(days, reverse=True)
