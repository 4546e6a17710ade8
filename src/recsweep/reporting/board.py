"""The W&B dashboards of a study: its verdict in words and tables, and its runs in grids."""

from recsweep.config.schema import Experiment
from recsweep.records.board import Board
from recsweep.records.confirmation import ConfirmationSummary
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.grids import Spaces, grids_of
from recsweep.reporting.sections.verdicts import headline, question
from recsweep.reporting.view import View, score, signed


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
        title=title(study.experiment),
        verdict=tuple(
            text for text in (headline(view, sealed), question(view, sealed), caveat) if text
        ),
        tables={
            "Leaderboard": _leaderboard(view, sealed),
            **({"Verdicts": _verdicts(sealed)} if sealed else {}),
        },
        grids=grids_of(study.experiment, study.spaces),
    )


def opening_board(experiment: Experiment, spaces: Spaces) -> Board:
    """What a sweep's workspace shows from its first trial on: the same, without a verdict."""
    return Board(
        project=experiment.tracking.project,
        study=experiment.study,
        title=title(experiment),
        verdict=("The sweep is running: no verdict yet.",),
        tables={},
        grids=grids_of(experiment, spaces),
    )


def title(experiment: Experiment) -> str:
    """Of the workspace and the report."""
    return f"{experiment.study}: tuned recommenders compared"


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
            f"{v.outcome} (exploratory)" if v.exploratory else v.outcome,
            signed(v.difference),
            f"[{signed(v.lower)}, {signed(v.upper)}]",
            "< 0.001" if v.p < 0.001 else f"{v.p:.3f}",
        ]
        for v in sealed.verdicts
    ]
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
