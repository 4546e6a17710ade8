from pathlib import Path

import optuna
import pytest
import sweeps
from families import FAMILIES
from sweeps import TUNED

from recsweep.errors import BadInput
from recsweep.spaces.files import load_space

SPACES = sorted(Path("search_spaces").glob("*.yaml"))
WHY = "role: nuisance, why: a reason"


def load(folder: Path, parameters: str, defaults: str = "{}", family: str = "gru") -> object:
    path = folder / "space.yaml"
    path.write_text(f"family: {family}\ndefaults: {defaults}\nparameters:\n{parameters}")
    return load_space(path, FAMILIES)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_space_of_the_repository_loads_and_is_about_its_family(path: Path) -> None:
    assert load_space(path, FAMILIES).family == path.stem


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_family_takes_all_that_its_space_proposes(path: Path) -> None:
    space = load_space(path, FAMILIES)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(50):
        config = space.suggest(study.ask())
        assert space.problems(config) == []
        space.config.model_validate(config)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (f"  dept: {{int: [1, 2], {WHY}}}", "gru has no setting 'dept'; did you mean 'depth'?"),
        (f"  depth: {{ints: [1, 2], {WHY}}}", "unknown key 'parameters.depth.ints'"),
        (f"  depth: {{int: [1, 2], name: x, {WHY}}}", "unknown key 'depth.name'"),
        (f"  depth: {{int: [2, 2], {WHY}}}", "the range [2, 2] is empty"),
        (f"  depth: {{int: [3, 1], {WHY}}}", "the range [3, 1] is empty"),
        (f"  dropout: {{float: [0.0, .inf], {WHY}}}", "a finite number, found inf"),
        (f"  dropout: {{float: [0.0, 0.5], log: true, {WHY}}}", "starts above 0"),
        (f"  window: {{int: [8, 100], pow2: true, {WHY}}}", "pow2: the ends of [8, 100] should be"),
        (f"  window: {{int: [0, 8], pow2: true, {WHY}}}", "pow2: the ends of [0, 8] should be"),
        (f"  dropout: {{float: [1, 2], pow2: true, {WHY}}}", "pow2 is for an int without step"),
        (f"  window: {{int: [1, 8], pow2: true, log: false, {WHY}}}", "on a log scale"),
        (f"  dropout: {{float: [0.0, 0.5], step: 0.2, {WHY}}}", "step 0.2 does not lead"),
        (f"  depth: {{int: [1, 3], step: 0.5, {WHY}}}", "whole number"),
        (f"  depth: {{int: [1, 3], float: [1, 3], {WHY}}}", "found int, float"),
        (
            f"  dropout: {{choice: [null, 0.2], {WHY}}}",
            "choice.0: expected true, false, a number, a word, found null; name the value that",
        ),
        (f"  dropout: {{choice: [{{a: 1}}, 0.2], {WHY}}}", "a number, a word, found a mapping"),
        (f"  depth: {{{WHY}}}", "found none"),
        (f"  loss: {{choice: [bpr], {WHY}}}", "two values or more"),
        (f"  loss: {{choice: [bpr, bpr], {WHY}}}", "twice"),
        (f"  loss: {{choice: [bpr, x], step: 1, {WHY}}}", "neither log nor step"),
        ("  depth: {int: [1, 2], role: nuisance}", "'parameters.depth.why' is missing"),
        ("  depth: {int: [1, 2], why: x}", "'parameters.depth.role' is missing"),
        ("  depth: {int: [1, 2], role: main, why: x}", "parameters.depth.role"),
        (f"  depth: {{int: [1, 2], when: {{los: [bpr]}}, {WHY}}}", "'los' is not a parameter"),
        (
            f"  depth: {{int: [1, 2], when: {{loss: [bpq]}}, {WHY}}}\n"
            f"  loss: {{choice: [bpr, cross_entropy], {WHY}}}",
            "parameters: depth.when.loss: 'bpq' is not among",
        ),
        (
            f"  depth: {{int: [1, 2], when: {{window: [7]}}, {WHY}}}\n"
            f"  window: {{int: [1, 7], when: {{depth: [1]}}, {WHY}}}",
            "the `when` of depth, window go in a circle",
        ),
        (
            f"  depth: {{int: [1, 2], when: {{dropout: [0.1]}}, {WHY}}}\n"
            f"  dropout: {{float: [0.0, 0.5], {WHY}}}",
            "dropout is continuous",
        ),
        (f"  depth: {{int: [1, 2], {WHY}}}", "defaults: depth is missing"),
    ],
)
def test_a_mistake_gets_one_line_that_names_it(
    tmp_path: Path, parameters: str, message: str
) -> None:
    with pytest.raises(BadInput) as error:
        load(tmp_path, parameters)
    assert message in str(error.value)
    assert str(tmp_path / "space.yaml") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        ("{x: 1.5}", "x = 1.5 is outside [0, 1]"),
        ("{x: true}", "x = True is not a number"),
        ("{x: 0.5, y: 1}", "y is not in this space"),
    ],
)
def test_defaults_lie_in_the_space(tmp_path: Path, defaults: str, message: str) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(TUNED.replace("{x: 0.5}", defaults))
    with pytest.raises(BadInput, match="defaults") as error:
        load_space(path, sweeps.FAMILIES)
    assert message in str(error.value)


def test_a_family_that_is_not_known_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="did you mean 'gru'"):
        load(tmp_path, "  {}", family="gruu")


def test_a_setting_is_fixed_or_varies(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(TUNED + "fixed: {x: 0.5}\n")
    with pytest.raises(BadInput, match="x is both fixed and a parameter"):
        load_space(path, sweeps.FAMILIES)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("batch_size: {loss: [bpr]}", "fixed_when: 'batch_size' is not fixed"),
        ("batch_unit: {los: [bpr]}", "fixed_when.batch_unit: 'los' is not a parameter"),
        ("batch_unit: {loss: [bpq]}", "fixed_when.batch_unit.loss: 'bpq' is not among"),
        ("batch_unit: {loss: []}", "fixed_when.batch_unit.loss: no value is given"),
        ("batch_unit: {dropout: [0.1]}", "fixed_when.batch_unit: dropout is continuous"),
    ],
)
def test_a_condition_is_of_a_fixed_value_and_on_a_parameter(
    tmp_path: Path, condition: str, message: str
) -> None:
    path = tmp_path / "space.yaml"
    text = Path("search_spaces/matrix_factorization.yaml").read_text()
    start, end = text.index("fixed_when:"), text.index("defaults:")
    path.write_text(f"{text[:start]}fixed_when: {{{condition}}}\n{text[end:]}")
    with pytest.raises(BadInput) as error:
        load_space(path, FAMILIES)
    assert message in str(error.value)


def test_a_range_that_the_family_refuses_is_found_before_a_sweep(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(TUNED.replace("[0.0, 1.0]", "[-9.0, 1.0]"))
    with pytest.raises(BadInput, match="made_up refuses x"):
        load_space(path, sweeps.FAMILIES)
