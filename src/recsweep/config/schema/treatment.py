"""Who was treated and who was not."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import Schema


class Treatment(Schema):
    """Who was treated (was sent the e-mail, saw the offer) and who was not, by a column's values.

    A row with another value, or with none, is of no experiment.
    """

    column: str
    treated: Annotated[tuple[str, ...], Field(min_length=1)]  # raw values
    control: tuple[str, ...] = ()  # raw values; empty: every other one
    # The column of the probability of treatment, above 0 and below 1; None: the same for everybody.
    propensity: str | None = None

    @model_validator(mode="after")
    def _groups_differ(self) -> Self:
        if both := set(self.treated) & set(self.control):
            raise ValueError(f"{min(both)!r} is in treated and in control")
        return self

    @property
    def columns(self) -> list[str]:
        """The raw ones."""
        return [self.column, *([self.propensity] if self.propensity else [])]
