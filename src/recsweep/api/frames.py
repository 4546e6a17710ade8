"""Frames among an experiment's tables become raw files: all that follows knows files alone."""

from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.config.schema.frames import frame_file
from recsweep.records.atomic import write_bytes


def with_files(experiment: Experiment, root: Path) -> Experiment:
    """The experiment as its record has it, its frames written to `root/data/raw`."""
    frames = {t.path: t.content for t in experiment.data.tables if t.content is not None}
    for path, content in frames.items():
        file = frame_file(path, root / "data" / "raw")
        if not file.exists():
            write_bytes(file, content)
    return Experiment.model_validate(experiment.model_dump()) if frames else experiment
