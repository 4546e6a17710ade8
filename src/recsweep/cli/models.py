"""A fitted model: made, asked and handed on, each with what it prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import recsweep
from recsweep.cli.console import command, err, hints, out

if TYPE_CHECKING:
    from recsweep.bundle.format import Until
    from recsweep.stages.recommend import Asking


def fit(best: Path, folder: Path, until: "Until", licence: str | None, quiet: bool) -> None:
    """Fit, and say what was fitted."""
    from recsweep.cli.model_lines import fitted_lines
    from recsweep.cli.refit_progress import RefitProgress

    with RefitProgress(out, quiet, "epochs") as progress:
        fitted = recsweep.fit(best, folder, until=until, licence=licence, on_epoch=progress.trained)
    for line in fitted_lines(fitted.file):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    hints(
        (f"{folder}/README.md", "the model card"),
        (command("recommend", str(folder), "histories.csv"), "lists for learners"),
    )


def recommend(
    folder: Path,
    histories: Path | None,
    learners: Sequence[str],
    output: Path | None,
    quiet: bool,
    asking: "Asking",
) -> None:
    """Recommend; counts go to standard error."""
    from recsweep.cli.model_lines import recommended_lines

    done = recsweep.recommend(folder, histories, learners, asking=asking, out=output)
    if not quiet:
        for line in recommended_lines(done):
            err.print(line, markup=False, highlight=False, soft_wrap=True)


def export(folder: Path, onnx: Path) -> None:
    """Write the ONNX file, and say how close its scores are."""
    worst = recsweep.export(folder, onnx)
    out.print(
        f"{onnx}: written; its scores are within {worst:.1g} of the bundle's.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
