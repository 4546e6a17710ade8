"""How the numbers of a table are written."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import Schema, later

Word = Annotated[str, Field(min_length=1)]


class NumberStyle(Schema):
    """`¥1,299.00`, `1.299,00 €`, `1.2万` or `免费`: numbers that programs write otherwise."""

    decimal: Literal[".", ","] = later(".")
    thousands: Literal[",", ".", " ", "'"] | None = later(None)  # groups of three; " ": any space
    currency: tuple[Word, ...] = later(())  # signs that may stand before or after a number
    units: Mapping[Word, float] = later({})  # what may stand after a number -> its factor
    zero: tuple[Word, ...] = later(())  # raw values that mean 0

    @model_validator(mode="after")
    def _two_signs(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands can't both be {self.decimal!r}")
        return self

    @property
    def plain(self) -> bool:
        """Are numbers written as programs write them?"""
        return self.model_dump(include=set(NumberStyle.model_fields)) == {}
