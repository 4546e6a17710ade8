"""`folds`, `targets`, `text`: what is asked of the data."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from recsweep.config.schema.base import EventType, Fraction, PositiveInt, Schema, later

FoldRule = Literal["time", "sessions", "leave_one_out", "learners", "stratified", "group"]


class Folds(Schema):
    """How the development period is cut; the sealed test is the last part of the clock.

    `sessions` cuts the clock as `time` does, and no session with it. The others don't respect time:
    `leave_one_out` seals each learner's last moment and scores the one before, each learner's in
    one fold; `learners` draws whole learners at random; `stratified`, for a table of sessions,
    draws rows, with the same share of purchases in each part, and for texts likewise, of each
    label; `group`, for texts, draws whole groups.
    """

    rule: FoldRule = "time"
    count: Annotated[int, Field(ge=1, le=20)] = 3
    validation: Fraction = 0.1  # share of all events in each fold's validation window
    test: Fraction = 0.2  # share of all events in the sealed test
    min_item_events: PositiveInt = 1  # counted before the fold's cut
    min_user_events: Annotated[int, Field(ge=2)] = 2  # for a learner to be trained on

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.in_time:
            if self.count * self.validation + self.test >= 1:
                raise ValueError("count * validation + test must be below 1")
            return self
        unused = ("validation", "test") if self.rule == "leave_one_out" else ("validation",)
        for key in unused:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{self.rule} folds have no folds.{key}: leave it out")
        if self.rule != "leave_one_out" and self.count < 2:
            raise ValueError(f"{self.rule} folds need a count of 2 or more")
        return self

    @property
    def in_time(self) -> bool:
        """Does a fold train on what lies before its window? Otherwise on all that is outside."""
        return self.rule in ("time", "sessions")


class Targets(Schema):
    """Which events of a window are to be predicted, and what they are ranked against."""

    which: Literal["all", "last", "first"] = "all"
    types: tuple[EventType, ...] = get_args(EventType)
    seen: Literal["drop", "keep"] = "drop"  # are courses of the history still candidates?
    # Events that make a course seen; absent: those of `types`, so that who only looked may buy.
    seen_types: tuple[EventType, ...] | None = None
    # exclude: no wrong answer to each other; compete: each is ranked against the others
    same_instant: Literal["exclude", "compete"] = "exclude"
    # known: courses with events before the cut; catalogue: those that the table knows by then, too
    candidates: Literal["known", "catalogue"] = later("known")


class Text(Schema):
    """How columns of text become numbers."""

    method: Literal["tfidf", "embeddings"] = "tfidf"
    size: Annotated[int, Field(ge=1, le=512)] = 32  # numbers a column
    language: Literal["auto", "zh", "other"] = "auto"  # zh: Han characters are cut into words
    model: str | None = None  # a local folder with a sentence-transformers model

    @model_validator(mode="after")
    def _model_with_embeddings(self) -> Self:
        if (self.method == "embeddings") != (self.model is not None):
            raise ValueError("method embeddings needs model, a local folder; tfidf has none")
        return self
