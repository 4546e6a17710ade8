"""Every pair of families against each other: differences, simultaneous intervals, p values.

The procedure, and why it is this one:

1. The unit is the learner, paired over families, and each family brings seeds of its own. The
   difference of two means is studentised by the variance of `variance.py`, which counts learners
   and seeds, with Satterthwaite's degrees of freedom. Its two-sided t probability is a *root*:
   under the truth it is near uniform for every pair, whatever the pair's mix of few seeds and many
   learners.
2. How the smallest root over all pairs is distributed comes from a bootstrap that draws from the
   sample as the sample was drawn from the world. Learners are resampled with replacement, the
   same ones for all families. Seeds are drawn for each family on its own from the normal model,
   the mean from N(0, added) and its mean square from the scaled chi-square with S - 1 degrees of
   freedom (the parametric bootstrap of Krishnamoorthy, Lu & Mathew 2007). Resampling five seeds
   themselves would understate their variance by 1/5 and leave its estimate's own error out; and
   resampling rows and columns of a crossed table counts the interaction twice (McCullagh 2000;
   Owen 2007).
3. With c the 5% point of the smallest root, a pair's interval is every difference whose root is
   above c, and its p is the share of resamples whose smallest root is at or below the pair's own
   (single-step min-p, Westfall & Young 1993, ch. 2; the intervals are Beran's 1988 balanced ones).
   Both read the same number from the same distribution, so they can't disagree. Neither goes
   below what the pair's own t test says without any adjustment.

Which pairs are *declared* is settled before the test is opened. For them the smallest root runs
over declared pairs only; the others are exploratory, and theirs runs over all.

What no resampling can tell (`limits.py`) is said with the verdict: "equivalent" needs enough
learners for the rule of three, and where no learner differs at all that rule is the interval;
differences that are too skewed for Cochran's rule carry a caveat.

Holm's step-down p values are not given. They may reject a pair whose simultaneous interval holds
0, and the intervals that do match step-down tests say of a rejected pair no more than its sign as
long as one other pair is not rejected (Hayter & Hsu 1994; Guilbaud 2008; Strassburger & Bretz
2008): too little to hold against a smallest relevant effect. What Holm adds to Bonferroni is
mostly had here from the pairs' dependence, which the resampling knows.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit
from scipy.stats import rankdata

from recsweep.data.types import Float64
from recsweep.errors import BadInput
from recsweep.evaluation.limits import (
    differs,
    is_skewed,
    largest_difference,
    possible,
    unseen,
)
from recsweep.evaluation.resampling import smallest_roots
from recsweep.evaluation.variance import SeedSpread, seed_spread, spread_of_difference
from recsweep.evaluation.verdict import Caveat, PairVerdict, Scope, decide

Pair = tuple[str, str]


def compare(
    values: Mapping[str, NDArray[Any]],
    smallest_effect: float,
    resamples: int,
    seed: int,
    level: float = 0.95,
    scope: Scope = "configurations",
    lower_is_better: bool = False,
    contrasts: Sequence[Pair] | None = None,
    bound: float | None = None,
) -> tuple[PairVerdict, ...]:
    """Give a verdict on every pair of families: the declared ones, then the exploratory ones in the
    order of `values`.

    Args:
        values: family -> (n_seeds, n_learners) of the study's metric; the same learners in the
            same order in all, numbers of seeds may differ. A family with one row counts as having
            no spread over seeds.
        smallest_effect: the smallest difference of the metric that matters.
        resamples: of the bootstrap.
        seed: of the bootstrap; the order of the families does not change any number.
        level: simultaneous over the declared pairs; for an exploratory one, over all pairs.
        scope: `families` only where each row comes from a search of its own; the seeds are then
            searches, and their spread is the spread over searches.
        lower_is_better: of the metric; it turns who is better, and no number.
        contrasts: the declared pairs, each once; None: all.
        bound: what one learner's values, and so two means, can differ by at most; None: the metric
            has no bound.

    Raises:
        BadInput: not a table, fewer than two learners, learners differ in number, a value that is
            not finite, too few resamples for the level, or families after one search.
    """
    tables = {name: np.asarray(table, dtype=np.float64) for name, table in values.items()}
    check_tables(tables, resamples, level, scope)
    # A fixed order inside: each family's draws depend on its name's rank, not on the caller.
    names = sorted(tables)
    every = list(combinations(tables, 2))
    declared = every if contrasts is None else list(contrasts)
    if not every:
        return ()
    means = np.stack([tables[name].mean(axis=0) for name in names])
    spreads = [seed_spread(tables[name]) for name in names]
    places = {name: place for place, name in enumerate(names)}
    groups = [[(places[a], places[b]) for a, b in pairs] for pairs in (declared, every)]
    ask = _Ask(names, means, spreads, smallest_effect, level, scope, bound)
    of_declared, of_every = (
        np.sort(row) for row in smallest_roots(means, spreads, groups, resamples, seed)
    )
    known = {frozenset(pair) for pair in declared}
    found = [_verdict(ask, pair, of_declared, exploratory=False) for pair in groups[0]]
    found += [
        _verdict(ask, pair, of_every, exploratory=True)
        for pair, named in zip(groups[1], every, strict=True)
        if frozenset(named) not in known
    ]
    return tuple(pair.where_less_is_better() if lower_is_better else pair for pair in found)


@dataclass(frozen=True, slots=True)
class _Ask:
    """What all pairs of one comparison share."""

    names: Sequence[str]
    means: Float64  # (n_families, n_learners)
    spreads: Sequence[SeedSpread]
    smallest_effect: float
    level: float
    scope: Scope
    bound: float | None


def _verdict(
    ask: _Ask, pair: tuple[int, int], smallest: Float64, *, exploratory: bool
) -> PairVerdict:
    """`smallest` holds the smallest root of each resample, ascending."""
    a, b = pair
    mean_a, mean_b = ask.means[a], ask.means[b]
    spreads = ask.spreads
    paired = mean_a - mean_b
    spread = spread_of_difference(paired, spreads[a], spreads[b], ask.means)
    difference, error = float(paired.mean()), spread.standard_error
    last = int((1 - ask.level) * (len(smallest) + 1) * (1 + 1e-12))
    critical = min(float(smallest[last - 1]), 1 - ask.level)
    root = _root(difference, error, spread.freedom)
    # One resample is the sample itself (Davison & Hinkley 1997, ch. 4): p is never 0.
    at_or_below = int(np.searchsorted(smallest, root, side="right"))
    half = float(-stdtrit(spread.freedom, critical / 2)) * error
    largest = largest_difference(mean_a, mean_b, ask.bound)
    hidden = unseen(len(paired), largest, max(critical, np.finfo(np.float64).tiny))
    if not differs(paired, ask.means):
        half = max(half, hidden)
    lower, upper = difference - half, difference + half
    outcome = decide(lower, upper, ask.smallest_effect, hidden)
    caveats: list[Caveat] = []
    if outcome != decide(lower, upper, ask.smallest_effect):
        caveats.append("few learners")
    if is_skewed(paired, spread):
        caveats.append("skewed")
    lower, upper = possible(lower, upper, ask.bound)
    return PairVerdict(
        a=ask.names[a],
        b=ask.names[b],
        outcome=outcome,
        difference=difference,
        lower=lower,
        upper=upper,
        p=max((1 + at_or_below) / (1 + len(smallest)), root),
        mean_a=float(mean_a.mean()),
        mean_b=float(mean_b.mean()),
        standard_error=error,
        seed_share=spread.seeds / (spread.learners + spread.seeds) if error else 0.0,
        d_z=difference / math.sqrt(spread.learners * len(paired)) if spread.learners else 0.0,
        rank_biserial=rank_biserial(paired),
        learners=len(paired),
        seeds_a=spreads[a].seeds,
        seeds_b=spreads[b].seeds,
        level=ask.level,
        smallest_effect=ask.smallest_effect,
        scope=ask.scope,
        exploratory=exploratory,
        caveats=tuple(caveats),
    )


def rank_biserial(differences: Float64) -> float:
    """Matched-pairs rank-biserial correlation (Kerby 2014): 1 if every unequal learner gains.

    Learners without a difference are left out; 0 where nobody has one.
    """
    unequal = differences[differences != 0]
    if not len(unequal):
        return 0.0
    ranks = rankdata(np.abs(unequal))
    return float((ranks * np.sign(unequal)).sum() / ranks.sum())


def _root(difference: float, error: float, freedom: float) -> float:
    if error == 0:
        return 0.0 if difference else 1.0
    return float(2 * stdtr(freedom, -abs(difference) / error))


def check_tables(
    tables: Mapping[str, Float64], resamples: int, level: float, scope: Scope = "configurations"
) -> None:
    """Raise `BadInput` for what no verdict can be given on; see `compare`."""
    learners = None
    for name, table in tables.items():
        if table.ndim != 2 or not table.shape[0]:
            raise BadInput(f"{name}: found values of shape {table.shape}, need (seeds, learners)")
        if not np.isfinite(table).all():
            seed, learner = np.argwhere(~np.isfinite(table))[0]
            raise BadInput(
                f"{name}: the value of seed {seed}, learner {learner} is {table[seed, learner]}; "
                f"every learner needs a finite value"
            )
        if table.shape[1] < 2:
            raise BadInput(f"{name}: {table.shape[1]} learner(s); a verdict needs at least 2")
        if scope == "families" and table.shape[0] < 2:
            raise BadInput(f"{name}: one search; a verdict on families needs repeated searches")
        learners = table.shape[1] if learners is None else learners
        if table.shape[1] != learners:
            raise BadInput(
                f"{name}: {table.shape[1]} learners, but {learners} in {next(iter(tables))}; "
                f"all families need the same learners"
            )
    if not 0 < level < 1 or int((1 - level) * (resamples + 1) * (1 + 1e-12)) < 1:
        raise BadInput(f"level {level} needs more than {resamples} resamples, or is not in (0, 1)")
