from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recsweep.search import remote_checkpoints
from recsweep.search.checkpoints import Checkpoints, Pace, Unusable
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Checkpoint

OWNER = {"study": "1234", "trial": "gru-0003", "config": {"learning_rate": 0.1 + 0.2}, "seed": 3}
REPORT = EpochReport(
    epoch=2,
    value=0.1 + 0.2,
    metrics={"ndcg@10": (0.1, 1 / 3)},
    losses=(1 / 7, None),
    fit_seconds=1.5,
    evaluate_seconds=0.5,
    user_values=(np.array([0.0, 1 / 3]), np.array([1.0])),
)
LAST = replace(REPORT, epoch=3, value=0.2, user_values=())
TENSORS = {
    "0/epoch": torch.tensor(3),
    "0/weights": torch.randn(4, 3).T,
    "1/half": torch.ones(2, dtype=torch.bfloat16) / 3,
    "1/nothing": torch.zeros(0, 2),
}


@pytest.fixture
def written(tmp_path: Path) -> Checkpoints:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.write("gru-0003", OWNER, Checkpoint(LAST, REPORT, TENSORS))
    return checkpoints


def test_a_checkpoint_comes_back_bit_for_bit(written: Checkpoints) -> None:
    found = written.read("gru-0003", OWNER)
    assert found is not None
    assert found.last == LAST
    assert (found.best.value, found.best.losses) == (REPORT.value, REPORT.losses)
    assert found.best.metrics == REPORT.metrics
    assert [v.tolist() for v in found.best.user_values] == [[0.0, 1 / 3], [1.0]]
    assert found.tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert found.tensors[name].dtype == value.dtype
        assert torch.equal(found.tensors[name], value)


def test_a_trial_without_a_checkpoint_has_none(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).read("gru-0003", OWNER) is None
    Checkpoints(tmp_path / "nowhere").remove("gru-0003")


@pytest.mark.parametrize("other", [{"study": "9"}, {"seed": 4}, {"config": {"learning_rate": 0.3}}])
def test_what_was_written_for_another_trial_is_not_used(
    written: Checkpoints, other: dict[str, object]
) -> None:
    with pytest.raises(Unusable, match="written for another trial"):
        written.read("gru-0003", {**OWNER, **other})


def test_whatever_byte_is_damaged_the_checkpoint_is_not_used(written: Checkpoints) -> None:
    path = written.path("gru-0003")
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        with pytest.raises(Unusable):
            written.read("gru-0003", OWNER)
    for length in (0, 5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(Unusable, match="damaged"):
            written.read("gru-0003", OWNER)


def test_a_trial_that_has_ended_leaves_nothing(written: Checkpoints) -> None:
    (written.folder / ".gru-0003.safetensors.77.tmp").touch()  # of a worker that was killed
    written.remove("gru-0003")
    assert not list(written.folder.iterdir())
    (written.folder / ".gru-0003.safetensors.78.tmp").touch()  # and of its first
    written.remove("gru-0003")
    assert not list(written.folder.iterdir())


def test_a_checkpoint_that_cannot_be_removed_is_of_no_use_and_does_no_harm(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    (checkpoints.path("gru-0003") / "inside").mkdir(parents=True)
    checkpoints.remove("gru-0003")


def test_a_trials_last_epoch_is_known_without_reading_all_and_0_where_there_is_none(
    written: Checkpoints,
) -> None:
    assert written.epoch("gru-0003") == LAST.epoch == 3
    assert written.epoch("gru-0004") == 0
    path = written.path("gru-0003")
    path.write_bytes(path.read_bytes()[:20])
    assert written.epoch("gru-0003") == 0


def test_no_disk_is_waited_for_since_a_torn_checkpoint_shows(
    written: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda file: pytest.fail("it waits for the disk"))
    written.write("gru-0005", OWNER, Checkpoint(LAST, REPORT, TENSORS))
    assert written.epoch("gru-0005") == 3


def test_only_checkpoints_of_open_trials_are_kept(written: Checkpoints) -> None:
    written.write("gru-0004", OWNER, Checkpoint(LAST, REPORT, TENSORS))
    written.keep({"gru-0004", "gru-0005"})
    assert [path.stem for path in written.folder.iterdir()] == ["gru-0004"]
    Checkpoints(written.folder / "nowhere").keep(set())


def test_a_checkpoint_is_due_after_its_seconds_and_never_takes_more_than_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    pace = Pace(5)
    assert not pace.due()
    now = 105.0
    assert pace.due()
    now = 106.0
    pace.wrote(began=105.0)  # took a second
    now = 125.0
    assert not pace.due()
    now = 126.0
    assert pace.due()
    monkeypatch.setattr("time.monotonic", lambda: 200.0)
    always = Pace(0)
    always.wrote(began=100.0)
    assert always.due()


def test_a_checkpoint_needs_no_free_core_where_it_is_written() -> None:
    """The driver's machine may be full of trials, which wait for it."""
    tasks = remote_checkpoints._WRITE, remote_checkpoints._READ
    assert [task._default_options["num_cpus"] for task in tasks] == [0, 0]
