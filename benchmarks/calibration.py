"""How often the verdicts are wrong: false alarms, coverage and power, where the truth is known.

    python benchmarks/calibration.py [--nulls 200] [--searches 50] [--repetitions 1000]
                                     [--seconds 1500] [--resume FILE]

Three worlds: tables of seeds by learners made up with exactly known means (every repetition draws
a new one); a family trained under two names on freshly simulated logs, with fixed configurations
and with the search itself repeated; and a table of many real training runs, out of which samples
are drawn. `--nulls` counts both kinds of trained nulls together. With `--resume`, finished
comparisons are kept in FILE, one JSON line each, and not done again; without time left the rest is
left out and the counts say so. Exit status 1 if a judged figure is out of its bounds; the last
line is JSON.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import optuna
import torch
from scipy.stats import binom, binomtest

from calibration_logs import PLANTED_ORDER, null, null_search, orderless, planted, real_coverage
from calibration_values import SCENARIOS, Outcome, Scenario, repeat, truths
from recsweep.evaluation.verdict import PairVerdict

LEVEL, POWER = 0.95, 0.80
COVERAGE = (0.93, 0.97)
PLANTED = 30
REAL_SAMPLES = 500
BATCH = 50  # repetitions kept as one line
WANTED = {"rare": "at most .05", "often": "at least .80", "near": ".93 to .97"}
CHANCE = 0.025  # a judged figure is out of bounds if chance gives it less often than this


@dataclass(frozen=True, slots=True)
class Figure:
    """A share of hits and what it ought to be."""

    what: str
    hits: list[bool]
    wanted: Literal["rare", "often", "near"] | None

    @property
    def passed(self) -> bool | None:
        """Whether chance explains how far it is from what is wanted; None: not judged, not done."""
        hits, total = sum(self.hits), len(self.hits)
        if self.wanted is None or not total:
            return None
        at_most = {"rare": 1 - LEVEL, "often": 1.0, "near": COVERAGE[1]}[self.wanted]
        at_least = {"rare": 0.0, "often": POWER, "near": COVERAGE[0]}[self.wanted]
        likely_high = binom.sf(hits - 1, total, at_most) > CHANCE
        return bool(likely_high and binom.cdf(hits, total, at_least) > CHANCE)


class Work:
    """Does named pieces of work once, as long as there is time, and remembers their results."""

    def __init__(self, seconds: float, file: Path | None) -> None:
        self.end = time.monotonic() + seconds
        self.complete = True
        self.file = file
        self.done: dict[str, Any] = {}
        if file is not None and file.exists():
            for line in file.read_text("utf-8").splitlines():
                self.done.update(json.loads(line))

    def run(self, part: str, numbers: Iterable[int], piece: Callable[[int], Any]) -> list[Any]:
        """Results of the pieces that are done, in order."""
        results = []
        for number in numbers:
            key = f"{part}/{number}"
            if key not in self.done:
                if time.monotonic() > self.end:
                    self.complete = False
                    break
                self.done[key] = piece(number)
                if self.file is not None:
                    with self.file.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({key: self.done[key]}) + "\n")
            results.append(self.done[key])
        return results


def main() -> int:
    """Run every part, print a table a part, end with one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nulls", type=int, default=200, help="trained nulls, searches included")
    parser.add_argument("--searches", type=int, default=50, help="nulls that repeat the search")
    parser.add_argument("--repetitions", type=int, default=1000, help="of each made-up scenario")
    parser.add_argument("--seconds", type=float, default=1500, help="start no piece after this")
    parser.add_argument("--resume", type=Path, help="file that keeps finished pieces")
    args = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    started = time.monotonic()
    work = Work(args.seconds, args.resume)
    figures = trained(work, args.nulls, args.searches)
    rows = show("Trained families on simulated logs", figures)
    tables = made_up(work, args.repetitions)
    rows += show("Made-up tables", tables)
    passed = all(figure.passed is not False for figure in figures + tables)
    seconds = round(time.monotonic() - started, 1)
    print(
        json.dumps({"passed": passed, "complete": work.complete, "seconds": seconds, "rows": rows})
    )
    return 0 if passed else 1


def trained(work: Work, nulls: int, searches: int) -> list[Figure]:
    """Nulls, power and coverage with families that are really trained."""
    fixed = work.run("null", range(nulls - searches), lambda n: short(null(n)))
    pairs = work.run("search", range(searches), lambda n: [short(v) for v in null_search(n)])
    found = work.run("planted", range(PLANTED), lambda n: short(planted(n)))
    without = work.run("orderless", range(PLANTED), lambda n: short(orderless(n)))
    real = work.run("real", range(1), lambda _: real_coverage(REAL_SAMPLES))
    alarms = [v["outcome"] in ("better", "worse") for v in fixed]
    searched, single = (
        [v["outcome"] in ("better", "worse") for v in row]
        for row in ([p[0] for p in pairs], [p[1] for p in pairs])
    )
    gain = np.mean([v["difference"] for v in found]) if found else np.nan
    return [
        Figure("false verdicts, fixed configurations", alarms, "rare"),
        Figure("false verdicts, search repeated", searched, "rare"),
        Figure("false verdicts, both", alarms + searched, "rare"),
        Figure("one search, misread as a claim on the family", single, None),
        Figure(
            f"power: gru better by {gain:.3f} (order {PLANTED_ORDER:g})",
            [v["outcome"] == "better" for v in found],
            "often",
        ),
        Figure(
            "no order in the log, yet a verdict for gru",
            [v["outcome"] == "better" for v in without],
            "rare",
        ),
        Figure("coverage, samples of real runs", [c for row in real for c in row], "near"),
    ]


def made_up(work: Work, repetitions: int) -> list[Figure]:
    """Coverage, false verdicts and power where the truth is exact."""
    figures = []
    batches = range(math.ceil(repetitions / BATCH))
    for scenario in SCENARIOS:
        groups = work.run(scenario.name, batches, partial(repetitions_of, scenario))
        outcomes = [Outcome(**o) for group in groups for o in group][:repetitions]
        judged = scenario.gated
        covered, false = [o.covered for o in outcomes], [o.false for o in outcomes]
        figures.append(Figure(f"coverage: {scenario.name}", covered, "near" if judged else None))
        figures.append(
            Figure(f"false verdicts: {scenario.name}", false, "rare" if judged else None)
        )
        if scenario.name.startswith("power"):
            gap = float(np.ptp(list(truths(scenario).values())))
            figures.append(
                Figure(
                    f"found: {scenario.name} ({gap:.3f})", [o.found == 1 for o in outcomes], "often"
                )
            )
    return figures


def repetitions_of(scenario: Scenario, batch: int) -> list[dict[str, Any]]:
    """One batch of repetitions."""
    return [asdict(repeat(scenario, batch * BATCH + n)) for n in range(BATCH)]


def short(verdict: PairVerdict) -> dict[str, Any]:
    """What is kept of a verdict."""
    kept = ("outcome", "difference", "lower", "upper", "p", "seed_share", "learners")
    return {key: getattr(verdict, key) for key in kept}


def show(title: str, figures: list[Figure]) -> list[dict[str, Any]]:
    """Print an aligned table and return it for the last line."""
    print(f"\n{title:<56}{'share':>7}   {'95% range':<13}{'of':>5}   wanted")
    rows = []
    for figure in figures:
        hits, total = sum(figure.hits), len(figure.hits)
        wanted = WANTED[figure.wanted] if figure.wanted else "not judged"
        row = {"what": figure.what, "hits": hits, "of": total, "passed": figure.passed}
        rows.append(row)
        if not total:
            print(f"{figure.what:<56}{'-':>7}   {'':<13}{0:>5}   {wanted}; no time left")
            continue
        range_ = binomtest(hits, total).proportion_ci(0.95, method="exact")
        bounds = f"{range_.low:.3f}-{range_.high:.3f}"
        flag = "   OUT OF BOUNDS" if figure.passed is False else ""
        print(f"{figure.what:<56}{hits / total:>7.3f}   {bounds:<13}{total:>5}   {wanted}{flag}")
    return rows


if __name__ == "__main__":
    sys.exit(main())
