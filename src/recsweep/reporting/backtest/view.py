"""A backtest in words, for the terminal and the page alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from recsweep.config.schema import Experiment, written
from recsweep.data.clock import iso
from recsweep.evaluation.verdict import PairVerdict
from recsweep.models.registry import titles
from recsweep.records.backtest import Arm, Backtest, Step
from recsweep.reporting.answer import with_spaces
from recsweep.reporting.tasks.registry import speaker_of
from recsweep.reporting.view import capitalised, setting, signed_interval
from recsweep.reporting.words import BACKTEST_WORDS


@dataclass(frozen=True, slots=True)
class BacktestView:
    """As readers of one language see it."""

    backtest: Backtest
    experiment: Experiment
    lang: str

    def say(self, key: str, **blanks: object) -> str:
        """A sentence or label."""
        say = speaker_of(BACKTEST_WORDS[self.lang], self.experiment.data)
        return (with_spaces(say) if self.lang == "zh" else say)(key, **blanks)

    @property
    def title(self) -> str:
        """Of the page."""
        b = self.backtest
        family = capitalised(titles({b.family: b.kind}, self.lang)[b.family])
        return self.say("title", family=family, study=b.study, every=self.every)

    @property
    def metric(self) -> str:
        """As people write it."""
        return written(self.backtest.metric)

    @property
    def every(self) -> str:
        """`7 days`."""
        return self._length(int(self.backtest.every[:-1]), self.backtest.every[-1])

    @property
    def arms(self) -> list[Arm]:
        """In the order of what they cost."""
        return list(self.backtest.scores)

    def answer(self) -> Iterator[str]:
        """Of the weights, then of the configuration."""
        yield self._verdict("refit", self.of_pair(self.backtest.pairs, "refit", "never"))
        if self.backtest.trials is not None:
            yield self._verdict("search", self.of_pair(self.backtest.pairs, "search", "refit"))

    def further(self) -> Iterator[str]:
        """When refitting begins to pay, what wasn't asked, and what it rests on."""
        yield self._since()
        if self.backtest.trials is None:
            yield self.say("search_absent")
        yield self.basis()

    def cautions(self) -> Iterator[str]:
        """What the verdicts say of their own limits, each once."""
        declared = (v for v in self.backtest.pairs if not v.exploratory)
        for caveat in dict.fromkeys(c for v in declared for c in v.caveats):
            yield self.say(caveat.replace(" ", "_"))

    def basis(self) -> str:
        """What it rests on."""
        b = self.backtest
        return self.say(
            "basis",
            learners=f"{b.learners:,}",
            targets=f"{b.targets:,}",
            steps=len(b.steps),
            seeds=self.say("seeds_one" if len(b.seeds) == 1 else "seeds_many", n=len(b.seeds)),
            level=f"{b.level:.0%}",
        )

    def notes(self) -> Iterator[str]:
        """How to read it, and what was left out."""
        b = self.backtest
        yield self.say("note_opening")
        yield self.say("note_scope")
        unknown = sum(step.unknown for step in b.steps)
        for key, n in (("unknown", unknown), ("left_out", b.left_out), ("empty", b.empty)):
            if n:
                yield self.say(f"note_{key}", n=f"{n:,}")
        yield self.say("note_cost", fit=f"{b.fit_seconds['refit']:.1f}")
        if b.search_seconds is not None:
            yield self.say("note_search_cost", seconds=f"{b.search_seconds:,.0f}")

    @staticmethod
    def of_pair(pairs: tuple[PairVerdict, ...], a: Arm, b: Arm) -> PairVerdict | None:
        """None: the two are the same models."""
        return next((v for v in pairs if (v.a, v.b) == (a, b)), None)

    def name(self, step: Step) -> str:
        """Its number, and its day, or its hour where steps are shorter."""
        moment = datetime.fromisoformat(iso(step.start))
        pattern = "%Y-%m-%d %H:%M" if self.backtest.every[-1] == "h" else "%Y-%m-%d"
        return f"{step.number + 1} · {moment:{pattern}}"

    def changes(self, step: Step) -> str:
        """What searching again chose otherwise."""
        best, found = self.backtest.config, step.found or {}
        told = [
            f"{name}: {_shown(best.get(name))} → {_shown(found.get(name))}"
            for name in dict.fromkeys((*best, *found))
            if best.get(name) != found.get(name)
        ]
        return "; ".join(told) or self.say("kept")

    def _verdict(self, of: str, v: PairVerdict | None) -> str:
        outcome = "same" if v is None else v.outcome.replace(" ", "_")
        blanks: dict[str, object] = {"every": self.every, "trials": self.backtest.trials}
        if v is not None:
            turned = v.turned() if v.outcome == "worse" else v
            effect = f"{v.smallest_effect:g}"
            blanks |= {"numbers": signed_interval(*turned.lead), "effect": effect}
        return self.say(f"{of}_{outcome}", metric=self.metric, **blanks)

    def _since(self) -> str:
        b = self.backtest
        for step in b.steps:
            v = self.of_pair(step.pairs, "refit", "never")
            if v is not None and v.outcome == "better":
                n = int(b.every[:-1]) * step.number
                return self.say("since", age=self._length(n, b.every[-1], alone=True))
        return self.say("since_never")

    def _length(self, n: int, unit: str, *, alone: bool = False) -> str:
        """`7 days`; of one, `day`, or, where it stands alone, `1 day`."""
        if n > 1:
            return self.say(f"every_{unit}", n=n)
        one = self.say(f"every_{unit}_one")
        return f"1 {one}" if alone and self.lang == "en" else one


def _shown(value: object) -> str:
    return setting(value) if isinstance(value, bool | int | float | str) else "–"
