"""A bundle in memory: made from a fitted model, and rebuilt from its files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load, save

from recsweep.bundle.courses import Courses, courses_of
from recsweep.bundle.files import RENEW, read_bundle
from recsweep.bundle.format import ARRAYS, COURSES, FORMAT, WEIGHTS, BundleFile, Columns
from recsweep.data.features.dated import known_of
from recsweep.data.features.fit import Encoder
from recsweep.data.features.stored import (
    restored_events,
    restored_parts,
    stored_events,
    stored_parts,
)
from recsweep.data.features.table import EncodedTable, TableEncoder
from recsweep.data.types import UNKNOWN, Labels, Sequences, Targets, Training, Treatments
from recsweep.errors import BadInput, one_line
from recsweep.evaluation.probability import Calibrator
from recsweep.models.family import Build
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of, family
from recsweep.tasks.asked import Known
from recsweep.tasks.task import Split

LEARNER = "learner."
"""Arrays of learners' columns begin so."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A fitted model with all that it takes to ask it something."""

    name: str  # of its folder
    file: BundleFile
    model: Any
    known: Known
    courses: Courses


def parts_of(
    model: Any, split: Split, training: Training, calibrator: Calibrator
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What of `bundle.json` and of its files is made from the fitted model itself.

    Args:
        model: fitted on the training.
        split: that the training was made from.
        training: what it learned from.
        calibrator: of its probabilities.
    """
    learned, events = split.learned, split.events
    encoder = learned.encoder
    of_items = encoder.of_items
    if not isinstance(of_items, EncodedTable):
        of_items = EncodedTable.of(of_items)
    courses, rows = courses_of(split.dataset, events, learned.items, of_items)
    known = split.before & (learned.index != UNKNOWN)
    arrays: dict[str, Any] = {
        "course_features": training.item_features,
        "course_rows": rows,
        "course_events": np.bincount(learned.index[known], minlength=len(learned.items)),
    }
    of_users = encoder.of_users
    examples = training.examples
    columns = Columns(
        learners=of_users.sources,
        courses=of_items.sources,
        course_names=of_items.names,
        events=encoder.of_events.sources,
        inputs=() if examples is None or examples.labels is None else examples.labels.columns,
        learner_parts=tuple(stored_parts(of_users.parts, arrays, LEARNER)),
        learner_kept=tuple(of_users.kept.tolist()),
        event_parts=stored_events(encoder.of_events),
    )
    state = {name: value.contiguous() for name, value in model.state().items()}
    content = {
        "format": FORMAT,
        "courses": training.n_items,
        "cold_courses": training.n_cold,
        "kinds": [int(kind) for kind in np.unique(events.kind[split.before])],
        "columns": columns,
        "calibrator": calibrator,
    }
    arrays = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    files = {WEIGHTS: save(state), ARRAYS: save_arrays(arrays), COURSES: courses.to_bytes()}
    return content, files


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and build its model, which sees none of the data that it was fitted on.

    Raises:
        BadInput: no bundle, one that was changed, or of a family or task that isn't here.
    """
    record, files = read_bundle(folder)
    if record.kind not in (served := families_of(record.task)):
        family(record.kind)
        raise BadInput(f"{folder}: {record.kind} does not serve task {record.task}")
    try:
        return rebuilt(folder.name, record, files, served[record.kind])
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise BadInput(
            f"{folder}: can't be built with this version of recsweep and its packages ({reason}); "
            f"{RENEW}"
        ) from None


def rebuilt(
    name: str, record: BundleFile, files: Mapping[str, bytes], build: Build[Any, Any]
) -> Bundle:
    """From what `parts_of` gave.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError, SafetensorError: it doesn't fit together.
    """
    courses = Courses.from_bytes(files[COURSES])
    known = _known(record, load_arrays(files[ARRAYS]), courses)
    precision = record.experiment.resources.precision
    model = build.model(record.config, Context(known.training, 0, torch.device("cpu"), precision))
    model.load_state(load(files[WEIGHTS]))
    return Bundle(name, record, model, known, courses)


def _known(record: BundleFile, arrays: Mapping[str, Any], courses: Courses) -> Known:
    columns, experiment = record.columns, record.experiment
    parts = restored_parts(columns.learner_parts, arrays, LEARNER)
    no_table = known_of(courses.ids[:0], None, courses.rows[:0].select())
    encoder = Encoder(
        of_users=TableEncoder(no_table, parts, np.array(columns.learner_kept, bool)),
        of_items=EncodedTable(
            courses.dated(), arrays["course_rows"], columns.course_names, columns.courses
        ),
        cut=record.fitted.end,
        of_events=restored_events(columns.event_parts),
    )
    return Known(
        experiment=experiment,
        training=_training(record, arrays["course_features"]),
        encoder=encoder,
        items=courses.items,
        counts=arrays["course_events"],
        kinds=record.kinds,
        cut=record.fitted.end,
        calibrator=record.calibrator,
    )


def _training(record: BundleFile, item_features: Any) -> Training:
    """The catalogue and the columns, and no learner."""
    columns, none = record.columns, np.zeros(0, np.int64)
    sequences = Sequences(
        user=none.astype(np.int32),
        offsets=np.zeros(1, np.int64),
        item=none.astype(np.int32),
        time=none,
        kind=none.astype(np.int8),
        features=np.zeros((0, len(columns.learners)), np.float32),
        event_features=(
            np.zeros((0, len(columns.events)), np.float32) if columns.event_parts else None
        ),
    )
    training = Training(
        sequences=sequences,
        n_items=record.courses,
        item_features=item_features,
        n_cold=record.cold_courses,
        user_columns=columns.learners,
        item_columns=columns.courses,
        event_columns=columns.events,
    )
    if not columns.inputs:
        return training
    treated = Treatments(none.astype(bool), none.astype(np.float64), budget=0.0)
    labels = Labels(
        bought=none.astype(bool),
        inputs=np.zeros((0, len(columns.inputs)), np.float32),
        columns=columns.inputs,
        price=None,
        treatments=treated if record.experiment.data.treatments else None,
    )
    examples = Targets(
        histories=sequences,
        sequence=none.astype(np.int32),
        length=none.astype(np.int32),
        item=none.astype(np.int32),
        time=none,
        drop_seen=False,
        counts={},
        labels=labels,
        kind=none.astype(np.int8),
    )
    return replace(training, examples=examples)
