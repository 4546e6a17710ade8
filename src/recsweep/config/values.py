"""Values of parameters, as YAML, JSON, Optuna and Parquet hold them alike."""

from collections.abc import Mapping

Value = bool | int | float | str
Configuration = Mapping[str, Value]
