import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from recsweep.config.schema import Package, SimulatorSettings, Table
from recsweep.data import sources
from recsweep.data.sources import file_sha256, resolve
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
        self.keys: dict[str, object] = {}  # of the last call
        self.pinned = ""  # what was asked of a source archive

    def __call__(self, command: list[str], **keys: object) -> "subprocess.CompletedProcess[bytes]":
        self.calls.append(command)
        self.keys = keys
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
    with pytest.raises(WorkFailed, match=r"\(offline\? no answer within 120 seconds\)"):
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


def test_several_files_have_the_checksum_of_their_checksums_in_order_of_names(
    tmp_path: Path,
) -> None:
    (tmp_path / "days").mkdir()
    for name, content in (("2.csv", b"a\n2\n"), ("1.csv", b"a\n10\n")):
        (tmp_path / "days" / name).write_bytes(content)
    found = resolve(Table(path=str(tmp_path / "days")), None, tmp_path)
    assert found.sha256 == sha((sha(b"a\n10\n") + sha(b"a\n2\n")).encode())
    assert (found.path, found.size) == (tmp_path / "days", 9)
    assert file_sha256(tmp_path / "days" / "2.csv") == sha(b"a\n2\n")
    with pytest.raises(BadInput, match=r"days: has sha256 .*, expected 00$"):
        resolve(Table(path=str(tmp_path / "days"), sha256="00"), None, tmp_path)


def test_a_frame_is_found_where_it_was_put_and_must_be_the_one_it_was(tmp_path: Path) -> None:
    path = tmp_path / f"frame-{sha(b'rows')[:16]}.parquet"
    path.write_bytes(b"rows")
    table = Table(path=f"frame:{sha(b'rows')}", format="parquet")
    assert resolve(table, None, tmp_path).path == path
    path.write_bytes(b"other rows")
    with pytest.raises(
        BadInput, match=rf"has sha256 {sha(b'other rows')}, expected {sha(b'rows')}$"
    ):
        resolve(table, None, tmp_path)


def test_a_simulated_table_is_made_by_its_settings_and_may_be_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made.csv").write_bytes(b"u,i\n")
    given = SimulatorSettings()

    def made(path: str, settings: object, folder: Path) -> Path:
        assert (path, settings, folder) == ("simulator:events", given, tmp_path)
        return folder / "made.csv"

    with pytest.raises(BadInput, match=r"needs data\.simulator"):
        resolve(Table(path="simulator:events"), None, tmp_path)
    monkeypatch.setattr(sources, "simulated", made)
    table = Table(path="simulator:events", sha256=sha(b"u,i\n"))
    assert resolve(table, None, tmp_path, given).path == tmp_path / "made.csv"
    with pytest.raises(BadInput, match="has sha256"):
        resolve(Table(path="simulator:events", sha256="00"), None, tmp_path, given)


def test_what_is_placed_stays_when_the_rest_is_fetched(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    placed = tmp_path / "box-1.0/box/data/b.csv"
    placed.parent.mkdir(parents=True)
    placed.write_bytes(b"mine")
    index_with(MEMBERS)
    assert resolve(TABLE, PACKAGE, tmp_path).sha256 == PACKAGE.sha256["box/data/a.csv"]
    assert placed.read_bytes() == b"mine"


def test_pip_is_asked_for_one_wheel_or_one_source_archive_and_waited_for_two_minutes(
    tmp_path: Path, index_with: Callable[..., Index]
) -> None:
    index = index_with(MEMBERS)
    resolve(TABLE, PACKAGE, tmp_path)
    (wheel,) = index.calls
    assert wheel[1:4] == ["-m", "pip", "download"]
    assert wheel[-3:] == ["box==1.0", "--only-binary", ":all:"]
    assert {"--no-deps", "--quiet", "--no-input", "--disable-pip-version-check"} < {*wheel}
    assert " ".join(wheel).endswith("--timeout 15 --retries 1 box==1.0 --only-binary :all:")
    assert index.keys["timeout"] == 120
    assert (index.keys["check"], index.keys["capture_output"]) == (False, True)
    index = index_with(MEMBERS)
    resolve(TABLE, PACKAGE.model_copy(update={"source_sha256": "ab" * 32}), tmp_path / "other")
    (source,) = index.calls
    assert source[-3:] == ["--no-binary", ":all:", "--require-hashes"]
    assert {"--no-deps", "--quiet", "--no-input", "--disable-pip-version-check"} < {*source}


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        (b"", "offline? pip failed)"),
        (b"WARNING: a setting\n", "offline? pip failed)"),
        (b"ERROR: first\nERROR: second\nERROR: last\n[notice] pip\n", "offline? last)"),
        (b"ERROR: \xff\n", "offline? \ufffd)"),
        (b"ERROR: " + b"x" * 200, f"offline? {'x' * 120})"),
    ],
)
def test_the_reason_is_pips_last_error_in_120_characters(
    tmp_path: Path, index_with: Callable[..., Index], stderr: bytes, told: str
) -> None:
    index_with(None, stderr)
    with pytest.raises(WorkFailed) as caught:
        resolve(TABLE, PACKAGE, tmp_path)
    assert told in str(caught.value)


def test_a_folder_of_a_source_archive_is_no_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folders(command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        path = Path(command[command.index("--dest") + 1]) / "box-1.0.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            entry = tarfile.TarInfo("box-1.0/box/data/a.csv")
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", folders)
    package = PACKAGE.model_copy(update={"source_sha256": "ab" * 32})
    with pytest.raises(BadInput, match=r"box 1\.0: box/data/a\.csv in the archive is no file"):
        resolve(TABLE, package, tmp_path)
