from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import World, tiny_experiment

from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.records.earlier import Earlier
from recsweep.spaces.bundled import space_path
from recsweep.spaces.files import load_space
from recsweep.stages.sweep.earlier import read_earlier

SPACE = """
family: matrix_factorization
fixed: {loss: cross_entropy, history_exponent: 0.5, dropout: 0.1, weight_decay: 0.0001,
        batch_size: 8, window: 10}
defaults: {factors: 16, learning_rate: 0.003}
parameters:
  factors: {int: [4, 32], log: true, role: scientific, why: capacity}
  learning_rate: {float: [0.001, 0.1], log: true, role: nuisance, why: moves with width}
"""


def warm(**changes: Any) -> Experiment:
    """A new study that begins with what `tiny` found."""
    keys = tiny_experiment().model_dump(mode="json", by_alias=True)
    return Experiment.model_validate(
        {**keys, "study": "warm", "warm_start": ["results/tiny"], **FAMILIES, **changes}
    )


FAMILIES = {"families": {"markov": "floor.yaml", "matrix_factorization": "mf.yaml"}}


def folds(**changes: Any) -> dict[str, Any]:
    return {"folds": {"count": 2, "validation": 0.2, "test": 0.2, **changes}}


def read(world: World, experiment: Experiment) -> Earlier:
    (world.root / "mf.yaml").write_text(SPACE)
    (world.root / "floor.yaml").write_text("family: markov\n")
    families = families_of(experiment.task)
    spaces = {
        name: load_space(space_path(experiment, name, world.root), families)
        for name in experiment.families
    }
    return read_earlier(experiment, spaces, prepare(experiment, world.root), world.root)


@pytest.mark.parametrize("change", [{}, folds(test=0.1)])
def test_every_tuned_family_gets_what_the_earlier_study_found(
    world: World, change: dict[str, Any]
) -> None:
    """On the same data, and on a log of which the earlier study had the first part."""
    found = read(world, warm(**change))
    assert found.keys() == {"matrix_factorization"}  # the other has nothing to tune
    (study,) = found["matrix_factorization"]
    (trial,) = study.trials
    assert (study.folder, study.left_out) == ("results/tiny", 0)
    assert trial.params == {"factors": 8, "learning_rate": 0.02}
    assert set(trial.values) == {1, 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (folds(test=0.4), r"scored on data up to 2020-\S+, and this study's sealed test begins"),
        (
            {"folds": {"rule": "learners", "count": 2, "test": 0.2}},
            "without a cut of the clock in both nobody can tell",
        ),
        ({"metric": {"name": "mrr", "k": 10}}, r"searched by ndcg@10 of task \S+, this study by"),
        (
            {"families": {"gru": "gru"}},
            "results/tiny has no gru; every tuned family has to be in it",
        ),
        (
            {"families": {"popularity": "gru"}},
            "results/tiny means a popularity by popularity",
        ),
        (
            {"families": {"matrix_factorization": "matrix_factorization"}},
            r"within this study's space \(matrix_factorization-0000: batch_size = 8 is outside",
        ),
        ({"warm_start": ["results/nowhere"]}, "results/nowhere: has no study.json"),
    ],
)
def test_what_tells_of_the_sealed_test_or_of_other_questions_is_refused(
    world: World, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        read(world, warm(**change))


def test_data_that_are_gone_or_others_now_are_refused(
    world: World, edit: Callable[[Path, str, str], None]
) -> None:
    path = world.study / "study.json"
    edit(path, '"fingerprint": "', '"fingerprint": "0')
    with pytest.raises(BadInput, match=r"warm_start: \S+ has fingerprint"):
        read(world, warm())
    edit(path, '"dataset": "tiny', '"dataset": "gone')
    with pytest.raises(BadInput, match="cannot be read"):
        read(world, warm())


def test_a_study_is_named_once() -> None:
    with pytest.raises(ValueError, match="warm_start: names a study twice"):
        warm(warm_start=["results/tiny", "results/tiny"])
