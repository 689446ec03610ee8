"""The routes of `/v1`. Each one asks the service and returns what it says; nothing is computed here."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any, TypeVar, TypeVarTuple

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse
from starlette.types import Receive

from smart_customer_analysis.schema import NotFound
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.translate import answer_in
from smart_customer_analysis.words import Words

from . import schemas as s
from .batches import Batches
from .errors import Gone
from .jobs import Job, Jobs
from .middleware import Metrics
from .workers import Workers

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
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


def _queue(query: s.QueueQuery) -> Filters:
    return Filters(**{name: getattr(query, name) for name in s.QueueQuery.model_fields})


def caller_of(request: Request) -> str:
    """Who asks: the key, else the connection, since without keys all come from this machine."""
    return request.scope.get("caller") or (f"{request.client.host}:{request.client.port}" if request.client else "")


class GeoJSON(JSONResponse):
    """RFC 7946."""

    media_type = "application/geo+json"


class Asker:
    """Asks the service on a thread for reads, checks and writes the answer there; drops it when the caller leaves.

    Answers are kept in English; their sentences are written in the language of the caller on the way out.
    """

    def __init__(self, request: Request) -> None:
        self.receive, self.readers = request.receive, request.app.state.readers
        self.words = Words(request.scope.get("language", "en"))

    async def __call__(
        self,
        schema: type[BaseModel],
        question: Callable[[*Arguments], object],
        *arguments: *Arguments,
        kind: str = "application/json",
    ) -> Response:
        def answer() -> bytes:
            translated = answer_in(question(*arguments), self.words)
            return schema.model_validate(translated).model_dump_json(by_alias=True).encode()

        return Response(await _unless_gone(self.receive, self.readers.run(answer)), media_type=kind)


async def _asker(request: Request) -> Asker:
    return Asker(request)


Ask = Annotated[Asker, Depends(_asker)]
Filtered = Annotated[s.FilterQuery, Query()]


@v1.get(
    "/overview", tags=["figures"], response_model=s.Overview, summary="Headline, changes, weeks, segments, hot spots"
)
async def overview(ask: Ask, service: ServiceOf, query: Filtered) -> Response:
    return await ask(s.Overview, service.overview, _filters(query))


@v1.get("/shares", tags=["figures"], response_model=s.Shares, summary="Share of negative reviews, by group")
async def shares(ask: Ask, service: ServiceOf, query: Annotated[s.SharesQuery, Query()]) -> Response:
    return await ask(s.Shares, service.shares, _filters(query), query.by)


@v1.get(
    "/changes",
    tags=["figures"],
    response_model=s.Changes,
    summary="What changed beyond chance, against the period before",
)
async def changes(ask: Ask, service: ServiceOf, query: Filtered) -> Response:
    return await ask(s.Changes, service.changes, _filters(query))


@v1.get(
    "/changes/proof", tags=["figures"], response_model=s.ChangeProof, summary="What stands behind one proven change"
)
async def change_proof(ask: Ask, service: ServiceOf, query: Annotated[s.ProofQuery, Query()]) -> Response:
    return await ask(s.ChangeProof, service.change_proof, _filters(query), query.kind, query.name)


@v1.get("/segments", tags=["segments"], response_model=s.Segments, summary="Segments of the last run, and who moved")
async def segments(ask: Ask, service: ServiceOf, query: Filtered) -> Response:
    return await ask(s.Segments, service.segments, _filters(query))


@v1.get(
    "/segments/{id}", tags=["segments"], response_model=s.SegmentDetail, summary="One segment: profile, words, quotes"
)
async def segment(ask: Ask, service: ServiceOf, id: Id, query: Filtered) -> Response:
    return await ask(s.SegmentDetail, service.segment, id, _filters(query))


@v1.get("/themes", tags=["themes"], response_model=s.Themes, summary="What customers speak of, and how negative it is")
async def themes(ask: Ask, service: ServiceOf, query: Filtered) -> Response:
    return await ask(s.Themes, service.themes, _filters(query))


@v1.get(
    "/themes/{id}", tags=["themes"], response_model=s.ThemeDetail, summary="One theme: its weeks, who says it where"
)
async def theme(ask: Ask, service: ServiceOf, id: Id, query: Filtered) -> Response:
    return await ask(s.ThemeDetail, service.theme, id, _filters(query))


@v1.get(
    "/customers",
    tags=["places"],
    response_model=s.FeatureCollection,
    response_class=GeoJSON,
    summary="Customers in a box, near a point, or nearest",
)
async def customers(ask: Ask, service: ServiceOf, query: Annotated[s.CustomersQuery, Query()]) -> Response:
    question = partial(service.customers, **query.model_dump())
    return await ask(s.FeatureCollection, question, kind=GeoJSON.media_type)


@v1.get("/customers/{id}", tags=["places"], response_model=s.Customer, summary="One customer")
async def customer(ask: Ask, service: ServiceOf, id: Id, query: Annotated[s.SourceQuery, Query()]) -> Response:
    return await ask(s.Customer, service.customer, id, query.source)


@v1.get(
    "/map/cells",
    tags=["places"],
    response_model=s.Cells,
    response_class=GeoJSON,
    summary="Cells of the map, with hot spots",
)
async def cells(ask: Ask, service: ServiceOf, query: Annotated[s.CellsQuery, Query()]) -> Response:
    arguments = (_filters(query), query.size, query.resolution, query.metric)
    return await ask(s.Cells, service.cells, *arguments, kind=GeoJSON.media_type)


@v1.get(
    "/map/outlines",
    tags=["places"],
    response_model=s.FeatureCollection,
    response_class=GeoJSON,
    summary="Countries, and regions drawn round the customers",
)
async def outlines(ask: Ask, service: ServiceOf, query: Annotated[s.SourceQuery, Query()]) -> Response:
    return await ask(s.FeatureCollection, service.outlines, query.source, kind=GeoJSON.media_type)


@v1.get("/map/spot", tags=["places"], response_model=s.SpotProof, summary="What stands behind one hot spot")
async def spot(ask: Ask, service: ServiceOf, query: Annotated[s.SpotQuery, Query()]) -> Response:
    return await ask(s.SpotProof, service.spot_proof, _filters(query), query.cell)


@v1.get("/reviews", tags=["reviews"], response_model=s.Reviews, summary="The reviews behind a figure, page by page")
async def reviews(ask: Ask, service: ServiceOf, query: Annotated[s.ReviewsQuery, Query()]) -> Response:
    arguments = (_filters(query), query.sort, query.limit, query.cursor, query.cell)
    return await ask(s.Reviews, service.reviews, *arguments)


@v1.get("/reports", tags=["reports"], response_model=s.Reports, summary="Reports made, and their files")
async def reports(ask: Ask, service: ServiceOf) -> Response:
    return await ask(s.Reports, service.reports)


@v1.get(
    "/reports/templates",
    tags=["reports"],
    response_model=s.ReportTemplates,
    summary="Reports that can be made, and what may be asked of them",
)
async def report_templates(ask: Ask, service: ServiceOf) -> Response:
    return await ask(s.ReportTemplates, service.templates)


def _job(job: Job) -> s.ReportJob:
    request = job.request
    shown = {name: getattr(job, name) for name in ("id", "status", "title", "html", "error")}
    more = {"name": request["name"], "parameters": request["parameters"], "hash": request["hash"]}
    return s.ReportJob.model_validate(shown | more | {"location": f"/v1/reports/{job.id}"})


@v1.post("/reports", tags=["reports"], status_code=202, summary="Make a report in the background")
async def make_report(
    request: Request, response: Response, service: ServiceOf, jobs: JobsOf, body: Annotated[s.ReportIn, Body()]
) -> s.ReportJob:
    """Everything asked is checked before anything starts. The same request on the same data is the same job.

    This runs a notebook. As long as the server listens on this machine alone, whoever may use the machine may ask;
    once there are keys, this address needs one.
    """
    checked = await request.app.state.readers.run(service.request_report, body.name, body.parameters)
    job = await asyncio.to_thread(jobs.ask, checked)
    response.headers["Location"] = f"/v1/reports/{job.id}"
    return _job(job)


@v1.get("/reports/{id}", tags=["reports"], summary="How far a report is that was asked for")
async def report_job(jobs: JobsOf, id: Id) -> s.ReportJob:
    job = jobs.get(id)
    if job is None:
        raise NotFound("a report that was asked for since the server started", "none of that id", "see /v1/reports")
    return _job(job)


@v1.get("/filters", tags=["figures"], response_model=s.FilterOptions, summary="What can be filtered by")
async def filters(ask: Ask, service: ServiceOf, query: Annotated[s.SourceQuery, Query()]) -> Response:
    return await ask(s.FilterOptions, service.filters, query.source)


@v1.get("/theme-edits", tags=["themes"], response_model=s.ThemeEdits, summary="What people changed of the themes")
async def theme_edits(ask: Ask, service: ServiceOf, query: Annotated[s.SourceQuery, Query()]) -> Response:
    return await ask(s.ThemeEdits, service.theme_edits, query.source)


@v1.post("/theme-edits", tags=["themes"], response_model=s.ThemeEdited, summary="Rename, hide or join a theme")
async def edit_theme(ask: Ask, service: ServiceOf, body: Annotated[s.ThemeEditIn, Body()]) -> Response:
    """Names and shares change at the next question, and the next run of the themes keeps the change."""
    return await ask(s.ThemeEdited, service.edit_theme, body.theme, body.edit(), body.by, body.source)


@v1.delete("/theme-edits", tags=["themes"], response_model=s.ThemeEditUndone, summary="Take a change of a theme back")
async def undo_theme_edit(ask: Ask, service: ServiceOf, query: Annotated[s.UndoEditQuery, Query()]) -> Response:
    """Names and sentences are as if it had never been; who did what stays recorded."""
    return await ask(s.ThemeEditUndone, service.undo_theme_edit, query.edit_id, query.by, query.source)


@v1.get("/labels/next", tags=["labels"], response_model=s.LabelQueue, summary="Which reviews to label next")
async def next_labels(ask: Ask, service: ServiceOf, query: Annotated[s.NextQuery, Query()]) -> Response:
    """In the order that narrows the range of these filters most."""
    return await ask(s.LabelQueue, service.label_queue, _queue(query), query.n)


@v1.get("/labels", tags=["labels"], response_model=s.Labels, summary="Who labelled what, and what was taken back")
async def labels(ask: Ask, service: ServiceOf, query: Annotated[s.LabelsQuery, Query()]) -> Response:
    return await ask(s.Labels, service.labels, query.source, query.limit)


@v1.post("/labels", tags=["labels"], response_model=s.LabelsSaved, summary="Say what the texts of reviews say")
async def add_labels(ask: Ask, service: ServiceOf, body: Annotated[s.LabelsIn, Body()]) -> Response:
    """All or none; the same again changes nothing. The shares change at the next question."""
    labels = {label.review_id: label.label for label in body.labels}
    return await ask(s.LabelsSaved, service.add_labels, labels, body.by, _queue(body.queue), body.from_queue)


@v1.delete("/labels", tags=["labels"], response_model=s.LabelUndone, summary="Take a label back")
async def undo_label(ask: Ask, service: ServiceOf, query: Annotated[s.UndoQuery, Query()]) -> Response:
    """The review has no label after that, and the history keeps the one it had."""
    return await ask(s.LabelUndone, service.undo_label, query.review_id, query.by, query.source)


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
    predictions = await _unless_gone(request.receive, workers.read(texts, body.max_error, caller_of(request)))
    metrics.predicted.inc(len(texts))
    return s.Predictions.model_validate({"model": predictions[0]["model"], "predictions": predictions})


@v1.post("/explain", tags=["model"], summary="Which words speak for it")
async def explain(request: Request, service: ServiceOf, body: Annotated[s.ExplainIn, Body()]) -> s.Explanation:
    explanation = await _unless_gone(request.receive, request.app.state.explainer.run(service.explain, body.text))
    return s.Explanation.model_validate(explanation)


async def _batches(request: Request) -> Batches:
    return request.app.state.batches


BatchesOf = Annotated[Batches, Depends(_batches)]
IdempotencyKey = Annotated[str, Header(max_length=200, pattern=r"^[ -~]*$", description="a repeat is the same job")]
NDJSON = "application/x-ndjson"
LINES = {"content": {NDJSON: {"schema": {"type": "string", "example": '{"id": "r1", "text": "It came late."}'}}}}


def _batch(job: dict[str, Any]) -> s.BatchJob:
    shown = {name: job[name] for name in ("id", "status", "lines", "done", "error")}
    result = f"/v1/jobs/{job['id']}/result" if job["status"] == "done" else None
    return s.BatchJob.model_validate(shown | {"location": f"/v1/jobs/{job['id']}", "result": result})


@v1.post(
    "/jobs",
    tags=["jobs"],
    status_code=202,
    summary="Predict many texts in the background",
    openapi_extra={"requestBody": {"required": True, **LINES}},
)
async def make_job(
    request: Request,
    response: Response,
    batches: BatchesOf,
    query: Annotated[s.JobQuery, Query()],
    idempotency_key: IdempotencyKey = "",
) -> s.BatchJob:
    """One line of JSON for each text. The job goes on after a restart, and no text is read twice.

    With an `Idempotency-Key` a repeated request is the same job.
    """
    owner = request.scope.get("caller", "")
    try:
        job = await batches.take(request.stream(), owner, idempotency_key, query.max_error, query.webhook)
    except ClientDisconnect:
        raise Gone from None
    response.headers["Location"] = f"/v1/jobs/{job['id']}"
    return _batch(job)


@v1.get("/jobs/{id}", tags=["jobs"], summary="How far a job is")
async def job_state(request: Request, batches: BatchesOf, id: Id) -> s.BatchJob:
    return _batch(await asyncio.to_thread(batches.get, id, request.scope.get("caller", "")))


@v1.get(
    "/jobs/{id}/result",
    tags=["jobs"],
    response_class=Response,
    summary="The answers of a job that is done",
    responses={200: {"description": "One line for each line sent, in the same order", **LINES}},
)
async def job_result(request: Request, batches: BatchesOf, id: Id) -> Response:
    path = await asyncio.to_thread(batches.result, id, request.scope.get("caller", ""))
    return FileResponse(path, media_type=NDJSON, filename=f"{id}.ndjson")


@v1.delete("/jobs/{id}", tags=["jobs"], status_code=204, summary="Stop a job and forget it")
async def drop_job(request: Request, batches: BatchesOf, id: Id) -> None:
    await asyncio.to_thread(batches.drop, id, request.scope.get("caller", ""))
