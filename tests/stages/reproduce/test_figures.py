import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import recsweep
from recsweep.config.schema import Resources
from recsweep.records.environment import environment
from recsweep.stages.reproduce.figures import (
    LIBRARIES,
    Figure,
    compare_figures,
    obstacles,
    tolerance,
)


def test_nothing_stands_against_equal_figures_in_the_same_surroundings() -> None:
    now = environment()
    assert obstacles(now, now, Resources()) == []


def test_another_engine_stands_against_equal_figures() -> None:
    now = environment()
    before = {**now, "engine": "an earlier one"}
    assert obstacles(before, now, Resources()) == [f"engine an earlier one → {now['engine']}"]


def test_a_record_from_before_engines_had_names_must_still_agree_bit_for_bit() -> None:
    now = environment()
    before = {key: value for key, value in now.items() if key != "engine"}
    assert obstacles(before, now, Resources()) == []


def test_two_runs_may_be_as_far_apart_as_seeds_put_them_or_one_learner_of_the_fewest() -> None:
    runs = np.array([[0.1, 0.5], [0.3, 0.9]])
    spread = np.sqrt((0.02 + 0.08) / 2)  # of either place's two seeds
    asked = tolerance(runs, [10, 40])
    assert asked == pytest.approx(stats.t.ppf(0.995, 2) * np.sqrt(2) * spread)
    assert tolerance(runs / 1000, [10, 40]) == tolerance(runs[:1], [40, 10]) == 1 / 10


VERSIONS = {
    **{"torch": "2", "numpy": "1", "scipy": "1", "scikit-learn": "1"},
    **{"implicit": "0", "jieba": "1"},
}


def surroundings(**changes: object) -> dict[str, object]:
    packages = {**VERSIONS, "polars": "1"}
    return {"cpu": "a", "simd": "avx2", "engine": "1", "packages": packages, **changes}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"cpu": "b"}, ["cpu b → a"]),
        ({"simd": "sse"}, ["simd sse → avx2"]),
        ({"cores": 8}, []),
        ({"packages": None}, [f"{name} None → {version}" for name, version in VERSIONS.items()]),
        ({"packages": {**VERSIONS, "torch": "1"}}, ["torch 1 → 2"]),
        ({"packages": {**VERSIONS, "scikit-learn": "0"}}, ["scikit-learn 0 → 1"]),
        ({"packages": {**VERSIONS, "polars": "2"}}, []),
    ],
)  # fmt: skip
def test_what_computes_otherwise_stands_against_equal_figures_and_is_named(
    changes: dict[str, object], found: list[str]
) -> None:
    now = surroundings()
    assert obstacles(surroundings(**changes), now, Resources()) == found
    on_gpu = obstacles(surroundings(**changes), now, Resources(gpu=1))
    assert on_gpu == ["a GPU adds in no fixed order", *found]


@pytest.mark.parametrize(
    ("recorded", "rebuilt", "allowed", "agrees"),
    [
        (0.5, 0.5, 0.0, True),
        (0.5, 0.5 + 1e-12, 0.0, False),
        (0.5, 0.75, 0.25, True),
        (0.75, 0.5, 0.25, True),
        (0.5, 0.751, 0.25, False),
        (0.751, 0.5, 0.25, False),
        (None, 0.5, 9.0, False),  # nothing to agree with
        (0.5, None, 9.0, False),
    ],
)
def test_a_figure_agrees_up_to_its_tolerance_either_way(
    recorded: float | None, rebuilt: float | None, allowed: float, agrees: bool
) -> None:
    assert Figure("ndcg@10", "fold 1", recorded, rebuilt, allowed).agrees is agrees


def test_a_difference_is_what_rebuilding_added() -> None:
    assert Figure("ndcg@10", "fold 1", 0.25, 0.75, 0.0).difference == 0.5


def test_every_figure_that_one_of_the_two_has_is_compared_place_by_place() -> None:
    found = compare_figures(
        {"b": [1.0, 2.0], "a": [3.0]}, {"c": [4.0, 5.0], "b": [1.5, 2.5]}, ["x", "y"], {"b": 0.1}
    )
    assert [(f.metric, f.where, f.recorded, f.rebuilt, f.tolerance) for f in found] == [
        ("b", "x", 1.0, 1.5, 0.1),
        ("b", "y", 2.0, 2.5, 0.1),
        ("a", "x", 3.0, None, 0.0),
        ("a", "y", None, None, 0.0),
        ("c", "x", None, 4.0, 0.0),
        ("c", "y", None, 5.0, 0.0),
    ]


ROOMS = ("data/features", "evaluation", "models", "tasks", "training")
"""Where figures come from."""
COMPUTES_NOTHING = {"polars", "pydantic", "safetensors", "threadpoolctl"}
EXTRAS = {"sentence-transformers", "pynvml", "nvidia-ml-py"}
"""Beyond the dependencies, whose versions are recorded: embeddings, and the counters of GPUs."""


def test_every_library_that_figures_come_from_is_looked_at() -> None:
    package, modules = Path(recsweep.__file__).parent, set[str]()
    for path in (path for room in ROOMS for path in (package / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.partition(".")[0])
    of_others = modules - sys.stdlib_module_names - {"recsweep"}
    known = packages_distributions()
    found = {known.get(name, [name.replace("_", "-")])[0] for name in of_others}
    assert found - COMPUTES_NOTHING - EXTRAS == set(LIBRARIES)
