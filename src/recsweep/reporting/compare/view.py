"""A comparison of two studies in words and rows, for the terminal and the page alike."""

from dataclasses import dataclass

from recsweep.config.schema import written
from recsweep.evaluation.change import Change
from recsweep.evaluation.verdict import Outcome
from recsweep.models.registry import titles
from recsweep.records.evidence import Evidence
from recsweep.reporting.answer import answer_of_evidence
from recsweep.reporting.compare.study_change import LEVEL, StudyChange
from recsweep.reporting.view import score, signed, signed_interval
from recsweep.reporting.words import COMPARE_WORDS


@dataclass(frozen=True, slots=True)
class CompareView:
    """One study held against another, as readers of one language see it."""

    change: StudyChange
    lang: str

    def say(self, key: str, **values: object) -> str:
        """A sentence or label in the reader's language; of sessions, if it is they that count."""
        words, unit = COMPARE_WORDS[self.lang], self.change.before.experiment.data.unit
        return words.get(f"{key}:{unit}", words[key]).format(**values)

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called: their folders' names, or the whole paths where these agree."""
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
        if self.change.basis == "other_data":
            return self.say("other_data")
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
        """Each study's name, and what it answers by itself."""
        sides = (answer_of_evidence(side, self.lang) for side in self._sides())
        return [(name, said.sentence) for name, said in zip(self.names, sides, strict=True)]

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
        comparable = self.change.basis != "other_data"
        for name, (before, after) in self.change.means.items():
            difference = signed(after - before) if comparable else ""
            found.append(self._row(name, score(before), score(after), difference))
        question, lead = self.change.question, self.change.lead
        if question is not None and lead is not None:
            name = f"{question[0]} − {question[1]}"
            found.append(self._row(name, signed(lead.before), signed(lead.after), ""))
        return found

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


def names(before: Evidence, after: Evidence) -> tuple[str, str]:
    """Names that tell two studies apart."""
    a, b = before.folder.name, after.folder.name
    return (a, b) if a != b else (str(before.folder), str(after.folder))
