"""`folds`, `targets`, `text`: what is asked of the data."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from recsweep.config.schema.base import EventType, Fraction, PositiveInt, Schema, later


class Folds(Schema):
    """How the development period is cut; the sealed test is the last part of the clock.

    `stratified` is for a table of sessions, which has no clock, and for texts: folds and test are
    drawn at random, with the same share of each answer. `group` is for texts: no group is in two
    of them.
    """

    rule: Literal["time", "stratified", "group"] = "time"
    count: Annotated[int, Field(ge=1, le=20)] = 3
    validation: Fraction = 0.1  # share of all events in each fold's validation window
    test: Fraction = 0.2  # share of all events in the sealed test
    min_item_events: PositiveInt = 1  # counted before the fold's cut
    min_user_events: Annotated[int, Field(ge=2)] = 2  # for a learner to be trained on

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if not self.in_time:
            if self.count < 2:
                raise ValueError(f"{self.rule} folds need a count of 2 or more")
            if self.validation != type(self).model_fields["validation"].default:
                raise ValueError(f"{self.rule} folds share all rows: leave out folds.validation")
        elif self.count * self.validation + self.test >= 1:
            raise ValueError("count * validation + test must be below 1")
        return self

    @property
    def in_time(self) -> bool:
        """Does a fold train on what lies before its window? Otherwise on all that is outside."""
        return self.rule == "time"


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
