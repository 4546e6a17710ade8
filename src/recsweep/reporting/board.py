"""The W&B dashboards of a study: its verdict in words and tables, and what its panels ask."""

from collections.abc import Mapping

from recsweep.config.schema import Experiment
from recsweep.records.board import Board
from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.answer import answer_of
from recsweep.reporting.view import View, score, signed
from recsweep.spaces.declared import DeclaredSpace


def build_board(study: Study, selection: Selection, confirmation: Confirmation | None) -> Board:
    """The definition; the same records give the same one."""
    view = View(study, selection, "en")
    sealed = confirmation if confirmation and confirmation.pairs else None
    said = answer_of(study, selection, sealed)
    told = said.sentence, said.plainly, said.sequence, said.basis, *said.caveats
    update = {
        "verdict": tuple(filter(None, told)),
        "tables": {
            "Leaderboard": _leaderboard(view, sealed),
            **({"Verdicts": _verdicts(sealed)} if sealed else {}),
        },
    }
    return opening_board(study.experiment, study.spaces).model_copy(update=update)


def opening_board(experiment: Experiment, spaces: Mapping[str, DeclaredSpace]) -> Board:
    """What a sweep's workspace shows from its first trial on: the same, without a verdict.

    Args:
        experiment: of the study.
        spaces: by the family's name in the study.
    """
    return Board(
        project=experiment.tracking.project,
        study=experiment.study,
        title=f"{experiment.study}: tuned recommenders compared",
        metric=experiment.metric.key,
        lower_is_better=experiment.metric.lower_is_better,
        folds=experiment.folds.count,
        tuned={
            family: {name: parameter.log for name, parameter in space.parameters.items()}
            for family, space in spaces.items()
            if space.parameters
        },
        verdict=("The sweep is running: no verdict yet.",),
    )


def _leaderboard(view: View, sealed: Confirmation | None) -> str:
    """A Markdown table, the leader on the folds first."""
    key = view.selection.metric
    on_test = {n: family.metrics[key] for n, family in sealed.families.items()} if sealed else {}
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


def _verdicts(sealed: Confirmation) -> str:
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
        for v in sealed.pairs
    ]
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
