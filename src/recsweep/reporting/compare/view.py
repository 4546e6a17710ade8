"""A comparison of two studies in words and rows, for the terminal and the page alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recsweep.config.schema import goodness, written
from recsweep.evaluation.change import Change
from recsweep.evaluation.rank_agreement import Correlation
from recsweep.evaluation.verdict import Outcome
from recsweep.models.registry import titles
from recsweep.records.evidence import Evidence
from recsweep.reporting.answer import answer_of_evidence, reservations
from recsweep.reporting.compare.study_change import LEVEL, StudyChange
from recsweep.reporting.tasks.registry import speaker, speaker_of
from recsweep.reporting.view import score, signed, signed_interval
from recsweep.reporting.words import COMPARE_WORDS


@dataclass(frozen=True, slots=True)
class CompareView:
    """One study held against another, as readers of one language see it."""

    change: StudyChange
    lang: str

    def say(self, key: str, **values: object) -> str:
        """A sentence or label in the reader's language."""
        data = self.change.before.experiment.data
        return speaker_of(COMPARE_WORDS[self.lang], data)(key, **values)

    @property
    def names(self) -> tuple[str, str]:
        """Their folders' names, and more of the paths where these agree."""
        return names(self.change.before, self.change.after)

    def title(self, family: str) -> str:
        """A family, or the lead of one over another, as people read it."""
        kinds = {n: best.kind for side in self._sides() for n, best in side.best.items()}
        return " − ".join(titles(kinds, self.lang)[name] for name in family.split(" − "))

    @property
    def metric(self) -> str:
        """As people write it."""
        return written(self.change.metric)

    def headline(self) -> str:
        """Did the answer to the question change?"""
        before, after = self.names
        question, answers = self.change.question, self.change.answers
        if not self.change.comparable:
            return self.say(self.change.basis)
        if question is None:
            return self.say("no_question", before=before, after=after)
        if answers is None:
            closed = [
                name
                for name, side in zip(self.names, self._sides(), strict=True)
                if side.confirmation is None
            ]
            missing = ", ".join(closed) or after
            return self.say("open", before=before, after=after, missing=missing)
        said = [self._outcome(answer, question) for answer in answers]
        if answers[0] == answers[1]:
            return self.say("same", said=said[0], before=before, after=after)
        return self.say("changed", before=before, after=after, first=said[0], second=said[1])

    def answers(self) -> list[tuple[str, str]]:
        """Each study's name, what it answers by itself, and what its split gives up."""
        space = self.say("space")
        return [
            (name, space.join([answer_of_evidence(side, self.lang).sentence, *self._limits(side)]))
            for name, side in zip(self.names, self._sides(), strict=True)
        ]

    def _limits(self, side: Evidence) -> Iterator[str]:
        if self.change.basis == "other_split":
            yield from reservations(side.experiment, speaker(side.experiment, self.lang))

    def ranks(self) -> str | None:
        """Do the two splits order the families alike? None: that isn't the question."""
        if self.change.basis != "other_split":
            return None
        found = self.change.ranks
        if found is None:
            return self.say("ranks_unknown")
        return self.say(
            "ranks",
            families=len(self.change.means),
            kendall=signed_interval(*_ends(found.kendall)),
            spearman=signed_interval(*_ends(found.spearman)),
            turned=found.turned,
            pairs=found.pairs,
            level=f"{LEVEL:.0%}",
        )

    def lead(self) -> str | None:
        """How far the network's lead moved; None on the folds."""
        lead, question = self.change.lead, self.change.question
        if lead is None or question is None:
            return None
        return self.say(
            "lead",
            a=self.title(question[0]),
            b=self.title(question[1]),
            first=signed(lead.before),
            second=signed(lead.after),
            metric=self.metric,
            difference=signed_interval(lead.difference, lead.lower, lead.upper),
            outcome=self.moved(lead),
        )

    def basis(self) -> str:
        """What the rows stand on."""
        return self.say(f"basis_{self.change.basis}", level=f"{LEVEL:.0%}")

    def moved(self, change: Change) -> str:
        """Higher, lower, the same, or nobody knows."""
        effect = f"{self.change.smallest_effect:g}"
        return self.say(f"outcome_{change.outcome}", effect=effect)

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """(family or lead, before, after, change with its interval, p, outcome)."""
        found = []
        ranks = [self._ranked(side) for side in (0, 1)]
        for name, means in self.change.means.items():
            before, after = map(score, means)
            if self.change.basis == "other_split":
                before, after = f"{before} ({ranks[0][name]})", f"{after} ({ranks[1][name]})"
            difference = signed(means[1] - means[0]) if self.change.comparable else ""
            found.append(self._row(name, before, after, difference))
        question, lead = self.change.question, self.change.lead
        if question is not None and lead is not None:
            name = f"{question[0]} − {question[1]}"
            found.append(self._row(name, signed(lead.before), signed(lead.after), ""))
        return found

    def _ranked(self, side: int) -> dict[str, int]:
        """Family -> its rank in one of the two studies, from 1; equal ones share the better."""
        worth = {n: goodness(self.change.metric, v[side]) for n, v in self.change.means.items()}
        return {n: 1 + sum(other > own for other in worth.values()) for n, own in worth.items()}

    def _row(
        self, name: str, before: str, after: str, difference: str
    ) -> tuple[str, str, str, str, str, str]:
        change = self.change.changes.get(name)
        if change is None:
            return name, before, after, difference, "", ""
        interval = signed_interval(change.difference, change.lower, change.upper)
        p = "< .001" if change.p < 0.001 else f"{change.p:.3f}".lstrip("0")
        return name, before, after, interval, p, self.moved(change)

    def pairs(self) -> list[tuple[str, str, str, bool]]:
        """(pair, what before says, what after says, did it change), each pair once."""
        seen, found = set(), []
        for pair, answers in self.change.verdicts.items():
            if frozenset(pair) in seen:
                continue
            seen.add(frozenset(pair))
            first, second = (self._outcome(answer, pair) for answer in answers)
            name = " – ".join(map(self.title, pair))
            found.append((name, first, second, answers[0] != answers[1]))
        return found

    def _outcome(self, outcome: Outcome, pair: tuple[str, str]) -> str:
        return self.say(outcome, a=self.title(pair[0]), b=self.title(pair[1]))

    def _sides(self) -> tuple[Evidence, Evidence]:
        return self.change.before, self.change.after


def _ends(found: Correlation) -> tuple[float, float, float]:
    return found.value, found.lower, found.upper


def names(before: Evidence, after: Evidence) -> tuple[str, str]:
    """As much of the ends of two studies' paths as tells them apart."""
    paths = [side.folder.absolute().parts for side in (before, after)]
    for n in range(1, max(map(len, paths)) + 1):
        a, b = (Path(*path[-n:]).as_posix() for path in paths)
        if a != b:
            break
    return a, b
