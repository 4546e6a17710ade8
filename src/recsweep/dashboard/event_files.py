"""Trials as TensorBoard event files, for those who work in it. W&B's files say more."""

from pathlib import Path

from tensorboardX import SummaryWriter

from recsweep.dashboard.reader import Reader
from recsweep.records.study import TrialRow
from recsweep.training.epoch import mean_of_known


class EventFiles:
    """Writes each trial once, when it has ended, to `results/<study>/tensorboard/<trial>/`."""

    def __init__(self, study: Path) -> None:
        self.folder = study / "tensorboard"

    def write(self, reader: Reader) -> None:
        """Take what ended since the last time; a trial that has files already is left alone."""
        for row in reader.take_rows():
            folder = self.folder / row.id
            if not folder.exists():
                _write(row, folder)


def _write(trial: TrialRow, folder: Path) -> None:
    with SummaryWriter(str(folder), write_to_disk=True) as writer:
        for row in trial.epochs:
            for key, values in row.curves.items():
                if (mean := mean_of_known(values)) is not None:
                    writer.add_scalar(key, mean, row.epoch)
        writer.add_text("configuration", "\n".join(f"- {k}: {v}" for k, v in trial.config.items()))
        writer.add_text("state", f"{trial.state} {trial.reason or ''}")
