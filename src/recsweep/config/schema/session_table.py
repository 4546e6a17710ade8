"""A plain table of sessions, in place of a log of events."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import later
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.tables import Table
from recsweep.config.schema.treatment import Treatment


class SessionTable(Table, NumberStyle):
    """A plain table: each row a session of its own, with what is known of it and how it ended."""

    label: str  # the column that says whether it ended in a purchase
    positive: Annotated[tuple[str, ...], Field(min_length=1)]  # its raw values that mean yes
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)  # raw values that mean "not known"
    treatment: Treatment | None = later(None)
    # Are rows that agree in every column the same session, or as many as there are?
    duplicates: Literal["drop", "keep"] = later("drop")

    @model_validator(mode="after")
    def _features_know_no_answer(self) -> Self:
        features = (*self.categorical, *self.numeric)
        if self.label in features:
            raise ValueError(f"the label {self.label!r} can't be a feature as well")
        for column in self.treatment.columns if self.treatment else ():
            if column in (self.label, *features):
                raise ValueError(f"{column!r} is of the treatment: it can't be anything else")
        return self
