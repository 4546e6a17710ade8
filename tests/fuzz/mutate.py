"""Random damage: to a tree of keys and values, to text, and to bytes."""

import copy
import random
import string
from collections.abc import Callable
from typing import Any

JUNK: tuple[Any, ...] = (
    None, "", " ", "x", "../../up", "/etc/passwd", "two\nlines", "\x07", "naïve 学", "a" * 5000,
    "~", "${HOME}", "${NOT_SET}", "null", "[red]markup[/red]", "%s", "{0}",
    True, False, 0, 1, -1, 2, 3, 7, 10**6, 10**30, -(10**30), 0.0, 0.5, 1.0, -0.5, 1e-300, 1e308,
    float("nan"), float("inf"), float("-inf"), [], {}, [[]], [None], {"": None}, {"a": {"b": 1}},
    ["browse"], [1, 2], [2, 1], [1, 1], [0.1, 0.2], "2020-01-01", "10",
)  # fmt: skip
TAGS = (
    "!!python/object/apply:os.getcwd []",
    "!!python/name:os.system ''",
    "!!binary gIGC",
    "!!set {a, b}",
    "!unknown x",
    "&a [*a]",
    "*missing",
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a tree, the root's own apart."""
    children = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    found = []
    for key, child in children:
        found += [(*at, key), *places(child, (*at, key))]
    return found


def parent_of(tree: Any, path: tuple[Any, ...]) -> Any:
    """What holds the last part of a path."""
    for part in path[:-1]:
        tree = tree[part]
    return tree


def typo(word: str, rng: random.Random) -> str:
    """The same word with one letter dropped, doubled or changed."""
    at = rng.randrange(len(word))
    return rng.choice(
        (word[:at] + word[at + 1 :], word[: at + 1] + word[at:], word[:at] + "q" + word[at + 1 :])
    )


def tree(original: dict[str, Any], rng: random.Random) -> tuple[dict[str, Any], str]:
    """A damaged copy, and what was done."""
    damaged = copy.deepcopy(original)
    said = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(places(damaged) or [()])
        if not path:
            break
        holder, last = parent_of(damaged, path), path[-1]
        match rng.randrange(6):
            case 0:
                del holder[last]
                said.append(f"delete {path}")
            case 1 | 2:
                holder[last] = copy.deepcopy(rng.choice(JUNK))
                said.append(f"set {path} {holder[last]!r:.40}")
            case 3 if isinstance(last, str):
                name = typo(last, rng)
                holder[name] = holder.pop(last)
                said.append(f"rename {path} {name!r}")
            case 4:
                holder[last] = rng.choice(
                    ([holder[last]], {"key": holder[last]}, str(holder[last]))
                )
                said.append(f"wrap {path}")
            case _:
                other = rng.choice(places(damaged))
                value = copy.deepcopy(parent_of(damaged, other)[other[-1]])
                holder[last] = value
                said.append(f"copy {other} to {path}")
    return damaged, "; ".join(said)


def text(original: str, rng: random.Random) -> tuple[bytes, str]:
    """A damaged text, which need not be text any longer."""
    lines = original.split("\n")
    at = rng.randrange(len(lines))
    match rng.randrange(8):
        case 0:
            return "\n".join(lines[:at] + lines[at + 1 :]).encode(), f"drop line {at}"
        case 1:
            return "\n".join(lines[:at] + lines[at : at + 1] * 2 + lines[at + 1 :]).encode(), (
                f"repeat line {at}"
            )
        case 2:
            lines[at] = rng.choice(("  ", "\t", "- ", "? ", ": ", "#", "%", "'", '"')) + lines[at]
            return "\n".join(lines).encode(), f"begin line {at} with {lines[at][:2]!r}"
        case 3:
            key = lines[at].partition(":")[0]
            lines[at] = f"{key}: {rng.choice(TAGS)}"
            return "\n".join(lines).encode(), f"tag in line {at}"
        case 4:
            joined = "\n".join(lines)
            cut = rng.randrange(len(joined) + 1)
            return joined[:cut].encode(), f"cut at {cut}"
        case _:
            return octets(original.encode(), rng)


def octets(original: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damaged bytes."""
    damaged = bytearray(original)
    at = rng.randrange(max(1, len(damaged)))
    match rng.randrange(7):
        case 0:
            return bytes(damaged[:at]), f"cut at byte {at}"
        case 1:
            end = min(len(damaged), at + rng.choice((1, 8, 512)))
            del damaged[at:end]
            return bytes(damaged), f"drop bytes {at} to {end}"
        case 2:
            damaged[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 64))))
            return bytes(damaged), f"insert at byte {at}"
        case 3:
            return b"", "empty"
        case 4:
            return bytes(damaged) + b"\xff" * rng.choice((1, 100)), "append"
        case _:
            flips = rng.choice((1, 1, 2, 16))
            for _ in range(flips):
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            return bytes(damaged), f"flip {flips} bits"


def digit(original: str, rng: random.Random) -> tuple[str, str] | None:
    """Another digit in place of one: still readable, and another number. None: it has none."""
    found = [n for n, letter in enumerate(original) if letter in string.digits]
    if not found:
        return None
    at = rng.choice(found)
    other = rng.choice([d for d in string.digits if d != original[at]])
    return original[:at] + other + original[at + 1 :], f"digit {original[at]} to {other} at {at}"


Mutation = Callable[[str, random.Random], tuple[bytes, str]]
