"""Every family by its name: those in `families/`, and those that other packages bring.

A package announces a family by an entry point of the group `recsweep.families` whose value is a
`Family`, or several of them in a tuple.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from recsweep.config.files import nearest
from recsweep.errors import BadInput, one_line
from recsweep.models import families as own
from recsweep.models.family import Builds, Family, Role, spaced

GROUP = "recsweep.families"


@cache
def families() -> Mapping[str, Family]:
    """All of them.

    Raises:
        BadInput: an entry point can't be loaded or is no family, or a name is taken twice.
    """
    found: dict[str, Family] = {}
    origins: dict[str, str] = {}
    for origin, family in (*_built_in(), *_of_other_packages()):
        if family.name in found:
            raise BadInput(
                f"{origin}: the family's name {family.name!r} is taken by {origins[family.name]}"
            )
        found[family.name], origins[family.name] = family, origin
    return found


def family(name: str) -> Family:
    """The family of this name.

    Raises:
        BadInput: there is none.
    """
    known = families()
    if name not in known:
        raise BadInput(f"there is no family {name!r}{nearest(name, known)}")
    return known[name]


def families_of(task: str) -> Builds:
    """The families that serve a task, each as it does."""
    return {name: f.tasks[task] for name, f in families().items() if task in f.tasks}


def role_of(name: str) -> Role | None:
    """None: a family of a package that isn't here; records of it may be."""
    known = families().get(name)
    return known.role if known else None


def titles(kinds: Mapping[str, str], lang: str = "en") -> dict[str, str]:
    """What people read for each family of a study, by its name there.

    Args:
        kinds: name in the study -> name of the family, which need not be installed.
        lang: `en` or `zh`.

    Examples:
        >>> titles({"wide_deep": "wide_deep", "gru+text": "gru", "mine": "gru"})
        {'wide_deep': 'wide & deep', 'gru+text': 'GRU+text', 'mine': 'mine'}
    """
    known = families()
    shown = {}
    for name, kind in kinds.items():
        title = known[kind].called(lang) if kind in known else spaced(kind)
        rest = name.removeprefix(kind)
        is_arm = rest.startswith("+")
        shown[name] = title + rest if not rest or is_arm else name
    return shown


def _built_in() -> Iterator[tuple[str, Family]]:
    for module in iter_modules(own.__path__, f"{own.__name__}."):
        loaded = import_module(module.name)
        for each in loaded.FAMILIES if hasattr(loaded, "FAMILIES") else (loaded.FAMILY,):
            yield module.name, each


def _of_other_packages() -> Iterator[tuple[str, Family]]:
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        origin = f"the entry point {point.name} = {point.value} of {GROUP}"
        try:
            loaded = point.load()
        except Exception as error:  # whatever an import of somebody else's may raise
            reason = f"{type(error).__name__}: {one_line(error)}"
            raise BadInput(f"{origin} can't be loaded ({reason})") from None
        for each in loaded if isinstance(loaded, tuple) else (loaded,):
            if not isinstance(each, Family):
                raise BadInput(f"{origin} is no Family, found {type(each).__name__}")
            yield origin, each
