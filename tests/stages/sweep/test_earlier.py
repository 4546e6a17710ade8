from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from studies import study_with, trial_row
from sweeps import FAMILIES as MADE_UP
from sweeps import TUNED, spaces_of, study_of
from tiny import World, tiny_experiment

from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.records.earlier import Earlier, EarlierStudy, EarlierTrial
from recsweep.records.study import Study, TrialRow, TrialState
from recsweep.spaces.bundled import space_path
from recsweep.spaces.declared import DeclaredSpace
from recsweep.spaces.files import load_space
from recsweep.stages.sweep import earlier
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


MORE = """
  n: {choice: [1, 2], role: scientific, why: decides what else there is}
  y: {float: [0.0, 1.0], when: {n: [2]}, role: nuisance, why: of the second}
"""


def row(number: int, x: float, state: TrialState = "complete", epochs: int = 2) -> TrialRow:
    """Of `a`, one of whose parameters depends on another."""
    values = [0.1 * number + 0.01 * n for n in range(epochs)]
    config = {"x": x, "n": 1} if x < 0.8 else {"x": x, "n": 2, "y": 0.25}
    return replace(trial_row(number, values, family="a", state=state), config=config)


def earlier_study(*trials: TrialRow, kind: str = "made_up", **changes: Any) -> Study:
    study = study_with(*trials, experiment=study_of("a", **changes))
    return replace(study, spaces={"a": DeclaredSpace(family=kind)})


def taken_of(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    studies: dict[str, Study],
    fingerprint: str = "f00",
    problem: str = "",
    names: tuple[str, ...] = ("a", "floor"),
) -> Earlier:
    """What a study of one tuned family and a floor takes of some studies."""
    root, dataset = folder / "root", SimpleNamespace(folder=folder / "own")
    manifests = {
        root / "data" / "test-0123": SimpleNamespace(fingerprint=fingerprint, of="theirs"),
        dataset.folder: SimpleNamespace(of="own"),
    }
    monkeypatch.setattr(earlier, "read_study", lambda at: studies[at.name])
    monkeypatch.setattr(earlier, "read_manifest", manifests.__getitem__)
    monkeypatch.setattr(
        earlier, "overlap", lambda a, b: problem if (a.of, b.of) == ("theirs", "own") else "?"
    )
    experiment = study_of(*names, warm_start=[f"results/{name}" for name in studies])
    (folder / "more.yaml").write_text(TUNED.replace("x: 0.5", "x: 0.5, n: 1") + MORE)
    tuned = load_space(folder / "more.yaml", MADE_UP)
    spaces = spaces_of(folder, *names) | {name: tuned for name in names if name != "floor"}
    return read_earlier(experiment, spaces, dataset, root)  # type: ignore[arg-type]


def test_trials_that_were_scored_within_this_space_are_taken_study_by_study(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = earlier_study(
        row(0, 0.5), row(1, 0.7, "pruned", 1), row(2, 0.2, "failed"), row(3, 0.3, "refused"),
        row(4, 0.4, "complete", 0), row(5, 7.0), row(6, 8.0),
    )  # fmt: skip
    found = taken_of(monkeypatch, tmp_path, {"one": first, "two": earlier_study(row(9, 0.9))})
    assert list(found) == ["a"]
    assert found["a"] == (
        EarlierStudy("results/one", "f00", 2, (
            EarlierTrial("a-0000", "complete", {"x": 0.5, "n": 1}, {1: 0.0, 2: 0.01}),
            EarlierTrial("a-0001", "pruned", {"x": 0.7, "n": 1}, {1: 0.1}),
        )),
        EarlierStudy("results/two", "f00", 0, (
            EarlierTrial(
                "a-0009", "complete", {"x": 0.9, "n": 2, "y": 0.25}, {1: 0.9, 2: 0.91}
            ),
        )),
    )  # fmt: skip


def test_a_study_without_a_complete_trial_within_the_space_is_refused_with_the_first_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    beginning = r"^warm_start: results/one has no complete trial of a within this study's space"
    for trials, reason in (
        ([row(0, 0.5, "pruned")], "$"),
        ([row(3, 7.0), row(4, 8.0)], r" \(a-0003: x = 7\.0 is outside [^()]*\)$"),
        ([], "$"),
    ):
        with pytest.raises(BadInput, match=beginning + reason):
            taken_of(monkeypatch, tmp_path, {"one": earlier_study(*trials)})


def test_another_question_other_data_or_another_kind_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(message: str, study: Study, **rest: Any) -> None:
        with pytest.raises(BadInput, match=message):
            taken_of(monkeypatch, tmp_path, {"one": study}, **rest)

    study = earlier_study(row(0, 0.5))
    refused("one means a other by a; every tuned family", earlier_study(row(0, 0.5), kind="other"))
    refused("one has no b; every tuned family", study, names=("a", "b"))
    refused(r"test-0123 has fingerprint f0100…, .* searched on f00…", study, fingerprint="f0100")
    refused("^warm_start: results/one: overlaps; leave it out", study, problem="overlaps")
    mrr = earlier_study(row(0, 0.5), metric={"name": "mrr"})
    refused("one was searched by mrr@10 of task next_item, this study by ndcg@10 of task nex", mrr)
    loss = earlier_study(row(0, 0.5), task="purchase", metric={"name": "log_loss"})
    refused("one was searched by log_loss of task purchase, this study by ndcg@10", loss)
