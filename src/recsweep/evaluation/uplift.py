"""How well a score says whom a treatment moves: metrics of all rows, with what each row adds.

Rows are ordered by their score, the highest first. With t treated or not, y the outcome and p the
probability of treatment, sums over the first rows weigh the treated by 1 / p and the others by
1 / (1 - p); where p is the same for everybody, that weight cancels. Among the first rows let

    A = sum of y of the treated,  M = how many are treated,
    B = sum of y of the others,   C = how many the others are,

all of them weighted. At the share x of rows that are treated first,

- the Qini curve is (A - B M / C) / M of all rows: outcomes more than without treatment, for each of
  all treated (Radcliffe 2007, section 4);
- the uplift curve is x (A / M - B / C): the same for each of all rows.

The Qini coefficient is the area between its curve and the straight line to the curve's end, which
a random order has. AUUC is the whole area under the uplift curve.

*Ties.* Rows with equal scores come at once: the curve is straight over them, as it is on average in
a random order; at the border of a share they count in part. A score that is the same for everybody
has a Qini coefficient of 0.

No single row has such a metric, so rows get values whose mean is the metric: the metric plus n
times its derivative by the row's weight, the infinitesimal jackknife (Jaeckel 1972; Efron 1982,
section 6.3), by automatic differentiation. Their variance over learners, divided by the number of
learners, is the metric's. Who lies within a share is taken as given: a policy's value is that of
treating whoever has a score above this border.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsweep.data.types import Float64, Mask

TOP = 0.1
"""The share of rows whose uplift is told by itself."""


@dataclass(frozen=True, slots=True)
class Cumulated:
    """Sums over the first rows, where a run of equal scores ends, behind a 0: (n_runs + 1,) each.
    The share is of the rows' weight; A, M, B and C as in the head of this file.
    """

    share: Tensor
    a: Tensor
    m: Tensor
    b: Tensor
    c: Tensor

    @property
    def qini(self) -> Tensor:
        """The Qini curve."""
        return (self.a - self.b * _ratio(self.m, self.c)) / self.m[-1]

    @property
    def uplift(self) -> Tensor:
        """The uplift curve."""
        return self.share * (_ratio(self.a, self.m) - _ratio(self.b, self.c))


class UpliftRows:
    """Rows with a score, who of them was treated, and what came of it."""

    def __init__(self, score: Float64, outcome: Mask, treated: Mask, propensity: Float64) -> None:
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        run = np.zeros(len(score), np.int64)
        run[order] = np.repeat(np.arange(len(last)), np.diff(last, prepend=-1))
        self._order, self._last, self._run = map(torch.from_numpy, (order, last, run))
        y, p = torch.from_numpy(outcome.astype(np.float64)), torch.from_numpy(propensity)
        self._treated = torch.from_numpy(treated)
        self._score, self._y = torch.from_numpy(score), y
        self._of_treated = torch.where(self._treated, 1 / p, 0.0)
        self._of_others = torch.where(self._treated, 0.0, 1 / (1 - p))

    def __len__(self) -> int:
        return len(self._y)

    def values(self, metric: Callable[[Tensor], Tensor]) -> Float64:
        """(n,) whose mean is the metric of the rows."""
        weight = torch.ones(len(self), dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            value = metric(weight)
            slope = (
                torch.autograd.grad(value, weight)[0]
                if value.requires_grad
                else torch.zeros_like(weight)
            )
        found: Float64 = (value.detach() + len(self) * slope).numpy()
        return found

    def cumulated(self, weight: Tensor) -> Cumulated:
        """Sums over the first rows of (n,) weights."""

        def so_far(of_rows: Tensor) -> Tensor:
            sums = of_rows[self._order].cumsum(0)[self._last]
            return torch.cat((sums.new_zeros(1), sums))

        treated, others = weight * self._of_treated, weight * self._of_others
        return Cumulated(
            share=so_far(weight) / weight.sum(),
            a=so_far(treated * self._y),
            m=so_far(treated),
            b=so_far(others * self._y),
            c=so_far(others),
        )

    def qini(self, weight: Tensor) -> Tensor:
        """The Qini coefficient."""
        sums = self.cumulated(weight)
        return torch.trapezoid(sums.qini, sums.share) - sums.qini[-1] / 2

    def auuc(self, weight: Tensor) -> Tensor:
        """The area under the uplift curve."""
        sums = self.cumulated(weight)
        return torch.trapezoid(sums.uplift, sums.share)

    def effect(self, weight: Tensor) -> Tensor:
        """The average effect of treatment: the treated's rate of yes less the others'."""
        treated, others = weight * self._of_treated, weight * self._of_others
        rates = (_ratio((of * self._y).sum(), of.sum()) for of in (treated, others))
        return next(rates) - next(rates)

    def uplift_in_top(self, share: float) -> Callable[[Tensor], Tensor]:
        """The effect among the rows with the highest scores."""
        within = self._within(share)
        return lambda weight: self.effect(weight * within)

    def policy_value(
        self, budget: float, expected: Float64 | None = None
    ) -> Callable[[Tensor], Tensor]:
        """Outcomes a row if the highest scores are treated, those above 0 alone and no more than
        a share `budget` of all.

        By inverse propensities (Horvitz & Thompson 1952); with (n, 2) outcomes `expected` without
        and with treatment, doubly robust (Dudík, Langford & Li 2011, eq. 2).
        """
        model = torch.zeros(len(self), 2, dtype=torch.float64)
        if expected is not None:
            model = torch.from_numpy(expected)
        seen = torch.where(self._treated, model[:, 1], model[:, 0])
        policy = self._within(budget) * (self._score > 0)
        follows = torch.where(self._treated, policy, 1 - policy)
        follows = follows * (self._of_treated + self._of_others)
        promised = policy * model[:, 1] + (1 - policy) * model[:, 0]
        of_rows = promised + follows * (self._y - seen)
        return lambda weight: (weight * of_rows).sum() / weight.sum()

    def _within(self, share: float) -> Tensor:
        """(n,) how much of each row lies within the share with the highest scores."""
        ends = torch.cat((self._last.new_zeros(1), self._last + 1)).double()
        inside = ((share * len(self) - ends[:-1]) / ends.diff()).clamp(0, 1)
        return inside[self._run]


def metrics(
    rows: UpliftRows, budget: float, expected: Float64
) -> dict[str, Callable[[Tensor], Tensor]]:
    """Every metric by its name in files, as a function of the rows' weights."""
    return {
        "qini": rows.qini,
        "auuc": rows.auuc,
        "uplift_top_tenth": rows.uplift_in_top(TOP),
        "policy_value_ips": rows.policy_value(budget),
        "policy_value_dr": rows.policy_value(budget, expected),
    }


def auc_values(score: Float64, yes: Mask) -> Float64:
    """(n,) whose mean is the area under the ROC curve, ties counted half; their variance divided by
    n is that of DeLong, DeLong & Clarke-Pearson 1988, but for the factor n / (n - 1).
    """
    from scipy.stats import rankdata

    above = rankdata(score)
    share = np.empty(len(score))  # of the other answer's rows that each is on the right side of
    for of in (yes, ~yes):
        share[of] = (above[of] - rankdata(score[of])) / (~of).sum()
    share[~yes] = 1 - share[~yes]
    area = share[yes].mean()
    return np.asarray(area + (share - area) * np.where(yes, 1 / yes.mean(), 1 / (~yes).mean()))


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """0 where there is nothing to divide by."""
    some = below > 0
    return torch.where(some, above / torch.where(some, below, 1.0), 0.0)
