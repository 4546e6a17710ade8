"""Reading `search_spaces/*.yaml`. Every mistake in one is a `BadInput` before anything runs."""

from collections.abc import Mapping
from pathlib import Path

import optuna

from recsweep.config.files import nearest, read_yaml, validate
from recsweep.errors import BadInput
from recsweep.models.family import Builds
from recsweep.spaces.declared import DeclaredSpace
from recsweep.spaces.space import Space

optuna.logging.set_verbosity(optuna.logging.ERROR)  # a study of probes is nobody's news

PROBES = 64
"""Configurations that are drawn at random to see whether the family takes them."""


def load_space(path: Path, families: Builds) -> Space:
    """Read and check a space.

    Raises:
        BadInput: one line that names the file and the parameter.
    """
    return parse_space(read_yaml(path), path, families)


def parse_space(raw: Mapping[str, object], path: Path, families: Builds) -> Space:
    """Check a space's keys; `path` is where they come from.

    Raises:
        BadInput: one line that names the file and the parameter.
    """
    return bind_space(validate(DeclaredSpace, raw, path), path, families)


def bind_space(declared: DeclaredSpace, path: Path, families: Builds) -> Space:
    """The space of its family, which must take all that it proposes.

    Raises:
        BadInput: one line that names the file and the parameter.
    """
    kind = declared.family
    if kind not in families:
        raise BadInput(
            f"{path}: family {kind!r} does not serve the study's task" + nearest(kind, families)
        )
    config = families[kind].config
    for name in (*declared.fixed, *declared.parameters):
        if name not in config.model_fields:
            raise BadInput(
                f"{path}: {kind} has no setting {name!r}"
                + (nearest(name, config.model_fields) if config.model_fields else "")
            )
        if name in declared.fixed and name in declared.parameters:
            raise BadInput(f"{path}: {name} is both fixed and a parameter")
    keys = {name: getattr(declared, name) for name in declared.model_fields_set}
    space = Space(**keys, config=config, epochs=families[kind].epochs)
    for where, first in space.first().items():
        if problems := space.problems(space.whole(first)):
            raise BadInput(f"{path}: {where}: {problems[0]}")
    _probe(space, path)
    return space


def _probe(space: Space, path: Path) -> None:
    """The family must take what the space proposes; its own rules may go beyond single fields."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(PROBES if space.parameters else 0):
        if problems := space.problems(space.suggest(study.ask())):
            raise BadInput(f"{path}: {problems[0]}")
