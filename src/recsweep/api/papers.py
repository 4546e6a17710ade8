"""The verbs for a paper: what several logs say together, and how a study was done.

A stage is imported when it is called: `import recsweep` and the command line stay quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsweep.api.study_folder import Place, folder_of

if TYPE_CHECKING:
    from recsweep.stages.verdict import Statement


def verdict(*studies: Place) -> Statement:
    """One statement over several logs: random effects, with each log's interval.

    Raises:
        BadInput: fewer than two studies, one without verdicts, two of the same data or of different
            metrics, or no pair of families that two of them share.
    """
    from recsweep.stages.verdict import verdict_stage

    return verdict_stage([folder_of(study) for study in studies])


def methods(study: Place) -> str:
    """A paragraph and tables for a paper, as Markdown, from the study's record.

    Raises:
        BadInput: nothing was selected there, or a file can't be read.

    Examples:
        >>> print(methods("results/mine").splitlines()[0])
        ## Methods
    """
    from recsweep.stages.methods import methods_stage

    return methods_stage(folder_of(study))
