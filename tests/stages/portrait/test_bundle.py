"""A bundle's model portrays the log that it was fitted on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.stages.portrait import bundle as module
from recsweep.stages.portrait.bundle import bundle_portrait_stage

SESSIONS = {"path": "x.csv", "label": "bought", "positive": ["1"], "numeric": ["pages"]}
TOLD = {"study": "s", "kind": "gru", "config": {"x": 1}, "epochs": 2, "seed": 3}


class Seeing:
    """A model with a state of a learner."""

    def learner_vectors(self, histories: Any) -> Any:
        return np.array([histories])


class Staged:
    """A bundle in `models/mine`, and all that is asked of it."""

    def __init__(self, patch: pytest.MonkeyPatch, model: object, **keys: Any) -> None:
        self.portrayed: list[Any] = []
        self.read: list[Any] = []
        self.before: Any = None
        self.files = {"weights": SimpleNamespace(sha256="0f")}
        experiment = experiment_of(**keys)
        record = SimpleNamespace(
            family="gru", files=self.files, fitted=SimpleNamespace(end=99),
            selected=SimpleNamespace(trial="gru-0001"),
            model_dump=lambda include: {name: TOLD[name] for name in TOLD if name in include},
        )  # fmt: skip
        known = SimpleNamespace(experiment=experiment)
        self.bundle = SimpleNamespace(file=record, known=known, model=model, name="mine")
        fold = SimpleNamespace(validation=SimpleNamespace(histories=7))
        stand_ins: dict[str, Any] = {
            "load_bundle": lambda folder: self.bundle,
            "read_portrait": self.read_portrait,
            "prepared_log": lambda bundle, root: ("log", root),
            "whole_development": lambda dataset, asked, end: (
                fold if (dataset, end) == (("log", "root"), 99) else None
            ),
            "environment": lambda resources: {"python": "3"},
            "portray": self.portray,
        }
        for name, given in stand_ins.items():
            patch.setattr(module, name, given)

    def read_portrait(self, place: Path, name: str) -> Any:
        self.read.append((place, name))
        return self.before

    def portray(self, *asked: Any) -> Any:
        self.portrayed.append(asked)
        return SimpleNamespace(inputs=asked[-1]["inputs"])

    def run(self, folder: Path, clusters: int | None = None) -> Any:
        return bundle_portrait_stage(folder, "root", clusters=clusters)  # type: ignore[arg-type]


def test_the_learners_of_the_log_are_portrayed_beside_the_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, Seeing())
    found = staged.run(tmp_path / "mine", 3)
    assert found.fitted
    ((vectors, _, dataset, experiment, place, name, told),) = staged.portrayed
    assert vectors.tolist() == [7]
    assert (dataset, experiment) == (("log", "root"), staged.bundle.known.experiment)
    assert (place, name) == (tmp_path, "mine")
    assert staged.read == [(tmp_path, "mine")]
    inputs = told.pop("inputs")
    rest = {"trial": "gru-0001", "asked": 3, "environment": {"python": "3"}}
    assert told == {**TOLD, **rest}
    assert inputs == found.portrait.inputs


def test_what_was_portrayed_by_the_same_files_and_groups_is_only_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, Seeing())
    staged.before = staged.run(tmp_path / "mine").portrait
    again = staged.run(tmp_path / "mine")
    assert (again.portrait, again.fitted) == (staged.before, False)
    assert staged.run(tmp_path / "mine", 2).fitted
    staged.files["weights"].sha256 = "ff"
    assert staged.run(tmp_path / "mine").fitted
    assert len(staged.portrayed) == 3


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (object(), {}),
        (
            Seeing(),
            {
                "task": "purchase",
                "data": {"name": "shop", "sessions": SESSIONS},
                "folds": {"rule": "stratified", "count": 2},
                "families": {"base_rate": "x.yaml"},
            },
        ),
    ],
)
def test_a_model_without_a_state_of_a_learner_is_refused(
    model: object, keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, model, **keys)
    with pytest.raises(BadInput, match="mine: gru has no state of a learner to portray"):
        staged.run(tmp_path / "mine")
