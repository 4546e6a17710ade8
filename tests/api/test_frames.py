"""A frame is as good as a file: the same content has the same fingerprint."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from pydantic import ValidationError

import recsweep
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput

START = dt.datetime(2026, 1, 1)
ROWS = [(u, (3 * u + n * n) % 7, n * 37 + u) for u in range(12) for n in range(8)]
LOG = pl.DataFrame(
    {
        "who": [u for u, _, _ in ROWS],
        "what": [f"course {i}" if i else None for _, i, _ in ROWS],
        "when": [START + dt.timedelta(hours=t) for _, _, t in ROWS],
        "kind": pl.Series(["view", "buy"] * 48, dtype=pl.Categorical),
        "seconds": [t / 4 if t % 3 else None for _, _, t in ROWS],
    }
)
COURSES = pl.DataFrame(
    {
        "course": [f"course {i}" for i in range(7)],
        "price": [9.5 * i for i in range(7)],
        "new": [i % 2 == 0 for i in range(7)],
    }
)


def experiment(log: Any, courses: Any, **keys: object) -> Experiment:
    kinds = {"column": "kind", "values": {"view": "browse", "buy": "purchase"}}
    events = {"user": "who", "item": "what", "time": "when", "time_format": "iso", "type": kinds}
    items = {"key": "course", "numeric": ["price"], "categorical": ["new"], "immutable": True}
    return Experiment.model_validate(
        {
            "study": "frames",
            "data": {
                "name": "frames",
                "events": [{"path": log, "dwell": "seconds", **events, **keys}],
                "items": {"path": courses, **items, **keys},
            },
            "folds": {"count": 2, "validation": 0.2, "test": 0.2},
            "families": ["popularity"],
        }
    )


def from_csv(folder: Path) -> Experiment:
    LOG.write_csv(folder / "log.csv")
    COURSES.write_csv(folder / "courses.csv")
    return experiment(folder / "log.csv", folder / "courses.csv")


def from_parquet(folder: Path) -> Experiment:
    LOG.write_parquet(folder / "log.parquet")
    COURSES.write_parquet(folder / "courses.parquet")
    return experiment(folder / "log.parquet", folder / "courses.parquet", format="parquet")


def test_frames_of_polars_and_pandas_and_files_have_one_fingerprint(tmp_path: Path) -> None:
    given = {
        "csv": from_csv(tmp_path),
        "parquet": from_parquet(tmp_path),
        "polars": experiment(LOG, COURSES),
        "pandas": experiment(LOG.to_pandas(), COURSES.to_pandas()),
    }
    found = {name: recsweep.prepare(e, tmp_path).fingerprint for name, e in given.items()}
    assert len(set(found.values())) == 1, found


def test_a_frame_stands_in_the_record_as_its_digest_and_the_record_prepares_again(
    tmp_path: Path,
) -> None:
    first = experiment(LOG, COURSES)
    dataset = recsweep.prepare(first, tmp_path)
    recorded = Experiment.model_validate_json(first.model_dump_json())
    assert recorded.data.events[0].path.startswith("frame:")
    assert recsweep.prepare(recorded, tmp_path).folder == dataset.folder


def test_a_record_without_its_frames_is_refused_in_one_line(tmp_path: Path) -> None:
    recorded = Experiment.model_validate_json(experiment(LOG, COURSES).model_dump_json())
    with pytest.raises(BadInput, match=r"frame-\w{16}\.parquet: cannot be read"):
        recsweep.prepare(recorded, tmp_path)


def test_a_kept_frame_that_was_changed_is_refused(tmp_path: Path) -> None:
    first = experiment(LOG, COURSES)
    recsweep.prepare(first, tmp_path)
    for file in (tmp_path / "data/raw").glob("frame-*.parquet"):
        LOG.head(3).write_parquet(file)
    with pytest.raises(BadInput, match="has sha256"):
        recsweep.prepare(first, tmp_path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (LOG.lazy(), "a DataFrame of polars or pandas, found polars.*LazyFrame"),
        (pd.DataFrame({"who": [1, "one"]}), "a column that no file can hold"),
        (pl.DataFrame({"who": [object()]}), "a column that no file can hold"),
        (3, "valid string"),
        (None, "valid string"),
    ],
)
def test_what_is_neither_a_path_nor_a_frame_that_a_file_can_hold_is_refused(
    path: Any, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        experiment(path, COURSES)
