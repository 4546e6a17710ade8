"""Differences between two studies, so that a change of the answer can be laid at a door."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recsweep.records.evidence import Evidence

# Decide no number.
OWN = ("study", "description", "description_zh", "tracking", "storage", "energy")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `kind`: data, experiment, space, code, packages or machine."""

    kind: str
    key: str
    before: str
    after: str


def differences(a: Evidence, b: Evidence) -> list[Difference]:
    """Everything that may have moved a number, data first."""
    found = []
    if a.fingerprint != b.fingerprint:
        found.append(Difference("data", "fingerprint", a.fingerprint[:12], b.fingerprint[:12]))
    before, after = (e.experiment.model_dump(mode="json", exclude=set(OWN)) for e in (a, b))
    for key, *rest in _different(before, after):
        kind = "data" if key.startswith("data.") else "experiment"
        found.append(Difference(kind, key, *rest))
    if a.spaces is not None and b.spaces is not None:
        found += [Difference("space", *rest) for rest in _different(a.spaces, b.spaces)]
    found += _environments(a.environment, b.environment)
    return found


def _environments(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    kinds = {"recsweep": "code", "code": "code", "packages": "packages", "python": "packages"}
    for key, before, after in _different(a, b):
        yield Difference(kinds.get(key.partition(".")[0], "machine"), key, before, after)


def _different(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Leaf by leaf, so that a whole that only one side has is told by its keys as well."""
    if not (_parts(a) or _parts(b)):
        if _text(a) != _text(b):
            yield path, _text(a), _text(b)
        return
    if not all(_parts(side) or side in (None, {}, [], ()) for side in (a, b)):
        before, after = ("…" if _parts(side) else _text(side) for side in (a, b))
        yield path, before, after
    inside, other = _parts(a), _parts(b)
    for key in {**inside, **other}:
        yield from _different(inside.get(key), other.get(key), f"{path}.{key}" if path else key)


def _parts(value: Any) -> Mapping[str, Any]:
    """What a mapping, or a list of such, consists of."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value):
        return {str(n): part for n, part in enumerate(value, 1)}
    return {}


def _text(value: Any) -> str:
    """As YAML has it, in one line."""
    if value is None or (isinstance(value, Mapping | list | tuple) and not value):
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    text = ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
    if text.strip() != text or not text:
        text = json.dumps(text)
    return text if len(text) <= 60 else text[:59] + "…"
