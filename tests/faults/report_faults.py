"""Seven faults of a report run. After each: one failed run with its reason, nothing published, nothing left behind.

Each function injects one fault a number of times and returns what went wrong, a line each; an empty list is right."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from smart_customer_analysis.config import ScaError, Settings, load_settings
from smart_customer_analysis.report import child
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.index import entries
from smart_customer_analysis.report.run import run_report
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.query import reports

TEMPLATE = """
import os, signal, time
from pathlib import Path
from smart_customer_analysis.report.run import finish
how = Path("how.txt").read_text()
Path("kernel.pid").write_text(str(os.getpid()))
if how == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "error":
    raise ValueError("planted in a cell")
if how == "sleep":
    time.sleep(600)
finish("Toy", "always", 1, key="always")
"""


def plant(home: Path) -> Settings:
    "Make a shop's folder with one template of its own and one good report of it."
    (home / "settings.ini").write_text("[sca]\n")
    settings = load_settings(home)
    settings.data_dir.joinpath("processed").mkdir(parents=True)
    engine = make_engine(settings.database)
    migrate(engine)
    engine.dispose()
    code = {"cell_type": "code", "execution_count": None, "outputs": []}
    cells = [code | {"metadata": {"tags": ["parameters"]}, "source": "n: int = 1  # any number"}]
    cells.append(code | {"metadata": {}, "source": TEMPLATE})
    settings.templates_dir.mkdir()
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (settings.templates_dir / "toy.ipynb").write_text(json.dumps(notebook))
    (home / "how.txt").write_text("well")
    run_report(settings, "toy")
    return settings


def state(settings: Settings) -> dict:
    "What must not change: the published files; and the number of runs."
    folder = settings.reports_dir
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    engine = make_engine(settings.database)
    rows = reports(engine, 10_000)
    engine.dispose()
    return {"files": files, "runs": len(rows), "last": rows[0]}


def wrong(settings: Settings, before: dict, reason: str) -> list[str]:
    "Say what is not as it must be after a fault."
    after, told = state(settings), []
    if (after["last"]["status"], after["runs"]) != ("failed", before["runs"] + 1):
        told.append(f"the run is {after['last']['status']}, {after['runs'] - before['runs']} runs more")
    elif reason not in (after["last"]["error"] or "") or after["last"]["path_html"]:
        told.append(f"the reason is {after['last']['error']!r}, expected {reason!r}")
    if after["files"] != before["files"]:
        told.append(f"files changed: {sorted(set(after['files']) ^ set(before['files']))}")
    if left := [p.name for p in settings.reports_dir.iterdir() if p.name.startswith(".")]:
        told.append(f"left behind: {left}")
    if len(entries(settings.reports_dir)) != 1:
        told.append("the index lists another number of reports than one")
    return told


def fail(settings: Settings, reason: str, how: str = "well", runs_in: Settings | None = None, **options) -> list[str]:
    "Run once with a fault that must raise, and say what is not as it must be."
    (settings.home / "how.txt").write_text(how)
    before = state(settings)
    try:
        run_report(runs_in or settings, "toy", **options)
    except ScaError:
        return wrong(settings, before, reason)
    return ["no error was raised"]


def kill_kernel(settings: Settings, runs: int) -> list[str]:
    "The kernel is killed in a cell."
    return [w for _ in range(runs) for w in fail(settings, "reaches its last cell", "kill")]


def fail_in_cell(settings: Settings, runs: int) -> list[str]:
    "A cell raises an error."
    return [w for _ in range(runs) for w in fail(settings, "planted in a cell", "error")]


def run_too_long(settings: Settings, runs: int) -> list[str]:
    "The run takes longer than its limit."
    return [w for _ in range(runs) for w in fail(settings, "a run that takes longer", "sleep", timeout=6)]


def start_no_kernel(settings: Settings, runs: int) -> list[str]:
    "The program of the kernel does not exist."

    def nowhere(folder: Path) -> str:
        path = own(folder)
        spec = folder / "jupyter" / "kernels" / "python3" / "kernel.json"
        argv = ["/nowhere/python", "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": "python3", "language": "python"}))
        return path

    own = child.own_kernel
    with mock.patch.object(child, "own_kernel", nowhere):
        return [w for _ in range(runs) for w in fail(settings, "reaches its last cell")]


def refuse_to_write(settings: Settings, runs: int) -> list[str]:
    "The folder of reports cannot be made; or it takes no new report when the run is done."
    (settings.home / "notes.txt").write_text("a file")
    below_file = settings.model_copy(update={"reports_dir": settings.home / "notes.txt" / "reports"})
    below_file._home = settings.home
    told = []
    for i in range(runs):
        if i % 2:
            with mock.patch.object(report, "_publish", side_effect=PermissionError(13, "Permission denied")):
                told += fail(settings, "a folder of reports that can be written")
        else:
            told += fail(settings, "a folder of reports that can be written", runs_in=below_file)
    return told


def end_runner(settings: Settings, runs: int, seed: int = 1) -> list[str]:
    "The command gets SIGTERM at a random moment after its kernel has begun."
    told, rng, mark = [], random.Random(seed), settings.home / "kernel.pid"
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCA_")}
    code = "from smart_customer_analysis.cli import main; main()"
    (settings.home / "how.txt").write_text("sleep")
    for _ in range(runs):
        before = state(settings)
        mark.unlink(missing_ok=True)
        command = [sys.executable, "-c", code, "report", "run", "toy"]
        runner = subprocess.Popen(command, cwd=settings.home, env=env, stderr=subprocess.DEVNULL)
        until(lambda: mark.is_file() and mark.read_text())
        time.sleep(rng.uniform(0, 0.5))
        kernel = Path(f"/proc/{mark.read_text()}")
        runner.send_signal(signal.SIGTERM)
        told += [] if runner.wait() == 143 else [f"exit code {runner.returncode}"]
        until(lambda: not any(p.name.startswith(".") for p in settings.reports_dir.iterdir()))
        told += wrong(settings, before, "stopped by SIGTERM")
        gone = until(lambda: not kernel.exists() or "Z" in (kernel / "stat").read_text().split()[2])  # noqa: B023
        told += [] if gone else ["the kernel runs on"]
    return told


def ask_wrongly(settings: Settings, runs: int) -> list[str]:
    "A parameter has the wrong type or an unknown name."
    asked = [({"n": "four"}, "n: a whole number"), ({"m": 1}, "parameters ['n']"), ({"n": 1.5}, "n: a whole number")]
    return [w for i in range(runs) for w in fail(settings, asked[i % 3][1], request=asked[i % 3][0])]


def until(there, seconds: float = 120) -> bool:
    "Wait until something is there."
    return any(there() or time.sleep(0.2) for _ in range(int(seconds / 0.2)))


FAULTS = {
    "kernel SIGKILLed": kill_kernel,
    "error in a cell": fail_in_cell,
    "time limit": run_too_long,
    "no such kernel": start_no_kernel,
    "folder cannot be written": refuse_to_write,
    "SIGTERM to the runner": end_runner,
    "wrong parameter": ask_wrongly,
}
