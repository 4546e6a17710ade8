"""What a reviewer finds in W&B: the report's questions, asked of the study's runs."""

from typing import Literal

from recsweep.records.board import (
    Axis,
    BarPanel,
    Board,
    Grid,
    ImportancePanel,
    LinePanel,
    ParallelPanel,
    ScatterPanel,
)
from recsweep.records.confirmation import ConfirmationSummary
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.verdicts import headline, question
from recsweep.reporting.view import View, score, signed

BEST = Axis(section="summary", name="best_value")


def build_board(
    study: Study, selection: Selection, confirmation: ConfirmationSummary | None
) -> Board:
    """The definition; the same records give the same one."""
    view = View(study, selection, "en")
    sealed = confirmation if confirmation and confirmation.verdicts else None
    caveat = view.say("sealed_caveat" if sealed else "folds_caveat")
    return Board(
        project=study.experiment.tracking.project,
        study=study.experiment.study,
        title=f"{study.experiment.study}: tuned recommenders compared",
        verdict=tuple(
            text for text in (headline(view, sealed), question(view, sealed), caveat) if text
        ),
        tables={
            "Leaderboard": _leaderboard(view, sealed),
            **({"Verdicts": _verdicts(sealed)} if sealed else {}),
        },
        grids=(_families(view), *_parameters(view), _folds(view), _budget(view), _cost()),
    )


def _best_end(view: View) -> Literal["max", "min"]:
    return "min" if view.study.experiment.metric.lower_is_better else "max"


def _leaderboard(view: View, sealed: ConfirmationSummary | None) -> str:
    """A Markdown table, the leader on the folds first."""
    key = view.selection.metric
    on_test = {r.family: r.metrics[key] for r in sealed.families} if sealed else {}
    head = ["family", "trial", f"{view.metric}, folds", f"{view.metric}, sealed test", "epochs"]
    rows = [head, ["---"] * len(head)]
    for row in view.rows:
        name, e = row.choice.family, on_test.get(row.choice.family)
        test = f"{score(e.mean)} [{score(e.lower)}, {score(e.upper)}]" if e else "not opened"
        rows.append(
            [
                name,
                row.choice.trial,
                f"{score(row.mean)} ± {score(row.spread)}",
                test,
                str(row.choice.epochs),
            ]
        )
    return _markdown(rows)


def _verdicts(sealed: ConfirmationSummary) -> str:
    rows = [["a", "b", "outcome", "a - b", "interval", "p"], ["---"] * 6]
    rows += [
        [
            v.a,
            v.b,
            v.outcome,
            signed(v.difference),
            f"[{signed(v.lower)}, {signed(v.upper)}]",
            "< 0.001" if v.p < 0.001 else f"{v.p:.3f}",
        ]
        for v in sealed.verdicts
    ]
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _families(view: View) -> Grid:
    key = view.selection.metric
    return Grid(
        title="Families",
        note="Each family had the same budget. The best of many trials is lucky: the verdict above "
        "is from the sealed test.",
        panels=(
            BarPanel(title=f"Best {key}", metric="best_value", by="family", take=_best_end(view)),
            LinePanel(title=f"{key} by epoch", metrics=(key,), by="family"),
            LinePanel(title="Training loss", metrics=("loss",), by="family"),
            LinePanel(title="Gradient norm", metrics=("gradient_norm",), by="family"),
        ),
    )


def _parameters(view: View) -> list[Grid]:
    """One grid a tuned family: what was tried, and what went with the score."""
    grids = []
    for family in view.families:
        parameters = view.study.spaces[family].get("parameters") or {}
        if not isinstance(parameters, dict) or not parameters:
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


def _folds(view: View) -> Grid:
    key = view.selection.metric
    return Grid(
        title="Folds",
        note="Lines that cross change places from one period to the next.",
        panels=tuple(
            LinePanel(title=f"{key}, fold {n}", metrics=(f"fold/{n}/{key}",), by="family")
            for n in range(len(view.study.folds))
        ),
    )


def _budget(view: View) -> Grid:
    number = Axis(section="config", name="number")
    return Grid(
        title="Budget",
        note="A best that still rises at the end says that more trials would help.",
        panels=(
            ScatterPanel(title="Best so far by trial", x=number, y=BEST, best=_best_end(view)),
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
