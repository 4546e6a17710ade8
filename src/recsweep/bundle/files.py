"""Writing a bundle's folder whole, and refusing one that was changed."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsweep.bundle.format import FORMAT, NAME, BundleFile, File
from recsweep.config.digest import json_sha256
from recsweep.data.atomic_folders import temporary_folder
from recsweep.errors import BadInput, WorkFailed

KEY = "digest"
RENEW = "fit it again with recsweep fit"


def write_bundle(folder: Path, content: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a new folder; it appears whole or not at all.

    Args:
        folder: that is not there yet.
        content: the keys of `bundle.json` but for `files`.
        files: name -> bytes.

    Raises:
        BadInput: the folder is there.
        WorkFailed: it can't be written.
    """
    check_free(folder)
    listed = {
        name: File(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in sorted(files.items())
    }
    record = BundleFile.model_validate({**content, "files": listed})
    keys = json.loads(record.model_dump_json())
    text = json.dumps({**keys, KEY: json_sha256(keys)}, indent=1, ensure_ascii=False) + "\n"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder.parent, folder.name) as temporary:
            for name, data in {**files, NAME: text.encode()}.items():
                with (temporary / name).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            check_free(folder)
            temporary.rename(folder)
    except OSError as error:
        raise WorkFailed(f"{folder}: cannot be written ({error.strerror or error})") from None


def check_free(folder: Path) -> None:
    """Refuse a place that is taken.

    Raises:
        BadInput: there is something.
    """
    if folder.exists() or folder.is_symlink():
        raise BadInput(f"{folder}: is there already; give another --out, or move it away")


def read_bundle(folder: Path) -> tuple[BundleFile, dict[str, bytes]]:
    """`bundle.json` and the other files, each checked against its digest.

    Raises:
        BadInput: no bundle, one of another format, or a file that was changed.
    """
    record = read_bundle_file(folder)
    return record, {name: _checked(folder / name, file) for name, file in record.files.items()}


def read_bundle_file(folder: Path) -> BundleFile:
    """`bundle.json` alone.

    Raises:
        BadInput: it is missing, damaged, changed, or of another format.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be read ({error.strerror}); {folder} is no bundle"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: is not valid JSON ({error}); {RENEW}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: holds no JSON object; {RENEW}")
    if content.get("format") != FORMAT:
        found = content.get("format", "none")
        raise BadInput(f"{path}: has format {found}, this version reads {FORMAT}; {RENEW}")
    if content.pop(KEY, None) != json_sha256(content):
        raise BadInput(f"{path}: was changed after it was written; {RENEW}")
    try:
        record = BundleFile.model_validate_json(json.dumps(content))
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadInput(f"{path}: is no bundle of this version ({key}); {RENEW}") from None
    for name in record.files:
        if Path(name).name != name or name.startswith("."):
            raise BadInput(f"{path}: files: {name!r} is no file of the folder")
    return record


def _checked(path: Path, file: File) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); {RENEW}") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        raise BadInput(
            f"{path}: was changed after it was written (sha256 {digest[:12]}…, bundle.json has "
            f"{file.sha256[:12]}…); {RENEW}"
        )
    return data
