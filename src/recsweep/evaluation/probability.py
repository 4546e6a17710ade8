"""How good probabilities of an answer are: per example, of all together, and at a threshold.

Thresholds and calibrators are cross-fitted: learners are dealt into `PARTS` parts, and what one
part is scored with was fitted on the examples of the others. So nothing is scored on what it was
fitted on, and a learner's examples are never on both sides.

scikit-learn is imported where it works: the workers of a sweep that ranks need none of it.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from scipy.special import expit, logit

from recsweep.data.types import Float64, Int32, Int64, Mask

Calibration = Literal["none", "platt", "isotonic"]

PARTS = 5
BINS = 10
EPSILON = float(np.finfo(np.float64).eps)
"""Probabilities are kept so far from 0 and 1, as in scikit-learn's log loss."""


def log_losses(probability: Float64, bought: Mask) -> Float64:
    """(n,) minus the log of the probability of what happened, in nats."""
    clipped = np.clip(probability, EPSILON, 1 - EPSILON)
    return np.asarray(-np.log(np.where(bought, clipped, 1 - clipped)), np.float64)


def squared_errors(probability: Float64, bought: Mask) -> Float64:
    """(n,) whose mean is the Brier score (Brier 1950)."""
    return np.asarray((probability - bought) ** 2)


def linearised_by_learner(values: Float64, sequence: Int32) -> Float64:
    """(n_learners,) whose mean over learners is the mean of `values` over examples.

    A mean over examples is a ratio: of the sum of values to the number of examples, and both
    depend on which learners came. A learner u with n_u of N examples counts with

        theta + (sum of its values - theta n_u) L / N,    theta = sum of values / N,

    the ratio's linearisation (Cochran 1977, section 6.3; the infinitesimal jackknife of Jaeckel
    1972). Its variance over L learners is that of theta; a sum alone would count a learner with
    many examples as far from the others, whatever its values are.
    """
    learners = int(sequence.max()) + 1
    mean = values.mean()
    apart = np.bincount(sequence, weights=values - mean, minlength=learners)
    return np.asarray(mean + apart * (learners / len(values)), np.float64)


def calibrated(
    probability: Float64, bought: Mask, sequence: Int32, calibration: Calibration
) -> Float64:
    """(n,) probabilities after a calibrator that was fitted on other learners' examples."""
    if calibration == "none":
        return probability
    out = probability.copy()
    for inside in _parts(sequence):
        if _fits(bought[~inside]):
            out[inside] = _calibrate(
                probability[~inside], bought[~inside], probability[inside], calibration
            )
    return out


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A fitted one. Platt: slope and intercept; isotonic: the corners of its steps."""

    calibration: Calibration = "none"
    x: tuple[float, ...] = ()  # platt: the slope
    y: tuple[float, ...] = ()  # platt: the intercept
    least: float = 0.0  # isotonic: so far from 0 and 1 at least

    def __call__(self, probability: Float64) -> Float64:
        """(n,) calibrated."""
        if self.calibration == "none":
            return probability
        if self.calibration == "platt":
            (slope,), (intercept,) = self.x, self.y
            return np.asarray(expit(_log_odds(probability) * slope + intercept))
        found = np.interp(probability, self.x, self.y)
        return np.asarray(np.clip(found, self.least, 1 - self.least), np.float64)


def fit_calibrator(probability: Float64, bought: Mask, calibration: Calibration) -> Calibrator:
    """On examples that the model was not trained on; none where they have one answer only."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    if calibration == "none" or not _fits(bought):
        return Calibrator()
    if calibration == "isotonic":
        steps = IsotonicRegression(out_of_bounds="clip").fit(probability, bought)
        x, y = (tuple(map(float, each)) for each in (steps.X_thresholds_, steps.y_thresholds_))
        # A bin without a yes is no proof that there never is one: the ends are Laplace's.
        return Calibrator(calibration, x, y, least=1 / (len(bought) + 2))
    # Platt 1999, with the log-odds as the score: a slope and an intercept.
    line = LogisticRegression(C=np.inf, max_iter=1000)
    line.fit(_log_odds(probability)[:, None], bought)
    return Calibrator(calibration, (float(line.coef_[0, 0]),), (float(line.intercept_[0]),))


def decisions(probability: Float64, bought: Mask, sequence: Int32) -> tuple[Mask, list[float]]:
    """(n,) whether each is taken for a yes, at the threshold with the best F1 on the examples
    of other learners; and the thresholds.
    """
    out, thresholds = np.zeros(len(bought), bool), []
    for inside in _parts(sequence):
        threshold = best_threshold(probability[~inside], bought[~inside])
        out[inside] = probability[inside] >= threshold
        thresholds.append(threshold)
    return out, thresholds


def best_threshold(probability: Float64, bought: Mask) -> float:
    """The lowest probability to be taken for a yes that makes F1 highest; .5 without any yes."""
    from sklearn.metrics import precision_recall_curve

    if not bought.any():
        return 0.5
    precision, recall, thresholds = precision_recall_curve(bought, probability)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    return float(thresholds[int(np.argmax(f1[:-1]))])


@dataclass(frozen=True, slots=True)
class Bin:
    """Examples with probabilities close to each other."""

    examples: int
    predicted: float  # mean probability
    bought: float  # share that was bought


def reliability(probability: Float64, bought: Mask, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equally many examples, by ascending probability; equal ones share a bin."""
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    # A border moves to the end of its run of equal probabilities.
    borders = [np.searchsorted(ranked, ranked[len(ranked) * k // bins]) for k in range(1, bins)]
    edges = np.unique([0, *borders, len(ranked)])
    found = []
    for low, high in pairwise(edges.tolist()):
        rows = order[low:high]
        mean = float(probability[rows].mean())
        found.append(Bin(len(rows), mean, float(bought[rows].mean())))
    return tuple(found)


def calibration_error(probability: Float64, bought: Mask, bins: int = BINS) -> float:
    """Expected calibration error (Naeini et al. 2015, eq. 3) over bins of equally many examples:
    the mean distance between what a bin's probabilities promise and what happened.
    """
    found = reliability(probability, bought, bins)
    weight = sum(b.examples for b in found)
    return sum(b.examples * abs(b.predicted - b.bought) for b in found) / weight


def top_tenth(score: Float64, value: Float64) -> float:
    """Mean `value` of the tenth with the highest `score`; equals at the border count in part."""
    slots = max(1, round(len(score) / 10))
    border = np.sort(score)[-slots]
    above, at = score > border, score == border
    inside = value[above].sum() + value[at].mean() * (slots - int(above.sum()))
    return float(inside / slots)


def pooled_metrics(
    probability: Float64, bought: Mask, sequence: Int32, price: Float64 | None
) -> dict[str, float]:
    """Metrics of all examples together; those of a decision at cross-fitted thresholds."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    taken, _ = decisions(probability, bought, sequence)
    hits = int((taken & bought).sum())
    precision = hits / max(int(taken.sum()), 1)
    recall = hits / int(bought.sum())
    found = {
        "roc_auc": float(roc_auc_score(bought, probability)),
        "pr_auc": float(average_precision_score(bought, probability)),
        "ece": calibration_error(probability, bought),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
        "lift": top_tenth(probability, bought.astype(np.float64)) / float(bought.mean()),
    }
    return found | revenue(probability, bought, price)


def revenue(probability: Float64, bought: Mask, price: Float64 | None) -> dict[str, float]:
    """Money an example in the tenth with the highest expected revenue: expected, and taken in.

    Examples without a price have no say; nothing where none has one.
    """
    if price is None or not np.isfinite(price).any():
        return {}
    known = np.isfinite(price)
    expected = probability[known] * price[known]
    taken_in = bought[known] * price[known]
    return {
        "expected_revenue": top_tenth(expected, expected),
        "revenue": top_tenth(expected, taken_in),
    }


def report_at_threshold(
    probability: Float64, bought: Mask, sequence: Int32, names: tuple[str, str]
) -> dict[str, Any]:
    """scikit-learn's `classification_report` at cross-fitted thresholds; `names` of no and yes."""
    from sklearn.metrics import classification_report

    taken, _ = decisions(probability, bought, sequence)
    found: dict[str, Any] = classification_report(
        bought, taken, labels=[False, True], target_names=names, output_dict=True, zero_division=0.0
    )
    return found


def _calibrate(
    probability: Float64, bought: Mask, asked: Float64, calibration: Calibration
) -> Float64:
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    if calibration == "isotonic":
        library = IsotonicRegression(out_of_bounds="clip")
        # A bin without a yes is no proof that there never is one: the ends are Laplace's.
        least = 1 / (len(bought) + 2)
        found = library.fit(probability, bought).predict(asked)
        return np.asarray(np.clip(found, least, 1 - least), np.float64)
    # Platt 1999, with the log-odds as the score: a slope and an intercept.
    line = LogisticRegression(C=np.inf, max_iter=1000)
    line.fit(_log_odds(probability)[:, None], bought)
    return np.asarray(line.predict_proba(_log_odds(asked)[:, None])[:, 1])


def _log_odds(probability: Float64) -> Float64:
    return np.asarray(logit(np.clip(probability, 1e-6, 1 - 1e-6)))


def _fits(bought: Mask) -> bool:
    return bool(bought.any() and not bought.all())


def _parts(sequence: Int32) -> list[Mask]:
    """Of the examples, by learner; some part may be empty."""
    part: Int64 = np.random.default_rng(0).permutation(int(sequence.max()) + 1) % PARTS
    of_example = part[sequence]
    return [of_example == n for n in range(PARTS)]
