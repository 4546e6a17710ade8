"""The verb `verdict`: what the sealed tests of several logs say together."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recsweep.config.schema import span, written
from recsweep.errors import BadInput
from recsweep.evaluation.comparison import Pair
from recsweep.evaluation.limits import possible
from recsweep.evaluation.meta import Pooled, pool
from recsweep.evaluation.verdict import TURNED, Outcome, PairVerdict, decide
from recsweep.models.registry import titles
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import VERDICTS, read_confirmation

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class OfLog:
    """A pair on one log, with that study's own interval."""

    study: str
    unit: str
    verdict: PairVerdict

    @property
    def numbers(self) -> tuple[float, float, float]:
        """Difference a - b, and its interval."""
        return self.verdict.difference, self.verdict.lower, self.verdict.upper

    @property
    def error(self) -> float:
        """Standard error; where no learner differs, of an interval as wide as the log's own."""
        v = self.verdict
        return v.standard_error or (v.upper - v.lower) / 4


@dataclass(frozen=True, slots=True)
class OverLogs:
    """One pair over all logs that have it."""

    a: str
    b: str
    outcome: Outcome  # said of a
    pooled: Pooled
    logs: tuple[OfLog, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What several logs say together; intervals hold over all pairs."""

    metric: str
    smallest_effect: float
    pairs: tuple[OverLogs, ...]
    left_out: tuple[Pair, ...]  # declared, but on one log only
    titles: Mapping[str, str]  # families as people read them


def verdict_stage(folders: Sequence[Path]) -> Statement:
    """Pool every pair that was declared in a study and is there in at least two.

    Raises:
        BadInput: fewer than two studies, one without verdicts, two of the same data or of different
            metrics, or no pair that two of them share.
    """
    if len(folders) < 2:
        raise BadInput("verdict needs two studies: recsweep verdict results/a results/b")
    found = [_confirmed(folder) for folder in folders]
    _check_they_fit(folders, found)
    statement = over_logs(found)
    if not statement.pairs:
        raise BadInput(f"{', '.join(map(str, folders))}: share no pair of families")
    return statement


def over_logs(found: Sequence[Confirmation]) -> Statement:
    """Pool the pairs of confirmations of one metric; a pair stands as its first declaration has it.

    A study that names it the other way round counts with its numbers turned.
    """
    declared: dict[Pair, None] = {}
    for pair in (v for confirmation in found for v in confirmation.pairs if not v.exploratory):
        if (pair.b, pair.a) not in declared:
            declared[pair.a, pair.b] = None
    logs = {pair: tuple(_of_logs(pair, found)) for pair in declared}
    shared = {pair: of_pair for pair, of_pair in logs.items() if len(of_pair) > 1}
    metric, effect = found[0].metric, min(c.smallest_effect for c in found)
    return Statement(
        metric=metric,
        smallest_effect=effect,
        pairs=tuple(
            _over_logs(pair, of_pair, effect, len(shared), span(metric) or math.inf)
            for pair, of_pair in shared.items()
        ),
        left_out=tuple(pair for pair in declared if pair not in shared),
        titles=titles({name: f.kind for c in found for name, f in c.families.items()}),
    )


def statement_lines(statement: Statement) -> Iterator[str]:
    """A sentence a pair, and each log's interval under it."""
    metric, shown = written(statement.metric), statement.titles
    for pair in statement.pairs:
        yield _sentence(pair, metric, statement)
        width = max(len(log.study) for log in pair.logs)
        for log in pair.logs:
            counts = f"{log.verdict.learners:,} {log.unit}"
            yield f"  {log.study:{width}}  {_numbers(log.numbers)} ({counts})"
        yield f"  {_between_logs(pair.pooled)}"
    for a, b in statement.left_out:
        yield f"{shown[a]} and {shown[b]} meet on one log only: see that study's own verdict."
    n, level = len(statement.pairs), f"{LEVEL:.0%}"
    yield (
        "Random effects over logs (DerSimonian-Laird), Hartung-Knapp intervals at "
        f"{level}{f', adjusted for {n} pairs (Bonferroni)' if n > 1 else ''}."
    )
    if max(len(pair.logs) for pair in statement.pairs) < 5:
        yield "! Few logs: the spread between logs is poorly known, so the intervals are wide"


def _confirmed(folder: Path) -> Confirmation:
    confirmation = read_confirmation(folder)
    if confirmation is None:
        raise BadInput(f"{folder}: has no {VERDICTS}; run recsweep confirm {folder} first")
    return confirmation


def _check_they_fit(folders: Sequence[Path], found: Sequence[Confirmation]) -> None:
    seen: dict[str, Path] = {}
    for folder, confirmation in zip(folders, found, strict=True):
        if confirmation.metric != found[0].metric:
            raise BadInput(
                f"{folder}: its verdicts are on {confirmation.metric}, those of {folders[0]} on "
                f"{found[0].metric}; allowed: studies of one metric"
            )
        if confirmation.fingerprint in seen:
            raise BadInput(
                f"{folder}: was tested on the same data as {seen[confirmation.fingerprint]}; "
                "allowed: one study a log"
            )
        seen[confirmation.fingerprint] = folder


def _of_logs(pair: Pair, confirmations: Iterable[Confirmation]) -> Iterator[OfLog]:
    for confirmation in confirmations:
        for v in confirmation.pairs:
            if {v.a, v.b} == set(pair):
                told = v if (v.a, v.b) == pair else v.turned()
                yield OfLog(confirmation.study, confirmation.unit, told)


def _over_logs(
    pair: Pair, logs: tuple[OfLog, ...], smallest_effect: float, pairs: int, largest: float
) -> OverLogs:
    """`largest` is what a difference of the metric can be at most."""
    level = 1 - (1 - LEVEL) / pairs  # Bonferroni
    pooled = pool([log.numbers[0] for log in logs], [log.error for log in logs], level)
    lower, upper = possible(pooled.lower, pooled.upper, largest)
    pooled = replace(
        pooled,
        lower=lower,
        upper=upper,
        next_log=pooled.next_log and possible(*pooled.next_log, largest),
        p=min(1.0, pooled.p * pairs),
    )
    outcome = decide(pooled.lower, pooled.upper, smallest_effect)
    if logs[0].verdict.lower_is_better:
        outcome = TURNED.get(outcome, outcome)
    return OverLogs(*pair, outcome, pooled, logs)


def _sentence(pair: OverLogs, metric: str, statement: Statement) -> str:
    pooled, start = pair.pooled, f"Over {len(pair.logs)} logs"
    a, b = statement.titles[pair.a], statement.titles[pair.b]
    numbers = (pooled.difference, pooled.lower, pooled.upper)
    if pair.outcome in ("better", "worse"):
        ahead, behind = (a, b) if pair.outcome == "better" else (b, a)
        if pooled.difference < 0:
            numbers = (-pooled.difference, -pooled.upper, -pooled.lower)
        text = f"{ahead} beats {behind} by {_numbers(numbers)} {metric}"
    elif pair.outcome == "equivalent":
        text = (
            f"{a} and {b} are equivalent within {statement.smallest_effect:g} {metric}: "
            f"difference {_numbers(numbers)}"
        )
    else:
        text = (
            f"there is no significant difference between {a} and {b}: {_numbers(numbers)} {metric}"
        )
    return f"{start}, {text} (p = {pooled.p:.3f})"


def _numbers(numbers: tuple[float, float, float]) -> str:
    difference, lower, upper = numbers
    return f"{difference:+.4f} [{lower:+.4f}, {upper:+.4f}]"


def _between_logs(pooled: Pooled) -> str:
    text = f"between logs: tau {pooled.tau:.4f}, I2 {pooled.heterogeneity:.0%}"
    if pooled.next_log is not None:
        lower, upper = pooled.next_log
        text += f"; another log is expected within [{lower:+.4f}, {upper:+.4f}]"
    return text
