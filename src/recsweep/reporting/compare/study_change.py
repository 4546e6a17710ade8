"""Two studies beside each other: did the answer change, and what else did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtri

from recsweep.config.schema import goodness
from recsweep.errors import BadInput
from recsweep.evaluation.change import Change, changes, changes_of_estimates
from recsweep.evaluation.rank_agreement import RankAgreement, rank_agreement
from recsweep.evaluation.verdict import TURNED, Outcome, PairVerdict
from recsweep.records.evidence import Evidence, Learners
from recsweep.reporting.compare.differences import Difference, differences
from recsweep.reporting.sections.verdicts import leading

Basis = Literal["paired", "unpaired", "estimates", "folds", "other_split", "other_data"]
"""What the changes stand on: the same learners; others; recorded means and errors; the folds.
Scores on other data, or on the same log that is split in another way, say nothing of a change.
"""
LEVEL = 0.95
RESAMPLES = 1000  # for the intervals of rank correlations
SEED = 0


@dataclass(frozen=True, slots=True)
class StudyChange:
    """`after` held against `before`."""

    before: Evidence
    after: Evidence
    metric: str
    smallest_effect: float
    basis: Basis
    means: Mapping[str, tuple[float, float]]  # family of both -> before, after
    changes: Mapping[str, Change]  # family, or `a − b` for the lead; without a verdict empty
    question: tuple[str, str] | None  # best network and best baseline, of before
    verdicts: Mapping[tuple[str, str], tuple[Outcome, Outcome]]  # pair of families -> said of each
    differences: tuple[Difference, ...]
    ranks: RankAgreement | None  # of one log split in two ways; None: another basis, or not known

    @property
    def comparable(self) -> bool:
        """Are the scores of one scale?"""
        return self.basis not in ("other_data", "other_split")

    @property
    def lead(self) -> Change | None:
        """The question's: how far the network is ahead."""
        return self.changes.get(lead_name(*self.question)) if self.question else None

    @property
    def answers(self) -> tuple[Outcome, Outcome] | None:
        """What each study says to the question."""
        return self.verdicts.get(self.question) if self.question else None


def compare_studies(before: Evidence, after: Evidence) -> StudyChange:
    """Hold one study against another by the first one's metric and smallest effect.

    Raises:
        BadInput: no family in common, other metrics, or a file that can't be read.
    """
    metric = before.experiment.metric.key
    common = [name for name in before.best if name in after.best]
    if not common:
        raise BadInput(
            f"{after.folder}: shares no family with {before.folder} "
            f"({', '.join(after.best)}; {', '.join(before.best)})"
        )
    for evidence in (before, after):
        for name in common:
            if metric not in evidence.best[name].metrics:
                raise BadInput(
                    f"{evidence.folder}: has no {metric}, which {before.folder} is decided by; "
                    f"it has {', '.join(evidence.best[name].metrics)}"
                )
    question = _question(before, common, metric)
    basis, found = _changes(before, after, metric, common, question)
    means = {name: (found[name].before, found[name].after) for name in common if name in found}
    if not found:
        sides = before, after
        tested = basis != "folds" and all(side.confirmation for side in sides)
        means = {
            n: (_mean(before, n, metric, tested=tested), _mean(after, n, metric, tested=tested))
            for n in common
        }
    return StudyChange(
        before=before,
        after=after,
        metric=metric,
        smallest_effect=before.experiment.confirm.smallest_effect,
        basis=basis,
        means=means,
        changes=found,
        question=question,
        verdicts={} if basis == "other_data" else _verdicts(before, after, common),
        differences=tuple(differences(before, after)),
        ranks=_ranks(before, after, metric, common) if basis == "other_split" else None,
    )


def lead_name(a: str, b: str) -> str:
    """How the lead of one family over another is called."""
    return f"{a} − {b}"


def _changes(
    before: Evidence,
    after: Evidence,
    metric: str,
    common: list[str],
    question: tuple[str, str] | None,
) -> tuple[Basis, dict[str, Change]]:
    if before.fingerprint != after.fingerprint:
        return ("other_split" if _same_log(before, after) else "other_data"), {}
    effect = before.experiment.confirm.smallest_effect
    a, b = before.learners(metric), after.learners(metric)
    if a is not None and b is not None:
        paired = len(a.user) == len(b.user) and bool((a.user == b.user).all())
        tables = {n: (a.values[n], b.values[n]) for n in common}
        if question is not None:
            leads = [_lead(side, question, metric) for side in (a, b)]
            if all(lead is not None for lead in leads):
                tables[lead_name(*question)] = (leads[0], leads[1])
        found = changes(
            tables,
            paired=paired,
            smallest_effect=effect,
            resamples=before.experiment.confirm.resamples,
            seed=SEED,
            level=LEVEL,
            bound=before.experiment.metric.bound,
        )
        return ("paired" if paired else "unpaired"), found
    estimates = [_estimates(evidence, metric, common, question) for evidence in (before, after)]
    if all(estimates):
        shared = {k: (estimates[0][k], estimates[1][k]) for k in estimates[0] if k in estimates[1]}
        return "estimates", changes_of_estimates(shared, effect, LEVEL)
    return "folds", {}


def _same_log(before: Evidence, after: Evidence) -> bool:
    """Were the same files of events split by another rule?"""
    rules, files = [], []
    for side in (before, after):
        raw = next(iter(side.best.values())).data.raw
        rules.append(side.experiment.folds)
        files.append([raw.get(table.path) for table in side.experiment.data.events])
    return rules[0] != rules[1] and files[0] == files[1] and bool(files[0])


def _ranks(
    before: Evidence, after: Evidence, metric: str, common: list[str]
) -> RankAgreement | None:
    a, b = before.learners(metric), after.learners(metric)
    if a is None or b is None:
        return None
    tables = [{name: side.values[name] for name in common} for side in (a, b)]
    return rank_agreement(*tables, resamples=RESAMPLES, seed=SEED, level=LEVEL)


def _lead(side: Learners, pair: tuple[str, str], metric: str):  # type: ignore[no-untyped-def]
    """What the first is ahead by, above 0 in its favour; None: not learner by learner."""
    a, b = (side.values[name] for name in pair)
    return goodness(metric, 1.0) * (a - b) if a.shape == b.shape else None


def _estimates(
    evidence: Evidence, metric: str, common: list[str], question: tuple[str, str] | None
) -> dict[str, tuple[float, float]]:
    """Quantity -> (mean, standard error), as far as `verdicts.json` tells them."""
    found = evidence.confirmation
    if found is None or any(n not in found.families for n in common):
        return {}
    z = float(ndtri((1 + found.level) / 2))
    quantities = {}
    for name in common:
        e = found.families[name].metrics[metric]
        quantities[name] = (e.mean, (e.upper - e.lower) / (2 * z))
    if question is not None and found.metric == metric:
        v = _pair(found.pairs, question)
        if v is not None:
            sign = 1 if v.a == question[0] else -1
            ahead = goodness(metric, sign * v.difference)
            quantities[lead_name(*question)] = (ahead, v.standard_error)
    return quantities


def _question(evidence: Evidence, common: list[str], metric: str) -> tuple[str, str] | None:
    """The best on the folds, so that the test has no say."""
    folds = {name: _mean(evidence, name, metric, tested=False) for name in common}
    order = sorted(common, key=lambda name: -goodness(metric, folds[name]))
    return leading({name: evidence.best[name].kind for name in order})


def _mean(evidence: Evidence, name: str, metric: str, *, tested: bool) -> float:
    """On the sealed test or on the folds."""
    found = evidence.confirmation
    if tested and found is not None:
        return found.families[name].metrics[metric].mean
    values = evidence.best[name].metrics[metric]
    return sum(values) / len(values)


def _verdicts(
    before: Evidence, after: Evidence, common: list[str]
) -> dict[tuple[str, str], tuple[Outcome, Outcome]]:
    if before.confirmation is None or after.confirmation is None:
        return {}
    found = {}
    for v in before.confirmation.pairs:
        other = _pair(after.confirmation.pairs, (v.a, v.b))
        if v.a in common and v.b in common and other is not None:
            turned = other.a == v.b
            said = TURNED.get(other.outcome, other.outcome) if turned else other.outcome
            found[v.a, v.b] = (v.outcome, said)
            found[v.b, v.a] = (TURNED.get(v.outcome, v.outcome), TURNED.get(said, said))
    return found


def _pair(verdicts: tuple[PairVerdict, ...], pair: tuple[str, str]) -> PairVerdict | None:
    return next((v for v in verdicts if {v.a, v.b} == set(pair)), None)
