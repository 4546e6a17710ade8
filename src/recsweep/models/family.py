"""What a family is: how it serves each task, and what everybody else may ask about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from recsweep.models.protocol import Context, FamilyConfig

C = TypeVar("C", bound=FamilyConfig)
M_co = TypeVar("M_co", covariant=True)

Role = Literal["network", "control", "baseline", "floor", "ensemble"]
"""Networks are what a study is about, controls are networks that are denied something, baselines
what networks are held against by default, and floors what all have to pass. An ensemble is made of
a finished study's trials: it has no search space."""


@dataclass(frozen=True, slots=True)
class Build(Generic[C, M_co]):
    """How a family serves one task, and what is true of its models there."""

    config: type[C]
    build: Callable[[C, Context], M_co]  # an untrained model
    epochs: int | None = None  # a fixed training length; None: the study's budget
    random: bool = True  # False: every seed gives the same model
    reads_order: bool | Callable[[C], bool] = True
    """Can the order of a history's events reach a score? It may depend on the configuration."""
    uses_features: bool = False
    needs_history: bool = False  # has nothing to go on in a table of sessions
    portrays: bool = False  # are its models `Portrayable`?

    def model(self, config: Mapping[str, object], context: Context) -> M_co:
        """An untrained model.

        Raises:
            pydantic.ValidationError: the configuration does not fit.
        """
        return self.build(self.config.model_validate(dict(config)), context)

    def sees_order(self, config: Mapping[str, object]) -> bool:
        """`reads_order` of one configuration."""
        if callable(self.reads_order):
            return self.reads_order(self.config.model_validate(dict(config)))
        return self.reads_order


Builds = Mapping[str, Build[Any, Any]]
"""Families by name, as they serve one task."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model. It stands beside its models; nobody else keeps lists of names."""

    name: str  # in search spaces and records
    role: Role
    tasks: Mapping[str, Build[Any, Any]]  # by the task's name
    title: str = ""  # as people write it within a sentence; empty: the name with spaces
    title_zh: str = ""  # empty: the title
    twin: str | None = None  # the control with the same layers that can't see order
    spaces: Path | None = None
    """The folder with `<name>.yaml`, or `<task>/<name>.yaml`; None: `search_spaces/`."""

    def called(self, lang: str) -> str:
        """What people read."""
        own = self.title_zh if lang == "zh" else ""
        return own or self.title or spaced(self.name)


def spaced(name: str) -> str:
    """A name of the records, `wide_deep`, as words."""
    return name.replace("_", " ")
