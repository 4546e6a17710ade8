"""How often intervals and verdicts err at the edges: few learners, unequal targets, ties, skew.

    python benchmarks/calibration_limits.py [--repetitions 300]

Values of learners are made up, so that the truth is known, and compared as `confirm` compares them;
nothing is trained. A verdict that says itself that its interval may be too narrow, or its learners
too few, has said so: what is judged is how often one errs in silence. Ends with exit status 1 if a
figure is out of its bounds by more than chance explains, and with one line of JSON.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from scipy.stats import binom

from calibration_values import Scenario, draw
from recsweep.data.types import Float64
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.probability import linearised_by_learner, log_losses

Tables = dict[str, Float64]
CHANCE = 0.025
NO_EFFECT = 1e-9  # a smallest effect that calls nothing equivalent
LEARNERS = (30, 100, 300)
EFFECT, HIT = 0.005, 0.01  # a true difference of twice the smallest effect


@dataclass(frozen=True, slots=True)
class World:
    """Tables of families whose true differences from the first are known."""

    name: str
    draw: Callable[[np.random.Generator], Tables]
    gaps: tuple[float, ...]  # first less each other, in truth
    smallest_effect: float = NO_EFFECT
    bound: float | None = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of the repetitions."""

    name: str
    covered: float  # every interval holds its truth
    false: float  # a difference is shown where there is none, or of the wrong sign
    said: float  # a verdict carries a caveat
    silent: float  # an interval misses, and no verdict says a word
    equivalent: float  # called equivalent though it is not
    repetitions: int

    @property
    def problems(self) -> list[str]:
        """What is out of bounds by more than chance explains."""
        found = []
        if _too_many(self.silent, self.repetitions):
            found.append("errs in silence")
        if _too_many(self.equivalent, self.repetitions):
            found.append("false equivalence")
        few = round(self.covered * self.repetitions)
        if self.said < 0.05 and binom.cdf(few, self.repetitions, 0.93) < CHANCE:
            found.append("coverage below 93%")
        return found


def worlds() -> list[World]:
    """Every edge, at several numbers of learners."""
    found = []
    for n in LEARNERS:
        ranked = Scenario(f"ranks {n}", (0.0,) * 3, (5,) * 3, learners=n)
        found.append(
            World(
                f"ranking, three alike: unequal targets, ties; {n} learners",
                lambda random, ranked=ranked: draw(ranked, random),  # type: ignore[misc]
                (0.0, 0.0),
            )
        )
    for n in LEARNERS:
        found.append(
            World(
                f"purchases, three alike: very unequal looks; {n} learners",
                lambda random, n=n: bought(random, n, ("noisy",) * 3),  # type: ignore[misc]
                (0.0, 0.0),
                bound=None,
            )
        )
    kinds = ("sharp", "blind at first looks")
    world = bought(np.random.default_rng(0), 200_000, kinds, seeds=1)
    gap = float(world["0"].mean() - world["1"].mean())
    for n in LEARNERS:
        found.append(
            World(
                f"purchases, gain on first looks ({-gap:.3f}); {n} learners",
                lambda random, n=n: bought(random, n, kinds),  # type: ignore[misc]
                (gap,),
                bound=None,
            )
        )
    for n in (*LEARNERS, 1000):
        found.append(
            World(
                f"skew, lognormal with sigma 1.5; {n} learners",
                lambda random, n=n: skewed(random, n),  # type: ignore[misc]
                (0.0,),
                bound=None,
            )
        )
    for n in (20, *LEARNERS):
        for noise in (0.0, 0.001):
            found.append(
                World(
                    f"one learner in 100 gains 1{', others nearly 0' if noise else ''}; "
                    f"{n} learners",
                    lambda random, n=n, noise=noise: sparse(random, n, noise),  # type: ignore[misc]
                    (HIT,),
                    EFFECT,
                )
            )
    return found


def bought(
    random: np.random.Generator, learners: int, kinds: tuple[str, ...], seeds: int = 3
) -> Tables:
    """Log losses of learners with very unequal numbers of looks; a tenth of looks end in buying."""
    looks = np.ceil(random.lognormal(0.5, 1.0, learners)).astype(np.int64)
    learner = np.repeat(np.arange(learners, dtype=np.int32), looks)
    first = np.r_[True, learner[1:] != learner[:-1]]
    odds = -2.8 + random.normal(0, 1, learners)[learner] + random.normal(0, 1, len(learner))
    sold = random.random(len(learner)) < 1 / (1 + np.exp(-odds))
    tables = {}
    for family, kind in enumerate(kinds):
        rows = []
        for _ in range(seeds):
            seen = odds + random.normal(0, 0.6 if kind == "noisy" else 0.2, len(odds))
            if kind == "blind at first looks":
                seen = np.where(first, -2.2, seen)
            losses = log_losses(1 / (1 + np.exp(-seen)), sold)
            rows.append(linearised_by_learner(losses, learner))
        tables[str(family)] = np.stack(rows)
    return tables


def skewed(random: np.random.Generator, learners: int) -> Tables:
    """Paired differences whose mean is 0, and a few of which are very large."""
    drawn = random.lognormal(0, 1.5, learners) - math.exp(1.5**2 / 2)
    return {"0": drawn[None], "1": np.zeros((1, learners))}


def sparse(random: np.random.Generator, learners: int, noise: float) -> Tables:
    """One learner in a hundred tells the families apart."""
    hits = (random.random(learners) < HIT) + random.normal(0, 1, learners) * noise
    return {"0": hits[None], "1": np.zeros((1, learners))}


def judged(world: World, repetitions: int) -> Row:
    """Draw and compare so many times."""
    covered = false = said = silent = equivalent = 0
    for number in range(repetitions):
        random = np.random.default_rng([number, len(world.name)])
        tables = world.draw(random)
        truth = dict(zip(tables, (0.0, *(-gap for gap in world.gaps)), strict=True))
        verdicts = compare(tables, world.smallest_effect, 1999, number, bound=world.bound)
        gaps = [truth[v.a] - truth[v.b] for v in verdicts]
        misses = any(not v.lower <= gap <= v.upper for v, gap in zip(verdicts, gaps, strict=True))
        signs = [{"better": 1, "worse": -1}.get(v.outcome, 0) for v in verdicts]
        cautious = any(v.caveats for v in verdicts)
        covered += not misses
        false += any(s and s != np.sign(gap) for s, gap in zip(signs, gaps, strict=True))
        said += cautious
        silent += misses and not cautious
        equivalent += any(v.outcome == "equivalent" for v in verdicts)
    return Row(
        name=world.name,
        covered=covered / repetitions,
        false=false / repetitions,
        said=said / repetitions,
        silent=silent / repetitions,
        equivalent=equivalent / repetitions,
        repetitions=repetitions,
    )


def _too_many(share: float, repetitions: int) -> bool:
    """More than 5%, and more than chance makes of 5%."""
    return bool(binom.sf(round(share * repetitions) - 1, repetitions, 0.05) < CHANCE)


def main() -> int:
    """Print a row a world, end with one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=300)
    args = parser.parse_args()
    started, rows = time.monotonic(), []
    print(f"{'':<62}{'covered':>9}{'false':>7}{'caveat':>8}{'silent':>8}{'equiv.':>8}")
    for world in worlds():
        row = judged(world, args.repetitions)
        rows.append(row)
        shares = (row.false, row.said, row.silent, row.equivalent)
        shown = f"{row.covered:>9.3f}{shares[0]:>7.3f}" + "".join(f"{x:>8.3f}" for x in shares[1:])
        print(f"{row.name:<62}{shown}   {', '.join(row.problems)}", flush=True)
    passed = not any(row.problems for row in rows)
    seconds = round(time.monotonic() - started, 1)
    print(json.dumps({"passed": passed, "seconds": seconds, "rows": [asdict(r) for r in rows]}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
