"""JSON records with a digest of their own content, so that damage and slips are seen.

As with `digests.py`: no guard against forgers. A record without a digest is an older one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Schema
from recsweep.errors import BadInput
from recsweep.records.atomic import write_bytes

S = TypeVar("S", bound=Schema)

KEY = "digest"


def write_checked(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content`, and its digest under `digest`."""
    write_bytes(path, checked(content))


def checked(content: Mapping[str, Any]) -> bytes:
    """What `write_checked` writes."""
    whole = {**content, KEY: json_sha256(content)}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def write_record(path: Path, record: Schema) -> None:
    """`write_checked` of a record that has a schema."""
    write_checked(path, json.loads(record.model_dump_json()))


def read_record(schema: type[S], path: Path, advice: str) -> S:
    """Read what `write_record` wrote.

    Raises:
        FileNotFoundError, BadInput: see `read_checked`; or it does not fit the schema.
    """
    content = read_checked(path, advice)
    try:
        return schema.model_validate_json(json.dumps(content))
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        name = schema.__name__.lower()
        raise BadInput(f"{path}: is not a {name} of this version ({key}); {advice}") from None


def read_checked(path: Path, advice: str) -> dict[str, Any]:
    """Read what `write_checked` wrote, the digest taken out.

    Args:
        path: of the record.
        advice: what to do about one that was changed.

    Raises:
        FileNotFoundError: there is none.
        BadInput: it can't be read, is no JSON object, or was changed since it was written.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: is not valid JSON ({error}); {advice}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: holds no JSON object; {advice}")
    if KEY in content and content.pop(KEY) != json_sha256(content):
        raise BadInput(f"{path}: was changed after it was written; {advice}")
    return content
