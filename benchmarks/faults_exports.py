"""Twenty exports from the file to the page and the report: `sca run FILE` in an empty folder, then the app over it.

Writes docs/measured/exports.md; exit code 1 where one neither gets there nor is refused."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from sim_table import write
from starlette.testclient import TestClient
from typer.testing import CliRunner

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))
import exports

from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.cli import app
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.sentiment.encoder import tiny_encoder

SHIPPED = ["amazon-multidomain", "app-store", "google-play", "olist", "shopify", "trustpilot", "woocommerce"]
TABLES = {
    "google-play": "reviews_com.example.tea_202605.csv",
    "shopify": "reviews.csv",
    "trustpilot": "service_reviews.csv",
    "woocommerce": "product_reviews.csv",
}


def rewritten(shape: str, folder: Path, delimiter: str, encoding: str) -> Path:
    "Write a shipped sample with another delimiter and encoding."
    path = folder / f"tea_{shape}.csv"
    source = REPO / "tests" / "shipped" / shape / TABLES[shape]
    raw = source.read_bytes()
    text = pd.read_csv(source, dtype=str, encoding="utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    path.write_text(text.to_csv(index=False, sep=delimiter), encoding=encoding, newline="")
    return path


def zipped(shape: str, folder: Path) -> Path:
    "Pack a shipped sample."
    path = folder / f"tea_{shape}.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for file in sorted((REPO / "tests" / "shipped" / shape).iterdir()):
            packed.write(file, file.name)
    return path


def twenty(folder: Path) -> Iterator[tuple[str, Path]]:
    "Name the exports: seven shipped samples, five variants, eight of eight countries."
    for shape in SHIPPED:
        copy = shutil.copytree(REPO / "tests" / "shipped" / shape, folder / f"tea-{shape}")
        yield f"{shape}, as it is downloaded", copy
    yield "shopify; semicolon, cp1252", rewritten("shopify", folder, ";", "cp1252")
    yield "trustpilot; tab, utf-16", rewritten("trustpilot", folder, "\t", "utf-16")
    yield "woocommerce; pipe, utf-8 with a mark", rewritten("woocommerce", folder, "|", "utf-8-sig")
    yield "google-play; semicolon, utf-8", rewritten("google-play", folder, ";", "utf-8")
    yield "olist, zipped", zipped("olist", folder)
    for number in (2, 7, 12, 17, 22, 27, 32, 35):
        export = exports.write_export(folder, number)
        yield f"made up: {export.words}", export.path


def outcome(path: Path, home: Path, report: bool) -> tuple[str, int, int, str]:
    "Run or load one export in an empty folder; say how it went, rows read and loaded, and where figures come from."
    os.chdir(home)
    ran = CliRunner().invoke(app, ["run" if report else "load", str(path), "--json"])
    if ran.exit_code:
        lines = [line for line in ran.output.splitlines() if "expected" in line] or [repr(ran.exception)]
        return f"refused: {lines[-1].removeprefix('sca: ')[:160]}", 0, 0, ""
    summary = json.loads(ran.stdout[ran.stdout.index("{") :])
    faults = ["no report"] if report and not Path(summary["report"]).is_file() else []
    settings = load_settings(home)
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        page, overview, filters = client.get("/"), client.get("/v1/overview"), client.get("/v1/filters")
        faults += [f"{r.url.path} {r.status_code}" for r in (page, overview, filters) if r.status_code != 200]
        if not faults and overview.json()["rows"] != summary["rows"]:
            faults.append("the page counts other rows than the command")
    way, rows = "page and report" if report else "page", summary["rows"]
    return "; ".join(faults) or way, rows["read"], rows["loaded"], "model" if summary.get("model") else "stars"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=20, help="so many, from the end, go on to the report")
    args = parser.parse_args()
    started, rows = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        tiny_encoder(Path(folder) / "tiny", ["The kettle arrived late and the lid is loose.", "It works well."] * 20)
        options = {"ENCODER": str(Path(folder) / "tiny"), "EPOCHS": "1", "MAX_TOKENS": "32"}
        os.environ |= {f"SCA_{name}": value for name, value in options.items()}
        files = Path(folder) / "files"
        files.mkdir()
        for i, (name, path) in enumerate(twenty(files)):
            home = Path(folder) / f"home{i}"
            home.mkdir()
            (home / "settings.ini").write_text("[sca]\n")
            rows.append((name, *outcome(path, home, i >= 20 - args.reports)))
            print(rows[-1], file=sys.stderr, flush=True)
        os.chdir(REPO)
    table = pd.DataFrame(rows, columns=["export", "outcome", "rows read", "loaded", "figures from"])
    outcomes = table["outcome"].str.partition(":")[0].value_counts()
    counts = {kind: int(outcomes.get(kind, 0)) for kind in ("page and report", "page", "refused")}
    about = (
        "`sca run FILE` without any other word, in an empty folder, or `sca load FILE` where the outcome is the page "
        "alone; then the page, `/v1/overview` and `/v1/filters` of an app over the same folder. The model is a tiny "
        "one of random weights: the way is tried, not the accuracy."
    )
    tables = {"Outcome": pd.DataFrame([{"exports": len(table)} | counts]), "Each": table}
    write("exports", "From an export to the page", about, tables, 0, time.perf_counter() - started)
    sys.exit(sum(counts.values()) < len(table))


if __name__ == "__main__":
    main()
