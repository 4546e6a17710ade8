"""`recsweep dashboard publish`, as typed."""

from pathlib import Path

import pytest
from tiny import World
from typer.testing import CliRunner
from wandb_server import KEY, WandbServer

from recsweep.cli import app
from recsweep.records.board import read_board
from recsweep.tracking.wandb_mode import _trouble


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    _trouble.cache_clear()


def test_offline_the_definition_is_written_and_the_command_that_sends_it_is_told(
    world: World,
) -> None:
    shown = CliRunner().invoke(app, ["dashboard", "publish", str(world.study)])
    assert shown.exit_code == 0, shown.output
    assert "dashboards.json" in shown.output
    assert "sync" in shown.output
    board = read_board(world.study)
    assert board.study == "tiny"
    assert "Not answered yet" in " ".join(board.verdict)


def test_online_the_addresses_are_told_and_the_key_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    server = WandbServer()
    monkeypatch.setenv("WANDB_BASE_URL", server.address)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    wandb.teardown()
    server.projects = {"recsweep"}
    for times in (1, 2):
        shown = CliRunner().invoke(app, ["dashboard", "publish", str(world.study)])
        assert shown.exit_code == 0, shown.output
        assert "the report with the verdict" in shown.output
        assert ("updated" in shown.output) == (times == 2)
        assert KEY not in shown.output
    assert len(server.views) == 2
    server.close()
