"""From ranks to a confirmation, on four learners whose metrics can be worked out by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from studies import study_with
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Schema
from recsweep.data.types import UNKNOWN, Float64
from recsweep.errors import BadInput
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.estimate import estimate
from recsweep.evaluation.learner_groups import LearnerGroups, largest_gap
from recsweep.evaluation.propensity import corrected
from recsweep.records.confirmation import Confirmation, Estimate, Steps
from recsweep.records.confirmation_files import LearnerColumns
from recsweep.records.openings import Opened, record_opening
from recsweep.stages.confirm import conclude as module
from recsweep.stages.confirm.conclude import ConfirmationPlan, _by_search, _rows, conclude
from recsweep.stages.confirm.refits import Job, Scored
from recsweep.stages.confirm.refits import Test as SealedTest
from recsweep.stages.confirm.searches import Search
from recsweep.tasks.folds import make_fold
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import Lists

VALUES = np.random.default_rng(0).random((6, 4))  # of runs and learners


def searched(searches: int, seeds: int) -> Any:
    one = SimpleNamespace(seeds=tuple(range(seeds)))
    return SimpleNamespace(searches=[one] * searches)


def test_rows_of_a_single_search_are_its_seeds_and_of_several_their_means_over_seeds() -> None:
    assert_array_equal(_rows(_by_search(VALUES, searched(1, 6))), VALUES)
    found = _rows(_by_search(VALUES, searched(3, 2)))
    assert_array_equal(found, (VALUES[::2] + VALUES[1::2]) / 2)


def test_what_was_trained_once_a_search_stands_for_every_seed() -> None:
    found = _by_search(VALUES[:2], searched(2, 3))
    assert_array_equal(found, np.repeat(VALUES[:2, None], 3, axis=1))
    assert_array_equal(_rows(_by_search(VALUES[:1], searched(1, 3))), np.repeat(VALUES[:1], 3, 0))


BEFORE = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4), (1, 2, 5), (2, 1, 6), (2, 0, 7), (2, 3, 8)]
ASKED = [(0, 2, 101), (0, 3, 102), (1, 3, 103), (2, 4, 104), (2, 5, 107), (3, 0, 105), (3, 1, 106)]
COURSES = np.array([2, 3, 4, 4, UNKNOWN, 1], np.int32)  # course 4 has no event before the test
LEARNER = np.array([0, 0, 1, 2, 2, 3])  # the last has no event before it either
FAR = np.iinfo(np.int32).max
RANKS: Mapping[str, Sequence[Sequence[int]]] = {  # of each run
    "gru": [[1, 2, 3, 1, FAR, 1], [2, 4, 1, 2, FAR, 2]],
    "gru+bpr": [[1, 1, 2, 3, FAR, 2], [1, 2, 2, 5, FAR, 1]],
    "popularity": [[3, 1, 2, 4, FAR, 4]],
}
AGAIN = {
    "gru": [[4, 2, 1, 2, FAR, 1], [2, 4, 4, 2, FAR, 5]],
    "gru+bpr": [[2, 1, 2, 2, FAR, 2], [1, 3, 2, 5, FAR, 1]],
    "popularity": RANKS["popularity"],
}
METRICS = {f"{m}@{k}" for m in ("recall", "ndcg", "mrr") for k in (1, 2)}
CONTRASTS = [("gru", "popularity")]


def hits(ranks: Sequence[int], k: int = 2) -> Float64:
    """(n_learners,) recall@k, by hand."""
    return np.array(
        [
            np.mean([rank <= k for rank, of in zip(ranks, LEARNER, strict=True) if of == learner])
            for learner in range(4)
        ]
    )


def lists_of(number: int) -> Lists:
    away = np.random.default_rng(number)
    return Lists(
        coverage={1: 0.2 + number / 10, 2: 0.4 + number / 10},
        novelty={k: away.random(4) for k in (1, 2)},
        per_learner={"long_tail@2": away.random(4)},
        exposure=away.integers(0, 3, (4, 5)).astype(np.float64),
    )


class World:
    """A test, its plan, and what each refit reached."""

    def __init__(self, folder: Path, repeated: bool = False, **confirm: object) -> None:
        events = events_of(BEFORE + ASKED)
        arms = {"space": "gru.yaml", "losses": ["bpr"]}
        self.experiment = experiment_of(
            families={"gru": "gru.yaml", "gru+bpr": arms, "popularity": "popularity.yaml"},
            metric={"name": "recall", "k": 2, "report_k": [1, 2]},
            confirm={"seeds": 2, "resamples": 1000, "smallest_effect": 0.25, **confirm},
            seed=3,
        )
        fold = make_fold("sealed test", events, (100, 200), dataset_of(events), self.experiment)
        assert fold.validation.sequence.tolist() == LEARNER.tolist()
        training = replace(fold.training, n_items=5, n_cold=1)
        fold = replace(fold, training=training, validation=replace(fold.validation, item=COURSES))
        blue = np.array([True, False, True, False])
        groups = {"team": LearnerGroups({"blue": blue, "red": ~blue}, ("green",), 1)}
        self.test = SealedTest(fold, self.experiment, best_possible=0.9, groups=groups)
        self.opened = {
            name: Opened(kind=name.partition("+")[0], trial=f"{name}-0001", config={"x": n},
                         epochs=n + 1)
            for n, name in enumerate(RANKS)
        }  # fmt: skip
        self.study = study_with(experiment=self.experiment)
        own = Search(self.study, self.opened)
        other = Search(self.study, {**self.opened, "gru": self.opened["popularity"]})
        self.plan = ConfirmationPlan(
            study=self.study,
            searches=[own, other] if repeated else [own],
            users=3,
            steps={"gru": Steps(folds=(2, 3), refit=4)},
            contrasts=CONTRASTS,
            inputs="0f",
            environment={"python": "3.12"},
            folder=folder,
        )
        self.scored = {
            name: [
                self.run(name, n, ranks)
                for n, ranks in enumerate([*of, *(AGAIN[name] if repeated else ())])
            ]
            for name, of in RANKS.items()
        }

    def run(self, name: str, number: int, ranks: Sequence[int]) -> Scored:
        return Scored(
            job=Job(name, self.opened[name].kind, {}, 1, number, 1.0),
            outcomes=np.array(ranks, np.int32),
            lists=lists_of(number),
            fit_seconds=2.0 + 4 * number,
            score_seconds=0.5 + number,
            model_bytes=100 + 10 * number,
        )

    def conclude(self) -> tuple[Confirmation, dict[str, LearnerColumns]]:
        return conclude(self.scored, self.test, self.plan)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def interval(rows: Float64) -> Estimate:
    """Of a share."""
    mean, lower, upper = estimate(rows, 0.95)
    return Estimate(mean, max(lower, 0.0), min(upper, 1.0))


def rows_of(name: str, k: int = 2) -> Float64:
    found = np.stack([hits(ranks, k) for ranks in RANKS[name]])
    return np.repeat(found, 2 // len(found), axis=0)


def test_a_confirmation_says_what_it_is_of(world: World, tmp_path: Path) -> None:
    (opening,) = record_opening(tmp_path, "confirm", {"commit": None}, "f00", world.opened)
    found, _ = world.conclude()
    said = {
        "study": "test",
        "metric": "recall@2",
        "smallest_effect": 0.25,
        "level": 0.95,
        "scope": "configurations",
        "learners": 4,
        "unit": "learners",
        "targets": 6,
        "cold_targets": 0.5,  # two on course 4, and one on a course that nobody can rank
        "best_possible": 0.9,
        "openings": (opening,),
        "repeated": (),
        "dataset": "test-0123",
        "fingerprint": "f00",
        "inputs": "0f",
        "environment": {"python": "3.12"},
    }
    assert {key: getattr(found, key) for key in said} == said
    assert found.window["in the window"] == 7
    assert opening.when <= datetime.now(UTC)


def test_the_verdicts_are_of_the_metric_over_learners_and_the_declared_pairs_come_first(
    world: World,
) -> None:
    found, _ = world.conclude()
    tables = {name: rows_of(name) for name in RANKS}
    assert found.pairs == compare(
        tables, smallest_effect=0.25, resamples=1000, seed=3, contrasts=CONTRASTS, bound=1.0
    )
    assert [(p.a, p.b, p.exploratory) for p in found.pairs] == [
        ("gru", "popularity", False),
        ("gru", "gru+bpr", True),
        ("gru+bpr", "popularity", True),
    ]
    assert found.verdicts == tuple(p.sentence("recall@2", unit="learners") for p in found.pairs)
    assert found.pairs[0].difference == pytest.approx((2.5 + 3.0) / 2 / 4 - 1.5 / 4)


def test_the_table_of_learners_holds_every_metric_and_novelty_of_every_run(world: World) -> None:
    _, tables = world.conclude()
    assert list(tables) == list(RANKS)
    for name, table in tables.items():
        assert set(table) == METRICS | {"novelty@1", "novelty@2"}
        for k in (1, 2):
            assert_allclose(table[f"recall@{k}"], rows_of(name, k)[None])
            novelty = np.stack([lists_of(n).novelty[k] for n in range(len(RANKS[name]))])
            repeats = 2 // len(novelty)
            assert_allclose(table[f"novelty@{k}"], np.repeat(novelty, repeats, axis=0)[None])


def test_a_family_is_told_with_its_configuration_its_cost_and_its_means(world: World) -> None:
    found = world.conclude()[0].families
    gru, popularity = found["gru"], found["popularity"]
    assert {name: Opened.of(family) for name, family in found.items()} == world.opened
    assert [gru.seeds, popularity.seeds] == [(9003, 9004)] * 2
    assert [family.deterministic for family in found.values()] == [False, False, True]
    assert gru.steps == Steps(folds=(2, 3), refit=4)
    assert popularity.steps is None
    assert (gru.fit_seconds, gru.score_seconds, gru.model_bytes) == (4.0, 1.0, 110)
    for name, family in found.items():
        assert set(family.metrics) == {
            f"{m}@{k}" for m in ("recall", "ndcg", "mrr") for k in (1, 2)
        }
        for k in (1, 2):
            assert family.metrics[f"recall@{k}"] == interval(rows_of(name, k))
    assert gru.details == {}


def test_its_lists_are_told_by_means_over_runs(world: World) -> None:
    gru = world.conclude()[0].families["gru"]
    assert gru.coverage == {"coverage@1": pytest.approx(0.25), "coverage@2": pytest.approx(0.45)}
    runs = [lists_of(n) for n in range(2)]
    assert gru.novelty == {
        f"novelty@{k}": Estimate(*estimate(np.stack([run.novelty[k] for run in runs]), 0.95))
        for k in (1, 2)
    }
    assert set(gru.beyond) == {"coverage@2", "gini@2", "long_tail@2"}
    tails = np.stack([run.per_learner["long_tail@2"] for run in runs])
    assert gru.beyond["long_tail@2"] == Estimate(*estimate(tails, 0.95))
    shown = [float((run.exposure.sum(axis=0) > 0).mean()) for run in runs]
    assert gru.beyond["coverage@2"].mean == pytest.approx(np.mean(shown))
    assert gru.beyond["gini@2"].mean != pytest.approx(gru.beyond["coverage@2"].mean)


def test_a_task_without_lists_tells_nothing_of_them(world: World) -> None:
    world.scored = {
        name: [replace(run, lists=None) for run in runs] for name, runs in world.scored.items()
    }
    found, tables = world.conclude()
    assert not any(column.startswith("novelty") for table in tables.values() for column in table)
    for family in found.families.values():
        assert (family.coverage, family.novelty, family.beyond) == ({}, {}, {})


def test_metrics_are_corrected_by_the_popularity_of_their_courses(world: World) -> None:
    gru = world.conclude()[0].families["gru"]
    assert set(gru.corrected) == set(gru.metrics)
    counts = np.bincount([course for _, course, _ in BEFORE], minlength=5)  # 3, 3, 1, 1, 0
    weight = np.array([(3 / n) ** 0.5 if n else 0.0 for n in np.append(counts, 0)[COURSES]])
    values = np.array(RANKS["gru"]) <= 2
    table = corrected(values.astype(np.float64), weight, LEARNER.astype(np.int32))
    assert gru.corrected["recall@2"] == interval(table)


def test_a_task_that_shows_nothing_corrects_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TASKS, "next_item", replace(TASKS["next_item"], weight=None))
    assert world.conclude()[0].families["gru"].corrected == {}


class Said(Schema):
    """What a task records besides."""

    largest: int


def test_what_a_task_records_besides_is_that_of_the_first_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def details(outcomes: Any, targets: Any, metric: Any) -> Said:
        assert (len(targets), metric.key) == (6, "recall@2")
        return Said(largest=int(outcomes[:4].max()))

    monkeypatch.setitem(TASKS, "next_item", replace(TASKS["next_item"], details=details))
    found = world.conclude()[0].families
    assert found["gru"].details == {"next_item": Said(largest=3)}
    assert found["gru+bpr"].details == {"next_item": Said(largest=3)}
    assert found["popularity"].details == {"next_item": Said(largest=4)}


def test_metrics_of_all_targets_together_stand_beside_the_means(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pooled(outcomes: Any, targets: Any, metric: Any) -> dict[str, float]:
        return {"firsts": float((outcomes == 1).sum())}

    monkeypatch.setitem(TASKS, "next_item", replace(TASKS["next_item"], pooled=pooled))
    found = world.conclude()[0].families["gru"].metrics
    # Learners are the groups; without one, its own firsts are missing: 3, 1 of run 1 and 2.
    theta = np.array([3.0, 1.0])
    own = np.array([[1, 0, 1, 1], [0, 1, 0, 0]])
    without = theta[:, None] - own
    table = theta[:, None] + 3 * (without.mean(axis=1, keepdims=True) - without)
    assert found["firsts"].mean == pytest.approx(2.0)
    assert found["firsts"].upper == pytest.approx(estimate(table, 0.95)[2])


def test_the_arms_of_a_family_meet_on_cold_courses(world: World) -> None:
    (pair,) = world.conclude()[0].cold
    assert (pair.a, pair.b, pair.learners) == ("gru", "gru+bpr", 2)
    # Learners 1 and 2 are asked for course 4: found by gru in runs (2) and (1, 2).
    assert (pair.mean_a, pair.mean_b) == (0.75, 0.5)
    assert (pair.smallest_effect, pair.exploratory) == (0.25, False)


def test_subgroups_are_told_by_the_means_and_differences_of_their_targets(world: World) -> None:
    found = {group.name: group for group in world.conclude()[0].subgroups}
    assert {name: (group.learners, group.targets) for name, group in found.items()} == {
        "history of up to 2 events": (2, 2),
        "history of 3 to 3 events": (3, 4),
        "new learner": (1, 1),
        "returning learner": (3, 5),
        "cold course": (2, 2),
        "course with events": (2, 3),
    }
    cold, new = found["cold course"], found["new learner"]
    assert {name: mean.mean for name, mean in cold.means.items()} == {
        "gru": 0.75,
        "gru+bpr": 0.5,
        "popularity": 0.5,
    }
    of_gru = np.array([[0.0, 1.0], [1.0, 1.0]])  # runs by learners 1 and 2
    assert cold.means["gru"] == interval(of_gru)
    assert {pair: each.difference for pair, each in cold.differences.items()} == {
        "gru - gru+bpr": 0.25,
        "gru - popularity": 0.25,
        "gru+bpr - popularity": 0.0,
    }
    assert {each.name for each in cold.differences.values()} == {"cold course"}
    assert {pair: each.difference for pair, each in new.differences.items()} == {
        "gru - gru+bpr": 0.0,
        "gru - popularity": 1.0,
        "gru+bpr - popularity": 1.0,
    }


def test_groups_of_learners_are_told_by_every_metric_but_novelty(world: World) -> None:
    (team,) = world.conclude()[0].groups
    assert (team.column, team.smallest_group) == ("team", 20)
    assert team.learners == {"blue": 2, "red": 2}
    assert set(team.means) == set(RANKS)
    assert set(team.means["gru"]) == METRICS
    rows = rows_of("gru")
    assert team.means["gru"]["recall@2"]["red"].mean == pytest.approx(rows[:, [1, 3]].mean())
    assert team.gaps["gru"]["recall@2"] == largest_gap(rows, world.test.groups["team"], 0.95, 1.0)


def test_a_metric_that_is_no_mean_over_learners_has_no_subgroups(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_additive", lambda key: not key.startswith("recall"))
    found, _ = world.conclude()
    assert (found.cold, found.subgroups) == ((), ())
    (team,) = found.groups
    assert set(team.means["gru"]) == {"ndcg@1", "ndcg@2", "mrr@1", "mrr@2"}
    assert len(found.pairs) == 3


def test_after_repeated_searches_rows_are_searches_and_verdicts_on_families(tmp_path: Path) -> None:
    world = World(tmp_path, repeated=True, contrasts=None)
    found, tables = world.conclude()
    assert found.scope == "families"
    assert found.repeated == (world.plan.searches[1].selected,)
    assert found.searches == 2

    def table(name: str) -> Float64:
        """(n_searches, n_seeds, n_learners)."""
        both = [np.stack([hits(ranks) for ranks in of[name]]) for of in (RANKS, AGAIN)]
        return np.stack([np.repeat(rows, 2 // len(rows), axis=0) for rows in both])

    for name in RANKS:
        assert_allclose(tables[name]["recall@2"], table(name))
    rows = {name: table(name).mean(axis=1) for name in RANKS}
    assert found.pairs == compare(
        rows, 0.25, 1000, 3, contrasts=CONTRASTS, bound=1.0, scope="families"
    )
    gru = found.families["gru"]
    assert gru.metrics["recall@2"] == interval(rows["gru"])
    assert Opened.of(gru) == world.opened["gru"]  # the study's own search
    assert (gru.fit_seconds, gru.score_seconds, gru.model_bytes) == (8.0, 2.0, 130)
    assert gru.coverage["coverage@1"] == pytest.approx(0.35)
    shown = np.stack([lists_of(n).novelty[1] for n in range(4)]).reshape(2, 2, 4).mean(axis=1)
    assert gru.novelty["novelty@1"] == Estimate(*estimate(shown, 0.95))
    new = next(group for group in found.subgroups if group.name == "new learner")
    assert new.means["gru"].mean == pytest.approx(0.75)  # 1, 1 and 1, 0


def test_of_a_metric_like_log_loss_less_is_better(tmp_path: Path) -> None:
    world = World(tmp_path)
    less = SimpleNamespace(
        **{key: getattr(world.experiment.metric, key) for key in ("key", "k", "report_k", "bound")},
        lower_is_better=True,
    )
    world.experiment = world.experiment.model_copy(update={"metric": less})
    study = replace(world.study, experiment=world.experiment)
    world.plan = replace(world.plan, study=study)
    found, _ = world.conclude()
    assert all(pair.lower_is_better for pair in found.pairs)


def test_one_learner_alone_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    targets = world.test.fold.validation.at(np.array([5]))
    alone = replace(
        targets, sequence=np.zeros(1, np.int32), histories=targets.histories.at(np.array([3]))
    )
    world.test = replace(world.test, fold=replace(world.test.fold, validation=alone))
    world.scored = {
        name: [replace(run, outcomes=run.outcomes[5:], lists=None) for run in runs]
        for name, runs in world.scored.items()
    }
    with pytest.raises(BadInput, match="a verdict needs at least 2"):
        world.conclude()
