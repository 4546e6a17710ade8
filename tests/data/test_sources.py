import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from recsweep.config.schema import Package, Table
from recsweep.data.sources import resolve
from recsweep.errors import BadInput, WorkFailed

MEMBERS = {"box/data/a.csv": b"a\n1\n", "box/data/b.csv": b"b\n2\n"}
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PACKAGE = Package(
    name="box", version="1.0", sha256={name: sha(content) for name, content in MEMBERS.items()}
)
TABLE = Table(path="package:box/data/a.csv")


class Index:
    """Stands in for pip: writes a wheel, or what goes wrong instead."""

    def __init__(self, content: dict[str, bytes] | bytes | None, stderr: bytes = b"") -> None:
        self.content, self.stderr = content, stderr
        self.calls: list[list[str]] = []
        self.pinned = ""  # what was asked of a source archive

    def __call__(self, command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        self.calls.append(command)
        folder = Path(command[command.index("--dest") + 1])
        wheel = folder / "box-1.0-py3-none-any.whl"
        if "--require-hashes" in command:
            self.pinned = Path(command[command.index("--requirement") + 1]).read_text()
            source_archive(folder / "box-1.0.tar.gz", self.content)
        elif isinstance(self.content, bytes):
            wheel.write_bytes(self.content)
        elif self.content is not None:
            with zipfile.ZipFile(wheel, "w") as archive:
                for name, data in self.content.items():
                    archive.writestr(name, data)
        return subprocess.CompletedProcess(command, 0 if self.content else 1, b"", self.stderr)


def source_archive(path: Path, content: dict[str, bytes] | bytes | None) -> None:
    """As pip leaves it: everything in a folder named after the archive."""
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (content or {}).items():
            entry = tarfile.TarInfo(f"box-1.0/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


@pytest.fixture
def index_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Index]:
    def make(content: dict[str, bytes] | bytes | None, stderr: bytes = b"") -> Index:
        index = Index(content, stderr)
        monkeypatch.setattr(subprocess, "run", index)
        return index

    return make


def test_a_plain_file_is_found_and_its_sha256_checked(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"a\n1\n")
    found = resolve(Table(path=str(path), sha256=sha(b"a\n1\n").upper()), None, tmp_path)
    assert (found.path, found.sha256, found.size) == (path, sha(b"a\n1\n"), 4)
    with pytest.raises(BadInput, match=r"log\.csv: has sha256 .*, expected 00"):
        resolve(Table(path=str(path), sha256="00"), None, tmp_path)


def test_a_missing_file_and_a_variable_that_is_not_set_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match=r"nothing\.csv: cannot be read \(No such file"):
        resolve(Table(path=str(tmp_path / "nothing.csv")), None, tmp_path)
    monkeypatch.delenv("SOME_FOLDER", raising=False)
    with pytest.raises(BadInput, match="the variable SOME_FOLDER is not set"):
        resolve(Table(path="${SOME_FOLDER}/log.csv"), None, tmp_path)


def test_a_variable_stays_unexpanded_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.csv").write_bytes(b"a\n")
    monkeypatch.setenv("SOME_FOLDER", str(tmp_path))
    found = resolve(Table(path="${SOME_FOLDER}/log.csv"), None, tmp_path)
    assert (found.configured, found.path) == ("${SOME_FOLDER}/log.csv", tmp_path / "log.csv")


def test_a_package_is_fetched_once_for_all_its_members(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    index = index_with({**MEMBERS, "box/code.py": b"raise SystemExit"})
    first = resolve(TABLE, PACKAGE, tmp_path)
    second = resolve(Table(path="package:box/data/b.csv"), PACKAGE, tmp_path)
    assert first.path == tmp_path / "box-1.0/box/data/a.csv"
    assert second.path.read_bytes() == MEMBERS["box/data/b.csv"]
    assert len(index.calls) == 1
    assert "--no-deps" in index.calls[0]
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == ["a.csv", "b.csv"]


def test_a_member_of_a_source_archive_is_fetched_by_the_archives_checksum(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    """pip compares it before it asks the archive's own code for anything."""
    index = index_with(MEMBERS)
    package = PACKAGE.model_copy(update={"source_sha256": "ab" * 32})
    assert resolve(TABLE, package, tmp_path).path.read_bytes() == MEMBERS["box/data/a.csv"]
    assert index.pinned == f"box==1.0 --hash=sha256:{'ab' * 32}\n"
    index_with({"box/data/a.csv": b"a\n1\n"})
    with pytest.raises(BadInput, match=r"box 1\.0: .*box/data/b\.csv"):
        resolve(TABLE, package, tmp_path / "other")
    index_with(b"no archive")
    with pytest.raises(WorkFailed, match="is damaged"):
        resolve(TABLE, package, tmp_path / "damaged")


def test_a_placed_file_needs_no_index(tmp_path: Path, index_with: Callable[..., Index]) -> None:
    index = index_with(None)
    place = tmp_path / "box-1.0/box/data/a.csv"
    place.parent.mkdir(parents=True)
    place.write_bytes(MEMBERS["box/data/a.csv"])
    assert resolve(TABLE, PACKAGE, tmp_path).path == place
    assert index.calls == []


def test_other_bytes_than_expected_are_refused(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    index_with({**MEMBERS, "box/data/a.csv": b"changed"})
    with pytest.raises(BadInput, match=r"a\.csv: has sha256 .* delete it to fetch it again"):
        resolve(TABLE, PACKAGE, tmp_path)


def test_no_connection_says_what_to_do_and_leaves_nothing_behind(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    noise = b"WARNING: a setting\nERROR: Could not find it\nERROR: No matching box\n[notice] pip"
    index_with(None, noise)
    with pytest.raises(WorkFailed) as caught:
        resolve(TABLE, PACKAGE, tmp_path)
    message = str(caught.value)
    assert message.startswith("cannot fetch box 1.0 from the package index (offline? No matching")
    assert str(tmp_path / "box-1.0/box/data/a.csv") in message
    assert "WARNING" not in message
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_index_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(command: list[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(WorkFailed, match="no answer within"):
        resolve(TABLE, PACKAGE, tmp_path)


def test_a_damaged_wheel_and_a_missing_member_are_named(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    index_with(b"not a zip archive")
    with pytest.raises(WorkFailed, match="is damaged"):
        resolve(TABLE, PACKAGE, tmp_path)
    index_with({"box/data/a.csv": b"a\n1\n"})
    with pytest.raises(BadInput, match=r"box 1\.0: .*box/data/b\.csv"):
        resolve(TABLE, PACKAGE, tmp_path)


def test_only_declared_members_of_a_declared_package_are_taken(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"needs data\.package"):
        resolve(TABLE, None, tmp_path)
    with pytest.raises(BadInput, match=r"did you mean 'box/data/a\.csv'\?"):
        resolve(Table(path="package:box/data/aa.csv"), PACKAGE, tmp_path)


@pytest.mark.parametrize("member", ["../../outside.csv", "/etc/passwd"])
def test_a_member_never_leaves_its_folder(tmp_path: Path, member: str) -> None:
    package = Package(name="box", version="1.0", sha256={member: "00"})
    # The schema refuses some of these paths already; the reader does not rely on it.
    table = Table(path="package:a.csv").model_copy(update={"path": f"package:{member}"})
    with pytest.raises(BadInput, match="must stay inside the package"):
        resolve(table, package, tmp_path)
