"""Every key says what it decides, and the identities follow what it says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from sweeps import spaces_of
from worlds import experiment_of

from recsweep.config.schema import (
    ANSWERS,
    Arm,
    Decides,
    Experiment,
    FeatureTable,
    Package,
    Schema,
    SessionTable,
    SimulatorSettings,
    declared,
)
from recsweep.data.manifest import inputs_hash
from recsweep.records.confirmation import confirmation_inputs
from recsweep.records.openings import Opened
from recsweep.records.selection import BestFile
from recsweep.records.study import Study
from recsweep.search.storage import identity
from recsweep.stages.portrait.stage import portrait_inputs
from recsweep.tasks.purchase.settings import Purchase

Place = tuple[str | int, ...]


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def silent_keys(schema: type[BaseModel], path: str = "") -> Iterator[str]:
    """Keys of which neither they nor one above them says what it decides."""
    for name, field in schema.model_fields.items():
        if declared(field) is None:
            inner = list(models_in(field.annotation))
            if not inner:
                yield f"{path}{name}"
            for model in inner:
                yield from silent_keys(model, f"{path}{name}.")


def test_every_key_of_an_experiment_says_what_it_decides() -> None:
    assert list(silent_keys(Experiment)) == []


def test_what_a_best_file_rebuilds_is_what_says_so() -> None:
    fields = BestFile.model_fields.items()
    assert {name for name, field in fields if declared(field) == Decides.REBUILT} == {
        *("kind", "config", "seed", "epochs", "metric", "value", "metrics", "data", "experiment")
    }


def whole() -> Experiment:
    """An experiment with something in every key, though no study could have all of it."""
    table = FeatureTable(path="x.csv", key="id", tags={"topics": "|"})
    experiment = experiment_of(families={"a": "a.yaml", "b": "b.yaml"}, features=["level"])
    data = experiment.data.model_copy(
        update={
            "package": Package(name="p", version="1", sha256={"x": "0"}),
            "simulator": SimulatorSettings(),
            "sessions": SessionTable(path="x.csv", label="bought", positive=("yes",)),
            "users": table,
            "items": table,
        }
    )
    families = {"a": "a.yaml", "b": Arm(space="b.yaml", features=("level",))}
    update = {"data": data, "families": families, "purchase": Purchase()}
    return experiment.model_copy(update=update)


def leaves(value: Any, said: Decides | None = None, place: Place = ()) -> Iterator[Any]:
    """(place, what it is declared to decide) of every value that is no section."""
    if isinstance(value, Schema):
        for name, field in type(value).model_fields.items():
            own = said if said is not None else declared(field)
            yield from leaves(getattr(value, name), own, (*place, name))
        for name, entry in (value.model_extra or {}).items():
            yield from leaves(entry, ANSWERS, (*place, name))
    elif isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from leaves(entry, said, (*place, key))
    elif isinstance(value, tuple) and value and isinstance(value[0], Schema):
        for n, entry in enumerate(value):
            yield from leaves(entry, said, (*place, n))
    else:
        yield place, said or Decides.NOTHING


def changed(value: Any, place: Place) -> Any:
    """The same with another value at a place."""
    if not place:
        if isinstance(value, bool):
            return not value
        if isinstance(value, int | float):
            return value + 1
        return "other" if isinstance(value, str) or value is None else ("other",)
    first, rest = place[0], place[1:]
    if isinstance(value, Schema):
        return value.model_copy(update={str(first): changed(getattr(value, str(first)), rest)})
    if isinstance(value, Mapping):
        return dict(value) | {first: changed(value[first], rest)}
    return tuple(changed(e, rest) if n == first else e for n, e in enumerate(value))


LEAVES = list(leaves(whole()))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize(
    ("place", "decides"), LEAVES, ids=[".".join(map(str, place)) for place, _ in LEAVES]
)
def test_a_key_changes_the_identities_of_what_it_says_it_decides_and_no_other(
    place: Place, decides: Decides, tmp_path: Path
) -> None:
    family = "b" if place[:2] == ("families", "b") else "a"
    space = spaces_of(tmp_path, "a")["a"]
    opened = Opened(kind="gru", trial="a-0001", config={}, epochs=3)

    def identities(experiment: Experiment) -> dict[Decides, object]:
        study = Study(experiment, {}, "data", "fingerprint", {}, {}, (), ())
        return {
            Decides.DATA: inputs_hash([], experiment),
            Decides.TRIALS: identity(experiment, family, space, "fingerprint"),
            Decides.CONFIRMATION: confirmation_inputs(study, {family: opened}, []),
            Decides.PORTRAIT: portrait_inputs({}, 0, experiment, family, opened, None),
        }

    before, after = identities(whole()), identities(changed(whole(), place))
    assert {what for what in before if before[what] != after[what]} == set(decides)
