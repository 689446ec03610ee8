"""Forty made-up exports whose truth is known: delimiters, encodings, dates and numbers of eight countries, headers in
five languages and more, five scales of ratings. Two of them can be read in two ways."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pandas as pd

ROWS = 60
DELIMITERS = [",", ";", "\t", "|"]
ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "utf-16"]
SCALES = ["1-5", "0-10", "1-10", "percent", "words"]
SHAPES = ["reviews", "orders", "both"]

# country: language, date, time, decimal, thousands
COUNTRIES = {
    "US": ("en", "%m/%d/%Y", " %I:%M %p", ".", ","),
    "GB": ("en", "%d/%m/%Y", " %H:%M", ".", ","),
    "DE": ("de", "%d.%m.%Y", " %H:%M:%S", ",", "."),
    "FR": ("fr", "%d/%m/%Y", " %H:%M", ",", "\u00a0"),
    "ES": ("es", "%d/%m/%Y", " %H:%M:%S", ",", "."),
    "BR": ("pt", "%d/%m/%Y", " %H:%M", ",", "."),
    "IT": ("it", "%d/%m/%Y", ", %H:%M", ",", "."),
    "NL": ("nl", "%d-%m-%Y", " %H:%M", ",", "."),
}
HEADERS = {  # order number, customer, stars, title, text, date, amount, currency, town
    "en": "Order ID|Customer ID|Rating|Title|Review|Date|Total|Currency|City",
    "de": "Bestellnummer|Kundennummer|Bewertung|Titel|Kommentar|Datum|Gesamtbetrag|Währung|Ort",
    "fr": "N° commande|Client|Note|Titre|Avis|Date|Montant total|Devise|Ville",
    "es": "Pedido|Cliente|Puntuación|Título|Comentario|Fecha|Importe|Moneda|Ciudad",
    "pt": "Pedido|Cliente|Nota|Título|Comentário|Data|Valor total|Moeda|Cidade",
    "it": "Ordine|Cliente|Voto|Titolo|Recensione|Data|Importo|Valuta|Città",
    "nl": "Bestelnummer|Klantnummer|Beoordeling|Titel|Opmerking|Datum|Totaalbedrag|Valuta|Plaats",
}
WORDS = {
    "en": "terrible|bad|average|good|excellent",
    "de": "sehr schlecht|schlecht|mittel|gut|sehr gut",
    "fr": "très mauvais|mauvais|moyen|bon|très bon",
    "es": "muy malo|malo|regular|bueno|muy bueno",
    "pt": "péssimo|ruim|regular|bom|ótimo",
    "it": "pessimo|scarso|sufficiente|buono|ottimo",
    "nl": "zeer slecht|slecht|matig|goed|zeer goed",
}
PARTS = {  # subjects, verbs, end
    "en": "The kettle|The lamp|This chair;arrived late and|works well and|looks nice but;the lid is loose",
    "de": "Der Kessel|Die Lampe|Der Stuhl;kam zu spät und|ist schön, aber|hält gut und;der Griff ist lose",
    "fr": "La bouilloire|La lampe|La chaise;arrive tard et|est très bien, mais|plaît beaucoup et;le prix reste élevé",
    "es": "La tetera|La lámpara|La silla;llegó tarde y|es bonita, pero|funciona bien y;la tapa no cierra",
    "pt": "A chaleira|A lâmpada|A cadeira;chegou tarde e|é bonita, mas|não dura muito e;a tampa não fecha",
    "it": "Il bollitore|La lampada|La sedia;è arrivato tardi e|è bello, però|funziona bene e;il coperchio è lento",
    "nl": "De ketel|De lamp|De stoel;kwam te laat en|is mooi, maar|werkt goed en;het deksel zit los",
}
TOWNS = {
    "US": "Springfield|Portland",
    "GB": "Leeds|York",
    "DE": "Köln|Lübeck",
    "FR": "Orléans|Nîmes",
    "ES": "Málaga|Logroño",
    "BR": "São Paulo|Florianópolis",
    "IT": "Forlì|Città di Castello",
    "NL": "Utrecht|Delft",
}
CODES = {"US": "USD", "GB": "GBP", "BR": "BRL"}


@dataclass(frozen=True)
class Export:
    """One file and what it says."""

    name: str
    path: Path
    truth: pd.DataFrame  # customer, stars, title, text, day, amount, order
    shape: str  # reviews, orders, both
    asks: bool  # two readings fit: it must be asked
    words: str  # country, language, delimiter, encoding, scale


def _grade(stars: float, scale: str, language: str) -> str:
    """Write a grade; the truth holds what the scale can hold."""
    if scale == "words":
        return WORDS[language].split("|")[int(stars) - 1]
    low, high = {"1-5": (1, 5), "0-10": (0, 10), "1-10": (1, 10), "percent": (0, 100)}[scale]
    value = round(low + (stars - 1) / 4 * (high - low))
    return f"{value}%" if scale == "percent" else str(value)


def _true_stars(random: Random, scale: str) -> float:
    """Draw stars that a scale can hold."""
    low, high = {"1-5": (1, 5), "words": (1, 5), "0-10": (0, 10), "1-10": (1, 10), "percent": (0, 100)}[scale]
    return 1 + 4 * (random.randint(low, high) - low) / (high - low)


def _amount(amount: float, decimal: str, thousands: str) -> str:
    whole, cents = f"{amount:,.2f}".split(".")
    return whole.replace(",", thousands) + decimal + cents


def truth(random: Random, scale: str, language: str, country: str) -> pd.DataFrame:
    """Draw rows."""
    subjects, verbs, ends = (part.split("|") for part in PARTS[language].split(";"))
    rows = []
    for i in range(ROWS):
        text = f"{random.choice(subjects)} {random.choice(verbs)} {ends[0]}, {i + 1}."
        when = datetime(2026, 1, 1) + timedelta(days=random.randrange(300), minutes=random.randrange(1440))
        stars = _true_stars(random, scale)
        rows.append((f"{7000 + i}", f"K{random.randrange(20):03}", stars, f"{subjects[0]} {i % 7}", text, when))
    frame = pd.DataFrame(rows, columns=["order", "customer", "stars", "title", "text", "at"])
    amounts = [round(random.choice((20, 300, 4000)) * random.random() + 1, 2) for _ in range(ROWS)]
    towns = [random.choice(TOWNS[country].split("|")) for _ in range(ROWS)]
    return frame.assign(amount=amounts, currency=CODES.get(country, "EUR"), town=towns)


def _cells(frame: pd.DataFrame, country: str, scale: str, language: str, timed: bool) -> pd.DataFrame:
    """Write the rows as the country does."""
    _, date, time, decimal, thousands = COUNTRIES[country]
    return pd.DataFrame(
        {
            "order": frame["order"],
            "customer": frame["customer"],
            "stars": [_grade(s, scale, language) for s in frame["stars"]],
            "title": frame["title"],
            "text": frame["text"],
            "at": [when.strftime(date + (time if timed else "")) for when in frame["at"]],
            "amount": [_amount(a, decimal, thousands) for a in frame["amount"]],
            "currency": frame["currency"],
            "town": frame["town"],
        }
    )


SHAPE_COLUMNS = {
    "reviews": ["customer", "stars", "title", "text", "at"],
    "orders": ["order", "customer", "at", "amount", "currency", "town"],
    "both": ["order", "customer", "stars", "title", "text", "at", "amount", "currency"],
}


def write_export(folder: Path, number: int) -> Export:
    """Write one of the forty."""
    random = Random(number)
    c, v = divmod(number, 5)
    country = list(COUNTRIES)[c]
    language = COUNTRIES[country][0] if v < 3 else "en"
    shape, scale = SHAPES[number % 3], SCALES[(c + v) % 5]
    delimiter, encoding = DELIMITERS[(c + v) % 4], ENCODINGS[(c + 2 * v) % 4]
    frame = truth(random, scale, language, country)
    asks = number in (7, 36)
    if number == 7:  # British, and no day over 12
        frame["at"] = [when.replace(day=1 + when.day % 12) for when in frame["at"]]
    if number == 36:  # grades from 3 to 8 of ten
        scale = "1-10"
        frame["stars"] = [1 + 4 * (random.randint(3, 8) - 1) / 9 for _ in range(ROWS)]
    timed = v % 2 == 1
    cells = _cells(frame, country, scale, language, timed)
    names = dict(zip(cells.columns, HEADERS[language].split("|"), strict=True))
    used = SHAPE_COLUMNS["reviews" if asks else shape]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n" if v % 2 else "\n")
    writer.writerow([names[n] for n in used])
    writer.writerows(cells[used].itertuples(index=False))
    path = folder / f"shop_{number:02}.{'tsv' if delimiter == chr(9) else 'csv'}"
    path.write_bytes(text.getvalue().encode(encoding))
    if not timed:
        frame["at"] = [datetime(*when.timetuple()[:3]) for when in frame["at"]]
    else:
        form = COUNTRIES[country][2]
        frame["at"] = [when.replace(second=0 if "%S" not in form else when.second) for when in frame["at"]]
    mark = {"\t": "tab"}.get(delimiter, delimiter)
    words = f"{country} | {language} | {mark if mark != '|' else 'pipe'} | {encoding} | {scale}"
    return Export(f"{number:02}", path, frame, "reviews" if asks else shape, asks, words)


def write_exports(folder: Path) -> list[Export]:
    """Write all forty."""
    return [write_export(folder, number) for number in range(5 * len(COUNTRIES))]


def faults(export: Export, reviews: pd.DataFrame, orders: pd.DataFrame) -> list[str]:
    """Say how loaded frames differ from the truth; empty: they are right."""
    differences, want = [], export.truth
    at = pd.to_datetime(want["at"]).dt.tz_localize("UTC")
    if export.shape in ("reviews", "both"):
        if len(reviews) != len(want):
            return [f"{len(reviews)} reviews of {len(want)}"]
        rows = reviews.sort_values("line").reset_index(drop=True)
        differences += [] if (rows["text"] == want["text"]).all() else ["text"]
        differences += [] if (rows["title"] == want["title"]).all() else ["title"]
        differences += [] if (rows["customer_id"] == want["customer"]).all() else ["customer"]
        close = (rows["rating"].astype(float) - want["stars"]).abs() < 0.01
        differences += [] if close.all() else [f"stars, {rows['rating'].tolist()[:3]} for {want['stars'].tolist()[:3]}"]
        differences += [] if (rows["reviewed_at"] == at).all() else ["review date"]
    if export.shape in ("orders", "both"):
        rows = orders.sort_values("order_id").reset_index(drop=True)
        if len(rows) != len(want):
            return [*differences, f"{len(rows)} orders of {len(want)}"]
        differences += [] if ((rows["amount"].astype(float) - want["amount"]).abs() < 0.001).all() else ["amount"]
        differences += [] if (rows["customer_id"] == want["customer"]).all() else ["order's customer"]
        differences += [] if (rows["currency"] == want["currency"]).all() else ["currency"]
        differences += [] if (rows["ordered_at"] == at).all() else ["order date"]
    return differences
