"""A best file's digests: they tell which key was edited since the file was written.

They guard against slips and forgotten edits, not against forgers: who edits a key can edit its
digest as well.
"""

from collections.abc import Mapping
from typing import Any, get_origin

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Decides, Schema, declared


def digests_of(schema: type[Schema], content: Mapping[str, Any]) -> dict[str, str]:
    """`config.depth`, `metrics.ndcg@10`, `seed`, … -> the start of its sha256.

    Args:
        schema: its fields say which keys decide what is rebuilt. A mapping has one digest an entry,
            so that a hyperparameter can be named.
        content: a best file's keys as JSON or YAML has them. Not a parsed `BestFile`, which would
            also hold the defaults of keys that came later.
    """
    parts: dict[str, Any] = {}
    for name, field in schema.model_fields.items():
        if Decides.REBUILT in (declared(field) or Decides.NOTHING):
            if get_origin(field.annotation) is Mapping:
                parts |= {f"{name}.{key}": value for key, value in content[name].items()}
            else:
                parts[name] = content[name]
    return {name: json_sha256(value)[:16] for name, value in parts.items()}


def edited(schema: type[Schema], content: Mapping[str, Any]) -> list[str]:
    """What was changed, added or taken away since `content` was written, one line each."""
    recorded, found = content.get("digests"), digests_of(schema, content)
    if not recorded:
        return ["digests: were taken out of the file, so nobody can tell what else was edited"]
    lines = []
    for name in (*found, *(name for name in recorded if name not in found)):
        if name not in found:
            lines.append(f"{name} was taken out after the file was written")
        elif name not in recorded:
            lines.append(f"{name} was added after the file was written")
        elif recorded[name] != found[name]:
            lines.append(f"{name} was edited after the file was written")
    return lines
