"""The routes of `/v1`. Each one asks the service and returns what it says; nothing is computed here."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.types import Receive

from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.service import Service

from . import schemas as s
from .workers import Workers

v1 = APIRouter(prefix="/v1")
Id = Annotated[str, Path(max_length=200, pattern=s.NO_NUL)]


def _service(request: Request) -> Service:
    return request.app.state.service


def _filters(query: s.FilterQuery) -> Filters:
    return Filters(**{name: getattr(query, name) for name in s.FilterQuery.model_fields})


@v1.get(
    "/overview", response_model=s.Overview, tags=["figures"], summary="Headline, changes, weeks, segments, hot spots"
)
def overview(request: Request, query: Annotated[s.FilterQuery, Query()]):
    return _service(request).overview(_filters(query))


@v1.get("/shares", response_model=s.Shares, tags=["figures"], summary="Share of negative reviews, by group")
def shares(request: Request, query: Annotated[s.SharesQuery, Query()]):
    return _service(request).shares(_filters(query), query.by)


@v1.get(
    "/changes",
    response_model=s.Changes,
    tags=["figures"],
    summary="What changed beyond chance, against the period before",
)
def changes(request: Request, query: Annotated[s.FilterQuery, Query()]):
    return _service(request).changes(_filters(query))


@v1.get("/segments", response_model=s.Segments, tags=["segments"], summary="Segments of the last run, and who moved")
def segments(request: Request, query: Annotated[s.FilterQuery, Query()]):
    return _service(request).segments(_filters(query))


@v1.get(
    "/segments/{id}", response_model=s.SegmentDetail, tags=["segments"], summary="One segment: profile, words, quotes"
)
def segment(request: Request, id: Id, query: Annotated[s.FilterQuery, Query()]):
    return _service(request).segment(id, _filters(query))


@v1.get(
    "/customers",
    response_model=s.FeatureCollection,
    tags=["places"],
    summary="Customers in a box, near a point, or nearest",
)
def customers(request: Request, query: Annotated[s.CustomersQuery, Query()]):
    return _service(request).customers(**query.model_dump())


@v1.get("/customers/{id}", response_model=s.Customer, tags=["places"], summary="One customer")
def customer(request: Request, id: Id, query: Annotated[s.SourceQuery, Query()]):
    return _service(request).customer(id, query.source)


@v1.get("/map/cells", response_model=s.Cells, tags=["places"], summary="Cells of the map, with hot spots")
def cells(request: Request, query: Annotated[s.CellsQuery, Query()]):
    return _service(request).cells(_filters(query), query.size, query.resolution, query.metric)


@v1.get("/reviews", response_model=s.Reviews, tags=["reviews"], summary="The reviews behind a figure, page by page")
def reviews(request: Request, query: Annotated[s.ReviewsQuery, Query()]):
    return _service(request).reviews(_filters(query), query.sort, query.limit, query.cursor)


@v1.get("/reports", response_model=s.Reports, tags=["reports"], summary="Reports made, and their files")
def reports(request: Request):
    return _service(request).reports()


@v1.get("/filters", response_model=s.FilterOptions, tags=["figures"], summary="What can be filtered by")
def filters(request: Request, query: Annotated[s.SourceQuery, Query()]):
    return _service(request).filters(query.source)


async def _unless_gone(receive: Receive, answer) -> list | dict:
    """Wait for `answer`, and drop it when the caller closes the connection."""
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
        return await work
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@v1.post(
    "/predict", response_model=s.Predictions, tags=["model"], summary="Negative or positive, and how much was read"
)
async def predict(request: Request, given: Annotated[s.PredictIn, Body()]):
    workers: Workers = request.app.state.workers
    texts = given.texts if given.texts is not None else [given.text]
    predictions = await _unless_gone(request.receive, workers.read(texts, given.max_error))
    request.app.state.metrics.predicted.inc(len(texts))
    return {"model": predictions[0]["model"], "predictions": predictions}


@v1.post("/explain", response_model=s.Explanation, tags=["model"], summary="Which words speak for it")
async def explain(request: Request, given: Annotated[s.ExplainIn, Body()]):
    workers: Workers = request.app.state.workers
    return await _unless_gone(request.receive, workers.call(_service(request).explain, given.text))
