"""The verbs on a searched study: select, fuse, confirm, report, portrait, compare, reproduce.

A stage is imported when it is called: `import recsweep` and the command line stay quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recsweep.api.study_folder import Place, folder_of, root_of
from recsweep.records.live import at_stage

if TYPE_CHECKING:
    from recsweep.evaluation.power import Power
    from recsweep.records.selection import Selection
    from recsweep.stages.compare import Compared
    from recsweep.stages.confirm.refits import RefitEnded
    from recsweep.stages.confirm.stage import Confirmed
    from recsweep.stages.fuse.stage import Fused, OnCandidate
    from recsweep.stages.portrait.stage import OnEpoch, Portrayed
    from recsweep.stages.report import Reported
    from recsweep.stages.reproduce.stage import Reproduction
    from recsweep.tracking.events import Listener
    from recsweep.training.epoch import EpochReport


def select(study: Place) -> Selection:
    """Pick each family's configuration by the experiment's rule; write `best/<family>.yaml`.

    Raises:
        BadInput: no study there, or one that can't be read.
        WorkFailed: a family has no complete trial.

    Examples:
        >>> selection = select("results/mine")
        >>> list(selection.families)
        ['gru', 'item_knn', 'popularity']
    """
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.select.stage import select_stage
    from recsweep.stages.tracked import track_selection

    folder = folder_of(study)
    with at_stage(folder, "select"):
        selection = select_stage(folder, root_of(folder))
        track_selection(folder)
    mirror_study(folder)
    return selection


def confirm(
    study: Place,
    *,
    searches: int | None = None,
    listeners: Sequence[Listener] = (),
    before_opening: Callable[[Power], None] = lambda power: None,
    on_end: Callable[[RefitEnded], None] = lambda ended: None,
) -> Confirmed:
    """Refit what was selected with several seeds and open the sealed test; write `verdicts.json`.

    Where nothing has changed since a confirmation, that one is given back and the test stays shut.

    Args:
        study: its folder.
        searches: how often to search in all, so that verdicts speak of families; None: as often
            as before.
        listeners: called with every event of a further search.
        before_opening: called with what the test can show, where it is to be opened.
        on_end: called with every refit that ends.

    Raises:
        BadInput: no study there, or other data than it searched on.
        WorkFailed: nothing could be selected, a refit diverged, or a process was killed.
        KeyboardInterrupt: every finished trial is kept; the same call goes on.

    Examples:
        >>> confirmed = confirm("results/mine")
        >>> len(confirmed.confirmation.openings)
        1
        >>> confirm("results/mine").opened
        False
    """
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.confirm.searches import repeat_searches
    from recsweep.stages.confirm.stage import confirm_stage
    from recsweep.stages.tracked import track_confirmation

    folder = folder_of(study)
    root = root_of(folder)
    repeats = repeat_searches(folder, root, searches, listeners)
    with at_stage(folder, "confirm") as far:

        def one_more(ended: RefitEnded) -> None:
            far(ended.done, ended.total, ended.seconds_left)
            on_end(ended)

        confirmed = confirm_stage(
            folder, root, repeats=repeats, before_opening=before_opening, on_end=one_more
        )
        track_confirmation(folder, confirmed)
    mirror_study(folder)
    return confirmed


def fuse(
    study: Place,
    *,
    count: int = 2,
    on_end: OnCandidate = lambda candidate, done, total, seconds_left: None,
) -> Fused:
    """Make an ensemble of the study's best trials, chosen on the folds; write `best/ensemble.yaml`.

    The next confirmation takes it along, against the best family alone.

    Args:
        study: its folder.
        count: of each family, so many of its best trials can be chosen.
        on_end: called with every trial that is trained again.

    Raises:
        BadInput: no study there, other data than it searched on, or a task without ensembles.
        WorkFailed: no trial to choose from, one that diverged, or a process was killed.

    Examples:
        >>> fused = fuse("results/mine", count=1)
        >>> fused.as_recorded, len(fused.candidates)
        (3, 3)
    """
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.fuse.stage import fuse_stage

    folder = folder_of(study)
    fused = fuse_stage(folder, root_of(folder), count=count, on_end=on_end)
    mirror_study(folder)
    return fused


def report(study: Place, lang: str = "en") -> Reported:
    """Write the leaderboard and the page; `page` of what is given back says where.

    Args:
        study: its folder.
        lang: of the page, `en` or `zh`.

    Raises:
        BadInput: no study there, or a language that the page has not.
        WorkFailed: a family has no complete trial.

    Examples:
        >>> print(report("results/mine").page)
        results/mine/report.html
    """
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.report import report_stage
    from recsweep.stages.tracked import publish_report, track_report

    folder = folder_of(study)
    with at_stage(folder, "report"):
        reported = report_stage(folder, root_of(folder), lang)
        track_report(folder, reported)
        publish_report(folder, reported)
    mirror_study(folder)
    return reported


def portrait(
    study: Place,
    family: str | None = None,
    *,
    clusters: int | None = None,
    on_epoch: OnEpoch = lambda family, epoch, epochs, seconds_left: None,
) -> Portrayed:
    """Portray learners: group what a refitted network makes of them; renews the page as well.

    Of a bundle's folder: group what its model makes of the learners of its log. That portrait lies
    beside the bundle, in `portraits/`.

    Args:
        study: its folder, or a bundle's.
        family: its name in the study; None: the best recurrent one.
        clusters: how many; None: chosen by silhouette score.
        on_epoch: called with every epoch of the refit.

    Raises:
        BadInput: no study, or a family that can't be portrayed.
        WorkFailed: nothing could be selected, or the refit diverged.
    """
    from recsweep.bundle.format import NAME as BUNDLE
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.portrait.bundle import bundle_portrait_stage
    from recsweep.stages.portrait.stage import portrait_stage
    from recsweep.stages.report import report_stage
    from recsweep.stages.tracked import track_portrait

    folder = folder_of(study)
    root = root_of(folder)
    if (folder / BUNDLE).exists():
        return bundle_portrait_stage(folder, root, clusters=clusters)
    portrayed = portrait_stage(folder, root, family=family, clusters=clusters, on_epoch=on_epoch)
    report_stage(folder, root)
    track_portrait(folder, portrayed.portrait)
    mirror_study(folder)
    return portrayed


def compare(*studies: Place, lang: str = "en") -> Compared:
    """Hold studies against the first: did new data, another space or new code change the answer?

    Raises:
        BadInput: fewer than two, one that can't be read, or nothing in common.

    Examples:
        >>> compared = compare("results/mine", "results/mine")
        >>> len(compared.changes)
        1
    """
    from recsweep.stages.compare import compare_stage

    return compare_stage([folder_of(study) for study in studies], lang)


def reproduce(
    best: str | Path,
    *,
    sealed: bool = False,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    on_end: Callable[[RefitEnded], None] = lambda ended: None,
) -> Reproduction:
    """Rebuild a configuration from its file alone and compare every recorded figure.

    Args:
        best: `results/<study>/best/<family>.yaml`.
        sealed: rebuild the sealed test's figures, which counts as an opening; otherwise the folds'.
        on_epoch: called with every epoch on the folds.
        on_end: called with every refit on the sealed test.

    Raises:
        BadInput: a file or key that can't be used.
        WorkFailed: the data differ from the record's, or training diverged.

    Examples:
        >>> again = reproduce("results/mine/best/item_knn.yaml")
        >>> again.passed, again.obstacles
        (True, ())
    """
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.reproduce.stage import reproduce_stage
    from recsweep.stages.tracked import track_reproduction

    path = Path(best)
    folder = path.parent.parent
    again = reproduce_stage(path, root_of(folder), sealed=sealed, on_epoch=on_epoch, on_end=on_end)
    track_reproduction(path, again)
    if sealed:  # the opening; a best file may lie where no study does
        mirror_study(folder)
    return again
