"""What a reviewer finds in W&B: the report's questions, asked of the study's runs."""

from collections.abc import Mapping
from typing import Any, Literal

from recsweep.config.schema import Experiment
from recsweep.records.board import (
    Axis,
    BarPanel,
    Grid,
    ImportancePanel,
    LinePanel,
    ParallelPanel,
    ScatterPanel,
)

Spaces = Mapping[str, Mapping[str, Any]]
"""Family name in the study -> its space file's keys."""
BEST = Axis(section="summary", name="best_value")


def grids_of(experiment: Experiment, spaces: Spaces) -> tuple[Grid, ...]:
    """Families, what was tried in each, folds, budget, cost."""
    return (
        _families(experiment),
        *_parameters(spaces),
        _folds(experiment),
        _budget(experiment),
        _cost(),
    )


def _best_end(experiment: Experiment) -> Literal["max", "min"]:
    return "min" if experiment.metric.lower_is_better else "max"


def _families(experiment: Experiment) -> Grid:
    key, end = experiment.metric.key, _best_end(experiment)
    return Grid(
        title="Families",
        note="Each family had the same budget. The best of many trials is lucky: the verdict above "
        "is from the sealed test.",
        panels=(
            BarPanel(title=f"Best {key}", metric="best_value", by="family", take=end),
            LinePanel(title=f"{key} by epoch", metrics=(key,), by="family"),
            LinePanel(title="Training loss", metrics=("loss",), by="family"),
            LinePanel(title="Gradient norm", metrics=("gradient_norm",), by="family"),
        ),
    )


def _parameters(spaces: Spaces) -> list[Grid]:
    """One grid a tuned family: what was tried, and what went with the score."""
    grids = []
    for family, space in spaces.items():
        parameters = space.get("parameters") or {}
        if not parameters:
            continue
        axes = [
            Axis(section="config", name=name, log=bool(keys.get("log")))
            for name, keys in parameters.items()
        ]
        grids.append(
            Grid(
                title=f"Parameters of {family}",
                where={"family": family},
                panels=(
                    ParallelPanel(title=f"What was tried: {family}", axes=(*axes, BEST)),
                    ImportancePanel(metric="best_value"),
                ),
            )
        )
    return grids


def _folds(experiment: Experiment) -> Grid:
    key = experiment.metric.key
    return Grid(
        title="Folds",
        note="Lines that cross change places from one period to the next.",
        panels=tuple(
            LinePanel(title=f"{key}, fold {n}", metrics=(f"fold/{n}/{key}",), by="family")
            for n in range(experiment.folds.count)
        ),
    )


def _budget(experiment: Experiment) -> Grid:
    number, end = Axis(section="config", name="number"), _best_end(experiment)
    return Grid(
        title="Budget",
        note="A best that still rises at the end says that more trials would help.",
        panels=(
            ScatterPanel(title="Best so far by trial", x=number, y=BEST, best=end),
            BarPanel(title="Epochs trained", metric="epochs", by="family", take="sum"),
        ),
    )


def _cost() -> Grid:
    seconds = Axis(section="summary", name="fit_seconds", log=True)
    return Grid(
        title="Cost",
        panels=(
            ScatterPanel(title="Score and training time", x=seconds, y=BEST),
            LinePanel(title="Events a second", metrics=("events_per_second",), by="family"),
            LinePanel(title="Memory, MiB", metrics=("memory_mb",), by="family"),
            BarPanel(title="Seconds of training", metric="fit_seconds", by="family", take="sum"),
        ),
    )
