"""Early stopping replayed over full learning curves: training seconds saved against regret.

    python benchmarks/early_stopping.py [--shuffles 50] [--epochs 8] [--rule forecast]
    python benchmarks/early_stopping.py --record results/STUDY NAME

The curves in `curves/` come from sweeps in which nothing was stopped
(`--set stopping.full_trials=100000 --set stopping.patience=null`), 16 epochs each. A replay starts
the trials in their recorded order (and in shuffled ones), two at a time, families in turn, and lets
the product's own scheduler hear every report at its time and decide. A family's choice is its best
complete trial. Its regret is what the choice lacks to the best of all its trials, in per cent of
that, and in standard errors of that trial's score over learners.

What a replay can't show: the sampler would have proposed other configurations after other results.
The last line is JSON.
"""

import argparse
import heapq
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.types import Float64
from recsweep.records.files import read_study
from recsweep.records.user_values import read_user_values
from recsweep.search.asynchronous import Asynchronous
from recsweep.search.ledger import Ledger
from recsweep.search.proposal import Proposal
from recsweep.search.stopping import is_over
from recsweep.training.epoch import EpochReport

CURVES = Path(__file__).parent / "curves"
WORKERS = 2
SAVED_LIMIT, REGRET_LIMIT = 0.65, 0.005


@dataclass(frozen=True, slots=True)
class Curve:
    """A trial that nobody stopped."""

    family: str
    number: int
    seconds: float  # of an epoch
    values: tuple[float, ...]
    error: float  # standard error over learners of its best epoch's score

    @property
    def best(self) -> float:
        """Its score."""
        return max(self.values)


Setting = Mapping[str, object]
"""The keys of `stopping`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replay."""

    saved: float  # share of the seconds
    regrets: Mapping[str, float]  # family -> relative
    errors: Mapping[str, float]  # family -> regret in standard errors


def record(folder: Path, name: str) -> None:
    """Keep a study's curves as a small file."""
    study = read_study(folder)
    trials = []
    for row in study.trials:
        if row.state == "complete" and len(row.epochs) == study.experiment.budget.epochs:
            folds = [values.value for values in read_user_values(folder, row.id)]
            seconds = (row.fit_seconds + row.evaluate_seconds) / len(row.epochs)
            trials.append(
                {
                    "family": row.family,
                    "number": row.number,
                    "seconds": round(seconds, 3),
                    "values": [round(epoch.value, 6) for epoch in row.epochs],
                    "error": round(standard_error(folds), 6),
                }
            )
    lines = ",\n".join(json.dumps(trial) for trial in trials)
    CURVES.mkdir(exist_ok=True)
    (CURVES / f"{name}.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{len(trials)} curves in {CURVES / name}.json")


def standard_error(folds: Sequence[Float64]) -> float:
    """Of a mean over folds of means over learners."""
    return math.sqrt(sum(float(v.var(ddof=1)) / len(v) for v in folds)) / len(folds)


def read(name: str, epochs: int | None = None) -> list[Curve]:
    """The inverse of `record`, or the first epochs of the curves."""
    entries = json.loads((CURVES / f"{name}.json").read_text("utf-8"))
    return [Curve(**{**entry, "values": tuple(entry["values"][:epochs])}) for entry in entries]


class Book:
    """Stands in for the ledger: the policy tells it how trials end."""

    def __init__(self, families: Iterable[str], full_trials: int) -> None:
        self.families, self._full = tuple(families), full_trials
        self.best: dict[str, float] = {}  # id of a complete trial -> score of its best epoch

    def trials(self, family: str) -> list[object]:
        """Nothing came before."""
        return []

    cut_off = trials

    def report(self, id_: str, report: EpochReport) -> bool:
        """Nothing to keep; it is new."""
        return True

    def complete(self, id_: str, best: EpochReport) -> None:
        """The trial counts, by what it had reached."""
        self.best[id_] = best.value

    def is_protected(self, proposal: Proposal) -> bool:
        """Is it one of the first?"""
        return proposal.number < self._full

    def prune(self, id_: str) -> None:
        """It was stopped."""


def replay(families: Mapping[str, Sequence[Curve]], setting: Setting) -> Outcome:
    """Run the trials of every family in the given order."""
    epochs = max(len(curve.values) for curves in families.values() for curve in curves)
    trials = max(map(len, families.values()))
    asked = experiment(families, trials, epochs, setting)
    book = Book(families, asked.stopping.full_trials)
    policy = Asynchronous(cast(Ledger, book), asked)
    waiting = [
        (family, number, curve)
        for number in range(max(map(len, families.values())))
        for family, curves in families.items()
        for curve in curves[number : number + 1]
    ]
    waiting.reverse()
    running: list[tuple[float, int, int, Proposal, Curve]] = []  # when, tie, epoch, whose
    spent, started = 0.0, 0

    def start(now: float) -> None:
        nonlocal started
        if not waiting:
            return
        family, number, curve = waiting.pop()
        until = len(curve.values)
        proposal = Proposal(f"{family}-{number:04d}", family, number, {}, 0, until)
        started += 1
        heapq.heappush(running, (now + curve.seconds, started, 1, proposal, curve))

    for _ in range(WORKERS):
        start(0.0)
    while running:
        now, tie, epoch, proposal, curve = heapq.heappop(running)
        spent += curve.seconds
        value = curve.values[epoch - 1]
        report = EpochReport(epoch, value, {}, (), curve.seconds, 0.0, ())
        reached = EpochReport(*best_until(curve.values, epoch), {}, (), 0.0, 0.0, ())
        over = is_over(epoch, reached.epoch, proposal.until, asked.stopping.patience)
        if policy.reported(proposal, report, reached if over else None):
            heapq.heappush(running, (now + curve.seconds, tie, epoch + 1, proposal, curve))
        else:
            start(now)
    whole = sum(c.seconds * len(c.values) for curves in families.values() for c in curves)
    regrets, errors = {}, {}
    for family, curves in families.items():
        best = max(curves, key=lambda curve: curve.best)
        chosen = max(
            book.best[id_]
            for number in range(len(curves))
            if (id_ := f"{family}-{number:04d}") in book.best
        )
        regrets[family] = (best.best - chosen) / best.best
        errors[family] = (best.best - chosen) / best.error
    return Outcome(1 - spent / whole, regrets, errors)


def best_until(values: Sequence[float], epoch: int) -> tuple[int, float]:
    """The best of the first epochs, and its score: no later one is known to a trial that ends."""
    value = max(values[:epoch])
    return values.index(value) + 1, value


def oracle(curves: Sequence[Curve]) -> float:
    """Share saved by one who knows every curve: each family's best runs to its best epoch.

    All other trials have one epoch. No rule that gives every trial an epoch and regrets nothing
    saves more.
    """
    whole = sum(curve.seconds * len(curve.values) for curve in curves)
    spent = 0.0
    for family in {curve.family for curve in curves}:
        own = [curve for curve in curves if curve.family == family]
        best = max(own, key=lambda curve: curve.best)
        spent += sum(c.seconds for c in own if c is not best)
        spent += best.seconds * (best.values.index(best.best) + 1)
    return 1 - spent / whole


def experiment(
    families: Mapping[str, object], trials: int, epochs: int, setting: Setting
) -> Experiment:
    """As much of one as the scheduler reads."""
    event = {"path": "x", "user": "u", "item": "i", "time": "t"}
    return Experiment.model_validate(
        {
            "study": "replay",
            "data": {"name": "none", "events": [event]},
            "families": dict.fromkeys(families, "space.yaml"),
            "budget": {"trials": trials, "epochs": epochs},
            "stopping": setting,
        }
    )


def replays(curves: Sequence[Curve], setting: Setting, shuffles: int) -> list[Outcome]:
    """In the recorded order, and in random ones."""
    families: dict[str, list[Curve]] = {}
    for curve in sorted(curves, key=lambda curve: curve.number):
        families.setdefault(curve.family, []).append(curve)
    outcomes = [replay(families, setting)]
    rng = np.random.default_rng(0)
    for _ in range(shuffles):
        mixed = {f: [c[i] for i in rng.permutation(len(c))] for f, c in families.items()}
        outcomes.append(replay(mixed, setting))
    return outcomes


def shown_setting(setting: Setting) -> str:
    """In few words."""
    short = {"grace_epochs": "grace", "full_trials": "full"}
    return ", ".join(
        f"{short.get(key, key)} {'/'.join(map(str, value)) if isinstance(value, tuple) else value}"
        for key, value in setting.items()
        if key != "rule" and value is not None
    )


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Mean share saved, mean regret, worst regret in per cent and in standard errors."""
    regrets = [value for outcome in outcomes for value in outcome.regrets.values()]
    errors = [value for outcome in outcomes for value in outcome.errors.values()]
    return {
        "saved": statistics.fmean(outcome.saved for outcome in outcomes),
        "mean_regret": statistics.fmean(regrets),
        "worst_regret": max(regrets),
        "worst_errors": max(errors),
    }


def meets(row: Mapping[str, float]) -> bool:
    """Does it save enough, at little enough regret?"""
    return (
        row["saved"] >= SAVED_LIMIT
        and row["mean_regret"] <= REGRET_LIMIT
        and row["worst_errors"] <= 1
    )


def main() -> None:
    """Print each setting's figures on each data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shuffles", type=int, default=50)
    parser.add_argument("--epochs", type=int, help="of each curve; default: all")
    parser.add_argument("--rule", help="settings of this one alone; default: all")
    parser.add_argument("--record", nargs=2, metavar=("STUDY", "NAME"))
    options = parser.parse_args()
    if options.record:
        record(Path(options.record[0]), options.record[1])
        return
    names = sorted(path.stem for path in CURVES.glob("*.json"))
    sets = {name: read(name, options.epochs) for name in names}
    for name, curves in sets.items():
        print(
            f"{name}: {len(curves)} curves of {len(curves[0].values)} epochs; "
            f"an oracle saves {oracle(curves):.0%}"
        )
    settings: list[Setting] = [
        {"grace_epochs": grace, "reduction": reduction, "full_trials": full}
        for grace in (1, 2)
        for reduction in (2, 3, 4)
        for full in (1, 2, 4)
    ]
    settings += [
        {"rule": "lag", "grace_epochs": 1, "lag": lag, "full_trials": 1, "patience": patience}
        for lag in ((0.25, 0.1), (0.2, 0.1), (0.15, 0.03))
        for patience in (None, 3, 2)
    ]
    # For longer trials: slow starters need more room, and time, before they are given up.
    settings += [
        {"rule": "lag", "grace_epochs": 1, "lag": lag, "full_trials": 1, "patience": 4}
        for lag in ((0.4, 0.3, 0.2, 0.1), (0.4, 0.2))
    ]
    settings += [
        {"rule": "forecast", "full_trials": 1, "patience": 3, "chance": chance}
        for chance in (0.15, 0.2, 0.23, 0.25, 0.3)
    ]
    settings = [s for s in settings if options.rule in (None, s.get("rule", "halving"))]
    print(
        f"\n{'setting':48} {'order':9} {'saved (each data set)':31} "
        f"{'mean regret (each)':39} worst, in standard errors"
    )
    found = []
    for setting in settings:
        each = {name: replays(curves, setting, options.shuffles) for name, curves in sets.items()}
        for order, part in (("recorded", slice(0, 1)), ("shuffled", slice(1, None))):
            if options.shuffles == 0 and order == "shuffled":
                continue
            of_set = {name: summary(outcomes[part]) for name, outcomes in each.items()}
            pooled = summary([o for outcomes in each.values() for o in outcomes[part]])
            saved = [row["saved"] for row in of_set.values()]
            met = all(meets(row) for row in of_set.values())
            met_pooled = min(saved) >= SAVED_LIMIT and meets(pooled)
            verdict = "meets the limits" if met else "meets them pooled" if met_pooled else ""
            shown = " ".join(f"{share:5.0%}" for share in saved)
            regrets = " ".join(f"{row['mean_regret']:6.2%}" for row in of_set.values())
            print(
                f"{shown_setting(setting):48} {order:9} {pooled['saved']:.0%} ({shown}){'':2} "
                f"{pooled['mean_regret']:.2%} ({regrets}) {pooled['worst_errors']:6.2f}  {verdict}"
            )
            found.append(
                {
                    "setting": shown_setting(setting),
                    "order": order,
                    "met": met,
                    "met_pooled": met_pooled,
                }
                | {key: round(value, 4) for key, value in pooled.items()}
            )
    print(
        json.dumps(
            {
                "benchmark": "early_stopping",
                "curves": {n: len(c) for n, c in sets.items()},
                "found": found,
            }
        )
    )


if __name__ == "__main__":
    main()
