"""What goes in and what comes out, with examples. Names of fields are part of the contract `/v1`."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

MAX_TEXTS = 32
MAX_CHARACTERS = 10_000
NO_NUL = r"^[^\x00]*$"


def _blank(value: object) -> object:
    return None if value == "" else value


Word = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
OptionalWord = Annotated[Word | None, BeforeValidator(_blank)]
Day = Annotated[Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))] | None, BeforeValidator(_blank)]
Text = Annotated[str, StringConstraints(max_length=MAX_CHARACTERS, pattern=NO_NUL)]
Mark = Literal["negative", "positive", "unsure", "neutral"]
Reading = Literal["negative", "positive", "unsure"]
LabelName = Literal["negative", "neutral", "positive", "cannot tell"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NO_NUL)]
Reliability = Literal["ok", "wide", "hidden", "not_comparable", "none"]


# --- what goes in ---------------------------------------------------------------------------------------------------


class FilterQuery(BaseModel):
    """Filters every read takes. An unknown name is refused: a misspelt filter would show the wrong rows."""

    model_config = ConfigDict(extra="forbid")

    source: OptionalWord = Field(None, description="shop; default: the one loaded last", examples=["sample"])
    start: Day = Field(None, description="first day, ISO 8601", examples=["2026-10-19"])
    end: Day = Field(None, description="last day, included", examples=["2026-11-15"])
    segment: OptionalWord = Field(None, description="segment id", examples=["A"])
    region: OptionalWord = Field(None, description="region", examples=["Lisbon"])
    product: OptionalWord = Field(None, description="product id", examples=["kettle"])
    language: OptionalWord = Field(
        None, description="language of the text, ISO 639-1; und: too short to tell", examples=["pt"]
    )
    extra: OptionalWord = Field(
        None, description="column of the shop's own, and its value", examples=["state:delivered"]
    )
    sentiment: Annotated[Mark | None, BeforeValidator(_blank)] = Field(
        None,
        description="what the review counts as: its stars where it has any (neutral: three), else the model's reading",
    )
    theme: OptionalWord = Field(
        None,
        description="theme id: only reviews with a sentence about it; a share stays one of reviews",
        examples=["A"],
    )
    q: OptionalWord = Field(None, description="words in the title or text", examples=["late"])

    @model_validator(mode="after")
    def _forwards(self) -> "FilterQuery":
        if self.start and self.end and self.end < self.start:
            raise ValueError("end lies before start")
        return self


class SharesQuery(FilterQuery):
    by: Literal["overall", "segment", "region", "product", "month", "week"] = "overall"


class SourceQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: OptionalWord = Field(None, description="shop; default: the one loaded last")


class CellsQuery(FilterQuery):
    size: Literal["large", "medium", "small"] = Field("medium", description="size of the cells")
    resolution: int | None = Field(None, ge=1, le=8, description="H3 resolution; wins over `size`")
    metric: Literal["share", "difference"] = "share"


class ReviewsQuery(FilterQuery):
    sort: Literal["newest", "negative", "unsure", "longest"] = "newest"
    limit: int = Field(50, ge=1, le=200)
    cursor: OptionalWord = Field(None, description="`next_cursor` of the page before")
    cell: OptionalWord = Field(None, description="cell of a hot spot of the same filters: only its reviews")


class ProofQuery(FilterQuery):
    kind: Literal["overall", "region", "segment", "product", "theme"] = "overall"
    name: Word = Field("all", description="as the list of changes has it", examples=["Lisboa"])


class SpotQuery(FilterQuery):
    cell: Word = Field(description="of a hot spot of these filters", examples=["8639336afffffff"])


class CustomersQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: OptionalWord = Field(None, description="shop; default: the one loaded last")
    bbox: OptionalWord = Field(None, description="west,south,east,north in degrees", examples=["-9.5,38.4,-8.9,39.0"])
    near: OptionalWord = Field(None, description="lon,lat; with `radius_m`", examples=["-9.14,38.72"])
    radius_m: float | None = Field(None, gt=0, le=1_000_000, allow_inf_nan=False, description="metres round `near`")
    nearest: OptionalWord = Field(None, description="lon,lat; with `k`", examples=["-9.14,38.72"])
    k: int = Field(10, ge=1, le=500, description="customers nearest to `nearest`")
    segment: OptionalWord = Field(None, description="segment id")
    limit: int = Field(1000, ge=1, le=5000)


class PredictIn(BaseModel):
    """One text or up to 32."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "The kettle arrived late and the box was open."}]}
    )
    text: Text | None = None
    texts: Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)] | None = None
    max_error: float | None = Field(
        None, gt=0, lt=0.5, description="error allowed on answered texts; the rest has no label"
    )

    @model_validator(mode="after")
    def _one(self) -> "PredictIn":
        if (self.text is None) == (self.texts is None):
            raise ValueError("give either text or texts")
        return self

    def all_texts(self) -> list[str]:
        """The texts, however they were given."""
        return self.texts or [self.text or ""]


class JobQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    max_error: float | None = Field(None, gt=0, lt=0.5, description="error allowed on answered texts")
    webhook: str | None = Field(None, max_length=500, description="address that is told when the job has ended")


class ExplainIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Lovely kettle, but it came late."}]}
    )
    text: Text


class ReportIn(BaseModel):
    """A template and its parameters; those that are left out stay as the template has them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "weekly", "parameters": {"weeks": 8}}]}
    )
    name: Word = Field(description="as /v1/reports/templates lists it")
    parameters: dict[str, Any] = Field({}, description="by name; /v1/reports/templates has their JSON Schema")


class QueueQuery(BaseModel):
    """Filters of a label queue: those that a review does not move in and out of."""

    model_config = ConfigDict(extra="forbid")

    source: OptionalWord = Field(None, description="shop; default: the one loaded last")
    start: Day = Field(None, description="first day, ISO 8601")
    end: Day = Field(None, description="last day, included")
    region: OptionalWord = Field(None, description="region")
    product: OptionalWord = Field(None, description="product id")


class NextQuery(QueueQuery):
    n: int = Field(10, ge=1, le=100, description="reviews")


class LabelsQuery(SourceQuery):
    limit: int = Field(100, ge=1, le=1000, description="newest labels")


class UndoQuery(SourceQuery):
    review_id: Word = Field(description="whose label is taken back")
    by: Name = Field(description="who takes it back")


class LabelIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    review_id: Word
    label: LabelName = Field(description="what the text says; `cannot tell`: the prediction counts on")


class LabelsIn(BaseModel):
    """Labels of one person; a review has one label, the last one counts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"by": "Ana", "labels": [{"review_id": "R000001", "label": "negative"}]}]},
    )
    by: Name = Field(description="who says so")
    labels: Annotated[list[LabelIn], Field(min_length=1, max_length=100)]
    queue: QueueQuery = Field(QueueQuery(), description="filters of the queue that offered the reviews")
    from_queue: bool = Field(True, description="false: a person chose the reviews; their labels stand for no others")


class ThemeEditIn(BaseModel):
    """One change of a theme by a person."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"theme": "A", "by": "Ana", "name": "Delivery"}]}
    )
    theme: Word = Field(description="its id, as /v1/themes has it")
    by: Name = Field(description="who wants it")
    source: OptionalWord = Field(None, description="shop; default: the one loaded last")
    name: Name | None = Field(None, description="its new name")
    hide: Literal[True] | None = Field(None, description="its sentences count as something else")
    merge_into: Word | None = Field(None, description="the theme that gets its sentences")

    @model_validator(mode="after")
    def _one(self) -> "ThemeEditIn":
        if len(self.edit()) != 1:
            raise ValueError("give one of name, hide and merge_into")
        return self

    def edit(self) -> dict[str, Any]:
        """The change alone."""
        return self.model_dump(include={"name", "hide", "merge_into"}, exclude_none=True)


class UndoEditQuery(SourceQuery):
    edit_id: int = Field(ge=1, description="of /v1/theme-edits")
    by: Name = Field(description="who takes it back")


# --- what comes out -------------------------------------------------------------------------------------------------


class Out(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Problem(BaseModel):
    """RFC 9457. `type` is stable; a program branches on it."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[dict[str, str]] = []
    expected: str | None = Field(None, description="of a parameter of a report")
    found: str | None = Field(None, description="the kind of what was sent, never the value")
    next: str | None = Field(None, description="what the caller can do about it")


class BatchJob(Out):
    """A job of many texts. Its answers are kept for a week."""

    id: str
    status: Literal["waiting", "running", "done", "failed"]
    lines: int = Field(description="lines sent")
    done: int = Field(description="lines answered")
    error: str | None
    location: str
    result: str | None = Field(description="address of the answers; null until the job is done")


class Figure(Out):
    """A share of negative reviews with its range. Hidden: too few customers to be shown; every number is null."""

    value: float | None = Field(description="share: by stars; where there are none by predictions, corrected")
    low: float | None = Field(description="lower end of the 95 % range")
    high: float | None = Field(description="upper end of the 95 % range")
    n_reviews: int | None = Field(description="reviews that match: labelled, predicted, neutral, and those nobody read")
    n_customers: int | None
    n_unsure: int | None = Field(description="reviews without stars that the model left unsure; they lean")
    n_labelled: int | None = Field(description="reviews that count by their stars or by a label")
    n_by_hand: int | None = Field(description="of n_labelled: without stars, by what a person says of the text")
    n_predicted: int | None = Field(description="reviews without stars that count by the model's reading")
    n_neutral: int | None = Field(description="reviews with three stars; on neither side, not part of the share")
    neutral: float | None = Field(description="share of reviews with three stars, of those with stars")
    neutral_low: float | None = Field(description="lower end of its 95 % range")
    neutral_high: float | None = Field(description="upper end")
    counted: float | None = Field(description="share of the labelled and predicted reviews, before correction")
    reliability: Reliability
    reason: str | None = Field(description="why a share is `not_comparable`")
    corrected: bool = Field(description="predictions were corrected by labelled reviews the model was not trained on")
    evidence: str | None = Field(description="page address of the reviews behind the figure")


class Keyed(Figure):
    key: str | None
    name: str | None


class Week(Figure):
    week: date
    complete: bool


class Period(Out):
    start: date | None
    end: date | None
    previous_start: date | None
    previous_end: date | None


class Change(Out):
    mark: Literal["worse", "better", "none", "first", "not_comparable"]
    points: float | None
    low: float | None
    high: float | None
    sentence: str


class Proven(Out):
    mark: Literal["worse", "better", "event"]
    kind: str
    name: str
    sentence: str
    points: float | None
    low: float | None
    high: float | None
    q_value: float | None = Field(description="of the test, corrected for the number of measures; null: an event")
    n_customers: int | None
    n_reviews: int | None
    evidence: str | None


class NotComparable(Out):
    name: str
    reason: str


class Changes(Out):
    tested: int
    period: Period
    proven: list[Proven]
    not_comparable: list[NotComparable]
    sentence: str


class SegmentFigure(Figure):
    id: str
    name: str


class HotSpot(Figure):
    rank: int
    name: str
    cell: str = Field(description="H3 cell of the figure; `cell` of /v1/reviews and /v1/map/spot")
    sizes: list[Literal["large", "medium", "small"]] = Field(description="sizes of cells at which it is seen")
    lon: float
    lat: float


class Rows(Out):
    read: int
    loaded: int
    rejected: int
    duplicate: int


class Excluded(Out):
    rule: str
    rows: int


class ModelCard(Out):
    version: str
    accuracy: dict[str, Any] | None
    unsure_band: list[float] | None = Field(description="p_negative between which the model does not answer")
    replaced_by: str | None = Field(description="version a person put in its place; a run or close predicts anew")


class Overview(Out):
    shop: str | None
    data_to: date | None
    rows: Rows
    headline: Figure
    previous: Figure | None
    change: Change
    period: Period
    changes: Changes
    over_time: list[Week]
    segments: list[SegmentFigure]
    hotspots: list[HotSpot]
    model: ModelCard | None
    excluded: list[Excluded]


class Shares(Out):
    by: str
    items: list[Keyed]


class SegmentItem(Out):
    id: str
    name: str
    sentence: str
    size: int | None
    share: float | None
    stability: float | None
    share_negative: Figure


class Move(Out):
    """`n` is null where fewer customers moved than may be shown."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    from_: str | None = Field(alias="from")
    to: str | None
    n: int | None


class SegmentEvent(Out):
    kind: str
    segment_id: str | None
    sentence: str
    at: date | None


class Segments(Out):
    unit: Literal["customer", "review"] | None
    run_id: int | None
    since: date | None
    moved_share: float | None
    items: list[SegmentItem]
    migration: list[Move]
    events: list[SegmentEvent]
    evidence: list[dict[str, Any]]
    chosen_k: int | None


class ProfileRow(Out):
    feature: str
    label: str
    unit: str | None
    value: float | None
    all: float | None
    difference_sd: float | None


class Quote(Out):
    text: str
    lang: str | None = Field(description="language of the text, ISO 639-1; null: too short to tell")
    reviewed_at: date | None
    region: str | None
    review_id: str | None


class SegmentDetail(SegmentItem):
    profile: list[ProfileRow]
    words: list[str]
    quotes: list[Quote]
    over_time: list[Week]


class ThemeItem(Out):
    """One theme. Its share is that of what is said about it, as the model reads the sentences; nobody checked it."""

    id: str = Field(description="letter that lasts; `other`: sentences without a theme")
    name: str
    sentence: str
    words: list[str]
    origin: Literal["found", "codebook"] | None
    pinned: bool
    sentences: int | None = Field(description="about it; null: too few customers")
    share: float | None = Field(description="of all sentences")
    share_negative: Figure = Field(description="of its mentions: the sentences of one review about it count once")
    praise: list[Quote] = Field(description="typical sentences of all reviews of the shop, whatever the filters")
    complaint: list[Quote]


class ThemeEvent(Out):
    kind: Literal["birth", "split", "merge"]
    theme_id: str
    sentence: str


class Themes(Out):
    run_id: int | None
    since: date | None
    basis: str = Field(description="how the shares are counted")
    items: list[ThemeItem]
    events: list[ThemeEvent]


class ThemeDetail(ThemeItem):
    over_time: list[Week]
    by_segment: list[Keyed]
    by_region: list[Keyed]


class ThemeEdit(Out):
    edit_id: int
    theme: str | None
    sentence: str
    by: str
    at: str


class ThemeEdits(Out):
    items: list[ThemeEdit]


class ThemeEdited(Out):
    edit_id: int


class ThemeEditUndone(Out):
    undone: int = Field(description="1; 0: it was not in force")


class ChangeProof(Proven):
    tested: int = Field(description="measures tested together")
    n_proven: int = Field(description="of them")
    correction: str = Field(description="for the number of measures")
    before: Figure
    after: Figure
    account: str = Field(description="which groups hold the change; empty: none stands out")
    words: list[str] = Field(description="in negative reviews of more customers than before, proven")
    quotes_before: list[Quote]
    quotes_after: list[Quote]
    over_time: list[Week]


class SpotProof(HotSpot):
    overall: Figure = Field(description="of all reviews of the same filters")
    p_value: float | None = Field(description="of the place alone")
    q_value: float | None = Field(description="corrected for the number of cells")
    tested: int = Field(description="cells of the three sizes")
    correction: str = Field(description="for the number of cells")
    permutations: int
    seed: int
    words: list[str] = Field(description="in negative reviews of more customers than elsewhere, proven")
    quotes: list[Quote]
    over_time: list[Week]


class MarkedSentence(Out):
    part: Literal["title", "text"]
    start: int = Field(description="first character of it")
    stop: int = Field(description="last character + 1")


class SidedSentence(MarkedSentence):
    side: Literal["praise", "complaint"]


class ReviewItem(Out):
    review_id: str
    text: str
    title: str
    reviewed_at: str | None
    region: str | None
    segment: str | None
    rating: float | None
    product: str | None
    p_negative: float | None
    mark: Mark | None = Field(
        description="what it counts as in every share: its stars where it has any (neutral: three), else a person's "
        "label, else the model's reading; null: none of these"
    )
    predicted: Reading | None = Field(description="what the model reads, whatever the stars say; null: not scored")
    disagrees: bool = Field(description="stars and text point to different sides")
    labelled: LabelName | None = Field(description="what a person says of the text; null: nobody")
    tokens_read: int | None
    tokens_total: int | None
    lang: str | None = Field(description="language of the text, ISO 639-1; null: too short to tell")
    sentences: list[MarkedSentence] = Field(description="those about the theme that is filtered by; else empty")
    mixed: list[SidedSentence] = Field(
        description="its surest praise and its surest complaint, where the model is sure of both; else empty"
    )
    hidden: list[Literal["region", "segment", "product"]] = Field(
        description="null here because too few people share it, or to protect a group of few"
    )


class Counts(Out):
    """Reviews by what they count as: their stars, or the model's reading where there are none."""

    negative: int
    positive: int
    unsure: int = Field(description="without stars, and the model does not answer")
    neutral: int = Field(description="three stars")
    unread: int = Field(description="neither stars nor a prediction")


class Reviews(Out):
    items: list[ReviewItem]
    shown: int
    total: int | None = Field(description="null: the group is too small to be shown")
    total_exact: bool
    all: int
    next_cursor: str | None
    counts: Counts | None
    figure: Figure
    sentence: str


class LabelItem(Out):
    """A review to be labelled, without what the model reads and without its segment: they would lead the reader."""

    review_id: str
    title: str
    text: str
    reviewed_at: str | None
    region: str | None
    product: str | None
    lang: str | None = Field(description="language of the text, ISO 639-1; null: too short to tell")
    hidden: list[Literal["region", "product"]] = Field(
        description="null here because too few people share it, or to protect a group of few"
    )


class LabelQueue(Out):
    items: list[LabelItem] = Field(description="the next first; none where too few people match")
    waiting: int = Field(description="reviews of these filters that nobody has labelled")
    labels: dict[LabelName, int] = Field(description="reviews of the shop that have each label")
    figure: Figure


class LabelsSaved(Out):
    added: int
    replaced: int = Field(description="reviews that had another label")
    unchanged: int = Field(description="reviews that had this label")


class LabelUndone(Out):
    undone: int = Field(description="1, or 0 where there was no label")


class LabelRecord(Out):
    label_id: int
    review_id: str
    label: LabelName
    labelled_by: str
    labelled_at: str
    undone_at: str | None = Field(description="null: in force")
    undone_by: str | None
    queue: str | None = Field(description="filters of the queue that offered the review; null: a person chose it")


class Labels(Out):
    items: list[LabelRecord]


class SegmentName(Out):
    id: str
    name: str


class Customer(Out):
    id: str
    region: str | None
    country: str | None
    segment: SegmentName | None
    n_orders: int
    n_reviews: int
    amount: float | None
    first_seen: date | None
    reviews: list[ReviewItem]


class Feature(Out):
    type: Literal["Feature"]
    id: str | None = None
    geometry: dict[str, Any]
    properties: dict[str, Any]


class FeatureCollection(Out):
    type: Literal["FeatureCollection"]
    features: list[Feature]


class Cells(FeatureCollection):
    legend: dict[str, list[float]]
    hotspots: list[HotSpot]
    sentence: str
    sizes: dict[str, int]
    overall: Figure
    extent: list[float] | None


class Prediction(Out):
    label: Literal["negative", "positive"] | None = Field(
        description="null: unsure at the error asked for, or outside of what the model can read"
    )
    p_negative: float
    p_positive: float
    tokens_read: int
    tokens_total: int
    outside: str | None = Field(
        description="why the model must not speak of the text: no known word, language de, too short, too long, "
        "other subject; null: it may"
    )
    model: str


class Predictions(Out):
    model: str
    predictions: list[Prediction]


class Weight(Out):
    word: str
    start: int
    end: int
    weight: float = Field(description="above 0 speaks for positive, below 0 for negative")


class Explanation(Prediction):
    words: list[Weight]
    faithful: bool
    faithfulness: float | None
    completeness_error: float | None


class Report(Out):
    id: int
    name: str
    title: str
    period: str | None
    params: dict[str, Any]
    status: Literal["made", "nothing_new", "failed", "running"]
    n_changes: int | None
    started_at: str | None
    finished_at: str | None
    html: str | None
    size_bytes: int | None
    error: str | None


class Reports(Out):
    items: list[Report]


class ReportTemplate(Out):
    name: str
    title: str
    description: str
    parameters: dict[str, Any] = Field(description="JSON Schema of the parameters, draft 2020-12")
    error: str | None = Field(description="why this template cannot be made; null: it can")


class ReportTemplates(Out):
    items: list[ReportTemplate]


class ReportJob(Out):
    id: str
    name: str
    parameters: dict[str, Any] = Field(description="all of them, as they were understood")
    hash: str = Field(description="of template, notebook and parameters; the same through command line and Python")
    status: Literal["waiting", "running", "made", "nothing_new", "failed"]
    location: str = Field(description="address to ask again")
    title: str | None
    html: str | None = Field(description="address of the page, once it is made")
    error: str | None = Field(description="one line, where it failed")


class ProductOption(Out):
    id: str
    n: int


class Periods(Out):
    first: date | None
    last: date | None


class OwnColumn(Out):
    name: str
    values: list[str] = Field(description="those that enough customers share")


class LanguageOption(Out):
    id: str = Field(description="ISO 639-1; und: too short to tell")
    n: int = Field(description="reviews")


class FilterOptions(Out):
    regions: list[str]
    segments: list[SegmentName]
    themes: list[SegmentName]
    products: list[ProductOption]
    languages: list[LanguageOption] = Field(description="languages that enough people write in; filter: language=id")
    sources: list[str]
    periods: Periods
    extra: list[OwnColumn] = Field(description="columns of the shop's own; filter: extra=name:value")


class Health(Out):
    status: Literal["ok"]


class Ready(Out):
    ready: bool
    database: str
    schema_: str = Field(alias="schema")
    model: str
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
