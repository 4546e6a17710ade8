"""W&B's own settings; its own library writes the files here, as its commands do."""

import os
from pathlib import Path

import pytest
import wandb

from recsweep.config.schema import Tracking
from recsweep.errors import BadInput
from recsweep.tracking import OF_ONE_RUN, stand_apart
from recsweep.tracking.wandb_mode import Mode, api_key, resolve_mode, server
from recsweep.tracking.wandb_settings import own_settings


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Somebody is logged in, the server takes the key, and W&B was told nothing yet."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.chdir(work)
    (home / ".netrc").write_text("machine api.wandb.ai login user password k")
    monkeypatch.setattr("recsweep.tracking.wandb_mode._trouble", lambda *_: None)
    return home


def tell(key: str, value: str, *, root: Path | None = None, everywhere: bool = False) -> None:
    """As `wandb offline`, `wandb disabled` and `wandb login --host` do."""
    settings = wandb.Settings()
    settings.root_dir = str(root or Path.cwd())
    settings.settings_system = str(Path("~/.config/wandb/settings").expanduser())
    files = settings.read_system_settings()
    files.set(key, value, globally=everywhere)
    files.save()


@pytest.mark.parametrize("where", ["here", "WANDB_DIR", "home", "WANDB_CONFIG_DIR"])
@pytest.mark.parametrize(
    ("mode", "expected"), [("offline", "offline"), ("disabled", None), ("online", "online")]
)
def test_what_a_command_of_wandb_wrote_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str, mode: str, expected: Mode | None
) -> None:
    assert resolve_mode(Tracking()) == "online"
    if where == "WANDB_DIR":
        monkeypatch.setenv("WANDB_DIR", str(tmp_path / "runs"))
        tell("mode", mode, root=tmp_path / "runs")
    else:
        tell("mode", mode, everywhere=where != "here")
    if where == "WANDB_CONFIG_DIR":
        monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "home" / ".config" / "wandb"))
        monkeypatch.setenv("HOME", str(tmp_path / "other"))
        monkeypatch.setenv("WANDB_API_KEY", "k")
    assert resolve_mode(Tracking()) == expected


@pytest.mark.parametrize(
    ("variable", "file", "expected"),
    [
        ("dryrun", None, "offline"),
        ("run", None, "online"),
        ("shared", None, "online"),
        ("online", "disabled", "online"),
        ("disabled", "online", None),
        ("dryrun", "online", "offline"),
        ("", "offline", "offline"),
        ("", None, "online"),
    ],
)
def test_a_variable_comes_before_a_file_and_every_mode_of_wandb_has_its_meaning(
    monkeypatch: pytest.MonkeyPatch, variable: str, file: str | None, expected: Mode | None
) -> None:
    if file is not None:
        tell("mode", file)
    monkeypatch.setenv("WANDB_MODE", variable)
    assert resolve_mode(Tracking()) == expected


def test_a_folders_file_comes_before_the_homes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tell("mode", "online", everywhere=True)
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "runs"))
    tell("mode", "disabled", root=tmp_path / "runs")
    assert resolve_mode(Tracking()) is None
    tell("mode", "offline")
    assert resolve_mode(Tracking()) == "offline"


@pytest.mark.parametrize(
    ("value", "expected"), [("true", None), ("1", None), ("Yes", None), ("false", "online")]
)
def test_the_variable_with_which_transformers_leave_wandb_out_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: Mode | None
) -> None:
    monkeypatch.setenv("WANDB_DISABLED", value)
    assert resolve_mode(Tracking()) == expected
    assert resolve_mode(Tracking(wandb="online")) == "online"


def test_what_the_experiment_says_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tell("mode", "disabled")
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    assert resolve_mode(Tracking(wandb="online")) == "online"
    assert resolve_mode(Tracking(wandb="off")) is None
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert resolve_mode(Tracking(wandb="offline")) == "offline"


def test_a_server_that_was_logged_in_to_is_the_one_that_is_used(home: Path) -> None:
    tell("base_url", "http://wandb.example.org", everywhere=True)
    assert server() == "http://wandb.example.org"
    assert api_key() is None
    (home / ".netrc").write_text("machine wandb.example.org login user password theirs")
    assert api_key() == "theirs"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WANDB_MODE", "ofline", "'offline', 'shared'"),
        ("WANDB_INIT_TIMEOUT", "soon", "valid number"),
        ("WANDB_SILENT", "maybe", "valid boolean"),
        ("WANDB_BASE_URL", "wandb.example.org", "URL"),
        ("WANDB_API_KEY", " planted-key", "whitespace"),
    ],
)
@pytest.mark.parametrize("asked", ["auto", "offline", "online"])
def test_a_variable_that_wandb_cannot_use_is_one_line(
    monkeypatch: pytest.MonkeyPatch, asked: str, name: str, value: str, words: str
) -> None:
    """Otherwise its library fails in the thread that talks to it, and every run is lost."""
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as told:
        resolve_mode(Tracking.model_validate({"wandb": asked}))
    assert str(told.value).startswith(f"{name}=")
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert "planted" not in str(told.value)
    assert resolve_mode(Tracking(wandb="off")) is None


def test_a_file_that_is_no_text_is_one_line_and_one_without_settings_says_nothing(
    home: Path,
) -> None:
    Path("wandb").mkdir()
    Path("wandb/settings").write_text("mode = offline\n")  # no section
    assert own_settings().mode == "online"
    (home / ".config" / "wandb").mkdir(parents=True)
    (home / ".config" / "wandb" / "settings").write_bytes(b"\xff\xfe no settings")
    with pytest.raises(BadInput, match=r"\.config/wandb/settings or .*can't read"):
        resolve_mode(Tracking())


def test_a_command_forgets_the_run_of_the_process_that_started_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*OF_ONE_RUN, "WANDB_ENTITY", "WANDB_API_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("WANDB_MODE", "")
    monkeypatch.setenv("WANDB_TAGS", " ")
    stand_apart()
    left = {name for name in os.environ if name.startswith("WANDB_")}
    assert left == {"WANDB_ENTITY", "WANDB_API_KEY"}
