import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from treatments import uplift_experiment
from worlds import experiment_of

from recsweep.config.schema import Experiment, question_of
from recsweep.errors import BadInput
from recsweep.models.fading import FadingConfig
from recsweep.models.family import Build, Family
from recsweep.models.gradient import GradientConfig
from recsweep.models.protocol import FamilyConfig
from recsweep.models.ranker import RankingConfig
from recsweep.models.registry import families, families_of, family
from recsweep.models.weights import TrainingWeights
from recsweep.spaces.bundled import BUNDLED, space_path
from recsweep.spaces.files import bind_space, load_space
from recsweep.spaces.space import Space
from recsweep.stages.sweep.arms import with_arms
from recsweep.tasks.registry import TASKS

TASK_NAMES = sorted(TASKS)


def searched(task: str) -> list[str]:
    """Families of a task; an ensemble is made of what they found, and has no space."""
    return [name for name in families_of(task) if family(name).role != "ensemble"]


def asking(families: object, task: str = "next_item", **changes: object) -> Experiment:
    if "texts" in question_of(task).reads:
        table = {"path": "x", "text": "t", "label": {"column": "l"}, "time": "d"}
        changes = {"data": {"name": "test", "texts": [table]}, **changes}
    if question_of(task).treatment:
        changes = {"data": uplift_experiment().data, **changes}
    return experiment_of(families=families, task=task, **changes)


@pytest.mark.parametrize("task", TASK_NAMES)
def test_every_family_of_a_task_brings_a_space_that_is_found_by_its_name(task: str) -> None:
    experiment = asking(searched(task), task)
    for name in experiment.families:
        path = space_path(experiment, name, Path("nowhere"))
        assert load_space(path, families_of(task)).family == name


def test_a_task_with_a_space_of_its_own_for_a_family_takes_that_one() -> None:
    found = {task: space_path(asking(["gru"], task), "gru", Path()) for task in TASK_NAMES}
    assert found == {
        "next_item": BUNDLED / "gru.yaml",
        "purchase": BUNDLED / "purchase" / "gru.yaml",
        "text": BUNDLED / "text" / "gru.yaml",
        "uplift": BUNDLED / "uplift" / "gru.yaml",
    }


def test_a_path_lies_below_the_root_and_stays_in_the_record_as_it_is() -> None:
    experiment = asking({"mine": "search_spaces/gru.yaml"})
    assert space_path(experiment, "mine", Path("top")) == Path("top/search_spaces/gru.yaml")
    assert experiment.model_dump()["families"] == {"mine": "search_spaces/gru.yaml"}


def test_a_list_names_each_family_after_itself_and_a_record_of_it_reads_back_the_same() -> None:
    experiment = asking(["gru", "popularity"])
    assert experiment.families == {"gru": "gru", "popularity": "popularity"}
    assert Experiment.model_validate(experiment.model_dump(mode="json")) == experiment


def test_a_familys_own_space_may_stand_under_another_name_and_in_an_arm() -> None:
    experiment = asking({"twin": "gru", "plain": {"space": "gru", "features": []}})
    assert {space_path(experiment, name, Path()) for name in experiment.families} == {
        BUNDLED / "gru.yaml"
    }


def test_an_ablation_of_a_list_of_families_has_its_arms() -> None:
    named = asking(["gru", "popularity"], features={"ids": [], "some": ["region"]})
    spaces = {
        name: load_space(space_path(named, name, Path()), families_of("next_item"))
        for name in named.families
    }
    experiment, arms = with_arms(named, spaces)
    assert list(experiment.families) == list(arms) == ["gru+ids", "gru+some", "popularity"]
    assert space_path(experiment, "gru+some", Path()) == BUNDLED / "gru.yaml"


def test_a_name_that_no_family_of_the_task_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"families\.gur: 'gur' is neither .* did you mean 'gru'\?"):
        space_path(asking(["gur"]), "gur", Path())


def test_a_family_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'gru' is listed twice"):
        asking(["gru", "lstm", "gru"])


@cache
def own_spaces() -> tuple[tuple[str, Space], ...]:
    """Of every family that is ours, for every task that it serves; the task first."""
    found = []
    for task in TASK_NAMES:
        experiment = asking(searched(task), task)
        for name in experiment.families:
            if family(name).spaces is None:
                path = space_path(experiment, name, Path("nowhere"))
                found.append((task, load_space(path, families_of(task))))
    return tuple(found)


@pytest.mark.parametrize(
    "choices",
    [
        tuple(FadingConfig.model_fields),
        ("learning_rate", "weight_decay", "batch_size"),
        ("window", "loss", "negatives"),
        ("dropout",),
    ],
)
def test_what_several_families_of_a_task_may_choose_has_the_same_range_in_all_their_spaces(
    choices: tuple[str, ...],
) -> None:
    found: dict[tuple[str, str], dict[object, list[str]]] = {}
    for task, space in own_spaces():
        if not space.config.model_fields.keys() >= set(choices):
            continue  # it has nothing of the kind
        for name in choices:
            parameter = space.parameters.get(name)
            assert parameter is not None, f"{space.family} can't choose {name}"
            kind, values = parameter.declared
            values = tuple(v for v in values if v != "als")  # a way of its own to rank
            if name == "fading_weight" and family(space.family).role == "control":
                continue  # a twin fades slowly enough to hide the order; its own test is below
            ranges = found.setdefault((task, name), {})
            ranges.setdefault((kind, values, parameter.log), []).append(space.family)
    for name in choices:
        of_tasks = [ranges for (_, chosen), ranges in found.items() if chosen == name]
        assert all(len(ranges) == 1 for ranges in of_tasks), f"{name}: {of_tasks}"
        assert sum(len(who) for ranges in of_tasks for who in ranges.values()) > 1, name


def test_popularity_which_has_no_history_to_fade_ages_by_the_half_lives_of_the_others() -> None:
    spaces = {s.family: s.parameters for _, s in own_spaces() if "half_life_days" in s.parameters}
    assert {(p["half_life_days"].declared, p["half_life_days"].log) for p in spaces.values()} == {
        (("float", (1e-4, 1e3)), True)
    }
    assert set(spaces["popularity"]["fading"].choices) < set(spaces["item_knn"]["fading"].choices)


def test_a_twin_may_choose_what_its_network_may_and_how_events_fade() -> None:
    spaces = {(s.family, task): s for task, s in own_spaces()}
    twins = 0
    for (name, task), space in spaces.items():
        twin = family(name).twin
        if twin is None or (twin, task) not in spaces:
            continue
        twins, other = twins + 1, spaces[twin, task]
        more = other.parameters.keys() - space.parameters.keys()
        assert more == FadingConfig.model_fields.keys()
        assert {n: other.parameters[n] for n in space.parameters} == dict(space.parameters)
        assert other.parameters["fading_weight"].declared == ("float", (0.5, 1.0))
        faded = {"fading": "instant", "fading_weight": 0.7}
        assert other.defaults == {**space.defaults, **faded}
        assert other.first_trials == space.first_trials
    assert twins == 8


def test_every_family_of_a_task_that_is_trained_by_gradient_has_as_many_first_trials() -> None:
    found: dict[str, set[int]] = {}
    for task, space in own_spaces():
        if "batch_size" in space.config.model_fields:
            found.setdefault(task, set()).add(len(space.first_trials))
    assert found == {"next_item": {1}, "purchase": {1}, "text": {1}, "uplift": {1}}


OURS = [
    (each, task, build)
    for each in families().values()
    if each.spaces is None and each.role != "ensemble"
    for task, build in each.tasks.items()
    if build.config is not FamilyConfig  # it learns nothing
]


@pytest.mark.parametrize(
    ("each", "task", "build"), OURS, ids=[f"{each.name} {task}" for each, task, _ in OURS]
)
def test_no_family_lacks_a_choice_that_another_of_its_kind_has(
    each: Family, task: str, build: Build[Any, Any]
) -> None:
    fields = set(build.config.model_fields)
    assert fields >= set(TrainingWeights.model_fields)
    if each.role != "network" and build.reads_order is not False:  # it sums what a network reads
        assert fields >= set(FadingConfig.model_fields)
    if build.epochs is None:
        trained = RankingConfig if task == "next_item" else GradientConfig
        assert fields >= {"dropout", *trained.model_fields} - {"wide_learning_rate"}


def test_every_space_takes_the_training_weights_that_the_how_to_shows(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/experiment.md").read_text("utf-8")
    (shown,) = (b for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "training_" in b)
    path = tmp_path / "popularity.yaml"
    path.write_text(shown)
    more = load_space(path, families_of("next_item"))
    assert more.parameters.keys() <= TrainingWeights.model_fields.keys()
    for task, space in own_spaces():
        if space.config is FamilyConfig:  # it learns nothing
            continue
        both = space.declared().model_copy(
            update={
                "parameters": {**space.parameters, **more.parameters},
                "defaults": {**space.defaults, **more.defaults},
            }
        )
        assert bind_space(both, path, families_of(task)).parameters == both.parameters
