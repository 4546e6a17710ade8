"""A study as files that anything can read: `study.json`, `trials.parquet`, `curves.parquet`.

`trials.parquet` has one row a trial; `config` is JSON. `trials.csv` is the same for spreadsheets,
with a column a hyperparameter; nothing reads it back. `curves.parquet` has one row for each
(trial, epoch, fold, metric), folds from 0: every ranking metric, `loss`, the mean training
loss, and `gradient_norm`, its mean over an epoch's steps. A row without a fold is of all folds: the
trial's score, their mean, and what the epoch took (`MEASURED`).

`study.json` has the sha256 of both and a digest of its own: Parquet files carry no checksum, and a
flipped bit would be another score.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter

from recsweep.config.files import validate
from recsweep.config.schema import Experiment
from recsweep.data.sources import file_sha256
from recsweep.errors import BadInput
from recsweep.records.atomic import parquet_of, write_together
from recsweep.records.checked import checked, read_checked
from recsweep.records.earlier import TAKEN
from recsweep.records.flat import flat_trials
from recsweep.records.study import SESSIONS, EarlyEnd, Study, TrialRow
from recsweep.spaces.declared import DeclaredSpace, Widening
from recsweep.training.epoch import EpochReport

TABLES = ("trials.parquet", "curves.parquet")
RENEW = "run the sweep again: its journal still has every trial"
TRIALS = pl.Schema(
    {
        "id": pl.String(),
        "family": pl.String(),
        "number": pl.Int32(),
        "state": pl.String(),
        "reason": pl.String(),
        "value": pl.Float64(),  # the best epoch's mean over folds
        "best_epoch": pl.Int32(),
        "epochs": pl.Int32(),
        "fit_seconds": pl.Float64(),
        "evaluate_seconds": pl.Float64(),
        "started": pl.Datetime("us", "UTC"),
        "ended": pl.Datetime("us", "UTC"),
        "seed": pl.Int64(),
        "config": pl.String(),
    }
)
WIDENED = TypeAdapter(Mapping[str, tuple[Widening, ...]])
WHOLE = ("training_events", "parameters", "model_bytes")  # numbers
MEASURED = (
    *("fit_seconds", "evaluate_seconds", "memory_mb", "p99_ms", "joules", "joules_estimated"),
    *WHOLE,
)
CURVES = pl.Schema(
    {
        "trial": pl.String(),
        "epoch": pl.Int32(),
        "fold": pl.Int32(),
        "metric": pl.String(),
        "value": pl.Float64(),
    }
)


def write_study(study: Study, folder: Path) -> None:
    """Write all files or none; `study.json` comes last, so its presence says that all are there."""
    curves = [row for trial in study.trials for row in _curve_rows(trial, study)]
    trials = [_trial_row(trial) for trial in study.trials]
    table = pl.DataFrame(trials, TRIALS)
    contents = {
        "curves.parquet": parquet_of(pl.DataFrame(curves, CURVES, orient="row")),
        "trials.parquet": parquet_of(table),
        "trials.csv": flat_trials(table).write_csv().encode(),
    }
    head = {
        "experiment": study.experiment.model_dump(mode="json"),
        "spaces": {name: space.keys_as_declared() for name, space in study.spaces.items()},
        "dataset": study.dataset,
        "fingerprint": study.fingerprint,
        "environment": study.environment,
        "folds": study.folds,
        "sessions": SESSIONS.dump_python(study.sessions, mode="json"),
        **({"warm_start": TAKEN.dump_python(study.warm_start)} if study.warm_start else {}),
        **({"widened": WIDENED.dump_python(study.widened, mode="json")} if study.widened else {}),
        **({"early_end": asdict(study.early_end)} if study.early_end else {}),
        "files": {name: hashlib.sha256(contents[name]).hexdigest() for name in TABLES},
    }
    contents["study.json"] = checked(head)
    write_together({folder / name: content for name, content in contents.items()})


def read_study(folder: Path) -> Study:
    """Read what `write_study` wrote.

    Raises:
        BadInput: a file is missing, isn't one of ours, or was changed since it was written.
    """
    path = folder / "study.json"
    for name in ("study.json", *TABLES):
        if not (folder / name).exists():
            raise BadInput(f"{folder}: has no {name}; run the sweep of this study first")
    head = read_checked(path, RENEW)
    try:
        _check_tables(folder, head.get("files", {}))
        trials = pl.read_parquet(folder / "trials.parquet")
        curves = pl.read_parquet(folder / "curves.parquet")
        experiment = validate(Experiment, head["experiment"], path)
        return Study(
            experiment=experiment,
            spaces={n: validate(DeclaredSpace, keys, path) for n, keys in head["spaces"].items()},
            dataset=head["dataset"],
            fingerprint=head["fingerprint"],
            environment=head["environment"],
            folds=head["folds"],
            sessions=SESSIONS.validate_python(head["sessions"]),
            trials=_read_trials(trials, curves, experiment.metric.lower_is_better),
            warm_start=TAKEN.validate_python(head.get("warm_start", ())),
            widened=WIDENED.validate_python(head.get("widened", {})),
            early_end=EarlyEnd(**head["early_end"]) if "early_end" in head else None,
        )
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{folder}: is not a study that can be read ({error})") from None


def _check_tables(folder: Path, recorded: Mapping[str, str]) -> None:
    for name, digest in recorded.items():
        if name in TABLES and file_sha256(folder / name) != digest:
            raise BadInput(f"{folder / name}: was changed after it was written; {RENEW}")


def _trial_row(trial: TrialRow) -> dict[str, Any]:
    return {name: getattr(trial, name, None) for name in TRIALS} | {
        "best_epoch": trial.best.epoch if trial.best else None,
        "epochs": len(trial.epochs),
        "config": json.dumps(dict(trial.config)),
    }


def _curve_rows(trial: TrialRow, study: Study) -> list[tuple[Any, ...]]:
    key = study.experiment.metric.key
    rows: list[tuple[Any, ...]] = []
    for row in trial.epochs:
        rows.append((trial.id, row.epoch, None, key, row.value))
        measured = ((name, getattr(row, name)) for name in MEASURED)
        rows += [(trial.id, row.epoch, None, *pair) for pair in measured if pair[1] is not None]
        for metric, values in row.curves.items():
            rows += [(trial.id, row.epoch, n, metric, value) for n, value in enumerate(values)]
    return rows


def _read_trials(
    trials: pl.DataFrame, curves: pl.DataFrame, lower_is_better: bool
) -> tuple[TrialRow, ...]:
    epochs: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for trial, epoch, fold, metric, value in curves.iter_rows():
        entry = epochs[trial].setdefault(epoch, {"curves": defaultdict(list)})
        if fold is None:
            entry[metric if metric in MEASURED else "value"] = value
        else:
            entry["curves"][metric].append(value)
    found = []
    for row in trials.iter_rows(named=True):
        reports = tuple(_epoch(epoch, entry) for epoch, entry in epochs[row["id"]].items())
        kept = {field.name: row[field.name] for field in fields(TrialRow) if field.name in row}
        kept |= {"epochs": reports, "config": json.loads(row["config"])}
        found.append(TrialRow(**kept, lower_is_better=lower_is_better))
    return tuple(found)


def _epoch(epoch: int, entry: dict[str, Any]) -> EpochReport:
    curves = dict(entry.pop("curves"))
    kept = {"losses": curves.pop("loss"), "gradient_norms": curves.pop("gradient_norm", [])}
    kept |= {"metrics": curves} | {name: int(entry.pop(name)) for name in WHOLE if name in entry}
    return EpochReport.of_entry(epoch, entry.pop("value"), kept | entry)
