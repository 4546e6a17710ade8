"""An experiment as YAML with a comment beside what was found out."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from recsweep.config.files import dump_yaml

Place = tuple[str | int, ...]
WIDTH = 98
BLOCKS = ("data", "users", "items", "sessions")
"""Keys whose mappings are written a line a key."""


def to_yaml(keys: Mapping[str, Any], comments: Mapping[Place, Sequence[str]]) -> str:
    """Mappings and lists of mappings as blocks, all else on one line; comments stand above."""
    lines: list[str] = []
    for key, value in keys.items():
        lines += ["", *_entry(key, value, (key,), comments, "")]
    return "\n".join(lines) + "\n"


def _entry(
    key: str, value: Any, place: Place, comments: Mapping[Place, Sequence[str]], indent: str
) -> Iterator[str]:
    yield from _comments(place, comments, indent)
    if isinstance(value, Mapping) and place[-1] in BLOCKS:
        yield f"{indent}{key}:"
        for name, inner in value.items():
            yield from _entry(name, inner, (*place, name), comments, indent + "  ")
    elif isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
        yield f"{indent}{key}:"
        for n, part in enumerate(value):
            yield from _item(part, (*place, n), comments, indent + "  ")
    else:
        yield f"{indent}{key}: {_flow(value)}"


def _item(
    part: Mapping[str, Any], place: Place, comments: Mapping[Place, Sequence[str]], indent: str
) -> Iterator[str]:
    lead = "- "
    for name, inner in part.items():
        yield from _comments((*place, name), comments, indent + "  ")
        for line in _entry(name, inner, (*place, name), {}, ""):
            yield f"{indent}{lead}{line}"
            lead = "  "


def _comments(place: Place, comments: Mapping[Place, Sequence[str]], indent: str) -> Iterator[str]:
    for comment in comments.get(place, ()):
        yield from wrap(
            comment, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   "
        )


def _flow(value: Any) -> str:
    return dump_yaml({"k": value}, flow=True).strip()[len("{k: ") : -1]
