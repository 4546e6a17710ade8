"""A best file's digests: they tell which key was edited since the file was written.

They guard against slips and forgotten edits, not against forgers: who edits a key can edit its
digest as well.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

WHOLE = ("kind", "seed", "epochs", "metric", "value", "data", "experiment")
BY_ENTRY = ("config", "metrics")  # one digest an entry, so that a hyperparameter can be named


def digests_of(content: Mapping[str, Any]) -> dict[str, str]:
    """`config.depth`, `metrics.ndcg@10`, `seed`, … -> the start of its sha256.

    Args:
        content: a best file's keys as JSON or YAML has them. Not a parsed `BestFile`, which would
            also hold the defaults of keys that came later.
    """
    parts = {key: content[key] for key in WHOLE}
    for section in BY_ENTRY:
        parts |= {f"{section}.{name}": value for name, value in content[section].items()}
    return {name: _digest(value) for name, value in parts.items()}


def edited(content: Mapping[str, Any]) -> list[str]:
    """What was changed, added or taken away since `content` was written, one line each."""
    recorded, found = content.get("digests"), digests_of(content)
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


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
