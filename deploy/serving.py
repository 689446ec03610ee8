"""The libraries of a server alone: which, how large, and a folder that holds only them.

python deploy/serving.py > docs/measured/serving.md
"""

import platform
import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

LIST = Path(__file__).with_name("serve.txt")
PROJECT = "smart_customer_analysis"


def plain(name: str) -> str:
    "Spell the name of a library in one way."
    return re.sub(r"[-_.]+", "-", name).lower()


def listed() -> set[str]:
    "Libraries of serve.txt."
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {plain(line.strip()) for line in lines if line.strip() and not line.startswith("#")}


def everything(*extras: str) -> set[str]:
    "Libraries that pip installs with the project, those of the extras included."
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(PROJECT, extras)]
    while waiting:
        name, chosen = waiting.pop()
        if (plain(name), chosen) in seen:
            continue
        seen.add((plain(name), chosen))
        try:
            needs = [Requirement(line) for line in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed here
        for need in needs:
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in ("", *chosen)):
                waiting.append((need.name, tuple(sorted(need.extras))))
    return {name for name, _ in seen} - {plain(PROJECT)}


def megabytes(name: str) -> float:
    "Size of the files of a library."
    files = [Path(str(f.locate())) for f in metadata.files(name) or ()]
    return sum(f.stat().st_size for f in files if f.is_file()) / 1e6


def link(names: set[str], folder: Path) -> None:
    "Fill a folder with links to these libraries: what an environment with nothing else would hold."
    for name in sorted(names):
        library = metadata.distribution(name)
        for top in {f.parts[0] for f in library.files or () if ".." not in f.parts}:
            there = Path(str(library.locate_file(top)))
            if there.exists() and not (folder / top).exists() and top != "__pycache__":
                (folder / top).symlink_to(there)


def main() -> None:
    "Print the sizes as a table."
    kinds = {
        "server alone (`deploy/serve.txt`)": listed(),
        "`pip install smart_customer_analysis`": everything(),
        "for development (`.[dev]`)": everything("dev"),
    }
    installed = {plain(library.name) for library in metadata.distributions()}
    print("# Sizes of an installation\n")
    print(f"Python {platform.python_version()}, {platform.machine()}; `python deploy/serving.py`.\n")
    print("PyTorch is the build for processors.\n")
    print("| installation | libraries | MB | largest |\n|---|---:|---:|---|")
    for what, names in kinds.items():
        sizes = {n: megabytes(n) for n in names & installed}
        largest = sorted(sizes, key=lambda n: -sizes[n])[:5]
        print(f"| {what} | {len(sizes)} | {sum(sizes.values()):,.0f} | {', '.join(largest)} |")
    left = sorted(everything() - listed())
    print(f"\nLeft out of a server: {', '.join(left)}.")


if __name__ == "__main__":
    main()
