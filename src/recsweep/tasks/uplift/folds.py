"""Folds of the task `uplift`: labelled examples of which some were treated and some were not.

What is an example, and what it may read, is as in the task `purchase`. One that no treatment came
into question for is left out and counted.
"""

from dataclasses import replace

import numpy as np

from recsweep.data.types import Float64, Labels, Mask, Targets, Training, Treatments
from recsweep.errors import BadInput
from recsweep.models.cases import examples_of, labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.purchase.examples import make_examples
from recsweep.tasks.purchase.folds import (
    LESS,
    examples_in,
    history_inputs,
    training_on,
    with_counts_of,
)
from recsweep.tasks.task import Split
from recsweep.tasks.uplift.settings import Uplift


def training_of(split: Split) -> Training:
    """The examples of the events before the window.

    Raises:
        BadInput: the treated, or the others, lack one of the answers.
    """
    taught, propensity = _examples(split, None, split.window[0], split.before)
    labels = labels_of(taught)
    of_treatment = treatments_of(labels)
    for answer in (True, False):
        for treated in (True, False):
            if not ((labels.bought == answer) & (of_treatment.treated == treated)).any():
                raise BadInput(
                    f"{split.name}: of {len(taught)} examples to learn from none is "
                    f"{'treated' if treated else 'untreated'} and {'a' if answer else 'no'} "
                    f"purchase; check treatment and the label, or {LESS}"
                )
    share = float(of_treatment.treated.mean())
    return training_on(_with_propensity(taught, propensity, share), split.learned)


def targets_of(split: Split, training: Training) -> Targets:
    """The examples of the window, with what models of training expect of each.

    Where the data don't give the probability of treatment, it is training's share of the treated.

    Raises:
        BadInput: nobody in the window was treated, all were, or nobody bought.
    """
    (cut, end), taught = split.window, examples_of(training)
    found, given = _examples(split, cut, end, split.inside)
    treated, bought = treatments_of(labels_of(found)).treated, labels_of(found).bought
    if treated.all() or not treated.any() or not bought.any():
        raise BadInput(
            f"{split.name}: of {len(found)} examples in its window {int(treated.sum())} are "
            f"treated and {int(bought.sum())} are purchases; some must be treated, some must not, "
            f"and some must be purchases: check treatment, or {split.wider}"
        )
    of_training = labels_of(taught)
    share = float(treatments_of(of_training).treated.mean())
    found = _with_propensity(found, given, share)
    labels = labels_of(found)
    learned, inputs = treatments_of(of_training), labels.inputs
    expected = [
        _fitted(of_training, learned.treated == arm, of_training.bought, inputs)
        for arm in (False, True)
    ]
    everybody, guessed = np.ones(len(taught), bool), None
    if given is None:
        guessed = _fitted(of_training, everybody, learned.treated, inputs)
    known = replace(treatments_of(labels), expected=np.stack(expected, axis=1), guessed=guessed)
    return with_counts_of(taught, replace(found, labels=replace(labels, treatments=known)))


def _examples(
    split: Split, start: int | None, end: int, of: Mask
) -> tuple[Targets, Float64 | None]:
    """Those of `[start, end)` with a treatment in question; and the probability of treatment, where
    the data give it for all of them.
    """
    events, learned, rule = split.events, split.learned, split.experiment.settings_of(Uplift)
    rows, bought, counts = examples_in(split, rule, start, end, of)
    assert events.treated is not None  # the schema: a treatment is given
    known = ~np.isnan(events.treated[rows])
    if not known.all():
        counts = {**counts, "no treatment in question": int((~known).sum())}
    rows, bought = rows[known], bought[known]
    found = make_examples(
        events,
        learned.index,
        rows,
        bought,
        counts,
        learned.encoder,
        history_inputs(split),
        None,
        end,
    )
    treated = events.treated[rows] == 1
    propensity = None if events.propensity is None else events.propensity[rows]
    if propensity is not None and np.isnan(propensity).any():
        propensity = None
    treatments = Treatments(treated, np.full(len(rows), np.nan), rule.budget)
    return (
        replace(
            found,
            counts={**found.counts, "treated": int(treated.sum())},
            labels=replace(labels_of(found), treatments=treatments),
        ),
        propensity,
    )


def _with_propensity(examples: Targets, given: Float64 | None, share: float) -> Targets:
    labels = labels_of(examples)
    propensity = np.full(len(examples), share) if given is None else given
    treatments = replace(treatments_of(labels), propensity=propensity)
    return replace(examples, labels=replace(labels, treatments=treatments))


def _fitted(learned: Labels, of: Mask, yes: Mask, inputs: np.ndarray) -> Float64:
    """(n,) probability of a yes by a logistic regression on the examples `of`, of which some are.

    It serves the estimates and no model: the same for every family.
    """
    from sklearn.linear_model import LogisticRegression

    if not inputs.shape[1]:
        return np.full(len(inputs), yes[of].mean())
    line = LogisticRegression(solver="newton-cholesky", max_iter=200)
    line.fit(learned.inputs[of].astype(np.float64), yes[of])
    return np.asarray(line.predict_proba(inputs.astype(np.float64))[:, 1])
