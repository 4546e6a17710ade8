"""What a client sends and gets. Sizes are bounded, and nothing unknown is let through."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from recsweep.config.schema import EventType

MOST_EVENTS, MOST_COURSES, MOST_LISTED, LONGEST_ID = 2000, 1000, 100, 256
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _writable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is no text that UTF-8 can hold") from None
    return text


def _a_number(count: object) -> object:
    """pydantic would also take digits in quotes, and true."""
    if isinstance(count, str | bool):
        raise ValueError("expected a number")
    return count


def _text_or_seconds(moment: object) -> object:
    """pydantic would also take milliseconds, digits in quotes, and true."""
    if isinstance(moment, str) and moment[4:5] != "-":
        raise ValueError("expected ISO 8601, or seconds since 1970 as a number without quotes")
    if isinstance(moment, int | float) and (
        isinstance(moment, bool) or not 0 <= moment < LATEST.timestamp()
    ):
        raise ValueError("expected seconds since 1970, up to 2199")
    return moment


def _in_range(moment: datetime) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not EARLIEST <= aware < LATEST:
        raise ValueError("expected a time from 1970 to 2199")
    return aware


Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(_writable)]
Time = Annotated[
    datetime,
    BeforeValidator(_text_or_seconds),
    AfterValidator(_in_range),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "number", "minimum": 0, "exclusiveMaximum": LATEST.timestamp()},
            ]
        }
    ),
]


class Message(BaseModel):
    """Closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EventIn(Message):
    """An event of a history."""

    course: Id
    time: Time  # ISO 8601, or seconds since 1970 UTC; one without a zone is UTC
    type: EventType | None = None  # None: that of every event, or else browse


class HistoryIn(Message):
    """A learner, and what the learner did. The events needn't be in order."""

    learner: Id
    events: Annotated[tuple[EventIn, ...], Field(max_length=MOST_EVENTS)]


class RecommendIn(HistoryIn):
    """Ask for a list."""

    k: Annotated[int, BeforeValidator(_a_number), Field(ge=1, le=MOST_LISTED)] = 10
    allow: Annotated[tuple[Id, ...], Field(max_length=MOST_COURSES)] | None = None


class PurchaseIn(HistoryIn):
    """Ask how likely a look at each course now ends in buying it."""

    courses: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST_COURSES)]


class CourseOut(Message):
    """A recommended course."""

    course: str
    title: str | None
    score: float | None  # None: by popularity


class RecommendOut(Message):
    """A list, best first."""

    model: str
    learner: str
    basis: str  # model, or popularity
    courses: tuple[CourseOut, ...]


class ProbabilityOut(Message):
    """Of one course."""

    course: str
    probability: float | None  # None: the learner has bought it, or the model doesn't know it


class PurchaseOut(Message):
    """In the order of the request's courses."""

    model: str
    learner: str
    courses: tuple[ProbabilityOut, ...]


class ModelOut(Message):
    """A bundle that is served."""

    model: str
    task: str
    family: str
    study: str
    courses: int
    fitted_until: str
    share: float  # of the learners that it answers, among the bundles of its task
