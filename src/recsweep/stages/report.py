"""The verb `report`: the leaderboard and the page, as people read them."""

import logging
from dataclasses import dataclass
from pathlib import Path

from recsweep.data.manifest import Manifest, read_manifest
from recsweep.records.atomic import write_text
from recsweep.records.board import Board, write_board
from recsweep.records.confirmation import Confirmation, confirmation_inputs
from recsweep.records.confirmation_files import read_confirmation
from recsweep.records.ensemble import entrants
from recsweep.records.files import read_study
from recsweep.records.front_ends import front_ends
from recsweep.records.openings import Opened
from recsweep.records.portrait import read_map
from recsweep.records.selection import ENSEMBLE, Selection
from recsweep.records.study import Study
from recsweep.reporting.answer import answer_of
from recsweep.reporting.board import build_board
from recsweep.reporting.leaderboard import markdown
from recsweep.reporting.page import page_name, write_page
from recsweep.reporting.sections.portraits import Drawn
from recsweep.reporting.words import PAGE_WORDS
from recsweep.stages.portrait.portrayable import current_portraits
from recsweep.stages.select.stage import choose

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reported:
    """What was written, and what it is about."""

    study: Study
    selection: Selection
    confirmation: Confirmation | None
    page: Path


def report_stage(folder: Path, root: Path, lang: str = "en") -> Reported:
    """Write the leaderboard, `dashboards.json` and the page; renew it in other languages beside it.

    Raises:
        BadInput: no study in `folder`, one that can't be read, or a language the page has not.
        WorkFailed: a family has no complete trial.
    """
    study = read_study(folder)
    selection = choose(study, folder)
    confirmation = current_confirmation(study, selection, folder)
    said = answer_of(study, selection, confirmation)
    write_text(folder / "leaderboard.md", markdown(study, selection, said, confirmation))
    manifest = _manifest(study, root)
    portraits = [
        Drawn(portrait, *read_map(folder, portrait.family))
        for portrait in current_portraits(selection, folder)
    ]
    beside = [
        n for n in PAGE_WORDS if n != lang and (n == "en" or (folder / page_name(n)).exists())
    ]
    page = write_page(study, selection, confirmation, folder, lang, manifest, beside, portraits)
    for other in beside:
        rest = [lang, *(n for n in beside if n != other)]
        write_page(study, selection, confirmation, folder, other, manifest, rest, portraits)
    write_board(build_board(study, selection, confirmation), folder)
    return Reported(study, selection, confirmation, page)


def define_board(folder: Path) -> Board:
    """Write `dashboards.json` alone.

    Raises:
        BadInput, WorkFailed: see `report_stage`.
    """
    study = read_study(folder)
    selection = choose(study, folder)
    board = build_board(study, selection, current_confirmation(study, selection, folder))
    write_board(board, folder)
    return board


def current_confirmation(study: Study, selection: Selection, folder: Path) -> Confirmation | None:
    """The confirmation of exactly this selection; an earlier one says nothing of it. An ensemble
    that was made since takes nothing from what it says of the families.
    """
    found = read_confirmation(folder)
    if found is None:
        return None
    own = ENSEMBLE in found.families and ENSEMBLE not in selection.families
    fused = {ENSEMBLE: Opened.of(found.families[ENSEMBLE])} if own else {}
    ends = {} if found.repeated else front_ends(study, selection)
    opened = selection.opened | ends | fused
    if found.inputs != confirmation_inputs(study, opened, found.repeated):
        log.warning("verdicts.json is about an earlier selection; `recsweep confirm` renews it")
        return None
    made = entrants(study, selection, folder).get(ENSEMBLE)
    newer = made is not None and not found.repeated and made != opened.get(ENSEMBLE)
    return found.model_copy(update={"newer_ensemble": newer})


def _manifest(study: Study, root: Path) -> Manifest | None:
    """What preparation dropped; a study that was copied here alone has no prepared data."""
    folder = root / "data" / study.dataset
    return read_manifest(folder) if folder.exists() else None
