"""Differences between two studies, so that a change of the answer can be laid at a door."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsweep.records.evidence import Evidence

OWN = ("study", "description", "tracking")  # decide no number


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
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in {**a, **b}:
            yield from _different(a.get(key), b.get(key), f"{path}.{key}" if path else str(key))
    elif _plain(a) != _plain(b):
        yield path, _text(a), _text(b)


def _plain(value: Any) -> Any:
    """Lists and tuples alike."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _text(value: Any) -> str:
    if value is None:
        return "–"
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
