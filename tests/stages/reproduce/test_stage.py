from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scipy import stats
from tiny import World
from worlds import experiment_of

from recsweep import cli
from recsweep.cli.confirmation_lines import failure
from recsweep.config.files import dump_yaml, read_yaml
from recsweep.data.prepare import prepare
from recsweep.errors import BadInput, WorkFailed
from recsweep.records import environment as recorded_environment
from recsweep.records.lock import study_lock
from recsweep.records.openings import read_openings
from recsweep.stages import recorded
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.reproduce import stage
from recsweep.stages.reproduce.figures import Figure
from recsweep.stages.reproduce.stage import Reproduction, reproduce_stage
from recsweep.tasks.folds import development_folds
from recsweep.training.trial import Diverged

Edit = Callable[[Path, str, str], None]
FAMILIES = ("popularity", "markov", "matrix_factorization")


def reproduce(world: World, family: str, sealed: bool = False) -> Reproduction:
    return reproduce_stage(world.best(family), world.root, sealed=sealed)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_best_file_alone_gives_every_figure_bit_for_bit(world: World, family: str) -> None:
    (world.study / "study.json").unlink()  # nothing but the best file is needed
    reproduction = reproduce(world, family)
    assert reproduction.passed
    assert not reproduction.obstacles
    assert len(reproduction.figures) == 6 * 2
    assert {figure.difference for figure in reproduction.figures} == {0.0}


def test_one_changed_byte_of_the_log_stops_and_names_the_file(world: World, edit: Edit) -> None:
    edit(world.log, "c3,", "c4,")
    with pytest.raises(WorkFailed, match=r"log\.csv: has sha256"):
        reproduce(world, "markov")


def test_a_training_that_diverges_is_told_in_a_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverges(*_: object, **__: object) -> None:
        raise Diverged("the loss is nan")

    monkeypatch.setattr(stage, "Trial", diverges)
    with pytest.raises(WorkFailed, match="training diverged: the loss is nan"):
        reproduce(world, "markov")


@pytest.mark.parametrize("sealed", [False, True])
def test_data_that_are_prepared_otherwise_than_recorded_stop_and_say_so(
    world: World, edit: Edit, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    """The raw file is the recorded one, and what comes of it is not: other code, or an edit."""
    confirm_stage(world.study, world.root, workers=1)
    whole = prepare
    monkeypatch.setattr(
        recorded, "prepare", lambda *given: replace(whole(*given), fingerprint="0" * 64)
    )
    with pytest.raises(WorkFailed, match="has fingerprint 000000000000"):
        reproduce(world, "markov", sealed)
    assert len(read_openings(world.study)) == 1


def test_a_log_that_is_gone_is_bad_input(world: World) -> None:
    world.log.unlink()
    with pytest.raises(BadInput, match=r"log\.csv: cannot be read"):
        reproduce(world, "markov")


def test_a_changed_hyperparameter_is_named(world: World, edit: Edit) -> None:
    edit(world.best("matrix_factorization"), "factors: 8\n", "factors: 9\n")
    reproduction = reproduce(world, "matrix_factorization")
    assert not reproduction.passed
    assert failure(reproduction).startswith("matrix_factorization: config.factors was edited")
    assert not all(figure.agrees for figure in reproduction.figures)


def test_a_changed_metric_is_named_and_shown(world: World) -> None:
    path = world.best("markov")
    content = read_yaml(path)
    content["metrics"]["mrr@5"][1] += 1e-15
    path.write_text(dump_yaml(content))
    reproduction = reproduce(world, "markov")
    (figure,) = [figure for figure in reproduction.figures if not figure.agrees]
    assert (figure.metric, figure.where) == ("mrr@5", "fold1")
    assert failure(reproduction) == (
        "markov: metrics.mrr@5 was edited after the file was written; "
        "1 of 12 figures differ (mrr@5)"
    )


def test_an_edit_that_moves_no_figure_still_fails(world: World) -> None:
    path = world.best("markov")
    content = read_yaml(path)
    content["value"] += 0.1
    path.write_text(dump_yaml(content))
    reproduction = reproduce(world, "markov")
    assert all(figure.agrees for figure in reproduction.figures)
    assert not reproduction.passed
    assert failure(reproduction) == "markov: value was edited after the file was written"


def test_a_metric_that_the_record_lacks_is_a_difference(world: World) -> None:
    path = world.best("markov")
    content = read_yaml(path)
    del content["metrics"]["mrr@5"]
    path.write_text(dump_yaml(content))
    missing = [figure for figure in reproduce(world, "markov").figures if not figure.agrees]
    assert [figure.recorded for figure in missing] == [None, None]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("\nkind: matrix_factorization", "\nkind: matrix_factorisation", "did you mean"),
        ("factors: 8", "factors: 0", "factors"),
        ("\nepochs: ", "\nepoch: ", "unknown key 'epoch'"),
    ],
)
def test_a_key_that_cannot_be_used_is_bad_input(
    world: World, edit: Edit, old: str, new: str, word: str
) -> None:
    edit(world.best("matrix_factorization"), old, new)
    with pytest.raises(BadInput, match=word):
        reproduce(world, "matrix_factorization")


def test_on_another_processor_the_spread_of_seeds_is_allowed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {**recorded_environment.environment(), "cpu": "another"}
    monkeypatch.setattr(stage, "environment", lambda _: now)
    epochs: list[int] = []
    reproduction = reproduce_stage(
        world.best("matrix_factorization"),
        world.root,
        on_epoch=lambda report: epochs.append(report.epoch),
    )
    assert reproduction.passed
    assert "→ another" in reproduction.obstacles[0]
    assert all(figure.tolerance > 0 for figure in reproduction.figures)
    assert len(epochs) == 3 * reproduction.best.epochs  # two more seeds


def test_the_sealed_figures_are_rebuilt_and_the_opening_counted(world: World) -> None:
    confirm_stage(world.study, world.root, workers=1)
    reproduction = reproduce(world, "markov", sealed=True)
    assert reproduction.passed
    assert {figure.where for figure in reproduction.figures} == {"seed 9000"}
    assert [o.why for o in read_openings(world.study)] == ["confirm", "reproduce --sealed"]


def test_the_sealed_figures_are_not_rebuilt_while_another_process_changes_the_study(
    world: World,
) -> None:
    confirm_stage(world.study, world.root, workers=1)
    with study_lock(world.study), pytest.raises(BadInput, match="recsweep sweep is running"):
        reproduce(world, "markov", sealed=True)
    assert len(read_openings(world.study)) == 1


def test_without_sealed_the_test_stays_closed(world: World) -> None:
    confirm_stage(world.study, world.root, workers=1)
    reproduce(world, "markov")
    assert len(read_openings(world.study)) == 1


def test_nothing_confirmed_is_nothing_to_check(world: World) -> None:
    with pytest.raises(BadInput, match="run recsweep confirm"):
        reproduce(world, "markov", sealed=True)
    assert read_openings(world.study) == ()


def test_another_configuration_than_the_confirmed_leaves_the_test_closed(
    world: World, edit: Edit
) -> None:
    confirm_stage(world.study, world.root, workers=1)
    edit(world.best("matrix_factorization"), "factors: 8\n", "factors: 9\n")
    with pytest.raises(BadInput, match=r"verdicts\.json: confirms"):
        reproduce(world, "matrix_factorization", sealed=True)
    assert len(read_openings(world.study)) == 1


@pytest.mark.parametrize(("new", "status"), [("5", 0), ("6", 1), ("six", 2)])
def test_the_exit_status_tells(
    world: World,
    edit: Edit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    new: str,
    status: int,
) -> None:
    edit(world.best("matrix_factorization"), "\nseed: 5", f"\nseed: {new}")
    monkeypatch.chdir(world.root)
    monkeypatch.setattr(
        "sys.argv", ["recsweep", "reproduce", str(world.best("matrix_factorization"))]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert (end.value.code or 0) == status
    assert ("seed" in capsys.readouterr().err) == (status > 0)


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {**recorded_environment.environment(), "cpu": "another"}
    monkeypatch.setattr(stage, "environment", lambda _: now)


def test_what_draws_no_random_number_is_trained_once_and_may_differ_by_a_learner(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch)
    epochs: list[int] = []
    found = reproduce_stage(
        world.best("markov"), world.root, on_epoch=lambda report: epochs.append(report.epoch)
    )
    assert epochs == [1]
    folds = development_folds(recorded.recorded_data(found.best, world.root), found.best.experiment)
    fewest = min(len(fold.validation.histories) for fold in folds)
    assert {figure.tolerance for figure in found.figures} == {1 / fewest}
    assert [change for change in found.changes if change.startswith("cpu")] == [
        f"cpu: {found.best.environment['cpu']} → another"
    ]


@pytest.mark.parametrize("there", [True, False])
def test_the_sealed_figures_of_every_seed_are_compared_as_closely_as_the_machine_allows(
    world: World, monkeypatch: pytest.MonkeyPatch, pool_here: None, there: bool
) -> None:
    confirmation = confirm_stage(world.study, world.root, workers=1).confirmation
    if not there:
        elsewhere(monkeypatch)
    ended: list[tuple[int, int]] = []
    found = reproduce_stage(
        world.best("matrix_factorization"),
        world.root,
        sealed=True,
        on_end=lambda end: ended.append((end.done, end.total)),
    )
    assert found.passed
    assert ended == [(1, 2), (2, 2)]
    metrics = {figure.metric for figure in found.figures}
    assert metrics >= {"ndcg@10", "mrr@5"}
    assert [figure.where for figure in found.figures] == ["seed 9000", "seed 9001"] * len(metrics)
    for metric in metrics:
        one, other = (f for f in found.figures if f.metric == metric)
        assert one.recorded is not None
        assert other.recorded is not None
        # Two seeds are as far apart as sqrt(2) standard deviations; t has one degree of freedom.
        spread = abs(one.recorded - other.recorded) * stats.t.ppf(0.995, 1)
        expected = 0.0 if there else max(spread, 1 / confirmation.learners)
        assert one.tolerance == other.tolerance == pytest.approx(expected)
        mean = confirmation.families["matrix_factorization"].metrics[metric].mean
        assert (one.recorded + other.recorded) / 2 == pytest.approx(mean)
    assert bool(found.obstacles) is not there


def test_a_family_that_was_not_confirmed_leaves_the_test_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmation = confirm_stage(world.study, world.root, workers=1).confirmation
    rest = {n: f for n, f in confirmation.families.items() if n != "markov"}
    monkeypatch.setattr(
        stage, "read_confirmation", lambda _: confirmation.model_copy(update={"families": rest})
    )
    with pytest.raises(
        BadInput, match=r"verdicts\.json: confirms nothing for markov, not the best"
    ):
        reproduce(world, "markov", sealed=True)
    assert len(read_openings(world.study)) == 1


@pytest.mark.parametrize(
    ("rebuilt", "edits", "passed"),
    [
        ((0.5, 0.25), (), True),
        ((0.5, 0.26), (), False),
        ((0.6, 0.26), (), False),
        ((0.5, 0.25), ("seed",), False),
    ],
)
def test_it_passes_where_every_figure_agrees_and_nobody_edited_the_file(
    rebuilt: tuple[float, float], edits: tuple[str, ...], passed: bool
) -> None:
    best: Any = None
    figures = tuple(
        Figure("ndcg@10", f"fold{n}", recorded, value, 0.0)
        for n, (recorded, value) in enumerate(zip((0.5, 0.25), rebuilt, strict=True))
    )
    assert Reproduction(best, figures, edits, (), ()).passed is passed


@pytest.mark.parametrize(("random", "seeds"), [(True, [5, 6, 7]), (False, [5])])
def test_the_recorded_seed_is_compared_and_the_two_after_it_tell_how_closely(
    monkeypatch: pytest.MonkeyPatch, random: bool, seeds: list[int]
) -> None:
    trained: list[int] = []

    def train(best: object, folds: object, seed: int, on_epoch: object) -> Any:
        trained.append(seed)
        return {"ndcg@10": (0.5 + seed / 100, 0.25)}

    folds = [
        SimpleNamespace(name=name, validation=SimpleNamespace(histories=range(learners)))
        for name, learners in (("fold0", 400), ("fold1", 500))
    ]
    family = SimpleNamespace(random=random)
    monkeypatch.setattr(stage, "_train", train)
    monkeypatch.setattr(stage, "development_folds", lambda dataset, experiment: folds)
    monkeypatch.setattr(stage, "with_features", lambda fold, columns: fold)
    monkeypatch.setattr(stage, "obstacles", lambda *given: ["another machine"])
    monkeypatch.setattr(stage, "families_of", lambda task: {"gru": family})
    best: Any = SimpleNamespace(
        family="gru",
        kind="gru",
        seed=5,
        environment={},
        experiment=experiment_of(),
        metrics={"ndcg@10": (0.55, 0.25)},
    )
    data: Any = None
    figures, reasons = stage._on_folds(best, data, {}, lambda report: None)
    assert (trained, reasons) == (seeds, ["another machine"])
    assert [(f.recorded, f.rebuilt) for f in figures] == [(0.55, 0.55), (0.25, 0.25)]
    # Three seeds a hundredth apart on one fold, and alike on the other: four degrees of freedom.
    spread = stats.t.ppf(0.995, 4) * (2 * 0.01**2 / 2) ** 0.5
    expected = spread if random else 1 / 400
    assert [f.tolerance for f in figures] == pytest.approx([expected] * 2)


def test_what_is_no_mean_over_learners_is_not_rebuilt_on_the_test(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmation = confirm_stage(world.study, world.root, workers=1).confirmation
    markov = confirmation.families["markov"]
    metrics = {"calibration_error": markov.metrics["ndcg@10"], **markov.metrics}
    families = {"markov": markov.model_copy(update={"metrics": metrics})}
    more = confirmation.model_copy(update={"families": families})
    monkeypatch.setattr(stage, "read_confirmation", lambda _: more)
    found = reproduce(world, "markov", sealed=True)
    assert found.passed
    assert {figure.metric for figure in found.figures} == {*markov.metrics}
