"""Values of parameters, as YAML, JSON, Optuna and Parquet hold them alike."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

Value = bool | int | float | str
Configuration = Mapping[str, Value]

RecordedConfiguration = Mapping[str, Value | tuple[Mapping[str, Any], ...]]
"""The same, or an ensemble's with its members."""


def _as_text(raw: Any) -> Any:
    return json.dumps(raw) if isinstance(raw, list) else raw


def _from_text(raw: Any) -> Any:
    return json.loads(raw) if isinstance(raw, str) else raw


OneValue = Annotated[Value, BeforeValidator(_as_text)]
"""As a space declares it: a list is one value, its text as JSON has it."""

Sizes = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), BeforeValidator(_from_text)
]
"""A family's setting that is such a list: the sizes of layers."""
