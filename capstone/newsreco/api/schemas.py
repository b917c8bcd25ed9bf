"""What the API takes and gives; FastAPI validates it and writes the OpenAPI document from it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from newsreco.tracking.listing import ModelType, Status

# An id as in the data files: visible, without spaces or controls.
Id = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f-\x9f/]{1,80}$")]
# At least one character that is neither space, nor control, nor turns the direction of writing.
VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
Text = Annotated[str, StringConstraints(pattern=VISIBLE, max_length=300)]


def no_text(value: object) -> object:
    """A JSON number as it is; ValueError for a text or a truth value, which would be converted."""
    if isinstance(value, (str, bool)):
        raise ValueError("must be a number")
    return value


WHOLE = BeforeValidator(no_text)  # 3 and 3.0 are whole numbers of JSON
K = Annotated[int, Field(ge=1, le=100)]


class Body(BaseModel):
    """A request's body, without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class Health(BaseModel):
    status: Literal["ok", "failing"]
    model_version: str = Field(description="version in the registry, or the bundle's checksum")
    model_source: Literal["registry", "bundle"]
    embedder: str
    ranker: str
    articles: int = Field(description="number of articles that the model knows")
    assistant: Literal["extractive", "claude"]
    problem: str | None = Field(None, description="why a newer model is not served")


class Ready(BaseModel):
    ready: bool
    problem: str | None = None


class Recommended(BaseModel):
    id: str
    title: str
    abstract: str
    category: str
    score: float = Field(description="of the ranker; the logistic one gives log odds of a click")
    reason: str


class Recommendations(BaseModel):
    user_id: str
    cold_start: bool = Field(description="the user has no history yet")
    list_id: str = Field(description="to be sent with the events on this list")
    recommendations: list[Recommended]


class Article(BaseModel):
    id: str
    title: str
    abstract: str
    category: str
    subcategory: str
    url: str


class Found(BaseModel):
    id: str
    title: str
    abstract: str
    category: str
    score: float = Field(description="BM25 of the article's best passage")


class SearchResults(BaseModel):
    query: str
    results: list[Found]


class Question(Body):
    query: Annotated[str, StringConstraints(pattern=VISIBLE, max_length=1000)]
    k: Annotated[int, Field(ge=1, le=10, description="sources at most"), WHOLE] = 5


class Source(BaseModel):
    id: str
    title: str
    quote: str


class Answered(BaseModel):
    answer: str
    sources: list[Source]
    mode: Literal["extractive", "claude", "abstains"]
    confidence: float


class ArrivingArticle(Body):
    id: Id
    title: Text
    abstract: Annotated[str, StringConstraints(max_length=5_000)] = ""
    category: Annotated[str, StringConstraints(min_length=1, max_length=80)] = "news"
    subcategory: Annotated[str, StringConstraints(max_length=80)] = ""
    url: Annotated[str, StringConstraints(pattern=r"^(https?://\S*)?$", max_length=2_000)] = ""


class Feedback(Body):
    user_id: Id
    news_id: Id
    event: Literal["impression", "click", "like", "dismiss", "dwell"]
    event_id: Id | None = Field(None, description="sent again, it changes nothing")
    list_id: Id | None = None
    position: Annotated[int, Field(ge=0, le=99), WHOLE] | None = None
    dwell_ms: Annotated[int, Field(ge=0, le=86_400_000), WHOLE] | None = None


class Acknowledged(BaseModel):
    event_id: str
    stored: bool = Field(description="false if the event was known already")


class Session(BaseModel):
    user_id: str
    csrf_token: str = Field(description="to be sent as X-CSRF-Token with writes")
    demo: bool = Field(description="other users may be chosen")


class DemoUser(BaseModel):
    user_id: str
    clicks: int = Field(description="number of clicks that the model knows")


class DemoUsers(BaseModel):
    users: list[DemoUser]


class NewSession(Body):
    user_id: Id | None = Field(None, description="with --demo only: the user to be")


class UserData(BaseModel):
    user_id: str
    in_training_data: bool
    events: list[dict[str, Any]]
    lists: list[dict[str, Any]]


class Deleted(BaseModel):
    user_id: str
    rows: int


class Error(BaseModel):
    detail: str


class Run(BaseModel):
    run_id: str
    name: str
    model_type: ModelType
    status: Status
    started: str = Field(description="ISO 8601, UTC")
    seconds: float | None
    version: int | None = Field(description="in the registry")
    metrics: dict[str, float]
    parameters: dict[str, str]


class TaggedRun(Run):
    tags: dict[str, str]


class Point(BaseModel):
    step: int
    value: float


class Counts(BaseModel):
    total_runs: int
    counts_by_type: dict[str, int]
    counts_by_status: dict[str, int]
    latest_models: list[Run]
    mlflow_url: str | None


class SideBySide(BaseModel):
    runs: list[Run]
    metrics: dict[str, dict[str, float]]


class Comparison(Body):
    run_ids: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]],
        Field(min_length=1, max_length=10),
    ]


class Reply(BaseModel):
    success: bool
    count: int


class RunList(Reply):
    data: list[Run]


class OneRun(Reply):
    data: TaggedRun


class History(Reply):
    data: dict[str, list[Point]]


class Summary(Reply):
    data: Counts


class Compared(Reply):
    data: SideBySide
