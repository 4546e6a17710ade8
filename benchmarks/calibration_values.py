"""Made-up tables of seeds by learners whose true means are known exactly.

A learner has a few targets. A target's rank comes from a latent score: the family's level, the
learner's ability and how the family suits the learner, the target's difficulty, the seed's luck,
and noise of seed and target; NDCG@10 of that rank is zero most of the time. All parts are normal,
so a family's true mean is a sum of ten tail probabilities.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from recsweep.data.types import Float64
from recsweep.evaluation.comparison import compare

GAIN = 1 / np.log2(1 + np.arange(1, 11))
DEPTH, SLOPE = 3.5, 1.2  # log rank = DEPTH - SLOPE * score
NO_EFFECT = 1e-9  # a smallest effect that calls nothing equivalent


@dataclass(frozen=True, slots=True)
class Scenario:
    """One setting of the world; `levels` has one entry a family, and so has `seeds`."""

    name: str
    levels: tuple[float, ...] = (0.0, 0.0)
    seeds: tuple[int, ...] = (5, 5)
    learners: int = 300
    seed_spread: float = 0.1  # of the seed's luck
    suit: float = 0.5  # of how a family suits a learner
    noise: float = 0.7
    gated: bool = True  # False: beyond what the method promises; shown, not judged


@dataclass(frozen=True, slots=True)
class Outcome:
    """One repetition, over all pairs."""

    covered: bool  # every interval holds its truth
    false: bool  # a difference was shown where there is none, or of the wrong sign
    found: float  # share of true differences shown
    half_width: float  # mean


SCENARIOS = (
    Scenario("plain: two families, five seeds"),
    Scenario("no luck: seeds don't matter", seed_spread=0),
    Scenario("luck: seeds are most of it", seed_spread=0.3),
    Scenario("a thousand learners, close families", learners=1000, suit=0.2, noise=0.5),
    Scenario("fifty learners", learners=50),
    Scenario("three seeds", seeds=(3, 3)),
    Scenario("two seeds", seeds=(2, 2)),
    Scenario("five seeds against none", levels=(0, 0.1), seeds=(5, 1)),
    Scenario("two without seeds", seeds=(1, 1)),
    Scenario("five families, two of them alike", (0, 0, 0.1, 0.2, 0.3), (5, 5, 5, 5, 1)),
    Scenario("eight families, all alike", (0,) * 8, (5,) * 8),
    Scenario("power: one better by .02", levels=(0.161, 0), learners=1000, seed_spread=0.05),
    Scenario("twenty learners, three families", (0,) * 3, (5,) * 3, learners=20, gated=False),
    Scenario("eight learners, three families", (0,) * 3, (5,) * 3, learners=8, gated=False),
)


def truths(scenario: Scenario) -> dict[str, float]:
    """Family -> true mean."""
    cuts = (DEPTH - np.log(np.arange(1, 11))) / SLOPE
    means = {}
    for f, (level, seeds) in enumerate(zip(scenario.levels, scenario.seeds, strict=True)):
        variance = 2 + scenario.suit**2
        if seeds > 1:
            variance += scenario.seed_spread**2 + scenario.noise**2
        within = ndtr((level - cuts) / np.sqrt(variance))  # probability of a rank up to 1 … 10
        means[f"family {f}"] = float(GAIN @ np.diff(within, prepend=0))
    return means


def draw(scenario: Scenario, random: np.random.Generator) -> dict[str, Float64]:
    """Family -> (n_seeds, n_learners)."""
    n = scenario.learners
    targets = random.geometric(0.5, n)
    learner = np.repeat(np.arange(n), targets)
    shared = random.normal(size=n)[learner] + random.normal(size=len(learner))
    tables = {}
    for f, (level, seeds) in enumerate(zip(scenario.levels, scenario.seeds, strict=True)):
        score = level + shared + random.normal(0, scenario.suit, n)[learner]
        score = np.tile(score, (seeds, 1))
        if seeds > 1:  # a family without seeds has no luck
            score += random.normal(0, scenario.seed_spread, (seeds, 1))
            score += random.normal(0, scenario.noise, score.shape)
        rank = np.ceil(np.exp(np.minimum(DEPTH - SLOPE * score, 10))).astype(np.int64)
        value = np.where(rank <= 10, GAIN[np.clip(rank, 1, 10) - 1], 0.0)
        tables[f"family {f}"] = np.stack([np.bincount(learner, row, n) / targets for row in value])
    return tables


def repeat(scenario: Scenario, number: int, resamples: int = 1999) -> Outcome:
    """Draw once and compare once; `number` seeds both."""
    truth = truths(scenario)
    values = draw(scenario, np.random.default_rng([number, len(scenario.name)]))
    verdicts = compare(values, NO_EFFECT, resamples, number)
    gaps = [truth[v.a] - truth[v.b] for v in verdicts]
    covered = all(v.lower <= gap <= v.upper for v, gap in zip(verdicts, gaps, strict=True))
    sign = {"better": 1, "worse": -1}
    said = [sign.get(v.outcome, 0) for v in verdicts]
    false = any(s and s != np.sign(gap) for s, gap in zip(said, gaps, strict=True))
    real = [s == np.sign(gap) for s, gap in zip(said, gaps, strict=True) if gap]
    width = float(np.mean([v.upper - v.lower for v in verdicts])) / 2
    return Outcome(covered, false, float(np.mean(real)) if real else float("nan"), width)
