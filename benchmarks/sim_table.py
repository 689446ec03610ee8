"""Write a measured table into docs/measured with what is needed to repeat it."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy
import pandas as pd
import scipy

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "measured"


def machine() -> str:
    "Name the processor and the versions that matter."
    try:
        model = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
        model = next(
            (line.split(":", 1)[1].strip() for line in model.splitlines() if line.startswith("Model name")),
            platform.machine(),
        )
    except (OSError, subprocess.CalledProcessError):
        model = platform.machine()
    return (
        f"{model}, Python {platform.python_version()}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
        f"pandas {pd.__version__}"
    )


def markdown(table: pd.DataFrame) -> str:
    "Write a frame as a Markdown table."
    rows = [
        list(map(str, table.columns)),
        ["---"] * table.shape[1],
        *[[_cell(v) for v in row] for row in table.itertuples(index=False)],
    ]
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _shown(argument: str) -> str:
    "Show an absolute path or a URL by its last name: a table tells no place of the machine it was measured on."
    return re.sub(r"^(--[\w-]+=)?(/|[\w+]+://)(.*/)?", r"\1", argument.rstrip("/"))


def write(name: str, title: str, intro: str, tables: dict[str, pd.DataFrame], seed: int, seconds: float) -> None:
    "Write docs/measured/<name>.md and print it."
    script, arguments = Path(sys.argv[0]), map(_shown, sys.argv[1:])
    command = " ".join(["python", f"{script.parent.name}/{script.name}", *arguments])
    parts = [f"# {title}", intro, *(f"## {head}\n\n{markdown(t)}" for head, t in tables.items())]
    parts.append(f"Seed {seed}. Command: `{command}`. {seconds:.0f} s. {machine()}.")
    text = "\n\n".join(parts) + "\n"
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
