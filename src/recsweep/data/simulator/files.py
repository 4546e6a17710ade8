"""A simulated log on disk, with an experiment that reads it; every file says it is synthetic."""

import json
import secrets
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow.parquet as pq
import yaml

from recsweep.data.simulator.simulate import EVENTS, SimulatedLog
from recsweep.errors import BadInput

EXPERIMENT = "experiment.yaml"
NOTE = "# SYNTHETIC data from recsweep's simulator: no real learners, no real courses.\n"
TRUTH = "SYNTHETIC.json"
METADATA = b"recsweep"
"""Key of a Parquet file's metadata that holds its origin as JSON."""

Format = Literal["parquet", "csv"]


def write(
    log: SimulatedLog,
    folder: Path,
    file_format: Format = "parquet",
    families: Collection[str] = (),
) -> Path:
    """Write `synthetic_{events,users,items,exposures}` and SYNTHETIC.json.

    Of `families`, if there are any, an experiment is written beside them, with the spaces of the
    folder `search_spaces`. It does not read the exposures: those hold the truth about who buys.

    Returns:
        The experiment's path.

    Raises:
        BadInput: the folder exists, or can't be written.
    """
    if folder.exists():
        raise BadInput(f"{folder}: exists; give another folder, or delete it first")
    temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        temporary.mkdir(parents=True)
        for name in ("events", "users", "items", "exposures"):
            path = temporary / _file(name, file_format)
            _write_table(getattr(log, name), path, file_format, _origin(log))
        truth = {**_origin(log), "best_log_loss": log.best_log_loss, "rows": _rows(log)}
        (temporary / TRUTH).write_text(json.dumps(truth, indent=2) + "\n", "utf-8")
        if families:
            experiment = yaml.safe_dump(_experiment(folder, file_format, families), sort_keys=False)
            (temporary / EXPERIMENT).write_text(f"{NOTE}\n{experiment}", "utf-8")
        temporary.rename(folder)
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder / EXPERIMENT


def _write_table(
    table: pl.DataFrame, path: Path, file_format: Format, origin: dict[str, Any]
) -> None:
    if file_format == "csv":
        table.write_csv(path)
        return
    arrow = table.to_arrow()
    pq.write_table(arrow.replace_schema_metadata({METADATA: json.dumps(origin)}), path)


def _origin(log: SimulatedLog) -> dict[str, Any]:
    return {"synthetic": True, "settings": log.settings.model_dump()}


def _rows(log: SimulatedLog) -> dict[str, int]:
    counts: dict[str, int] = dict(log.events["event"].value_counts(sort=True, name="rows").rows())
    return {**counts, "learners": len(log.users), "courses": len(log.items)}


def _file(name: str, file_format: Format) -> str:
    return f"synthetic_{name}.{file_format}"


def _experiment(folder: Path, file_format: Format, families: Collection[str]) -> dict[str, Any]:
    def table(name: str) -> dict[str, Any]:
        return {"path": (folder / _file(name, file_format)).as_posix(), "format": file_format}

    return {
        "study": "synthetic",
        "description": "SYNTHETIC course platform with planted effects",
        "data": {
            "name": "synthetic",
            "events": [
                {
                    **table("events"),
                    "user": "user_id",
                    "item": "item_id",
                    "time": "time",
                    "time_format": "unix_ms",
                    "type": {"column": "event", "values": {event: event for event in EVENTS}},
                }
            ],
            "users": {
                **table("users"),
                "key": "user_id",
                "categorical": ["region"],
                "numeric": ["age"],
                "tags": {"interests": "|"},
            },
            "items": {
                **table("items"),
                "key": "item_id",
                "label": "title",
                "categorical": ["category"],
                "numeric": ["price"],
                "tags": {"tags": "|"},
            },
        },
        "families": {family: f"search_spaces/{family}.yaml" for family in families},
    }
