"""An ensemble of a study's trials, from the folds to a model that answers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from studies import study_with
from tiny import World
from worlds import experiment_of

from recsweep.bundle.bundle import load_bundle
from recsweep.errors import BadInput, WorkFailed
from recsweep.models.families.ensemble import EnsembleConfig, Member
from recsweep.records.ensemble import ensemble_path
from recsweep.records.openings import read_openings
from recsweep.records.selection import read_best
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.fuse import stage
from recsweep.stages.fuse.rebuild import Candidate, Rebuilt
from recsweep.stages.fuse.stage import Cost, Fused, fuse_stage
from recsweep.stages.pool import side_by_side
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import reproduce_stage

Edit = Callable[[Path, str, str], None]


def fuse(world: World) -> Fused:
    return fuse_stage(world.study, world.root, workers=1)


def test_an_ensemble_is_at_least_as_good_on_the_folds_as_its_best_member(world: World) -> None:
    fused = fuse(world)
    written = read_best(ensemble_path(world.study))
    assert written.model_copy(update={"digests": {}}) == fused.best
    assert fused.as_recorded == len(fused.candidates) == 3
    assert fused.best.value >= fused.candidates[0].value
    assert fused.sampled == 1
    assert sum(member.weight for member in fused.members) <= 20
    assert fused.cost.model_bytes > fused.single.model_bytes


def test_what_it_takes_is_that_of_its_members_beside_that_of_the_best_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt: list[Rebuilt] = []

    def watched(*asked: Any, **named: Any) -> list[Rebuilt]:
        rebuilt.extend(side_by_side(*asked, **named))
        return rebuilt

    monkeypatch.setattr(stage, "side_by_side", watched)
    fused = fuse(world)
    assert [each.candidate for each in rebuilt] == list(fused.candidates)
    best = rebuilt[0]
    assert fused.single == Cost(best.fit_seconds, best.score_seconds, best.model_bytes)
    members = {member.trial for member in fused.members}
    inside = [each for each in rebuilt if each.candidate.trial in members]
    assert fused.cost.fit_seconds == pytest.approx(sum(each.fit_seconds for each in inside))
    assert fused.cost.model_bytes == sum(each.model_bytes for each in inside)


def test_an_ensemble_is_rebuilt_from_its_file_bit_for_bit(world: World) -> None:
    found = reproduce_stage(fuse(world).path, world.root)
    assert found.passed
    assert not found.obstacles
    assert {figure.tolerance for figure in found.figures} == {0}


def test_the_sealed_test_moves_no_weight(world: World) -> None:
    first = fuse(world)
    (test,) = world.root.glob("data/tiny-*/sealed_test.parquet")
    table = pl.read_parquet(test)
    table.with_columns(pl.col("item").reverse()).write_parquet(test)
    again = fuse(world)
    assert again.members == first.members
    assert again.best.metrics == first.best.metrics
    assert read_openings(world.study) == ()


def test_a_confirmation_takes_the_ensemble_along_and_holds_it_against_the_best_alone(
    world: World,
) -> None:
    fused = fuse(world)
    confirmed = confirm_stage(world.study, world.root, workers=1).confirmation
    (opening,) = read_openings(world.study)
    assert opening.configurations["ensemble"].config == fused.best.config
    declared = [(pair.a, pair.b) for pair in confirmed.pairs if not pair.exploratory]
    assert ("ensemble", fused.candidates[0].family) in declared
    cost = confirmed.families["ensemble"]
    assert cost.model_bytes is not None
    assert cost.model_bytes > (confirmed.families["popularity"].model_bytes or 0)
    bundle = load_bundle(fit_stage(fused.path, world.root, world.root / "model").folder)
    assert bundle.file.evidence is not None
    assert bundle.file.evidence.scores["ensemble"].mean == cost.metrics["ndcg@10"].mean
    reported = report_stage(world.study, world.root)
    assert reported.confirmation == confirmed
    page = reported.page.read_text("utf-8")
    assert "Ensemble" in page
    board = (world.study / "leaderboard.md").read_text("utf-8")
    assert "ensemble" in board


def test_verdicts_outlive_an_ensemble_that_is_made_after_them(world: World) -> None:
    confirmed = confirm_stage(world.study, world.root, workers=1).confirmation
    fuse(world)
    reported = report_stage(world.study, world.root)
    assert reported.confirmation is not None
    assert reported.confirmation.pairs == confirmed.pairs
    board = (world.study / "leaderboard.md").read_text("utf-8")
    assert "made after these verdicts; recsweep confirm holds it" in board
    confirm_stage(world.study, world.root, workers=1)
    again = report_stage(world.study, world.root).confirmation
    assert again is not None
    assert not again.newer_ensemble
    assert "newer_ensemble" not in (world.study / "verdicts.json").read_text("utf-8")


def test_an_ensemble_is_fitted_as_a_family_is(world: World) -> None:
    fused = fuse(world)
    fitted = fit_stage(fused.path, world.root, world.root / "model", until="development")
    assert fitted.file.kind == "ensemble"
    with pytest.raises(BadInput, match="the sealed test stays sealed"):
        fit_stage(fused.path, world.root, world.root / "other")


def test_an_ensemble_of_another_question_is_not_confirmed(world: World, edit: Edit) -> None:
    fuse(world)
    edit(world.study / "study.json", '"min_user_events": 2', '"min_user_events": 3')
    with pytest.raises(BadInput, match="was made of other trials, data or settings"):
        confirm_stage(world.study, world.root, workers=1)
    edit(world.study / "study.json", '"min_user_events": 3', '"min_user_events": 2')
    edit(ensemble_path(world.study), "trial: markov-0000", "trial: markov-0009")
    with pytest.raises(BadInput, match="was made of other trials, data or settings"):
        confirm_stage(world.study, world.root, workers=1)
    assert read_openings(world.study) == ()


def candidate(family: str, seed: int = 3, epochs: int = 4) -> Candidate:
    metrics = {"ndcg@10": (0.1, 0.2)}
    return Candidate(family, "gru", f"{family}-0001", {"x": 1}, seed, epochs, 0.1, metrics, 1.0)


def rebuilt(family: str, number: int, **keys: Any) -> Rebuilt:
    """As recorded, and of so many bytes on the last fold."""
    states = ({"w": torch.zeros(9)}, {"w": torch.zeros(number + 1, dtype=torch.float64)})
    votes = tuple([np.array([10 * number + fold])] for fold in range(2))
    metrics = {"ndcg@10": (0.1, 0.2), **keys}
    seconds = 1.0 + number
    return Rebuilt(candidate(family), metrics, votes, states, seconds, seconds / 4)


REAL_WEIGHTS, REAL_METRICS = stage._weights, stage._metrics
COLUMNS = ("user_columns", "item_columns", "event_columns")


def fold(n: int, *targets: int) -> Any:
    training = SimpleNamespace(**dict.fromkeys(COLUMNS, ("title",)), n_items=3 + n)
    return SimpleNamespace(training=training, validation=list(targets), n_items=3 + n)


class Staged:
    """`fuse_stage` with all that it calls stood in for."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, **keys: Any) -> None:
        self.told: dict[str, Any] = {}
        self.study = study_with(
            experiment=experiment_of(
                families={
                    "gru": "gru.yaml",
                    "lstm": {"space": "lstm.yaml", "features": ["price"]},
                    "popularity": {"space": "popularity.yaml", "features": []},
                    "markov": "markov.yaml",
                },
                seed=5,
                **keys,
            )
        )
        self.folder, self.chosen, self.clock = folder, ["gru", "gru2", "popularity"], iter([1, 4])
        vote = SimpleNamespace(
            joins=lambda build: "markov" not in build.build.__module__, size=self.size
        )
        self.rebuilt = [
            rebuilt("gru", 0),
            rebuilt("gru2", 1, extra=(0, 0)),
            rebuilt("popularity", 2),
        ]
        stand_ins: dict[str, Any] = {
            "VOTES": {"next_item": vote},
            "_check": lambda *given: None,
            "read_study": lambda at: self.study,
            "searched_data": lambda study, root: "data",
            "development_folds": lambda data, experiment: [fold(0, 1, 2, 3), fold(1, 4, 5)],
            "with_features": self.with_features,
            "candidates_of": self.note("candidates", lambda: [candidate(n) for n in self.chosen]),
            "sample": lambda targets, most, seed: targets[:2],
            "worker_count": lambda resources, n: 100 + n,
            "side_by_side": self.side_by_side,
            "_weights": self.note("weighed", lambda: (3, 0, 1)),
            "_metrics": self.note("measured", lambda: {"ndcg@10": (0.5, 0.7)}),
            "read_manifest": lambda at: SimpleNamespace(
                raw=[SimpleNamespace(path="log.csv", sha256="0f")], at=at
            ),
            "environment": lambda resources: {"python": "3"},
            "write_best": self.note("written", lambda: None),
        }
        for name, given in stand_ins.items():
            patch.setattr(stage, name, given)
        patch.setattr("time.perf_counter", lambda: float(next(self.clock)))

    def note(self, name: str, answer: Callable[[], Any]) -> Any:
        def noted(*asked: Any) -> Any:
            self.told[name] = asked
            return answer()

        return noted

    def size(self, training: Any) -> int:
        return 4 * int(training.n_items)

    def with_features(self, whole: Any, columns: Any) -> Any:
        """A family that asks for nothing gets all; of the others, popularity's are the same."""
        if columns == ("price",):
            given = fold(0)
            given.training.item_columns = ("price",)
            return given
        return whole

    def side_by_side(self, pieces: Any, begin: Any, resources: Any, **rest: Any) -> Any:
        self.told["pieces"], self.told["workers"] = pieces, rest["workers"]
        return self.rebuilt

    def run(self, **options: Any) -> Fused:
        return fuse_stage(self.folder, self.folder.parent, **options)


def test_an_ensemble_is_written_with_who_is_in_it_and_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, tmp_path / "study")
    staged.folder.mkdir()
    fused = staged.run(count=3)
    # Families without a vote can't join; one that sees other columns may not.
    assert staged.told["candidates"] == (staged.study, ["gru", "popularity"], 3)
    assert fused.left_out == ("lstm",)
    assert staged.told["workers"] == 103
    assert [member.trial for member in fused.members] == ["gru-0001", "popularity-0001"]
    assert [member.weight for member in fused.members] == [3, 1]
    assert fused.candidates == tuple(staged.told["pieces"])
    assert fused.as_recorded == 2
    assert fused.sampled == 4 / 5
    assert fused.cost == Cost(1.0 + 3.0, 3.0, 8 + 3 * 8)
    assert fused.single == Cost(1.0, 0.25, 8)
    config, members, *_ = staged.told["measured"]
    assert config == EnsembleConfig(members=fused.members)
    assert members == [staged.rebuilt[0], staged.rebuilt[2]]
    assert staged.told["written"] == (fused.best, ensemble_path(staged.folder))
    assert fused.path == staged.folder / "best" / "ensemble.yaml"
    best = fused.best
    assert best.command == "make reproduce BEST=study/best/ensemble.yaml"
    assert (best.study, best.family, best.kind, best.trial) == ("test", *["ensemble"] * 3)
    assert (best.seed, best.metric) == (5, "ndcg@10")
    assert best.value == pytest.approx(0.6)
    assert (best.metrics, best.epochs) == ({"ndcg@10": (0.5, 0.7)}, 4)
    assert (best.converged, best.near_edge, best.rule) == (True, (), "greedy_selection")
    assert best.config == {"members": tuple(each.model_dump() for each in fused.members)}
    assert best.data.model_dump() == {
        "dataset": "test-0123", "fingerprint": "f00", "raw": {"log.csv": "0f"}
    }  # fmt: skip
    assert best.environment == {"python": "3"}
    staged.clock = iter([1, 4])
    staged.run(workers=7)
    assert staged.told["workers"] == 7
    assert staged.told["candidates"][2] == 2


def test_what_can_not_be_fused_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    staged = Staged(monkeypatch, tmp_path)
    staged.chosen = []
    with pytest.raises(WorkFailed, match="no trial is complete, so none can be fused"):
        staged.run()
    taken = experiment_of().model_copy(update={"families": {"ensemble": "gru.yaml"}})
    staged.study = study_with(experiment=taken)
    with pytest.raises(BadInput, match="has a family that is called ensemble already"):
        staged.run()
    monkeypatch.setattr(stage, "VOTES", {})
    with pytest.raises(BadInput, match="models of task next_item can't be fused"):
        staged.run()


def test_a_trial_with_a_setting_that_this_version_does_not_know_is_refused_before_any_is_rebuilt(
    tmp_path: Path,
) -> None:
    old = replace(candidate("item_knn"), kind="item_knn", config={"recency": 0.5})
    study = replace(study_with(), environment={"recsweep": "0.1.0"})
    with pytest.raises(
        BadInput, match=r"trials: item_knn-\d+: unknown key 'recency'.*; recsweep 0\.1\.0 made it"
    ):
        stage._check([old], study, tmp_path / "trials")


def member(kind: str, epochs: int) -> Member:
    return Member(trial="t", kind=kind, config={}, epochs=epochs, weight=1, seed_offset=0)


@pytest.mark.parametrize(
    ("members", "epochs"),
    [
        ([member("gru", 9), member("lstm", 4)], 9),
        ([member("popularity", 7)], 1),  # it is fitted in one go
        ([member("popularity", 7), member("gru", 3)], 3),
    ],
)
def test_an_ensemble_is_trained_for_as_long_as_its_longest_member(
    members: list[Member], epochs: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, tmp_path)
    config, metrics = EnsembleConfig(members=tuple(members)), {"ndcg@10": (0.1,)}
    best = stage._best(config, metrics, staged.study, tmp_path, tmp_path)
    assert best.epochs == epochs


def test_a_member_keeps_its_trials_seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    staged = Staged(monkeypatch, tmp_path)
    found = stage._member(rebuilt("gru", 0), 3, staged.study)
    assert found == Member(
        trial="gru-0001", kind="gru", config={"x": 1}, epochs=4, weight=3,
        seed_offset=1009 * (3 - 5),  # folds' seeds are 1009 apart
    )  # fmt: skip


def test_votes_of_all_candidates_on_all_folds_fit_into_a_gibibyte(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged, asked = Staged(monkeypatch, tmp_path), list[Any]()
    monkeypatch.setattr(stage, "sample", lambda *given: asked.append(given))
    folds = [fold(0, 1, 2), fold(1, 3)]
    stage._samples(folds, staged.study, 5)
    each = 2**30 // (5 * 2)
    assert asked == [([1, 2], each // 12, 5), ([3], each // 16, 5)]
    asked.clear()
    monkeypatch.setattr(stage, "MOST_BYTES", 10)
    stage._samples(folds, staged.study, 5)
    assert [most for _, most, _ in asked] == [1, 1]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_family_joins_only_by_the_columns_that_the_ensemble_is_given(
    column: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged, whole, given = Staged(monkeypatch, tmp_path), [fold(0)], [fold(0)]
    assert stage._sees_the_same(staged.study, "gru", whole, given)
    setattr(given[0].training, column, ("price",))
    assert not stage._sees_the_same(staged.study, "gru", whole, given)


def test_weights_are_chosen_from_each_fold_s_votes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged, asked = Staged(monkeypatch, tmp_path), list[Any]()

    def selection(*given: Any) -> Any:
        asked.extend(given)
        return SimpleNamespace(weights=(1, 2, 3))

    task = SimpleNamespace(scorer=lambda *laid: laid)
    monkeypatch.setattr(stage, "TASKS", {"next_item": task})
    monkeypatch.setattr(stage, "VOTES", {"next_item": SimpleNamespace(given="given")})
    monkeypatch.setattr(stage, "greedy_selection", selection)
    folds, samples = [fold(0, 1, 2), fold(1, 3)], [[1], [3]]
    found = REAL_WEIGHTS(staged.rebuilt, folds, samples, staged.study)  # type: ignore[arg-type]
    assert found == (1, 2, 3)
    first, second = asked[0]
    assert [each[0].tolist() for each in first.votes] == [[0], [10], [20]]
    assert [each[0].tolist() for each in second.votes] == [[1], [11], [21]]
    cpu = torch.device("cpu")
    assert (first.scorer, second.scorer) == (([1], 3, cpu), ([3], 4, cpu))
    assert (first.targets, second.given) == ([1], "given")
    assert asked[1:] == [task, staged.study.experiment.metric]


def test_an_ensemble_is_measured_with_its_members_states_of_each_fold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged, built = Staged(monkeypatch, tmp_path), list[Any]()

    class Model:
        def load_state(self, state: Any) -> None:
            built.append({name: len(value) for name, value in state.items()})

    def model(config: Any, context: Any) -> Model:
        built.append((config, context.training, context.seed, context.precision))
        return Model()

    task = SimpleNamespace(
        scorer=lambda targets, *rest: SimpleNamespace(outcomes=lambda model: (targets, *rest)),
        summarise=lambda outcomes, targets, metric: (
            {"ndcg@10": float(len(outcomes[0])), "n": float(outcomes[1])}, None
        ),
    )  # fmt: skip
    monkeypatch.setattr(stage, "TASKS", {"next_item": task})
    known = {"ensemble": SimpleNamespace(model=model)}
    monkeypatch.setattr(stage, "families_of", lambda task: known)
    folds = [fold(0, 1, 2), fold(1, 3)]
    for n, each in enumerate(folds):
        each.training.without_learners = lambda n=n: ("nobody", n)
    config = EnsembleConfig(members=(member("gru", 1), member("gru", 1)))
    members = [staged.rebuilt[0], staged.rebuilt[2]]
    found = REAL_METRICS(config, members, folds, staged.study)
    assert found == {"ndcg@10": (2.0, 1.0), "n": (3.0, 4.0)}
    whole = config.model_dump()
    assert built == [
        (whole, ("nobody", 0), 5 * 1009, "fp32"),
        {"0/w": 9, "1/w": 9},
        (whole, ("nobody", 1), 5 * 1009 + 1, "fp32"),
        {"0/w": 1, "1/w": 3},
    ]
