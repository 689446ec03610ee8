"""A filled shop for the browser: generated reviews, planted segments, a tiny model, and reviews written by an attacker.

python tests/browser/browser_shop.py DIR [PORT]     serves it, to look at the page by hand
"""

import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "<svg onload=alert(3)>",
    '"><script>alert(4)</script>',
    "'><img src=x onerror=alert(5)>",
    "javascript:alert(6)",
    "<iframe src=javascript:alert(7)></iframe>",
    "<a href=javascript:alert(8)>click</a>",
    "<body onload=alert(9)>",
    "<details open ontoggle=alert(10)>",
    "<input autofocus onfocus=alert(11)>",
    "<math><mtext><img src=x onerror=alert(12)></mtext></math>",
    "${alert(13)}",
    "{{constructor.constructor('alert(14)')()}}",
    "<style>@import 'http://evil.example/x.css';</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<object data=data:text/html,<script>alert(17)</script>>",
    "<form action=javascript:alert(18)><button>go</button></form>",
    "\u202e<img src=x onerror=alert(19)>",
    "<!--><script>alert(20)</script>-->",
]
NAMES = {
    "regulars": "Careful regulars",
    "bargain hunters": "Bargain hunters",
    "lapsed": "Lapsed since spring",
    "critics": "Critics",
    "big spenders": "Big spenders",
}


def _predictions(reviews: pd.DataFrame) -> pd.DataFrame:
    "Marks that follow the stars, wrong now and then and sometimes unsure."
    rng = np.random.default_rng(0)
    low = reviews["rating"].fillna(3).to_numpy() <= 2
    wrong = rng.random(len(reviews)) < 0.06
    p = np.where(low ^ wrong, rng.beta(9, 1.3, len(reviews)), rng.beta(1.3, 9, len(reviews)))
    label = pd.Series(np.where(p > 0.5, 0, 1), dtype="Int8").mask(np.abs(p - 0.5) < 0.08)
    long = rng.random(len(reviews)) < 0.02
    tokens = rng.integers(8, 60, len(reviews))
    return pd.DataFrame(
        {
            "review_id": reviews["review_id"],
            "label": label,
            "p_negative": p,
            "p_positive": 1 - p,
            "tokens_read": tokens,
            "tokens_total": tokens + np.where(long, 40, 0),
        }
    )


def _attack(reviews: pd.DataFrame) -> pd.DataFrame:
    "Put each payload into title and text of one of the newest reviews."
    reviews = reviews.copy()
    newest = reviews.sort_values("reviewed_at").index[-40::2]
    for row, payload in zip(newest, PAYLOADS, strict=True):
        reviews.loc[row, ["title", "text"]] = [payload, f"Payload {payload} and some words more."]
    return reviews


PORTUGUESE = "A entrega chegou com três dias de atraso e a caixa estava aberta, não compro mais nesta loja."
ARABIC = "وصل الطرد متأخرا ثلاثة أيام وكانت العلبة مفتوحة، لن أشتري من هذا المتجر مرة أخرى."


def _translate(reviews: pd.DataFrame) -> pd.DataFrame:
    "Let some older reviews be Portuguese and some Arabic; what they count as stays."
    from smart_customer_analysis.data.language import language_code

    reviews, older = reviews.copy(), reviews.sort_values("reviewed_at").index
    for rows, text in ((older[300:360], PORTUGUESE), (older[360:400], ARABIC)):
        reviews.loc[rows, ["title", "text"]] = ["", text]
    return reviews.assign(
        language=[language_code(*pair) for pair in zip(reviews["title"], reviews["text"], strict=True)]
    )


def _segments(customers: pd.DataFrame, truth: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    ids = dict(zip(NAMES, "ABCDE", strict=True))
    member = customers["customer_id"].map(truth["segments"])
    members = pd.DataFrame(
        {"member_id": customers["customer_id"], "segment_id": member.map(ids), "distance": 1.0, "margin": 0.5}
    )
    members = members.dropna(subset="segment_id")
    rng, rows = np.random.default_rng(3), []
    for kind, letter in ids.items():
        size = int((members["segment_id"] == letter).sum())
        features = [
            "Days since last order",
            "Orders in a year",
            "Amount in a year",
            "Share negative",
            "Talks about delivery",
            "Talks about quality",
            "Stars",
        ]
        profile = [
            {
                "feature": f.lower().replace(" ", "_"),
                "label": f,
                "value": float(rng.uniform(1, 90)),
                "all": 40.0,
                "difference_sd": float(rng.normal()),
            }
            for f in features
        ]
        quotes = [{"text": PAYLOADS[1], "reviewed_at": "2026-11-02", "region": "Norte", "review_id": "R000001"}]
        rows.append(
            {
                "segment_id": letter,
                "name": NAMES[kind],
                "sentence": f"Planted as {kind}.",
                "size": size,
                "share": size / len(members),
                "stability": 0.7 + 0.05 * len(rows),
                "profile": profile,
                "words": ["late", "box"],
                "quotes": quotes,
            }
        )
    return pd.DataFrame(rows), members


TEMPLATE = """from datetime import date
weeks: int = 4  # weeks compared (1 to 104)
unit = "week"  # length of a step, one of: week, month
region: str = ""  # only this region; empty: all
since: date = date(2026, 1, 1)  # first day, YYYY-MM-DD
pictures: bool = True  # with the map
names: list[str] = []  # products, one in a line; empty: all
"""
LAST = """from IPython.display import HTML, display
from smart_customer_analysis.report.run import finish
display(HTML(f"<h1>Mine, {weeks} weeks by {unit}</h1>"))
finish("Mine", f"{weeks} weeks", 1)"""


def write_template(folder: Path, cell: str = TEMPLATE, name: str = "50_mine.ipynb", title: str = "Mine: what is new?"):
    "Write a report notebook of one's own."
    import nbformat

    nb = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    )
    tagged = nbformat.v4.new_code_cell(cell, metadata={"tags": ["parameters"]})
    nb.cells = [nbformat.v4.new_markdown_cell(f"# {title}"), tagged, nbformat.v4.new_code_cell(LAST)]
    folder.mkdir(exist_ok=True)
    nbformat.write(nb, folder / name)


def build(folder: Path):
    "Fill a database, a models folder and a reports folder; returns the settings to serve them."
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from planted_themes import plant_themes

    from smart_customer_analysis.config import Settings
    from smart_customer_analysis.data.sample import make_shop
    from smart_customer_analysis.sentiment import encoder as sentiment_encoder
    from smart_customer_analysis.sentiment import registry as m
    from smart_customer_analysis.store import loads as export
    from smart_customer_analysis.store import results as store_results
    from smart_customer_analysis.store.engine import make_engine
    from smart_customer_analysis.store.migrate import migrate

    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        database_url=f"sqlite:///{folder / 'shop.db'}",
        data_dir=folder,
        models_dir=folder / "models",
        reports_dir=folder / "reports",
        templates_dir=folder / "own",
    )
    write_template(settings.templates_dir)
    shop = make_shop(n_customers=400, n_reviews=1200, dirty=False)
    reviews = _translate(_attack(shop.reviews))
    engine = make_engine(settings.database)
    migrate(engine)
    export.save_load(engine, "sample", reviews, shop.customers, shop.orders)
    metrics = {
        "accuracy": {"value": 0.931, "low": 0.919, "high": 0.942, "n": 1800, "baselines": {}},
        "baselines": {"tfidf": {"value": 0.884, "low": 0.868, "high": 0.898, "n": 1800}},
        "validation_confusion": {"tn": 700, "fp": 45, "fn": 20, "tp": 235},
    }
    encoder = sentiment_encoder.tiny_encoder(folder / "tiny", reviews["text"].tolist()[:300])
    network, tokenizer = sentiment_encoder.load_encoder(str(encoder))
    files = {
        "calibration.json": {
            "temperature": 1.0,
            "thresholds": [{"max_error": 0.05, "margin": 0.0, "coverage": 1.0}],
            "sureness": [],
            "n": 0,
            "window": 48,
        },
        "metrics.json": metrics,
        "README.md": "# Tiny\n",
    }
    version = m.new_version("browser")
    saved = m.save_model(network, tokenizer, settings.models_dir / "sentiment", version, files)
    store_results.save_model(engine, version, "sentiment", saved, metrics)
    store_results.save_predictions(engine, version, _predictions(reviews))
    segments, members = _segments(shop.customers, shop.truth)
    evidence = pd.DataFrame(
        {"k": [3, 4, 5, 6], "silhouette": [0.21, 0.25, 0.31, 0.28], "stability": [0.9, 0.88, 0.94, 0.8]}
    )
    for day in ("2026-11-02", "2026-11-09"):
        events = pd.DataFrame(
            [
                {
                    "kind": "new",
                    "segment_id": "D",
                    "other": None,
                    "n": 118,
                    "sentence": "[D] Critics appeared: 118 customers.",
                }
            ]
        )
        migration = pd.DataFrame(
            [
                {"from": "A", "to": "B", "n": 61},
                {"from": "C", "to": "A", "n": 40},
                {"from": "E", "to": "D", "n": 3},
                {"from": "A", "to": "A", "n": 150},
            ]
        )
        store_results.save_segment_run(
            engine,
            "customer",
            version,
            {"seed": 42},
            evidence,
            segments,
            members,
            events,
            migration,
            created_at=datetime.fromisoformat(f"{day}T07:00:00+00:00"),
        )
    plant_themes(engine, "sample", reviews, shop.truth["topics"])
    settings.reports_dir.mkdir(exist_ok=True)
    (settings.reports_dir / "weekly.html").write_text(
        "<!doctype html><html lang=en><title>Weekly</title><h1>Weekly</h1></html>"
    )
    when = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
    store_results.save_report_run(
        engine,
        "weekly",
        {"region": None},
        "made",
        settings.reports_dir / "weekly.html",
        None,
        {"n_changes": 2, "period": "W46"},
        when,
        when,
    )
    store_results.save_report_run(
        engine,
        "model",
        {},
        "failed",
        None,
        None,
        {},
        when,
        when,
        error="expected labelled rows, found none in the period. Next step: load labels",
    )
    engine.dispose()
    return settings


@contextmanager
def served(settings, port: int = 0):
    "Serve the real app in a thread; yields its address."
    import uvicorn

    from smart_customer_analysis.app.main import create_app

    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    with served(build(Path(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 0) as address:
        print(address, flush=True)
        threading.Event().wait()
