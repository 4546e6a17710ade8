"""The W&B dashboards of a study: its verdict in words and tables, and what its panels ask."""

from collections.abc import Iterator, Mapping

from recsweep.config.schema import Experiment
from recsweep.models.family import Role
from recsweep.models.registry import role_of
from recsweep.records.board import Board
from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.answer import answer_of
from recsweep.reporting.view import View, score, signed
from recsweep.spaces.declared import DeclaredSpace
from recsweep.tracking.epoch_metrics import loss_keys

ASKED: tuple[Role, ...] = ("network", "baseline")


def build_board(study: Study, selection: Selection, confirmation: Confirmation | None) -> Board:
    """The definition; the same records give the same one."""
    view = View(study, selection, "en")
    sealed = confirmation if confirmation and confirmation.pairs else None
    said = answer_of(study, selection, sealed)
    told = said.sentence, *said.further, said.basis, *said.caveats
    update = {
        "question": said.question,
        "verdict": tuple(filter(None, told)),
        "tables": {
            "Leaderboard": _leaderboard(view, sealed),
            **({"Verdicts": _verdicts(view, sealed)} if sealed else {}),
            **({"Openings of the sealed test": _openings(sealed)} if sealed else {}),
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
        losses=tuple(dict.fromkeys(_losses(spaces))),
        compared=tuple(n for n, s in spaces.items() if role_of(s.family) in ASKED),
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
                view.label(name),
                row.choice.trial,
                f"{score(row.mean)} ± {score(row.spread)}",
                test,
                str(row.choice.epochs),
            ]
        )
    return _markdown(rows)


def _verdicts(view: View, sealed: Confirmation) -> str:
    """The declared comparisons first."""
    rows = [["a", "b", "outcome", "a - b", "interval", "p"], ["---"] * 6]
    rows += [
        [
            view.label(v.a),
            view.label(v.b),
            f"{v.outcome} (exploratory)" if v.exploratory else v.outcome,
            signed(v.difference),
            f"[{signed(v.lower)}, {signed(v.upper)}]",
            "< 0.001" if v.p < 0.001 else f"{v.p:.3f}",
        ]
        for v in sorted(sealed.pairs, key=lambda v: v.exploratory)
    ]
    return _markdown(rows)


def _openings(sealed: Confirmation) -> str:
    rows = [["when", "why", "commit", "configurations"], ["---"] * 4]
    rows += [
        [
            f"{opening.when:%Y-%m-%d %H:%M} UTC",
            opening.why,
            (opening.code.get("commit") or "unknown")[:12],
            ", ".join(opened.trial for opened in opening.configurations.values()) or "–",
        ]
        for opening in sealed.openings
    ]
    return _markdown(rows)


def _losses(spaces: Mapping[str, DeclaredSpace]) -> Iterator[str]:
    """Under which key each family that may train by gradient has its loss."""
    for space in spaces.values():
        if "loss" in {**space.parameters, **space.fixed} or role_of(space.family) != "floor":
            yield from loss_keys(space)


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
