"The number is the layer: a module imports only modules with a smaller number, and a few layers less than that."

import pytest
import tree
from plain_words import LOUD, SHOUT

MODELS = ("torch", "transformers", "tokenizers", "captum")
SESSIONS = ("sqlalchemy", "geoalchemy2", "alembic", "psycopg2")
WEB = ("fastapi", "starlette", "uvicorn")


def outside(path):
    return {name.split(".")[0] for name in tree.imports(path)}


def under(*layers):
    return [p for p in tree.generated() if tree.dotted(p).split(".")[0] in layers]


@pytest.mark.parametrize("path", tree.generated(), ids=tree.shown)
def test_imports_only_smaller_numbers(path):
    number = tree.numbers().get(tree.dotted(path))
    assert number is not None, f"{tree.shown(path)} has no notebook"
    for name in tree.own_imports(path):
        other = tree.numbers().get(name)
        if other is None and (tree.PACKAGE / name.replace(".", "/")).is_dir():
            continue  # a package; its modules are in the list by their own names
        assert other is not None, f"{tree.dotted(path)} ({number}) imports {name}, which no notebook makes"
        assert other < number, f"{tree.dotted(path)} ({number}) imports {name} ({other}): only smaller numbers"


@pytest.mark.parametrize("path", under("segment", "geo", "insight"), ids=tree.shown)
def test_segment_geo_insight_take_frames(path):
    own = {n for n in tree.own_imports(path) if n.split(".")[0] in ("sentiment", "store")}
    foreign = outside(path) & {*MODELS, *SESSIONS, *WEB}
    assert not own | foreign, f"{tree.dotted(path)} takes frames, never a model or a session; found {own | foreign}"


@pytest.mark.parametrize("path", under("view"), ids=tree.shown)
def test_views_take_tables_and_shops(path):
    own = {n for n in tree.own_imports(path) if n.split(".")[0] == "store"} - {"store", "store.filters"}
    foreign = outside(path) & {*MODELS, *SESSIONS, *WEB}
    assert not own | foreign, f"{tree.dotted(path)} queries nothing and loads no model; found {own | foreign}"


@pytest.mark.parametrize("path", under("store"), ids=tree.shown)
def test_store_knows_neither_data_nor_models(path):
    own = {n for n in tree.own_imports(path) if n.split(".")[0] in ("data", "sentiment", "segment")}
    foreign = outside(path) & {*MODELS, *WEB}
    assert not own | foreign, f"{tree.dotted(path)} imports {own | foreign}"


@pytest.mark.parametrize("path", [p for p in tree.modules() if tree.dotted(p).split(".")[0] == "app"], ids=tree.shown)
def test_app_imports_the_service_only(path):
    allowed = {"schema", "service", "store", "store.engine", "store.filters", "store.migrate", "config"}
    allowed |= {"words", "translate"}  # in whose language an answer is written
    others = {n for n in tree.own_imports(path) if n.split(".")[0] != "app"} - allowed
    assert not others, f"{tree.dotted(path)} imports {others}; ask service for it"


@pytest.mark.parametrize("path", [p for p in tree.modules() if tree.dotted(p).split(".")[0] != "app"], ids=tree.shown)
def test_nothing_imports_the_app(path):
    app_imports = {n for n in tree.own_imports(path) if n.split(".")[0] == "app"}
    assert not app_imports, (
        f"{tree.dotted(path)} imports {app_imports}; name it as text (`package.app.main:app`) where a server needs it"
    )


@pytest.mark.parametrize(
    "path", [p for p in tree.generated() if not tree.dotted(p).startswith("service")], ids=tree.shown
)
def test_no_web_framework_in_the_library(path):
    if tree.dotted(path) == "cli":
        return  # `sca serve` starts the server
    assert not outside(path) & {"fastapi", "starlette"}, f"{tree.dotted(path)}: HTTP belongs into app/"


SPEAKING = [
    p
    for p in tree.generated()
    if tree.dotted(p).split(".")[0] in ("insight", "report", "service", "view")
    or tree.dotted(p) in ("segment.describe", "segment.identity", "geo.hotspots")
]


@pytest.mark.parametrize("path", SPEAKING, ids=tree.shown)
def test_sentences_claim_no_cause_and_do_not_shout(path):
    for line, text in tree.strings(path):
        if " " in text.strip() and not text.lstrip().startswith("<"):
            match = LOUD.search(text) or SHOUT.search(text)
            assert not match, (
                f"{tree.shown(path)}:{line}: {match[0]!r} may not stand in a sentence for people: {text!r}"
            )
