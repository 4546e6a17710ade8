"""A study's question and its answer, in words that need no statistics.

Page, leaderboard, terminal, W&B and notebooks begin with what `answer` says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.filesize import decimal

from recsweep.config.schema import Experiment, written
from recsweep.evaluation.verdict import Outcome, PairVerdict
from recsweep.models.families.ensemble import EnsembleConfig
from recsweep.models.registry import titles
from recsweep.records.confirmation import Confirmation, ConfirmedFamily
from recsweep.records.evidence import Evidence
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.question import Entrants, Findings, Verdict, find
from recsweep.reporting.tasks.registry import Say, listed, report_of, speaker
from recsweep.reporting.view import score, signed_interval

HAN = "[\u4e00-\u9fff]"
About = Literal["rival", "order", "other"]
"""`order`: a network against its twin that can't see it."""
OUTCOMES: tuple[Outcome, ...] = ("better", "equivalent", "no difference shown", "worse")


@dataclass(frozen=True, slots=True)
class Contrast:
    """A declared comparison. Numbers above 0 are in favour of `a`, whichever way the metric is."""

    verdict: PairVerdict
    a: str  # as people read it
    b: str
    text: str  # `GRU beats wide & deep`
    how: str  # `significant`
    about: About

    @property
    def pair(self) -> str:
        """Of whose lead over whom the numbers are."""
        return f"{self.a} − {self.b}"

    @property
    def numbers(self) -> str:
        """`+0.0185 [+0.0095, +0.0275]`."""
        return signed_interval(*self.verdict.lead)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said first; what can't be told is empty."""

    question: str
    verdict: Verdict
    sentence: str
    plainly: str  # in numbers that anybody understands
    sequence: str  # what sequence order contributes
    ensemble: str  # what one of the study's trials gains on the best family, and its cost
    contrasts: tuple[Contrast, ...]  # the question's first
    basis: str  # learners, seeds, and for what the intervals hold
    caveats: tuple[str, ...]
    metric: str  # as people write it
    margin: float  # of equivalence

    @property
    def further(self) -> tuple[str, ...]:
        """What is said after the sentence, as far as it can be told."""
        return tuple(filter(None, (self.plainly, self.sequence, self.ensemble)))

    @property
    def lines(self) -> Iterator[str]:
        """All but the question as plain text; `! ` begins a caveat."""
        yield from (self.sentence, *self.further)
        width = max((len(contrast.pair) for contrast in self.contrasts), default=0)
        for contrast in self.contrasts:
            yield f"  {contrast.pair:{width}}  {contrast.numbers}  {contrast.how}"
        yield from filter(None, (self.basis,))
        yield from (f"! {caveat}" for caveat in self.caveats)


def answer_of(
    study: Study, selection: Selection, sealed: Confirmation | None, lang: str = "en"
) -> Answer:
    """The answer to a study's question."""
    kinds = {name: choice.kind for name, choice in selection.families.items()}
    scores = {name: choice.value for name, choice in selection.families.items()}
    return answer(study.experiment, kinds, scores, sealed, lang)


def answer_of_evidence(evidence: Evidence, lang: str = "en") -> Answer:
    """The answer by what is kept of a study with the code."""
    kinds = {name: best.kind for name, best in evidence.best.items()}
    scores = {name: best.value for name, best in evidence.best.items()}
    return answer(evidence.experiment, kinds, scores, evidence.confirmation, lang)


def answer(
    experiment: Experiment,
    kinds: Mapping[str, str],
    scores: Mapping[str, float],
    sealed: Confirmation | None,
    lang: str = "en",
) -> Answer:
    """The answer as it stands.

    Args:
        experiment: of the study.
        kinds: the study's families -> what kind each is of.
        scores: each one's score on the folds, of the study's metric.
        sealed: of the sealed test; None while it is closed.
        lang: `en` or `zh`.

    Raises:
        BadInput: a language that there are no words in.
    """
    order = sorted(scores, key=lambda name: -experiment.metric.goodness(scores[name]))
    tested = {name: each.kind for name, each in sealed.families.items()} if sealed else {}
    everybody = {name: {**tested, **kinds}[name] for name in (*order, *tested)}
    teller = _Teller(
        experiment=experiment,
        entrants=Entrants(everybody),
        titles=titles(everybody, lang),
        say=with_spaces(speaker(experiment, lang)) if lang == "zh" else speaker(experiment, lang),
    )
    return teller.tested(sealed) if sealed else teller.closed(scores)


def reservations(experiment: Experiment, say: Say) -> Iterator[str]:
    """What the way in which a study's data are split gives up (of one cut by the clock, nothing),
    and what its search began with.
    """
    if experiment.folds.rule != "time":
        yield say(f"gives_up_{experiment.folds.rule}")
    if not experiment.data.timed:
        yield say("gives_up_row")
    if experiment.warm_start:
        yield say("warm_start", studies=listed(say, experiment.warm_start))


def with_spaces(say: Say) -> Say:
    """One between a Chinese and a Latin word, as is usual, and none between Chinese ones."""

    def spaced(key: str, **blanks: object) -> str:
        text = re.sub(f"(?<={HAN}) +(?={HAN})", "", say(key, **blanks))
        return re.sub(rf"(?<={HAN})(?=[A-Za-z\d])|(?<=[A-Za-z\d%])(?={HAN})", " ", text)

    return spaced


@dataclass(frozen=True, slots=True)
class _Teller:
    """Says it in one language."""

    experiment: Experiment
    entrants: Entrants
    titles: Mapping[str, str]
    say: Say

    def closed(self, scores: Mapping[str, float]) -> Answer:
        """While the sealed test is."""
        metric = written(self.experiment.metric.key)
        clauses, told = [], set()
        for key, names in (
            ("said_leads", list(self.entrants.kinds)),
            ("said_network", self.entrants.of("network")),
            ("said_baseline", self.entrants.of("baseline")),
        ):
            if names and names[0] not in told:
                told.add(names[0])
                shown = {"a": self.titles[names[0]], "value": score(scores[names[0]])}
                clauses.append(self.say(key, metric=metric, **shown))
        said = self.say("said_semicolon").join(clauses)
        return Answer(
            question=self._question(),
            verdict="closed",
            sentence=self.say("answer_closed", said=said),
            plainly="",
            sequence="",
            ensemble="",
            contrasts=(),
            basis="",
            caveats=(self.say("folds_are_optimistic"), *reservations(self.experiment, self.say)),
            metric=metric,
            margin=self.experiment.confirm.smallest_effect,
        )

    def tested(self, sealed: Confirmation) -> Answer:
        """By the sealed test."""
        found = find(sealed.pairs, self.entrants)
        asked = {n: self.titles[n] for n in (found.subject, *(v.b for v in found.rivals))}
        report = report_of(self.experiment.task)
        said = self._said(found) if found.rivals else self._alone(found.subject, sealed)
        return Answer(
            question=self._question(),
            verdict=found.verdict,
            sentence=self.say(f"answer_{found.verdict}", said=said),
            plainly=report.plainly(self.say, sealed, asked) if found.rivals else "",
            sequence=self._sequence(found.twins, sealed),
            ensemble=self.say("space").join(self._ensemble(v, sealed) for v in found.ensembles),
            contrasts=(
                *(self._contrast(v, "rival") for v in found.rivals),
                *(self._contrast(v, "order") for v in found.twins),
                *(self._contrast(v, "other") for v in found.told if v in found.others),
            ),
            basis=self.say("space").join(self._basis(sealed, found)),
            caveats=(
                *report.caveats(self.say, sealed),
                *self._scope(sealed),
                *reservations(self.experiment, self.say),
                *self._cautions(found.told),
            ),
            metric=written(sealed.metric),
            margin=sealed.smallest_effect,
        )

    def _question(self) -> str:
        families = self.experiment.families  # an end of a front is no family
        networks = [name for name in self.entrants.of("network") if name in families]
        rivals = [name for name in self.entrants.of("baseline", "floor") if name in families]
        if not networks or not rivals:
            return self.say("question_families")
        return self.say(
            "question_networks",
            networks=self._listed(networks, "list_or"),
            baselines=self._listed(rivals),
        )

    def _said(self, found: Findings) -> str:
        """A clause an outcome."""
        a, clauses = self.titles[found.subject], list[str]()
        if self.experiment.budget.trials != 1:
            a = self.say("tuned", a=a)
        for outcome in OUTCOMES:
            if others := [v.b for v in found.rivals if v.outcome == outcome]:
                key = self._key("said", outcome) + ("_more" if clauses else "")
                clauses.append(self.say(key, a=a, others=self._listed(others)))
        return self.say("said_semicolon").join(clauses)

    def _alone(self, family: str, sealed: Confirmation) -> str:
        value = score(sealed.families[family].metrics[sealed.metric].mean)
        metric = written(sealed.metric)
        return self.say("said_alone", a=self.titles[family], value=value, metric=metric)

    def _sequence(self, twins: Sequence[PairVerdict], sealed: Confirmation) -> str:
        if not self.entrants.of("network"):
            return ""
        if not twins:
            return self.say("sequence_absent")
        parts = [
            self.say(
                "sequence_part",
                family=self.titles[v.a],
                numbers=signed_interval(*v.lead).partition(" ")[0],
                metric=written(sealed.metric),
                how=self.say(self._key("how", v.outcome)),
            )
            for v in twins
        ]
        return self.say("sequence_pays", parts=listed(self.say, parts))

    def _ensemble(self, v: PairVerdict, sealed: Confirmation) -> str:
        how = "better" if v.outcome == "worse" else v.outcome  # the sign tells which
        costs = {
            f"{key}_{side}": value
            for side, name in (("a", v.a), ("b", v.b))
            for key, value in _costs(sealed.families[name]).items()
        }
        return self.say(
            "ensemble_told",
            members=len(EnsembleConfig.model_validate(sealed.families[v.a].config).members),
            b=self.titles[v.b],
            numbers=signed_interval(*v.lead),
            metric=written(sealed.metric),
            how=self.say(self._key("how", how)),
            **costs,
        )

    def _contrast(self, v: PairVerdict, about: About) -> Contrast:
        a, b = self.titles[v.a], self.titles[v.b]
        how = "better" if v.outcome == "worse" else v.outcome  # the sign tells which
        text, told = self._key("contrast", v.outcome), self._key("how", how)
        return Contrast(v, a, b, self.say(text, a=a, b=b), self.say(told), about)

    def _basis(self, sealed: Confirmation, found: Findings) -> Iterator[str]:
        seeds = max(len(family.seeds) for family in sealed.families.values())
        runs = seeds if sealed.scope == "configurations" else sealed.searches
        yield self.say(
            "answer_basis",
            learners=f"{sealed.learners:,}",
            runs=self.say(f"runs_{sealed.scope}", n=runs),
            level=f"{sealed.level:.0%}",
            adjusted=self.say("adjusted", n=found.declared) if found.declared > 1 else "",
        )
        if len(sealed.openings) == 1:
            yield self.say("openings_one")

    def _scope(self, sealed: Confirmation) -> Iterator[str]:
        yield self.say(f"scope_{sealed.scope}", n=sealed.searches)
        if sealed.newer_ensemble:
            yield self.say("ensemble_newer")
        if len(sealed.openings) > 1:
            yield self.say("openings_many", n=len(sealed.openings))

    def _cautions(self, told: Sequence[PairVerdict]) -> Iterator[str]:
        """Each once, with the comparisons that it is about."""
        for caveat in dict.fromkeys(caveat for v in told for caveat in v.caveats):
            pairs = [
                self.say("against", a=self.titles[v.a], b=self.titles[v.b])
                for v in told
                if caveat in v.caveats
            ]
            caution = self.say(self._key("caveat", caveat))
            yield self.say("answer_caution", pairs=listed(self.say, pairs), caution=caution)

    def _listed(self, names: Sequence[str], how: str = "list_and") -> str:
        return listed(self.say, [self.titles[name] for name in names], how)

    @staticmethod
    def _key(*parts: str) -> str:
        return "_".join(parts).replace(" ", "_")


def _costs(family: ConfirmedFamily) -> dict[str, str]:
    """Of one refit: seconds of training, seconds to answer the whole test, size."""
    return {
        "fit": f"{family.fit_seconds:.1f}",
        "score": f"{family.score_seconds or 0:.1f}",
        "size": decimal(family.model_bytes or 0),
    }
