"""Values of parameters, as YAML, JSON, Optuna and Parquet hold them alike."""

from collections.abc import Mapping
from typing import Any

Value = bool | int | float | str
Configuration = Mapping[str, Value]

RecordedConfiguration = Mapping[str, Value | tuple[Mapping[str, Any], ...]]
"""The same, or an ensemble's with its members."""
