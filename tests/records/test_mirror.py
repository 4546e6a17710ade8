"""A study's copy elsewhere, on a local path and on an S3-compatible server."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.records.mirror import Mirror

SERVER = Path(__file__).parents[2] / ".venv-tools/bin/moto_server"


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


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bucket on a real S3-compatible server."""
    if not SERVER.exists():
        pytest.skip("no S3 server here; `make tools` installs one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [SERVER, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "planted-id",
        "AWS_SECRET_ACCESS_KEY": "planted-secret", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        _wait(port, server)
        make = urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")
        urllib.request.urlopen(make).close()
        yield "s3://bucket/studies"
    finally:
        server.kill()
        server.wait()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the S3 server did not start")


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


def test_a_password_in_an_address_is_refused_unspoken(study: Path) -> None:
    with pytest.raises(BadInput, match="by the environment") as refused:
        Mirror("ftp://me:hush@host/x", study)
    assert "hush" not in str(refused.value)


def test_an_unknown_protocol_is_named(study: Path) -> None:
    with pytest.raises(BadInput, match=r"storage\.mirror: nowhere://x"):
        Mirror("nowhere://x", study)
