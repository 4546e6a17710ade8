"""From ranks on the sealed test to estimates, verdicts and subgroups.

Chance comes from seeds after one search, and from searches after several: a *row* is one seed of
the study's own search, or the mean over a search's seeds where searches were repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from recsweep.config.schema import Metric, is_additive
from recsweep.data.types import UNKNOWN, Float64, Int32, Mask
from recsweep.evaluation.comparison import Pair, compare
from recsweep.evaluation.exposure import EXPOSURE, over_groups
from recsweep.evaluation.groups import group_masks
from recsweep.evaluation.propensity import corrected
from recsweep.evaluation.subgroups import subgroup_differences
from recsweep.evaluation.verdict import Scope
from recsweep.models.registry import families_of
from recsweep.records.confirmation import (
    Confirmation,
    ConfirmedFamily,
    Steps,
    Subgroup,
)
from recsweep.records.confirmation_files import LearnerColumns
from recsweep.records.openings import read_openings
from recsweep.records.study import Study
from recsweep.stages.confirm.cold import cold_verdicts
from recsweep.stages.confirm.estimates import LEVEL, estimate_of
from recsweep.stages.confirm.groups import in_groups
from recsweep.stages.confirm.pooled import pooled_tables
from recsweep.stages.confirm.refits import Scored, Test
from recsweep.stages.confirm.searches import Search
from recsweep.tasks.task import Lists, Task


@dataclass(frozen=True, slots=True)
class ConfirmationPlan:
    """What was settled before the test was opened."""

    study: Study
    searches: Sequence[Search]  # the study's own first
    users: int  # codes below it have an event before the test
    steps: Mapping[str, Steps]  # of those that are trained by gradient
    contrasts: Sequence[Pair]  # that the question is about
    inputs: str
    environment: Mapping[str, object]
    folder: Path


def conclude(
    scored: Mapping[str, Sequence[Scored]], test: Test, known: ConfirmationPlan
) -> tuple[Confirmation, dict[str, LearnerColumns]]:
    """The confirmation, and each family's table of learners.

    Raises:
        BadInput: fewer than two learners.
    """
    experiment, targets = known.study.experiment, test.fold.validation
    key, ask = experiment.metric.key, experiment.confirm
    repeated = tuple(search.selected for search in known.searches[1:])
    scope: Scope = "families" if repeated else "configurations"
    tables: dict[str, LearnerColumns] = {
        name: _table(runs, test, known) for name, runs in scored.items()
    }
    judge = partial(
        compare,
        smallest_effect=ask.smallest_effect,
        resamples=ask.resamples,
        seed=experiment.seed,
        level=LEVEL,
        scope=scope,
        lower_is_better=experiment.metric.lower_is_better,
        bound=experiment.metric.bound,
    )
    scores = {name: _rows(table[key]) for name, table in tables.items()}
    pairs = judge(scores, contrasts=known.contrasts)
    n_known = test.fold.training.n_known
    values = _target_values(scored, test, known)
    confirmation = Confirmation(
        study=experiment.study,
        metric=key,
        verdicts=tuple(pair.sentence(key, unit=experiment.data.unit) for pair in pairs),
        smallest_effect=ask.smallest_effect,
        level=LEVEL,
        scope=scope,
        learners=len(targets.histories),
        unit=experiment.data.unit,
        targets=len(targets),
        cold_targets=float(np.mean((targets.item >= n_known) | (targets.item == UNKNOWN))),
        best_possible=test.best_possible,
        window=targets.counts,
        openings=read_openings(known.folder),
        families={
            name: _family(runs, tables[name], test, name, known) for name, runs in scored.items()
        },
        repeated=repeated,
        pairs=pairs,
        cold=cold_verdicts(values, targets, n_known, experiment, judge) if is_additive(key) else (),
        subgroups=_subgroups(values, test, known) if is_additive(key) else (),
        groups=in_groups(
            {name: _additive(table) for name, table in tables.items()},
            test.groups,
            ask.smallest_group,
        ),
        dataset=known.study.dataset,
        fingerprint=known.study.fingerprint,
        inputs=known.inputs,
        environment=known.environment,
    )
    return confirmation, tables


def learner_metrics(runs: Sequence[Scored], test: Test) -> dict[str, Float64]:
    """`recall@5`, … -> (n_runs, n_learners)."""
    outcomes = [run.outcomes for run in runs]
    found = test.task.learner_metrics(outcomes, test.fold.validation, test.experiment.metric)
    return {key: np.stack(values) for key, values in found.items()}


def _table(runs: Sequence[Scored], test: Test, known: ConfirmationPlan) -> dict[str, Float64]:
    """Column -> (n_searches, n_seeds, n_learners)."""
    columns = learner_metrics(runs, test)
    if all_lists := [run.lists for run in runs if run.lists is not None]:
        for k in test.experiment.metric.report_k:
            columns[f"novelty@{k}"] = np.stack([lists.novelty[k] for lists in all_lists])
    return {name: _by_search(values, known) for name, values in columns.items()}


def _additive(table: LearnerColumns) -> dict[str, Float64]:
    """Metric -> (n_rows, n_learners), of those that mean something of some learners alone."""
    metrics = [name for name in table if not name.startswith("novelty@") and is_additive(name)]
    return {name: _rows(table[name]) for name in metrics}


def _by_search(values: Float64, known: ConfirmationPlan) -> Float64:
    """(n_runs, n) -> (n_searches, n_seeds, n); who is trained once a search has copies."""
    searches, seeds = len(known.searches), len(known.searches[0].seeds)
    found = values.reshape(searches, -1, values.shape[-1])
    return found if found.shape[1] == seeds else np.repeat(found, seeds, axis=1)


def _rows(values: Float64) -> Float64:
    """(n_searches, n_seeds, n) -> (n_rows, n), see the head of this file."""
    rows: Float64 = values[0] if len(values) == 1 else values.mean(axis=1)
    return rows


def _family(
    runs: Sequence[Scored], table: LearnerColumns, test: Test, name: str, known: ConfirmationPlan
) -> ConfirmedFamily:
    own, metric = known.searches[0], known.study.experiment.metric
    choice = own.selected[name]
    details = test.task.details(runs[0].outcomes, test.fold.validation, metric)
    names = [name for name in table if name not in _novelty(metric)]
    lists = [run.lists for run in runs if run.lists is not None]
    return ConfirmedFamily(
        **dict(choice),
        seeds=own.seeds,
        deterministic=not families_of(test.task.name)[choice.kind].random,
        steps=known.steps.get(name),
        metrics={
            **{column: estimate_of(_rows(table[column]), column) for column in names},
            **{
                column: estimate_of(_rows(_by_search(values, known)), column)
                for column, values in pooled_tables(runs, test).items()
            },
        },
        coverage={
            f"coverage@{k}": float(np.mean([made.coverage[k] for made in lists]))
            for k in (metric.report_k if lists else ())
        },
        novelty={
            name: estimate_of(_rows(table[name])) for name in _novelty(metric) if name in table
        },
        beyond={
            column: estimate_of(_rows(_by_search(values, known)))
            for column, values in _beyond(lists, metric).items()
        },
        corrected={
            column: estimate_of(_rows(_by_search(values, known)), column)
            for column, values in _corrected(runs, test).items()
        },
        fit_seconds=float(np.mean([run.fit_seconds for run in runs])),
        score_seconds=float(np.mean([run.score_seconds for run in runs])),
        model_bytes=max(run.model_bytes for run in runs),
        **({} if details is None else {test.task.name: details}),
    )


def _corrected(runs: Sequence[Scored], test: Test) -> dict[str, Float64]:
    """`ndcg@10`, … -> (n_runs, n_learners)."""
    task, targets, metric = test.task, test.fold.validation, test.experiment.metric
    if task.weight is None:
        return {}
    weight = task.weight(targets, test.fold.training)
    values = [task.target_values(run.outcomes, targets, metric) for run in runs]
    return {
        key: corrected(np.stack([one[key] for one in values]), weight, targets.sequence)
        for key in values[0]
    }


def _beyond(lists: Sequence[Lists], metric: Metric) -> dict[str, Float64]:
    """`coverage@10`, … -> (n_runs, n_learners or groups of them)."""
    if not lists:
        return {}
    found = {
        f"{name}@{metric.k}": np.stack([over_groups(figure, made.exposure) for made in lists])
        for name, figure in EXPOSURE.items()
    }
    of_learners = {key: [made.per_learner[key] for made in lists] for key in lists[0].per_learner}
    return found | {key: np.stack(values) for key, values in of_learners.items()}


def _target_values(
    scored: Mapping[str, Sequence[Scored]], test: Test, known: ConfirmationPlan
) -> dict[str, Float64]:
    """Family -> (n_rows, n_targets) of the study's metric."""
    targets, metric, task = (
        test.fold.validation,
        test.experiment.metric,
        test.task,
    )

    def of_targets(run: Scored) -> Float64:
        return task.target_values(run.outcomes, targets, metric)[metric.key]

    return {
        name: _rows(_by_search(np.stack([of_targets(run) for run in runs]), known))
        for name, runs in scored.items()
    }


def _subgroups(
    values: Mapping[str, Float64], test: Test, known: ConfirmationPlan
) -> tuple[Subgroup, ...]:
    targets, task, key = (
        test.fold.validation,
        test.task,
        test.experiment.metric.key,
    )
    masks = group_masks(targets, known.users, test.fold.training.n_known)
    differences = {
        f"{a} - {b}": subgroup_differences(
            values[a],
            values[b],
            targets.sequence,
            masks,
            LEVEL,
            task.per_learner,
            test.experiment.metric.bound,
        )
        for a, b in combinations(values, 2)
    }
    return tuple(
        Subgroup(
            name=group,
            learners=len(np.unique(targets.sequence[mask])),
            targets=int(mask.sum()),
            means={
                name: estimate_of(_group_values(table, targets.sequence, mask, task), key)
                for name, table in values.items()
            },
            differences={pair: found[n] for pair, found in differences.items()},
        )
        for n, (group, mask) in enumerate(masks.items())
    )


def _group_values(values: Float64, sequence: Int32, mask: Mask, task: Task[Any]) -> Float64:
    _, learner = np.unique(sequence[mask], return_inverse=True)
    return np.stack([task.per_learner(row[mask], learner.astype(np.int32)) for row in values])


def _novelty(metric: Metric) -> list[str]:
    return [f"novelty@{k}" for k in metric.report_k]
