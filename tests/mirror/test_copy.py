"""A study's copy elsewhere, on a local path and on an S3-compatible server."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.mirror.copy import Mirror
from recsweep.records.atomic import write_bytes


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "mine"
    (folder / "user_values").mkdir(parents=True)
    (folder / "optuna.log").write_text('{"a": 1}\n{"b": 2}\n')
    (folder / "study.json").write_text("{}")
    (folder / "user_values/gru-0000.npz").write_bytes(b"\0\1\2")
    (folder / "sweep.lock").write_text("held")
    (folder / ".study.json.77.tmp").write_text("half")
    return folder


@pytest.fixture(params=["path", "file", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "path":
            return str(tmp_path / "nfs")
        case "file":
            return f"file://{tmp_path}/nfs"
        case "memory":
            return f"memory://{tmp_path.name}"
    address: str = request.getfixturevalue("s3")
    return f"{address}/{tmp_path.name}"


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_fresh_machine_gets_the_study_without_locks_and_half_written_files(
    study: Path, url: str
) -> None:
    assert Mirror(url, study).push() == 3
    before = files(study)
    shutil.rmtree(study)
    assert Mirror(url, study).pull() == 3
    assert files(study) == {
        name: content
        for name, content in before.items()
        if name not in ("sweep.lock", ".study.json.77.tmp")
    }


def test_only_what_changed_is_copied_again(study: Path, url: str) -> None:
    mirror = Mirror(url, study)
    assert mirror.push() == 3
    assert mirror.push() == 0
    with (study / "optuna.log").open("a") as journal:
        journal.write('{"c": 3}\n{"torn')
    assert mirror.push() == 1
    shutil.rmtree(study)
    Mirror(url, study).pull()
    assert (study / "optuna.log").read_text() == '{"a": 1}\n{"b": 2}\n{"c": 3}\n'


def test_a_folder_that_is_ahead_or_level_is_left_as_it_is(study: Path, url: str) -> None:
    Mirror(url, study).push()
    assert Mirror(url, study).pull() == 0
    (study / "optuna.log").write_text('{"a": 1}\n{"b": 2}\n{"c": 3}\n')
    assert Mirror(url, study).pull() == 0


def test_a_folder_that_is_behind_catches_up(study: Path, url: str) -> None:
    Mirror(url, study).push()
    (study / "optuna.log").write_text('{"a": 1}\n')
    assert Mirror(url, study).pull() == 3
    assert (study / "optuna.log").read_text() == '{"a": 1}\n{"b": 2}\n'


@pytest.mark.parametrize("verb", [Mirror.push, Mirror.pull])
def test_a_study_that_went_on_elsewhere_is_never_written_over(
    study: Path, url: str, verb: Callable[[Mirror], int]
) -> None:
    Mirror(url, study).push()
    (study / "optuna.log").write_text('{"a": 1}\n{"other": 2}\n{"c": 3}\n')
    with pytest.raises(BadInput, match="holds another study"):
        verb(Mirror(url, study))
    shutil.rmtree(study)
    Mirror(url, study).pull()
    assert (study / "optuna.log").read_text() == '{"a": 1}\n{"b": 2}\n'


def test_the_journal_goes_last_and_from_a_moment_before_the_other_files(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    plain = Mirror._send

    def slow(self: Mirror, source: Path, name: str) -> bool:
        if not sent:  # a trial ends while the copy is under way
            with (study / "optuna.log").open("a") as journal:
                journal.write('{"complete": "gru-0001"}\n')
        sent.append(name)
        return plain(self, source, name)

    monkeypatch.setattr(Mirror, "_send", slow)
    Mirror(str(tmp_path / "nfs"), study).push()
    assert sent[-2:] == ["study.json", "optuna.log"]
    assert "gru-0001" not in (tmp_path / "nfs/mine/optuna.log").read_text()


def test_a_record_goes_after_the_table_that_it_has_a_digest_of(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send(self: Mirror, source: Path, name: str) -> bool:
        sent.append(name)
        return True

    monkeypatch.setattr(Mirror, "_send", send)
    (study / "portraits").mkdir()
    for kind in ("json", "parquet"):
        (study / f"portraits/gru.{kind}").write_text("{}")
    Mirror(str(tmp_path / "nfs"), study).push()
    assert [name for name in sent if name.startswith("portraits")] == [
        "portraits/gru.parquet", "portraits/gru.json",
    ]  # fmt: skip
    assert sent[-2:] == ["study.json", "optuna.log"]


def test_an_open_trial_has_its_newest_checkpoint_there_and_an_ended_one_none(
    study: Path, url: str
) -> None:
    ended, open_ = (study / f"checkpoints/gru-000{n}.safetensors" for n in (1, 2))
    ended.parent.mkdir()
    ended.write_bytes(b"after one epoch")
    open_.write_bytes(b"after one epoch")
    mirror = Mirror(url, study)
    mirror.push()
    open_.write_bytes(b"after two epochs")
    assert mirror.push() == 1
    ended.unlink()
    assert mirror.push() == 0
    content = files(study / "checkpoints")
    shutil.rmtree(study)
    fresh = Mirror(url, study)
    fresh.pull()
    assert files(study / "checkpoints") == content == {open_.name: b"after two epochs"}
    open_.unlink()
    fresh.push()
    shutil.rmtree(study)
    Mirror(url, study).pull()
    assert not files(study / "checkpoints")


def test_no_checkpoint_there_is_ahead_of_the_journal(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, journal = study / "checkpoints/gru-0001.safetensors", study / "optuna.log"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"after epoch 1")
    plain = Mirror._send

    def slow(self: Mirror, source: Path, name: str) -> bool:
        assert not list((tmp_path / "nfs/mine").glob("checkpoints/*"))  # it goes after the journal
        write_bytes(checkpoint, b"after epoch 9")  # while the copy is under way
        with journal.open("a") as file:
            file.write('{"epoch": 8}\n')
        return plain(self, source, name)

    monkeypatch.setattr(Mirror, "_send", slow)
    Mirror(str(tmp_path / "nfs"), study).push()
    copied = tmp_path / "nfs/mine"
    assert "epoch" not in (copied / "optuna.log").read_text()
    assert (copied / "checkpoints/gru-0001.safetensors").read_bytes() == b"after epoch 1"


def test_a_checkpoint_stays_there_until_the_journal_tells_of_its_trials_end(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, journal = study / "checkpoints/gru-0001.safetensors", study / "optuna.log"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"after epoch 1")
    mirror, copied = Mirror(str(tmp_path / "nfs"), study), tmp_path / "nfs/mine"
    mirror.push()
    plain = Mirror._send

    def slow(self: Mirror, source: Path, name: str) -> bool:
        with journal.open("a") as file:  # the trial ends while the copy is under way
            file.write('{"complete": "gru-0001"}\n')
        checkpoint.unlink(missing_ok=True)
        return plain(self, source, name)

    monkeypatch.setattr(Mirror, "_send", slow)
    (study / "study.json").write_text("{ }")
    mirror.push()
    assert "gru-0001" not in (copied / "optuna.log").read_text()
    assert list(copied.glob("checkpoints/*"))
    mirror.push()
    assert "gru-0001" in (copied / "optuna.log").read_text()
    assert not list(copied.glob("checkpoints/*"))


def test_a_password_in_an_address_is_refused_unspoken(study: Path) -> None:
    with pytest.raises(BadInput, match="by the environment") as refused:
        Mirror("ftp://me:hush@host/x", study)
    assert "hush" not in str(refused.value)


def test_an_unknown_protocol_is_named(study: Path) -> None:
    with pytest.raises(BadInput, match=r"storage\.mirror: nowhere://x"):
        Mirror("nowhere://x", study)
