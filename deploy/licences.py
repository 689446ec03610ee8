"""Licences of everything that is installed with the project, as a page.

python deploy/licences.py > docs/licences.md
"""

import json
import re
from importlib import metadata
from pathlib import Path

from serving import everything

LOCK = Path(__file__).parents[1] / "smart_customer_analysis" / "app" / "assets" / "package-lock.json"
STRONG = re.compile(r"(?<![L\w])A?GPL|GNU (Affero )?General Public", re.I)


def licence(name: str) -> str:
    "Read the licence of an installed library: its expression, else its classifiers, else the first line of its text."
    facts = metadata.metadata(name)
    if facts["License-Expression"]:
        return facts["License-Expression"]
    kinds = [c.rsplit(" :: ", 1)[-1] for c in facts.get_all("Classifier") or () if c.startswith("License :: OSI")]
    text = (facts["License"] or "").strip().splitlines()
    return " OR ".join(kinds) or (text[0][:60] if text else "not said")


def binds(licence: str) -> bool:
    "Return whether every choice that a licence leaves would bind this project: GPL or AGPL; LGPL does not."
    return all(STRONG.search(choice) for choice in re.split(r"\bOR\b", licence))


def of_python() -> dict[str, tuple[str, str]]:
    "Version and licence of each library that pip installs with the project."
    return {name: (metadata.version(name), licence(name)) for name in sorted(everything())}


def of_page() -> dict[str, tuple[str, str]]:
    "Version and licence of each library of the page."
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    served = {p.removeprefix("node_modules/"): facts for p, facts in packages.items() if p and not facts.get("dev")}
    return {name: (facts["version"], facts.get("license", "not said")) for name, facts in sorted(served.items())}


def main() -> None:
    "Print both lists."
    print("# Licences\n")
    print(
        "*What is installed with smart_customer_analysis (Apache-2.0), without extras.* `python deploy/licences.py`\n"
    )
    for title, rows in (("Python", of_python()), ("The page", of_page())):
        print(f"## {title}\n\n| library | version | licence |\n|---|---|---|")
        for name, (version, text) in rows.items():
            print(f"| {name} | {version} | {text.replace('|', '/')} |")
        print()


if __name__ == "__main__":
    main()
