"""The routes of `/v1`. Each one asks the service and returns what it says; nothing is computed here."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from starlette.types import Receive

from smart_customer_analysis.schema import NotFound
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.filters import Filters

from . import schemas as s
from .errors import Gone
from .jobs import Job, Jobs
from .middleware import Metrics
from .workers import Workers

T = TypeVar("T")
v1 = APIRouter(prefix="/v1")
Id = Annotated[str, Path(max_length=200, pattern=s.NO_NUL)]


async def _service(request: Request) -> Service:
    return request.app.state.service


async def _workers(request: Request) -> Workers:
    return request.app.state.workers


async def _jobs(request: Request) -> Jobs:
    return request.app.state.jobs


async def _metrics(request: Request) -> Metrics:
    return request.app.state.metrics


ServiceOf = Annotated[Service, Depends(_service)]  # what `create_app` put into the app's state
WorkersOf = Annotated[Workers, Depends(_workers)]
JobsOf = Annotated[Jobs, Depends(_jobs)]
MetricsOf = Annotated[Metrics, Depends(_metrics)]


def _filters(query: s.FilterQuery) -> Filters:
    return Filters(**{name: getattr(query, name) for name in s.FilterQuery.model_fields})


@v1.get("/overview", tags=["figures"], summary="Headline, changes, weeks, segments, hot spots")
def overview(service: ServiceOf, query: Annotated[s.FilterQuery, Query()]) -> s.Overview:
    return s.Overview.model_validate(service.overview(_filters(query)))


@v1.get("/shares", tags=["figures"], summary="Share of negative reviews, by group")
def shares(service: ServiceOf, query: Annotated[s.SharesQuery, Query()]) -> s.Shares:
    return s.Shares.model_validate(service.shares(_filters(query), query.by))


@v1.get("/changes", tags=["figures"], summary="What changed beyond chance, against the period before")
def changes(service: ServiceOf, query: Annotated[s.FilterQuery, Query()]) -> s.Changes:
    return s.Changes.model_validate(service.changes(_filters(query)))


@v1.get("/segments", tags=["segments"], summary="Segments of the last run, and who moved")
def segments(service: ServiceOf, query: Annotated[s.FilterQuery, Query()]) -> s.Segments:
    return s.Segments.model_validate(service.segments(_filters(query)))


@v1.get("/segments/{id}", tags=["segments"], summary="One segment: profile, words, quotes")
def segment(service: ServiceOf, id: Id, query: Annotated[s.FilterQuery, Query()]) -> s.SegmentDetail:
    return s.SegmentDetail.model_validate(service.segment(id, _filters(query)))


@v1.get("/customers", tags=["places"], summary="Customers in a box, near a point, or nearest")
def customers(service: ServiceOf, query: Annotated[s.CustomersQuery, Query()]) -> s.FeatureCollection:
    return s.FeatureCollection.model_validate(service.customers(**query.model_dump()))


@v1.get("/customers/{id}", tags=["places"], summary="One customer")
def customer(service: ServiceOf, id: Id, query: Annotated[s.SourceQuery, Query()]) -> s.Customer:
    return s.Customer.model_validate(service.customer(id, query.source))


@v1.get("/map/cells", tags=["places"], summary="Cells of the map, with hot spots")
def cells(service: ServiceOf, query: Annotated[s.CellsQuery, Query()]) -> s.Cells:
    return s.Cells.model_validate(service.cells(_filters(query), query.size, query.resolution, query.metric))


@v1.get("/reviews", tags=["reviews"], summary="The reviews behind a figure, page by page")
def reviews(service: ServiceOf, query: Annotated[s.ReviewsQuery, Query()]) -> s.Reviews:
    return s.Reviews.model_validate(service.reviews(_filters(query), query.sort, query.limit, query.cursor))


@v1.get("/reports", tags=["reports"], summary="Reports made, and their files")
def reports(service: ServiceOf) -> s.Reports:
    return s.Reports.model_validate(service.reports())


@v1.get("/reports/templates", tags=["reports"], summary="Reports that can be made, and what may be asked of them")
def report_templates(service: ServiceOf) -> s.ReportTemplates:
    return s.ReportTemplates.model_validate(service.templates())


def _job(job: Job) -> s.ReportJob:
    asked = job.request
    shown = {name: getattr(job, name) for name in ("id", "status", "title", "html", "error")}
    more = {"name": asked["name"], "parameters": asked["parameters"], "hash": asked["hash"]}
    return s.ReportJob.model_validate(shown | more | {"location": f"/v1/reports/{job.id}"})


@v1.post("/reports", tags=["reports"], status_code=202, summary="Make a report in the background")
def make_report(
    response: Response, service: ServiceOf, jobs: JobsOf, body: Annotated[s.ReportIn, Body()]
) -> s.ReportJob:
    """Everything asked is checked before anything starts. The same request on the same data is the same job.

    This runs a notebook. As long as the server listens on this machine alone, whoever may use the machine may ask;
    once there are keys, this address needs one.
    """
    job = jobs.ask(service.request_report(body.name, body.parameters))
    response.headers["Location"] = f"/v1/reports/{job.id}"
    return _job(job)


@v1.get("/reports/{id}", tags=["reports"], summary="How far a report is that was asked for")
def report_job(jobs: JobsOf, id: Id) -> s.ReportJob:
    job = jobs.get(id)
    if job is None:
        raise NotFound("a report that was asked for since the server started", "none of that id", "see /v1/reports")
    return _job(job)


@v1.get("/filters", tags=["figures"], summary="What can be filtered by")
def filters(service: ServiceOf, query: Annotated[s.SourceQuery, Query()]) -> s.FilterOptions:
    return s.FilterOptions.model_validate(service.filters(query.source))


async def _unless_gone(receive: Receive, answer: Coroutine[Any, Any, T]) -> T:
    """Wait for `answer`, and drop it when the caller closes the connection."""
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
            raise Gone
        return await work
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@v1.post("/predict", tags=["model"], summary="Negative or positive, and how much was read")
async def predict(
    request: Request, workers: WorkersOf, metrics: MetricsOf, body: Annotated[s.PredictIn, Body()]
) -> s.Predictions:
    texts = body.all_texts()
    predictions = await _unless_gone(request.receive, workers.read(texts, body.max_error))
    metrics.predicted.inc(len(texts))
    return s.Predictions.model_validate({"model": predictions[0]["model"], "predictions": predictions})


@v1.post("/explain", tags=["model"], summary="Which words speak for it")
async def explain(
    request: Request, service: ServiceOf, workers: WorkersOf, body: Annotated[s.ExplainIn, Body()]
) -> s.Explanation:
    explanation = await _unless_gone(request.receive, workers.call(service.explain, body.text))
    return s.Explanation.model_validate(explanation)
