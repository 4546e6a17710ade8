"""What a client sends and gets. Sizes are bounded, and nothing unknown is let through."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Tag, WithJsonSchema

from recsweep.config.schema import EventType
from recsweep.data.clock import microseconds

MOST_EVENTS, MOST_COURSES, MOST_LISTED, LONGEST_ID = 2000, 1000, 100, 256
LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
YEARS = "^(19[7-9]|2[01][0-9])[0-9]-"


def _a_number(count: object) -> object:
    """pydantic would also take digits in quotes, and true."""
    if isinstance(count, str | bool):
        raise ValueError("expected a number")
    return count


def _text(moment: object) -> object:
    """pydantic would also take a number, digits in quotes, and true."""
    if not isinstance(moment, str) or not re.match(YEARS, moment):
        raise ValueError(
            "expected ISO 8601 from 1970 to 2199, or seconds since 1970 as a number without quotes"
        )
    return moment


Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
# A history has many moments, so nothing of Python's is called for a number.
Seconds = Annotated[float, Field(strict=True, ge=0, lt=LATEST), Tag("seconds")]
Written = Annotated[datetime, BeforeValidator(_text), Tag("ISO 8601")]
Time = Annotated[
    Seconds | Written,
    Field(union_mode="left_to_right"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time", "pattern": YEARS},
                {"type": "number", "minimum": 0, "exclusiveMaximum": LATEST},
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

    @property
    def microseconds(self) -> int:
        """Since 1970 UTC."""
        time = self.time
        return microseconds(time) if isinstance(time, datetime) else round(time * 1_000_000)


class HistoryIn(Message):
    """A learner, and what the learner did. The events needn't be in order."""

    learner: Id
    events: Annotated[tuple[EventIn, ...], Field(max_length=MOST_EVENTS)]


class RecommendIn(HistoryIn):
    """Ask for a list."""

    k: Annotated[int, Field(ge=1, le=MOST_LISTED), BeforeValidator(_a_number)] = 10
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
