"""No library that is installed with the project binds it to the GPL, and the list of licences is the present one."""

import re
import sys

import pytest
import tree

sys.path.insert(0, str(tree.ROOT / "deploy"))
import licences


@pytest.mark.parametrize(
    "text, binds",
    [
        ("GPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("MIT AND GPL-2.0-or-later", True),
        ("MIT OR GPL-2.0-only", False),
        ("LGPL-3.0-or-later", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
    ],
)
def test_a_licence_that_binds_is_known(text, binds):
    assert licences.binds(text) is binds


def test_no_library_binds_the_project_and_each_says_its_licence():
    libraries = licences.of_python() | licences.of_page()
    assert len(libraries) > 100
    assert not {name: text for name, (_, text) in libraries.items() if licences.binds(text) or text == "not said"}


def test_the_list_in_the_documentation_names_every_library():
    page = (tree.ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| ([\w@/.-]+) \|", page, re.M))
    missing = set(licences.of_python() | licences.of_page()) - named
    assert not missing, f"run: python deploy/licences.py > docs/licences.md ({sorted(missing)[:5]})"
