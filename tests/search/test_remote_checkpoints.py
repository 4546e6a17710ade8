from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ray
import torch

from recsweep.search.checkpoints import Checkpoints, Unusable
from recsweep.search.remote_checkpoints import RemoteCheckpoints, checkpoints_at
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Checkpoint

pytestmark = pytest.mark.usefixtures("local_ray")
OWNER = {"study": "1234", "trial": "gru-0003"}
REPORT = EpochReport(2, 0.1 + 0.2, {"ndcg@10": (1 / 3,)}, (1 / 7,), 1.5, 0.5, (np.array([1 / 3]),))
LAST = replace(REPORT, epoch=3, user_values=())
CHECKPOINT = Checkpoint(LAST, REPORT, {"0/weights": torch.randn(4, 3)})


def home() -> str:
    return str(ray.get_runtime_context().get_node_id())


def test_what_is_written_from_another_machine_lies_here_and_comes_back(tmp_path: Path) -> None:
    here = Checkpoints(tmp_path / "checkpoints")
    there = RemoteCheckpoints(home(), here)
    assert there.read("gru-0003", OWNER) is None
    there.write("gru-0003", OWNER, CHECKPOINT)
    for found in (here.read("gru-0003", OWNER), there.read("gru-0003", OWNER)):
        assert found is not None
        assert found.last == LAST
        assert torch.equal(found.tensors["0/weights"], CHECKPOINT.tensors["0/weights"])
    with pytest.raises(Unusable, match="written for another trial"):
        there.read("gru-0003", {**OWNER, "study": "9"})


def test_a_disk_that_refuses_is_an_error_as_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").touch()
    there = RemoteCheckpoints(home(), Checkpoints(tmp_path / "checkpoints"))
    with pytest.raises(OSError, match="File exists"):
        there.write("gru-0003", OWNER, CHECKPOINT)


def test_a_machine_that_is_gone_costs_the_checkpoint_and_no_more(tmp_path: Path) -> None:
    there = RemoteCheckpoints("e" * 56, Checkpoints(tmp_path))
    with pytest.raises(OSError, match="the driver's machine"):
        there.write("gru-0003", OWNER, CHECKPOINT)
    with pytest.raises(Unusable, match="the checkpoint of gru-0003 can't be fetched"):
        there.read("gru-0003", OWNER)


def test_only_a_worker_on_another_machine_takes_the_long_way(tmp_path: Path) -> None:
    here = Checkpoints(tmp_path)
    assert checkpoints_at(home(), here) is here
    assert isinstance(checkpoints_at("e" * 56, here), RemoteCheckpoints)
