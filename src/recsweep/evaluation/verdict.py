"""Verdicts: what may be said about two families, and the sentence that says it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Outcome = Literal["better", "worse", "equivalent", "no difference shown"]
Scope = Literal["configurations", "families"]
Caveat = Literal["few learners", "skewed"]
"""What a comparison says of its own limits; see `limits.py`."""

CAUTIONS: Mapping[Caveat, str] = {
    "few learners": "too few {unit} to call them equivalent",
    "skewed": "few {unit} make up most of the difference, so the interval may be too narrow",
}

TURNED: Mapping[Outcome, Outcome] = {"better": "worse", "worse": "better"}
"""The outcome said of the other family."""


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """`a` against `b` on the same learners; `outcome` is said of `a`.

    The interval and p are two readings of one simultaneous procedure over the declared pairs of the
    comparison: the interval leaves out 0 exactly when p <= 1 - level.
    """

    a: str
    b: str
    outcome: Outcome
    difference: float  # mean of a - mean of b, over seeds and learners
    lower: float
    upper: float
    p: float  # adjusted as the interval is
    mean_a: float
    mean_b: float
    standard_error: float
    seed_share: float  # of the difference's variance; the rest is the learners'
    d_z: float  # mean / standard deviation of the paired differences over learners
    rank_biserial: float  # -1 to 1: share of rank sums for a less that for b, equal learners apart
    learners: int
    seeds_a: int
    seeds_b: int
    level: float
    smallest_effect: float
    scope: Scope
    lower_is_better: bool = False  # of the metric: b is better where a - b is above 0
    exploratory: bool = False  # not declared before the test was opened; adjusted for all pairs
    caveats: tuple[Caveat, ...] = ()

    @property
    def lead(self) -> tuple[float, float, float]:
        """What a is ahead by, and its interval: above 0 is in favour of a."""
        if self.lower_is_better:
            return -self.difference, -self.upper, -self.lower
        return self.difference, self.lower, self.upper

    def turned(self) -> "PairVerdict":
        """The same said of `b`."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            outcome=TURNED.get(self.outcome, self.outcome),
            difference=-self.difference,
            lower=-self.upper,
            upper=-self.lower,
            mean_a=self.mean_b,
            mean_b=self.mean_a,
            d_z=-self.d_z,
            rank_biserial=-self.rank_biserial,
            seeds_a=self.seeds_b,
            seeds_b=self.seeds_a,
        )

    def where_less_is_better(self) -> "PairVerdict":
        """The same numbers, read as those of a metric of which less is better."""
        return replace(self, outcome=TURNED.get(self.outcome, self.outcome), lower_is_better=True)

    def sentence(
        self, metric: str, names: Mapping[str, str] | None = None, unit: str = "learners"
    ) -> str:
        """One line for people; the winner is named first.

        `names` maps family names to the words to show; `unit` is what was resampled.
        """
        say = {name: (names or {}).get(name, name) for name in (self.a, self.b)}
        ahead = -1 if self.lower_is_better else 1  # what a is ahead by is above 0
        if self.outcome == "better":
            text = f"{say[self.a]} beats {say[self.b]} by {self._numbers(metric, ahead)}"
        elif self.outcome == "worse":
            text = f"{say[self.b]} beats {say[self.a]} by {self._numbers(metric, -ahead)}"
        elif self.outcome == "equivalent":
            text = (
                f"{say[self.a]} and {say[self.b]} are equivalent within "
                f"{self.smallest_effect:g} {metric}: difference {self._numbers(metric)}"
            )
        else:
            text = (
                f"no significant difference between {say[self.a]} and {say[self.b]}: "
                f"{self._numbers(metric)}"
            )
        cautions = (CAUTIONS[caveat].format(unit=unit) for caveat in self.caveats)
        return "; ".join((text, *cautions)) + f" ({self._basis(unit)})"

    def _numbers(self, metric: str, sign: int = 1) -> str:
        low, high = sorted((sign * self.lower, sign * self.upper))
        # A bound that isn't 0 must not read as 0: it would seem to contradict the verdict. What is
        # left of sums that cancel is 0.
        shown = [round(x, 7) for x in (sign * self.difference, low, high)]
        decimals = next((d for d in range(3, 7) if all(round(x, d) or not x for x in shown)), 7)
        middle, low_text, high_text = (f"{x + 0.0:.{decimals}f}" for x in shown)
        return f"{middle} {metric} [{low_text}, {high_text}]"

    def _basis(self, unit: str) -> str:
        noun = "search" if self.scope == "families" else "seed"
        plural = "searches" if self.scope == "families" else "seeds"
        low, high = sorted((self.seeds_a, self.seeds_b))
        count = f"{low} {noun if low == 1 else plural}"
        if low != high:
            count = f"{self.seeds_a} and {self.seeds_b} {plural}"
        to = (
            "the model families" if self.scope == "families" else "the selected configurations only"
        )
        kind = "; exploratory" if self.exploratory else ""
        return f"{self.learners:,} {unit}, {count}; applies to {to}{kind}"


def decide(lower: float, upper: float, smallest_effect: float, unseen: float = 0.0) -> Outcome:
    """Read an interval of a - b.

    Inside ±smallest_effect it reads "equivalent", even where it leaves out 0: a difference too
    small to matter is no win, however surely it is there (the interval shows it). This is a test
    of equivalence by interval inclusion (Schuirmann 1987), stricter than the usual one because
    the interval is two-sided and simultaneous. `unseen` is what a kind of learners that the sample
    has none of may add (see `limits.py`): from the smallest effect on, nothing is equivalent.
    """
    if -smallest_effect < lower and upper < smallest_effect and unseen < smallest_effect:
        return "equivalent"
    if lower > 0:
        return "better"
    if upper < 0:
        return "worse"
    return "no difference shown"
