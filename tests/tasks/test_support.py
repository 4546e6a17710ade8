"""What folds are scored on, counted by type of event."""

from dataclasses import replace

import numpy as np
import pytest
from purchases import CUT, END, dataset_with_prices, purchase_experiment, random_log
from purchases import log_of as looks_of
from worlds import dataset_of, experiment_of

from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Cuts, Dataset, Events
from recsweep.tasks.folds import development_folds
from recsweep.tasks.support import fold_support, without_features

EXPERIMENT = experiment_of(targets={"types": ["browse", "purchase"], "seen": "keep"})


def log(kinds: str) -> Dataset:
    """Four learners with two looks each before 10, then those of `kinds`: browse or purchase."""
    rows = [(u, t, u + t, "b") for u in range(4) for t in (1, 2)]
    rows += [(n % 3, 10 + n // 3, n % 2, kind) for n, kind in enumerate(kinds)]
    table = sorted(
        (u, t, i, KINDS.index({"b": "browse", "p": "purchase"}[k])) for u, t, i, k in rows
    )
    user, time, item, kind = np.array(table, np.int64).T
    events = Events(user.astype(np.int32), item.astype(np.int32), time, kind.astype(np.int8))
    cuts = Cuts(validation=((10, 12), (12, 14)), test=(14, 20))
    return replace(dataset_of(events), cuts=cuts)


def test_targets_and_their_learners_are_counted_by_type_in_every_fold() -> None:
    found = fold_support(log("bbpbppppb"), EXPERIMENT)
    assert [support.name for support in found] == ["fold0", "fold1"]
    assert dict(found[0].targets) == {"browse": (3, 2), "purchase": (3, 2)}
    assert dict(found[1].targets) == {"purchase": (2, 2), "browse": (1, 1)}
    assert found[0].counts["in the window"] == 6


@pytest.mark.parametrize("features", [["title"], {"ids": [], "text": ["title"]}])
def test_columns_that_are_not_there_to_fit_are_not_asked_for(features: object) -> None:
    arm = {"space": "search_spaces/gru.yaml", "features": ["level"]}
    families = {"a": arm, "b": "search_spaces/lstm.yaml"}
    experiment = experiment_of(features=features, families=families)
    plain = without_features(experiment)
    assert plain.feature_names == ()
    assert plain.families == {"a": "search_spaces/gru.yaml", "b": "search_spaces/lstm.yaml"}
    assert plain.model_copy(update={"features": experiment.features, "families": families}) == (
        experiment.model_copy(update={"families": families})
    )


def test_looks_that_may_end_in_a_purchase_are_looks() -> None:
    events = looks_of(random_log(seed=1))
    cuts = Cuts(validation=((CUT * DAY, END * DAY),), test=(END * DAY, END * DAY))
    dataset = replace(dataset_with_prices(events), cuts=cuts)
    experiment = purchase_experiment(features=["price"])
    [found] = fold_support(dataset, experiment)
    [fold] = development_folds(dataset, without_features(experiment))
    learners = len(set(fold.validation.histories.user[fold.validation.sequence].tolist()))
    assert dict(found.targets) == {"browse": (len(fold.validation), learners)}
    assert learners < len(fold.validation)
