"""The app over a filled database, and the app with nothing behind it."""

from collections.abc import Callable

import pytest
from made_up import Served, fill
from starlette.testclient import TestClient

from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.config import Settings


@pytest.fixture(scope="session")
def served(make_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory):
    "The app over a filled database, once on SQLite and once on PostGIS."
    home, url = tmp_path_factory.mktemp("served"), make_database()
    settings = Settings(database_url=url, data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    fill(url, settings.reports_dir)
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Served(client, settings)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory):
    "The app without database, model or reports."
    home = tmp_path_factory.mktemp("bare")
    settings = Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Served(client, settings)
