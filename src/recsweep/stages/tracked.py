"""The W&B runs of the stages after the sweep: what each took in, found and gave out.

Each stage ends here, so none is imported: `select` and `report` need no Ray.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recsweep.config.schema import Experiment
from recsweep.records.board import read_board
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import VERDICTS
from recsweep.records.files import read_study
from recsweep.records.portrait import Portrait, portrait_path
from recsweep.records.study import Study
from recsweep.stages.selected_runs import selected_runs, study_uid
from recsweep.tracking.alongside import publish_along
from recsweep.tracking.artifacts import Item, folder_item, prepared_data, search_space
from recsweep.tracking.stage_runs import StageRun, study_config, tags
from recsweep.tracking.tables import RunTable
from recsweep.tracking.wandb import track

if TYPE_CHECKING:
    from recsweep.stages.confirm.stage import Confirmed
    from recsweep.stages.report import Reported
    from recsweep.stages.reproduce.stage import Reproduction


def track_selection(folder: Path) -> None:
    """The selected configurations, which came of the data and the spaces."""
    study = read_study(folder)
    best = _best(study.experiment, folder)
    track(
        folder,
        study.experiment,
        StageRun(
            id=f"select-{best.digest}-{study_uid(study)}",
            name="select",
            job_type="study",
            tags=tags(study.experiment, "select"),
            config=study_config(study.experiment, study.fingerprint),
            summary={"families": len(best.files)},
            took=(_data(study), search_space(study.experiment.study, study.spaces)),
            gave=(best,),
        ),
    )


def track_confirmation(folder: Path, confirmed: Confirmed) -> None:
    """The sealed test's figures and verdicts, where it was opened."""
    if not confirmed.opened:
        return
    study, found = read_study(folder), confirmed.confirmation
    track(
        folder,
        study.experiment,
        StageRun(
            id=f"confirm-{len(found.openings)}-{study_uid(study)}",
            name="confirm",
            job_type="confirm",
            tags=tags(study.experiment, "confirm"),
            config=study_config(study.experiment, study.fingerprint),
            summary={
                "learners": found.learners,
                "targets": found.targets,
                "openings": len(found.openings),
                "verdicts": list(found.verdicts),
                **{
                    f"sealed/{name}": family.metrics[found.metric].mean
                    for name, family in found.families.items()
                },
            },
            tables={"sealed": _sealed_table(found), "verdicts": _verdict_table(found)},
            took=(_data(study), _best(study.experiment, folder)),
            gave=(_verdicts(study.experiment, folder),),
        ),
    )


def track_report(folder: Path, reported: Reported) -> None:
    """The page, and what was selected."""
    study = reported.study
    name = study.experiment.study
    page = Item(f"{name}-report", "report", {reported.page.name: reported.page.read_bytes()})
    took = [_best(study.experiment, folder)]
    if (folder / VERDICTS).exists():
        took.append(_verdicts(study.experiment, folder))
    track(
        folder,
        study.experiment,
        StageRun(
            id=f"report-{page.digest}-{study_uid(study)}",
            name="report",
            job_type="study",
            tags=tags(study.experiment, "report"),
            config=study_config(study.experiment, study.fingerprint),
            summary={"page": reported.page.name},
            took=tuple(took),
            gave=(page,),
        ),
        *selected_runs(study, reported.selection, reported.confirmation),
    )


def track_portrait(folder: Path, portrait: Portrait) -> None:
    """The groups and what sets them apart; no learner's id or vector is sent."""
    study = read_study(folder)
    experiment, path = study.experiment, portrait_path(folder, portrait.family)
    groups = Item(
        f"{experiment.study}-portrait-{portrait.family}".replace("+", "-"),
        "portrait",
        {path.name: path.read_bytes()},
    )
    track(
        folder,
        experiment,
        StageRun(
            id=f"portrait-{groups.digest}-{study_uid(study)}",
            name=f"portrait {portrait.family}",
            job_type="study",
            tags=tags(experiment, "portrait", portrait.family),
            config={
                **study_config(experiment, study.fingerprint),
                "family": portrait.family,
                "kind": portrait.kind,
                "trial": portrait.trial,
            },
            summary={
                "learners": portrait.learners,
                "clusters": len(portrait.clusters),
                "structure": portrait.structure,
                "silhouette": portrait.silhouette,
                "stability": portrait.stability,
            },
            took=(_data(study), _best(experiment, folder)),
            gave=(groups,),
        ),
    )


def publish_report(folder: Path, reported: Reported) -> None:
    """The workspace and the report, renewed with what is known now, where runs go online."""
    publish_along(read_board(folder), reported.study.experiment.tracking, wait=True)


def track_reproduction(path: Path, reproduction: Reproduction) -> None:
    """Every figure that was rebuilt, beside its record."""
    best = reproduction.best
    when = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    columns = ["metric", "of", "recorded", "rebuilt", "tolerance", "agrees"]
    rows = [
        [f.metric, f.where, f.recorded, f.rebuilt, f.tolerance, f.agrees]
        for f in reproduction.figures
    ]
    stage = StageRun(
        id=f"reproduce-{best.family}-{best.study}-{when}",
        name=f"reproduce {best.family}",
        job_type="reproduce",
        tags=tags(best.experiment, "reproduce", best.family),
        config={
            **study_config(best.experiment, best.data.fingerprint),
            "family": best.family,
            "kind": best.kind,
            "trial": best.trial,
            "seed": best.seed,
            **best.config,
        },
        summary={
            "passed": reproduction.passed,
            "figures": len(rows),
            "obstacles": list(reproduction.obstacles),
        },
        tables={"figures": (columns, rows)},
        took=(prepared_data(best.data.dataset, best.data.fingerprint),),
    )
    track(path.parent.parent, best.experiment, stage)


def _data(study: Study) -> Item:
    return prepared_data(study.dataset, study.fingerprint)


def _best(experiment: Experiment, folder: Path) -> Item:
    return folder_item(f"{experiment.study}-best", "configurations", folder / "best")


def _verdicts(experiment: Experiment, folder: Path) -> Item:
    content = {VERDICTS: (folder / VERDICTS).read_bytes()}
    return Item(f"{experiment.study}-verdicts", "verdicts", content)


def _sealed_table(found: Confirmation) -> RunTable:
    columns = ["family", "trial", "epochs", "seeds", "metric", "mean", "lower", "upper"]
    rows = [
        [name, family.trial, family.epochs, len(family.seeds), metric, e.mean, e.lower, e.upper]
        for name, family in found.families.items()
        for metric, e in family.metrics.items()
    ]
    return columns, rows


def _verdict_table(found: Confirmation) -> RunTable:
    columns = ["a", "b", "outcome", "difference", "lower", "upper", "p", "exploratory", "caveats"]
    rows = [
        [
            *(p.a, p.b, p.outcome, p.difference, p.lower, p.upper, p.p),
            *(p.exploratory, ", ".join(p.caveats)),
        ]
        for p in found.pairs
    ]
    return columns, rows
