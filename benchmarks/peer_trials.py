"""The peers' side of `parity_movielens.py`: runs where only the peer is installed.

    python peer_trials.py gru4rec | warprec FOLDER EVENTS TRIALS EPOCHS KEPT [PATH]

FOLDER as in `peer.py`; PATH is the checkout that `gru4rec` needs. The last EVENTS events of a
learner are the test, the one before them is validated on, the rest is trained on; `peer_race.py`
has the rule of ranking. Each trial is a line of JSON in the file KEPT: figures of every epoch. What
stands there already is not trained again.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from peaks import peak_gib
from peer import StopEarly
from peer_race import WARPREC, LeftOut, Scorer, gains, gru4rec, warprec

PATIENCE = 5
"""Epochs without a better one that end a trial."""
OF_GRU4REC: Mapping[str, tuple[float, float, float]] = {
    "layers": (64, 512, 32),
    "batch_size": (32, 256, 16),
    "learning_rate": (0.01, 0.25, 0.005),
    "dropout_p_embed": (0.0, 0.5, 0.05),
    "dropout_p_hidden": (0.0, 0.7, 0.05),
    "momentum": (0.0, 0.9, 0.05),
    "sample_alpha": (0.0, 1.0, 0.1),
}
"""`paramspaces/gru4rec_xe_standard_parspace.json` of GRU4Rec official: least, most, step."""
OF_WARPREC: Mapping[str, tuple[float, float]] = {
    "hidden_size": (32, 256),
    "embedding_size": (16, 256),
    "batch_size": (256, 2048),
    "learning_rate": (5e-4, 2e-2),
    "weight_decay": (1e-7, 1e-4),
}
"""Least and most, drawn by their logarithm; `search_spaces/gru.yaml` has about the same. WarpRec
brings no space; its documentation's one configuration has a loss of one negative.
"""
MOST_DROPOUT = 0.6


def of_gru4rec() -> Iterator[dict[str, Any]]:
    """The class's defaults, then random draws."""
    random: Any = import_module("numpy").random.default_rng(0)
    yield {}
    while True:
        config: dict[str, Any] = {}
        for name, (low, high, step) in OF_GRU4REC.items():
            config[name] = low + step * int(random.integers(0, round((high - low) / step) + 1))
        config["layers"] = [config["layers"]]
        yield config


def of_warprec() -> Iterator[dict[str, Any]]:
    """That of `race.py`, then random draws."""
    random: Any = import_module("numpy").random.default_rng(0)
    yield dict(WARPREC)
    while True:
        config: dict[str, Any] = dict(WARPREC)
        for name, (low, high) in OF_WARPREC.items():
            value = math.exp(random.uniform(math.log(low), math.log(high)))
            config[name] = round(value) if isinstance(low, int) else value
        config["dropout_prob"] = random.uniform(0, MOST_DROPOUT)
        yield config


class Trial(LeftOut):
    """Every epoch's figures."""

    def __init__(self, folder: Path, events: int) -> None:
        super().__init__(folder, events + 1)
        self._asked = range(events + 1, 0, -1)
        self.rows: list[dict[str, Any]] = []

    def epoch(self, scorer: Scorer, places: Any) -> None:
        """It is over when some epochs were no better."""
        seconds, ranks = self.since(), self.ranks(scorer, places, self._asked)
        of_events, hits = gains(ranks), ranks <= 10
        row: dict[str, Any] = {"seconds": seconds, "gains": of_events[1:].mean(0).tolist()}
        for name, at in (("validation", slice(1)), ("test", slice(1, None))):
            row[name] = (float(hits[at].mean()), float(of_events[at].mean()))
        self.rows.append(row)
        print(len(self.rows), seconds, row["validation"], file=sys.stderr, flush=True)
        best = max(range(len(self.rows)), key=lambda n: self.rows[n]["validation"][1])
        if len(self.rows) - 1 - best >= PATIENCE:
            raise StopEarly
        self.begin()


def kept_trials(
    kept: Path,
    configs: Iterable[Mapping[str, Any]],
    train: Callable[[Mapping[str, Any], int], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Each trial's configuration and epochs, from the file where it has them, which gets the rest.

    Args:
        kept: a line a trial.
        configs: of the trials.
        train: a configuration and its number to the rows of its epochs.
    """
    lines = kept.read_text().splitlines() if kept.exists() else []
    found = []
    for number, config in enumerate(configs):
        if number < len(lines):
            trial = json.loads(lines[number])
            if trial["config"] != config:
                sys.exit(f"{kept}: trial {number} has another configuration than {config}")
        else:
            print(config, file=sys.stderr, flush=True)
            trial = {"config": config, "epochs": train(config, number)}
            with kept.open("a") as file:
                file.write(json.dumps(trial) + "\n")
        found.append(trial)
    return found


def main() -> None:
    """Run one peer's trials."""
    name, folder, kept = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[6])
    events, trials, epochs = map(int, sys.argv[3:6])
    out, sys.stdout = sys.stdout, sys.stderr  # they print their progress
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    peer: Callable[..., None] = warprec
    configs = of_warprec()
    if name == "gru4rec":
        peer, configs = lambda trial, *rest: gru4rec(trial, sys.argv[7], *rest), of_gru4rec()

    def train(config: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
        trial = Trial(folder, events)
        torch.manual_seed(number)
        with suppress(StopEarly):
            peer(trial, config, number, epochs)
        return trial.rows

    kept_trials(kept, islice(configs, trials), train)
    print(json.dumps({"peak_gib": peak_gib()}), file=out)


if __name__ == "__main__":
    main()
