"Places written in more than twenty styles, from a list of towns whose position is known, and jokes."

import random

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.data.countries import country_code, fold
from smart_customer_analysis.data.geocode import geocode, home_country, place_customers
from smart_customer_analysis.data.load import load
from smart_customer_analysis.schema import Customer, conform

# name, state, code, country, lon, lat; taken from an atlas, not from the gazetteer
US = [
    ("Boston", "Massachusetts", "MA", -71.06, 42.36), ("Portland", "Oregon", "OR", -122.68, 45.52),
    ("Portland", "Maine", "ME", -70.26, 43.66), ("St. Louis", "Missouri", "MO", -90.20, 38.63),
    ("Springfield", "Illinois", "IL", -89.65, 39.80), ("Springfield", "Massachusetts", "MA", -72.59, 42.10),
    ("Columbus", "Ohio", "OH", -83.00, 39.96), ("Columbus", "Georgia", "GA", -84.99, 32.46),
    ("Arlington", "Virginia", "VA", -77.10, 38.88), ("Arlington", "Texas", "TX", -97.11, 32.74),
    ("Rochester", "New York", "NY", -77.61, 43.16), ("Rochester", "Minnesota", "MN", -92.48, 44.02),
    ("Winston-Salem", "North Carolina", "NC", -80.24, 36.10), ("Fort Worth", "Texas", "TX", -97.33, 32.76),
    ("Ann Arbor", "Michigan", "MI", -83.74, 42.28), ("Santa Fe", "New Mexico", "NM", -105.94, 35.69),
    ("Charleston", "West Virginia", "WV", -81.63, 38.35), ("Charleston", "South Carolina", "SC", -79.93, 32.78),
    ("Kansas City", "Missouri", "MO", -94.58, 39.10), ("Ithaca", "New York", "NY", -76.50, 42.44),
    ("Boise", "Idaho", "ID", -116.20, 43.62), ("Reading", "Pennsylvania", "PA", -75.93, 40.34),
    ("Mobile", "Alabama", "AL", -88.04, 30.69), ("Eugene", "Oregon", "OR", -123.09, 44.05),
]  # fmt: skip
US_STYLES = [
    "{n}, {c}", "{n}, {s}", "{n} {c}", "{n},{c}", "{l}, {lc}", "{u}, {c}", "{n}, {c} USA", "{n}, {c}, USA",
    "{n}, {c} United States", "{n}, {s}, United States", "{n}, {s} USA", "{n} {s}", "{n}, {c} 02139", "{n} ({c})",
    "{n}, {c}.", "{n} - {c}", "near {n}, {c}", "{n} area, {c}", "  {n} ,  {c}  ", "{n}, {c}, U.S.A.",
    "downtown {n}, {c}", "{n}, {s} (USA)", "outside {n}, {c}", "{n}, {ls}", "{n}; {s}; US",
]  # fmt: skip
WORLD = [
    ("London", "United Kingdom", -0.13, 51.51), ("Manchester", "UK", -2.24, 53.48),
    ("Glasgow", "Scotland", -4.25, 55.86), ("Cardiff", "Wales", -3.18, 51.48), ("Toronto", "Canada", -79.38, 43.65),
    ("Vancouver", "Canada", -123.12, 49.28), ("Sydney", "Australia", 151.21, -33.87),
    ("Paris", "France", 2.35, 48.86),
    ("München", "Germany", 11.58, 48.14), ("Cologne", "Germany", 6.96, 50.94),
    ("São Paulo", "Brazil", -46.63, -23.55),
    ("Sao Paulo", "Brasil", -46.63, -23.55), ("Lisboa", "Portugal", -9.14, 38.72),
    ("Seoul", "South Korea", 126.98, 37.57), ("Bombay", "India", 72.88, 19.08),
    ("Auckland", "New Zealand", 174.76, -36.85), ("Birmingham", "England", -1.90, 52.48),
    ("Cambridge", "England", 0.12, 52.20), ("Dublin", "Ireland", -6.26, 53.35),
    ("Cape Town", "South Africa", 18.42, -33.93),
]  # fmt: skip
WORLD_STYLES = [
    "{n}, {c}",
    "{n} {c}",
    "{l}, {lc}",
    "{u}, {u2}",
    "{n} ({c})",
    "{n},{c}",
    "{n} - {c}",
    "near {n}, {c}",
    "{n}; {c}",
]
BARE = [
    ("Chicago", -87.63, 41.88),
    ("los angeles", -118.24, 34.05),
    ("NYC", -74.0, 40.71),
    ("Seattle", -122.33, 47.61),
    ("Tokyo", 139.69, 35.69),
    ("Berlin", 13.41, 52.52),
    ("Philly", -75.16, 39.95),
    ("서울", 126.98, 37.57),
    ("Washington, DC", -77.04, 38.9),
    ("Washington D.C.", -77.04, 38.9),
    ("London, Ontario", -81.25, 42.98),
    ("London, ON Canada", -81.25, 42.98),
]
NOWHERE = [
    "Earth", "here", "Somewhere over the rainbow", "in front of my computer", "Home", "the moon", "Hogwarts",
    "Middle-Earth", "none of your business", "???", "x", "123", "nowhere", "my couch", "I wish I was in Hawaii",
    "behind you", "everywhere", "the internet", "Narnia", "a galaxy far, far away", "Your mom's house", "...", "!!!",
    "N/A", "not telling", "http://example.com", "the kitchen", "lost", "The Great White North", "between jobs",
    "Planet Claire", "on the road", "Gotham City", "Springfield of the mind", "it's a secret", "wonderland", "", " ",
    "-", "reading in bed", "mobile", "nice",
]  # fmt: skip


def written() -> pd.DataFrame:
    rows = []
    for n, s, c, lon, lat in US:
        rows += [
            (t.format(n=n, s=s, c=c, l=n.lower(), u=n.upper(), lc=c.lower(), ls=s.lower()), lon, lat) for t in US_STYLES
        ]
    for n, c, lon, lat in WORLD:
        rows += [
            (t.format(n=n, c=c, l=n.lower(), u=n.upper(), lc=c.lower(), u2=c.upper()), lon, lat) for t in WORLD_STYLES
        ]
    rows += BARE + [(t, np.nan, np.nan) for t in NOWHERE * 3]
    return pd.DataFrame(rows, columns=["place", "lon", "lat"])


def test_towns_in_many_styles_are_found_and_jokes_are_nowhere():
    rows = written()
    result = geocode(rows["place"], "US")
    placed, real = result["lon"].notna(), rows["lon"].notna()
    near = (
        placed
        & real
        & ((result["lon"].astype(float) - rows["lon"]).abs() < 0.4)
        & ((result["lat"].astype(float) - rows["lat"]).abs() < 0.4)
    )
    wrong = rows[placed & ~near].assign(
        result=result["city"] + ", " + result["region"].fillna("") + ", " + result["country"]
    )
    missed = rows[real & ~placed]
    precision, recall = near.sum() / placed.sum(), near.sum() / real.sum()
    assert precision >= 0.98, f"precision {precision:.3f}\n{wrong.to_string()}"
    assert recall >= 0.9, f"recall {recall:.3f}\n{missed.head(40).to_string()}"
    assert not placed[~real].any(), wrong.to_string()


@pytest.mark.parametrize(
    ("place", "home", "region", "country"),
    [
        ("Georgia", "US", "Georgia", "United States"), ("Tbilisi, Georgia", "US", None, "Georgia"),
        ("Ontario", None, "Ontario", "Canada"), ("Ontario, CA", "US", "California", "United States"),
        ("Northern California", "US", "California", "United States"),
        ("Upstate NY", "US", "New York", "United States"),
        ("mass", "US", "Massachusetts", "United States"), ("New South Wales", None, "New South Wales", "Australia"),
        ("Birmingham", "GB", "England", "United Kingdom"), ("Pelham, MA USA", "US", "Massachusetts", "United States"),
        ("Smalltownville, OH", "US", "Ohio", "United States"),
        ("Porto Alegre - RS", "BR", "Rio Grande do Sul", "Brazil"), ("timoteo, MG", "BR", "Minas Gerais", "Brazil"),
        ("USA", None, None, "United States"),
    ],
)  # fmt: skip
def test_region_and_country(place, home, region, country):
    row = geocode(pd.Series([place]), home).iloc[0]
    assert (row["region"] if isinstance(row["region"], str) else None, row["country"]) == (region, country)


def test_the_index_is_kept_and_a_place_is_read_the_same_wherever_it_stands():
    places = pd.Series(["NYC", None, "NYC", "Boston, MA"], index=[7, 3, 9, 1])
    result = geocode(places)
    assert result.index.tolist() == [7, 3, 9, 1] and result.loc[7].equals(result.loc[9])
    shuffled = places.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(geocode(shuffled).loc[places.index], result)


def test_any_text_is_read_without_a_fault():
    rng = random.Random(0)
    alphabet = "aB,.()-/& \t'\"0?éß서\u200b\u202e日USA"
    texts = pd.Series(["".join(rng.choice(alphabet) for _ in range(rng.randint(0, 60))) for _ in range(500)])
    result = geocode(texts)
    assert (
        len(result) == 500
        and (result["lon"].isna() == result["lat"].isna()).all()
        and result["confidence"].between(0, 1).all()
    )


def test_known_coordinates_are_never_moved():
    people = conform(
        pd.DataFrame(
            {
                "customer_id": ["a", "b", "c"],
                "place": ["Boston, MA", "Boston, MA", "Boston, MA"],
                "lon": [2.0, None, None],
                "lat": [48.0, None, None],
                "country": [None, None, "France"],
            }
        ),
        Customer,
    )
    placed = place_customers(people, "US")
    assert placed["lon"].iloc[0] == 2.0 and placed["lon"].iloc[1] == pytest.approx(-71, abs=0.2)
    assert pd.isna(placed["lon"].iloc[2]), "a place in another country than the customer's is not his"
    assert people["lon"].isna().sum() == 2


def test_folding():
    assert fold("  SÃO-Paulo. ") == "sao paulo" and country_code("Deutschland") == "DE"


@pytest.mark.real
def test_half_of_the_multidomain_locations_are_placed(real_data):
    shop = load("amazon-multidomain", real_data / "amazon_multidomain" / "reviews.csv.gz")
    typed = shop.reviews["place"].dropna()
    result = geocode(typed, shop.country)
    assert len(typed) == 5086 and result["lon"].notna().mean() > 0.55 and result["country"].notna().mean() > 0.85
    assert result.loc[result["lon"].notna(), "country"].eq("United States").mean() > 0.85


@pytest.mark.real
def test_olist_customers_are_in_brazil(real_data):
    shop = load("olist", real_data / "olist")
    people = place_customers(shop.customers, shop.country)
    assert (
        people["lon"].notna().sum() >= 5340
        and set(people["country"]) == {"Brazil"}
        and "São Paulo" in set(people["region"])
    )
    assert people["lon"].between(-74, -34).mean() > 0.995 and people["lat"].between(-34, 6).mean() > 0.995


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Scotland", "United Kingdom"), ("WALES", "United Kingdom"), ("U.K.", "United Kingdom"), ("EIRE", "Ireland"),
        ("RSA", "South Africa"), ("Czech Republic", "Czechia"), ("Russian Federation", "Russia"),
        ("Viet Nam", "Vietnam"),
        ("Österreich", "Austria"), ("OESTERREICH", None), ("Spanien", "Spain"), ("Allemagne", "Germany"),
        ("日本", "Japan"),
        ("Россия", "Russia"), ("Iran, Islamic Republic of", "Iran"), ("Bolivia (Plurinational State of)", "Bolivia"),
        ("United States of America (the)", "United States"), ("United Kingdom (UK)", "United Kingdom"),
        ("DE - Germany", "Germany"),
        ("Korea, Republic of", "South Korea"), ("Côte d’Ivoire", "Ivory Coast"), ("Georgia", "Georgia"),
        ("Georgia, USA", None),
        ("Island", "Iceland"), ("Narnia", None), ("European Community", None),
    ],
)  # fmt: skip
def test_a_country_has_one_name_however_it_is_written(written, name):
    country = place_customers(people(None, country=written))["country"].iloc[0]
    assert country == (name or written)


def people(place, **columns):
    return conform(pd.DataFrame({"customer_id": ["a"], "place": [place], **columns}), Customer)


@pytest.mark.parametrize(
    ("place", "country", "lon", "region"),
    [
        ("Perth", "Scotland", -3.4, "Scotland"),
        ("Newcastle", "Wales", None, "Wales"),
        ("Athens", "EIRE", None, None),
        ("Paris", "Narnia", None, None),
        ("Athens", "Channel Islands", None, None),
        ("Springfield, IL", "unspecified", -89.6, "Illinois"),
    ],
)
def test_a_town_is_looked_for_in_the_customers_country_and_nowhere_else(place, country, lon, region):
    row = place_customers(people(place, country=country)).iloc[0]
    assert (None if pd.isna(row["region"]) else row["region"]) == region
    assert pd.isna(row["lon"]) if lon is None else row["lon"] == pytest.approx(lon, abs=0.1)


def test_a_region_or_country_that_contradicts_the_customers_point_is_not_filled_in():
    in_paris = {"lon": [2.35], "lat": [48.85]}
    row = place_customers(people("Paris", country="US", **in_paris)).iloc[0]
    assert (row["lon"], row["country"]) == (2.35, "United States") and pd.isna(row["region"])
    row = place_customers(people("Dallas, TX", **in_paris)).iloc[0]
    assert pd.isna(row["region"]) and pd.isna(row["country"])
    row = place_customers(people("Paris", **in_paris)).iloc[0]
    assert (row["region"], row["country"]) == ("Île-de-France", "France")


@pytest.mark.parametrize(
    ("place", "home", "city"),
    [
        ("São Paulo 01310-100", "BR", "São Paulo"), ("São Paulo, SP 01310-100", "BR", "São Paulo"),
        ("Leeds LS1 4AP", "GB", "Leeds"), ("SW1A 1AA London", "GB", "London"), ("London E14", "GB", "London"),
        ("Sydney NSW 2000", "AU", "Sydney"), ("1012 AB Amsterdam", "NL", "Amsterdam"),
        ("1000 Bruxelles", "BE", "Brussels"),
        ("8000 Zürich", "CH", "Zürich"), ("New Delhi 110001", "IN", "Delhi"),
        ("560 001 Bangalore", "IN", "Bengaluru"),
        ("00-001 Warszawa", "PL", "Warsaw"), ("1000-001 Lisboa", "PT", "Lisbon"),
        ("114 55 Stockholm", "SE", "Stockholm"),
        ("D-10115 Berlin", "DE", "Berlin"), ("Dublin D02 X285", "IE", "Dublin"), ("Toronto M5V 2T6", "CA", "Toronto"),
    ],
)  # fmt: skip
def test_a_postcode_does_not_hide_the_town(place, home, city):
    assert geocode(pd.Series([place]), home)["city"].tolist() == [city]


@pytest.mark.parametrize(
    ("place", "home", "city", "country"),
    [
        ("Wien", None, "Vienna", "Austria"), ("1010 Wien", None, "Vienna", "Austria"),
        ("Lisboa, Portugal", None, "Lisbon", "Portugal"),
        ("Valencia", "DE", "Valencia", "Spain"), ("Valencia", None, "Valencia", "Spain"),
        ("L.A.", "US", "Los Angeles", "United States"),
        ("NY, NY", "US", "New York City", "United States"), ("Georgia", "GE", None, "Georgia"),
        ("Georgia", "US", None, "United States"),
        ("Kinshasa, DRC", None, "Kinshasa", "Democratic Republic of the Congo"),
    ],
)  # fmt: skip
def test_a_name_of_several_places_is_the_one_that_is_meant(place, home, city, country):
    row = geocode(pd.Series([place]), home).iloc[0]
    assert (None if pd.isna(row["city"]) else row["city"], row["country"]) == (city, country)


@pytest.mark.parametrize(
    ("place", "home"),
    [
        ("New England", "US"), ("Little England", None), ("Victoria", "GB"), ("Cape Town, SA", None), ("ok", "US"),
        ("OK", "US"),
        ("hi", "US"), ("Hi", "US"), ("me", "US"), ("in", "US"), ("Milano, MI", "IT"), ("Long Island", "US"),
        ("110001", "IN"),
    ],
)  # fmt: skip
def test_what_may_be_another_place_or_a_word_is_nothing(place, home):
    row = geocode(pd.Series([place]), home).iloc[0]
    assert pd.isna(row["country"]) and pd.isna(row["lon"])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Congo, Democratic Republic", "CD"), ("Congo, Dem. Rep.", "CD"), ("Congo, Rep.", "CG"), ("Congo", "CG"),
        ("Korea, Dem. People's Rep.", None), ("Korea, Republic of", "KR"), ("Guinea, Equatorial", "GQ"),
        ("Sudan, South", "SS"), ("Großbritannien", "GB"), ("England & Wales", "GB"), ("한국", "KR"), ("السعودية", "SA"),
    ],
)  # fmt: skip
def test_a_name_turned_round_is_the_country_it_says(name, code):
    assert country_code(name) == code


@pytest.mark.parametrize(
    ("typed", "home", "city"),
    [
        ("Milano (MI)", "IT", "Milan"), ("Milano (MI)", None, None), ("Bologna (BO)", None, "Bologna"),
        ("Boston (MA)", None, "Boston"), ("Como (CO)", None, None),
        ("Neustadt", "DE", None), ("Valence", "FR", "Valence"), ("Londres", "FR", "London"), ("Parma", None, "Parma"),
    ],
)  # fmt: skip
def test_a_name_of_two_places_is_not_the_wrong_one(typed, home, city):
    place = geocode(pd.Series([typed], dtype="str"), home).iloc[0]
    assert (None if pd.isna(place["city"]) else place["city"]) == city
    assert city or pd.isna(place["region"])


def test_names_of_several_countries_have_one_spelling():
    names = ["Channel Islands", "CHANNEL ISLANDS", "channel islands "]
    people = conform(pd.DataFrame({"customer_id": list("abc"), "country": names}), Customer)
    placed = place_customers(people)
    assert placed["country"].to_list() == ["Channel Islands"] * 3
    assert placed["lon"].isna().all()


@pytest.mark.parametrize(
    ("typed", "home", "city", "region", "country"),
    [
        ("Kent", "GB", None, "England", "United Kingdom"), ("Surrey", "GB", None, "England", "United Kingdom"),
        ("Fife", "GB", None, "Scotland", "United Kingdom"), ("Boston", "GB", "Boston", "England", "United Kingdom"),
        ("Perth", "GB", None, None, None), ("Mérida", "ES", "Mérida", "Extremadura", "Spain"),
        ("Córdoba", "ES", "Córdoba", "Andalusia", "Spain"), ("Santiago", "ES", None, None, None),
        ("Mérida", "MX", "Mérida", "Yucatán", "Mexico"), ("Surrey", "CA", "Surrey", "British Columbia", "Canada"),
        ("Kent", "US", "Kent", "Washington", "United States"), ("Kent", "AU", None, None, None),
        ("Kent, WA", "GB", "Kent", "Washington", "United States"), ("Paris", "GB", "Paris", "Île-de-France", "France"),
    ],
)  # fmt: skip
def test_a_place_of_two_countries_is_the_one_at_home_or_none(typed, home, city, region, country):
    place = geocode(pd.Series([typed], dtype="str"), home)[["city", "region", "country"]].iloc[0]
    assert place.astype(object).where(place.notna(), None).tolist() == [city, region, country]


def test_the_country_of_all_customers_is_the_home_of_a_shop_in_a_frame():
    spain = ["Madrid", "Sevilla", "Zaragoza", "Bilbao"] * 6
    for others, country in ((spain, "Spain"), (spain[:8], "Mexico"), (["Lyon", "Madrid"] * 12, "Mexico")):
        typed = [*others, "Mérida"]
        people = conform(pd.DataFrame({"customer_id": [str(i) for i in range(len(typed))], "place": typed}), Customer)
        assert place_customers(people, home_country(people))["country"].iloc[-1] == country
        assert place_customers(people)["country"].iloc[-1] == "Mexico"  # in a load others may come tomorrow
