"""Does a network beat its twin without order where there is order, and only there?

Three kinds of simulated logs: the next course depends on nothing in the history but taste; on
earlier courses by their age (recency) and on no sequence; on the course just before (order). On
each log a GRU and its twin are compared as `confirm` compares them. Epochs, and the twin's fading,
are chosen on the development fold, as a search would; all else is the same for both.

    python benchmarks/order_twins.py --logs 40
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import torch
from scipy.stats import binomtest

from calibration_logs import GRU, SEEDS, Log, make_log, run, run_on, verdict_on
from recsweep.config.values import Configuration
from recsweep.data.types import Float64
from recsweep.evaluation.verdict import PairVerdict
from recsweep.training.epoch import EpochReport

EPOCHS = 14
CONFIG: Configuration = {
    **GRU,
    "hidden_size": 96,
    "embedding_size": 64,
    "dropout": 0.2,
    "learning_rate": 0.006,
    "weight_decay": 0.1,
    "batch_size": 64,
}
FADINGS: tuple[Configuration, ...] = (
    {},
    {"fading": "step", "fading_weight": 0.8},
    {"fading": "step", "fading_weight": 0.65},
    {"fading": "step", "fading_weight": 0.5},
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of log, and how often a verdict for the network is right there."""

    name: str
    dials: Mapping[str, float]
    at_least: float  # share of logs that must …
    shown: bool  # … show (or not show) the network ahead of its twin


KINDS = (
    Kind("no order", {"order": 0.0}, 0.95, shown=False),
    Kind("recency, no order", {"order": 0.0, "recency": 0.5}, 0.95, shown=False),
    Kind("order", {"order": 0.5}, 0.8, shown=True),
)


def compared(number: int, kind: Kind) -> PairVerdict:
    """The GRU against its twin on one log."""
    log = make_log(10_000_000 + number, learners=1500, **kind.dials)
    return verdict_on(
        {
            "gru": _selected(log, "gru", (CONFIG,)),
            "gru_unordered": _selected(log, "gru_unordered", [{**CONFIG, **f} for f in FADINGS]),
        },
        number,
    )


def _selected(log: Log, family: str, configs: Sequence[Configuration]) -> Float64:
    """(n_seeds, n_learners) on the test, by what is best on the development fold."""
    found = []
    for config in configs:
        reports = run(log.development, log, family, config, EPOCHS, 0)
        found += [(value, epoch, config) for epoch, value in _steady(reports)]
    _, epoch, config = max(found, key=itemgetter(0))
    return run_on(log, family, config, epoch, range(SEEDS))


def _steady(reports: Sequence[EpochReport]) -> Iterator[tuple[int, float]]:
    """Every epoch that has a neighbour on both sides, with the mean score of the three: a single
    lucky epoch on the one fold must not decide.
    """
    values = [float(report.value) for report in reports]
    for epoch in range(2, len(values)):
        yield epoch, sum(values[epoch - 2 : epoch + 1]) / 3


def main() -> None:
    """Compare on every log, print a row a kind, end with one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--logs", type=int, default=40, help="of each kind")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for kind in KINDS:
        started = time.monotonic()
        found = [compared(number, kind) for number in range(args.logs)]
        ahead = sum(verdict.outcome == "better" for verdict in found)
        right = ahead if kind.shown else args.logs - ahead
        interval = binomtest(right, args.logs).proportion_ci()
        rows.append(
            {
                "log": kind.name,
                "logs": args.logs,
                "network ahead": ahead,
                "share right": right / args.logs,
                "interval": [interval.low, interval.high],
                "at least": kind.at_least,
                "mean difference": sum(v.difference for v in found) / args.logs,
                "seconds": round(time.monotonic() - started),
            }
        )
        print(*(f"{name}: {value}" for name, value in rows[-1].items()), sep="; ", flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
