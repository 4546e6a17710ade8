from pathlib import Path

import pytest
from wandb_server import KEY, WandbServer

from recsweep.errors import BadInput, WorkFailed
from recsweep.tracking import wandb_sync
from recsweep.tracking.wandb_mode import _trouble
from recsweep.tracking.wandb_sync import sync, unsent


@pytest.fixture(autouse=True)
def _logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wandb_server: WandbServer) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", wandb_server.address)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    _trouble.cache_clear()


def runs(folder: Path, *names: str, second: int = 0) -> list[Path]:
    """Run folders as W&B names them."""
    made = []
    for name in names:
        run = folder / "wandb" / f"offline-run-20260101_00000{second}-{name}-u1"
        run.mkdir(parents=True)
        (run / f"run-{name}-u1.wandb").write_bytes(b"")
        made.append(run)
    return made


def marking(sent: list[list[str]], stop_after: int = 99) -> object:
    def wandb_sync_(folder: Path, paths: list[Path], together: int, seconds: float) -> None:
        sent.append([path.name.split("-", 3)[3].removesuffix("-u1") for path in paths])
        for path in paths[:stop_after]:
            (file,) = path.glob("*.wandb")
            file.with_suffix(".wandb.synced").touch()

    return wandb_sync_


def test_trials_are_sent_together_and_stages_after_them_as_they_came_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ["study-0", "select-ab", "confirm-1", "report-cd", "portrait-ef", "reproduce-gru"]
    runs(tmp_path, "gru-0000", *first, "best-00-gru-0000")
    runs(tmp_path, "gru-0001", "confirm-2", "select-ba", second=1)
    sent: list[list[str]] = []
    monkeypatch.setattr(wandb_sync, "_wandb_sync", marking(sent))
    assert sync(tmp_path, 60).sent == 11
    trials, stages = sent
    assert sorted(trials) == ["best-00-gru-0000", "gru-0000", "gru-0001"]
    assert stages == [*first, "select-ba", "confirm-2"]
    assert sync(tmp_path, 60).waiting == 0
    assert len(sent) == 2


def test_runs_that_did_not_arrive_are_counted_and_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(tmp_path, "gru-0000", "gru-0001", "gru-0002")
    monkeypatch.setattr(wandb_sync, "_wandb_sync", marking([], stop_after=1))
    with pytest.raises(WorkFailed, match="1 of 3 runs were sent; run it again"):
        sync(tmp_path, 60)
    assert len(unsent(tmp_path)) == 2


def test_a_server_that_answers_nothing_ends_at_the_time_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wandb_server: WandbServer
) -> None:
    runs(tmp_path / "study", "gru-0000")
    wandb_server.answers = 1  # to the question about the key
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkFailed, match="0 of 1 runs"):
        sync(tmp_path / "study", 2)
    assert not (tmp_path / "wandb").exists()


def test_without_a_login_or_with_a_refused_key_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wandb_server: WandbServer
) -> None:
    wandb_server.keys = ()
    with pytest.raises(BadInput, match="refuses the key"):
        sync(tmp_path, 60)
    monkeypatch.delenv("WANDB_API_KEY")
    with pytest.raises(BadInput, match="nobody is logged in"):
        sync(tmp_path, 60)
