"""The base of every schema, and the types that several of them share."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

PositiveInt = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


def _no_climbing(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError(
            "a path must not climb with '..'; write it from the top or use ${VARIABLES}"
        )
    return path


def _below(path: str) -> str:
    if PurePosixPath(path).is_absolute() or path.startswith("~"):
        raise ValueError(
            f"found {path!r}; a space file lies below the folder that you run in: write a path "
            "such as search_spaces/gru.yaml"
        )
    return _no_climbing(path)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(
            f"{name!r} is no time zone; write one such as Asia/Shanghai, Europe/Berlin or UTC"
        ) from None
    return name


def is_family_name(space: str) -> bool:
    """Does an entry of `families` name a family, whose own space is meant, and not a file?"""
    return re.fullmatch(r"[A-Za-z0-9_-]+", space) is not None


def _named_after_themselves(families: object) -> object:
    """`[gru, lstm]` is short for `{gru: gru, lstm: lstm}`."""
    if not isinstance(families, list | tuple) or not all(isinstance(f, str) for f in families):
        return families
    if twice := next((name for name in families if families.count(name) > 1), None):
        raise ValueError(f"{twice!r} is listed twice; give one another name: {{name: {twice}}}")
    return {name: name for name in families}


RawPath = Annotated[str, AfterValidator(_no_climbing)]
SpacePath = Annotated[str, AfterValidator(_below)]
ByName = BeforeValidator(_named_after_themselves)
ArmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]{0,63}$")]

EventType = Literal["browse", "favourite", "purchase", "comment", "rate", "watch"]
TYPE, GAP, DWELL = EVENT_FEATURES = ("event.type", "event.gap", "event.dwell")
"""What `features` may name of the events of a history, beside columns of learners and courses."""

Loss = Literal["cross_entropy", "sampled_softmax", "gbce", "bce", "bpr", "bpr_max"]
"""Of families that rank and are trained by gradient."""

Unit = Literal["learners", "sessions", "rows", "texts", "groups"]
"""What a score is a mean over, and what is resampled."""
UNITS = {"unix": 1, "unix_ms": 10**3, "unix_us": 10**6, "unix_ns": 10**9}
"""Formats of times that are numbers, and how many of them make a second."""


def _time_format(value: str) -> str:
    if value not in UNITS and value != "iso" and "%" not in value:
        raise ValueError(
            f"found {value!r}, expected {', '.join(UNITS)}, iso, "
            'or a pattern such as "%Y-%m-%d %H:%M:%S"'
        )
    return value


TimeFormat = Annotated[str, AfterValidator(_time_format)]
"""A unit, `iso`, or a strptime pattern. A time without a zone is read as UTC, or as the table's
`timezone`."""
TimeZone = Annotated[str, AfterValidator(_known_zone)]


LARGEST_SEED = 2**31 - 1
"""numpy, scikit-learn and implicit take less than 2**32; trials and repeated searches count up."""
_SEEDS = f"expected a whole number from 0 to {LARGEST_SEED}"


def _seed_is_no_boolean(seed: object) -> object:
    if isinstance(seed, bool):  # to Python, and so to pydantic, true is 1
        raise ValueError(f"found {str(seed).lower()}, {_SEEDS}")
    return seed


def _seed_in_range(seed: int) -> int:
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"found {seed}, {_SEEDS}")
    return seed


Seed = Annotated[int, BeforeValidator(_seed_is_no_boolean), AfterValidator(_seed_in_range)]


class Schema(BaseModel):
    """Frozen, and closed to unknown keys and to numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def later(default: Any) -> Any:
    """A key that came after records were written: at its default, records leave it out.

    So the folder of prepared data, a study's identity and a best file's digests stay what they
    were before the key.
    """
    return Field(default, exclude_if=lambda value: value == default)
