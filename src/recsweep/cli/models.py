"""A fitted model: made, asked and handed on, each with what it prints."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import recsweep
from recsweep.cli.console import aside, command, counted, hints, out, say
from recsweep.errors import BadInput

if TYPE_CHECKING:
    from recsweep.bundle.format import Until
    from recsweep.bundle.labels import Feed
    from recsweep.evaluation.monitoring import Watching
    from recsweep.stages.recommend import Asking


def fit(best: Path, folder: Path, until: str, licence: str | None, quiet: bool) -> None:
    """Fit, and say what was fitted.

    Raises:
        BadInput: `until` is neither a period nor a day.
    """
    from recsweep.bundle.card import watch
    from recsweep.cli.model_lines import fitted_lines
    from recsweep.cli.refit_progress import RefitProgress

    with RefitProgress(out, quiet, "epochs") as progress:
        fitted = recsweep.fit(
            best, folder, until=_end(until), licence=licence, on_epoch=progress.trained
        )
    say(*fitted_lines(fitted.file))
    verb, asked, what = {
        "events": ("recommend", "histories.csv", "lists for learners"),
        "sessions": ("recommend", "table.csv", "an answer for each row"),
        "texts": ("monitor", "feed.csv", "warns where a label becomes frequent"),
    }[fitted.file.experiment.data.kind]
    hints(
        (f"{folder}/README.md", "the model card"),
        (command(verb, str(folder), asked, *watch(fitted.labels)), what),
    )


def _end(until: str) -> "Until | datetime":
    if until == "everything":
        return "everything"
    if until == "development":
        return "development"
    try:
        return datetime.fromisoformat(until)
    except ValueError:
        raise BadInput(
            f"--until {until}: expected everything, development, or a moment such as 2024-05-01"
        ) from None


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
        aside(*recommended_lines(done))


def monitor(
    folder: Path,
    path: Path,
    feed: "Feed",
    watching: "Watching",
    output: Path | None,
    page: Path | None,
    lang: str,
    quiet: bool,
) -> None:
    """Monitor; warnings go to standard error."""
    from recsweep.cli.model_lines import monitored_lines

    found = recsweep.monitor(
        folder, path, feed=feed, watching=watching, out=output, page=page, lang=lang
    )
    if not quiet:
        aside(*monitored_lines(found))


def export(folder: Path, onnx: Path) -> None:
    """Write the ONNX file, and say how close its scores are."""
    worst = recsweep.export(folder, onnx)
    say(f"{onnx}: written; its scores are within {worst:.1g} of the bundle's.")


def serve(folders: Sequence[Path], split: str | None, host: str, port: int, replicas: int) -> None:
    """Serve bundles until Ctrl-C.

    Raises:
        BadInput: the extra `serve` isn't installed, or a bundle or share that can't be used.
    """
    try:
        from recsweep.serving.run import run
    except ImportError as error:
        raise BadInput(
            f"{error.name} is not installed; install it with pip install 'recsweep[serve]'"
        ) from None
    try:
        shares = [float(share) for share in split.split(",")] if split else []
    except ValueError:
        raise BadInput(f"--split {split}: expected shares such as 0.9,0.1") from None

    def up(address: str) -> None:
        say(f"{counted(len(folders), 'model')} at {address}/docs (Ctrl-C stops)")

    run(folders, shares, host=host, port=port, replicas=replicas, on_ready=up)
