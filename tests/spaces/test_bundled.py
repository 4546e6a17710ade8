from pathlib import Path

import pytest
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.spaces.bundled import BUNDLED, space_path
from recsweep.spaces.files import load_space
from recsweep.stages.sweep.arms import with_arms
from recsweep.tasks.registry import TASKS

TASK_NAMES = sorted(TASKS)


def asking(families: object, task: str = "next_item", **changes: object) -> Experiment:
    return experiment_of(families=families, task=task, **changes)


@pytest.mark.parametrize("task", TASK_NAMES)
def test_every_family_of_a_task_brings_a_space_that_is_found_by_its_name(task: str) -> None:
    families = families_of(task)
    experiment = asking(list(families), task)
    for name in families:
        assert load_space(space_path(experiment, name, Path("nowhere")), families).family == name


def test_a_task_with_a_space_of_its_own_for_a_family_takes_that_one() -> None:
    found = {task: space_path(asking(["gru"], task), "gru", Path()) for task in TASK_NAMES}
    assert found == {
        "next_item": BUNDLED / "gru.yaml",
        "purchase": BUNDLED / "purchase" / "gru.yaml",
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
