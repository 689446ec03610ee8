"Message catalogues: every text of the code is there in Portuguese, nothing stale is, and no slot is lost."

import re

import pytest
import texts
import tree
from babel.messages.pofile import read_po

SLOT = re.compile(r"\{\w+\}")


def read(path):
    with path.open("rb") as file:
        return [m for m in read_po(file, locale=path.parent.name) if m.id]


def strings(value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def ids(path) -> set:
    return {m.id if isinstance(m.id, str) else tuple(m.id) for m in read(path)}


def portuguese(domain):
    return tree.PACKAGE / "locale" / "pt" / f"{domain}.po"


@pytest.mark.parametrize(("domain", "used"), [("texts", texts.of_reports), ("page", texts.of_page)])
def test_portuguese_has_exactly_the_texts_of_the_code(domain, used):
    there, wanted = ids(portuguese(domain)), used()
    assert not wanted - there, f"{domain}: add to locale/pt/{domain}.po: {sorted(map(str, wanted - there))}"
    assert not there - wanted, f"{domain}: no longer in the code: {sorted(map(str, there - wanted))}"


@pytest.mark.parametrize("path", texts.paths(), ids=tree.shown)
def test_a_catalogue_is_sound(path):
    keys = [(m.context, m.id if isinstance(m.id, str) else tuple(m.id)) for m in read(path)]
    known = {(m.context, m.id if isinstance(m.id, str) else tuple(m.id)) for m in read(portuguese(path.stem))}
    assert len(keys) == len(set(keys)), "a message stands there twice"
    assert not set(keys) - known, f"stale: {sorted(map(str, set(keys) - known))}"
    for message in read(path):
        *few, many = strings(message.string)
        slots = set(SLOT.findall(strings(message.id)[-1]))
        for string in filter(None, [*few, many]):
            there = set(SLOT.findall(string))
            assert there <= slots, f"{message.id!r} has {slots}, its translation {string!r}"
        lost = slots - set(SLOT.findall(many)) - {"{noun}"}  # a noun may be in the verb
        assert not many or not lost, f"{message.id!r}: {lost} is lost in {many!r}"
        assert path.parent.name != "pt" or all(strings(message.string)), f"Portuguese is complete: {message.id!r}"
        assert not message.fuzzy, f"{message.id!r} is marked fuzzy: gettext leaves it out"


def test_every_language_has_every_domain():
    from smart_customer_analysis.words import DOMAINS, LANGUAGES

    assert {(p.parent.name, p.stem) for p in texts.paths()} == {(a, d) for a in LANGUAGES[1:] for d in DOMAINS}


@pytest.mark.parametrize("path", sorted((texts.STATIC / "js").rglob("*.js")), ids=lambda path: path.name)
def test_the_page_has_no_english_outside_its_catalogue(path):
    if path.name not in texts.OWN:
        left = texts.loose(path.read_text(encoding="utf-8"))
        assert not left, f"{path.name}: write t(…) round {left}, and translate it in locale/pt/page.po"
