"""Families that can be portrayed, and portraits of what is selected now."""

import logging
from pathlib import Path

from recsweep.config.files import nearest
from recsweep.errors import BadInput
from recsweep.models.registry import families_of, role_of
from recsweep.records.openings import Opened
from recsweep.records.portrait import Portrait, portrait_path, read_portrait
from recsweep.records.selection import ENSEMBLE, Selection
from recsweep.records.study import Study

log = logging.getLogger(__name__)


def current_portraits(selection: Selection, folder: Path) -> list[Portrait]:
    """Those of exactly the selected configurations, in the experiment's order of families.

    Raises:
        BadInput: a file that can't be read.
    """
    found = []
    for name, selected in selection.opened.items():
        portrait = read_portrait(folder, name)
        if portrait is None:
            continue
        if Opened.of(portrait) == selected:
            found.append(portrait)
        else:
            log.warning(
                "%s is of an earlier selection; recsweep portrait %s --family %s renews it",
                portrait_path(folder, name),
                folder,
                name,
            )
    return found


def portrayed_family(study: Study, selection: Selection, asked: str | None) -> str:
    """The family that is `asked` for, or else the best network on the folds.

    Raises:
        BadInput: it isn't in the study, or has no state of a learner; or none is a network.
    """
    families = families_of(study.experiment.task)
    kinds = {name: choice.kind for name, choice in selection.families.items()}
    able = [name for name, kind in kinds.items() if families[kind].portrays]
    if asked is not None:
        if asked == ENSEMBLE and asked not in kinds:
            raise BadInput(
                f"--family {asked}: many models, which share no state of a learner to portray; "
                f"allowed: {', '.join(able) or 'none of this study'}"
            )
        if asked not in kinds:
            raise BadInput(f"--family {asked}: the study has no such family{nearest(asked, kinds)}")
        if asked not in able:
            raise BadInput(
                f"--family {asked}: has no state of a learner to portray; "
                f"allowed: {', '.join(able) or 'none of this study'}"
            )
        return asked
    goodness = study.experiment.metric.goodness
    networks = [name for name in able if role_of(kinds[name]) == "network"]
    if not able:
        raise BadInput("none of the study's families has a state of a learner to portray")
    if not networks:
        raise BadInput(
            f"the study has no network to portray; choose with --family: {', '.join(able)}"
        )
    return max(networks, key=lambda name: goodness(selection.families[name].value))
