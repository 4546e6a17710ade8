"""`gru` beside GRU4Rec official and WarpRec's on MovieLens 100k, leave last events out: six trials
each, in one run.

    python benchmarks/parity_movielens.py [--environment FOLDER --gru4rec PATH] [--warprec FOLDER]
                                          [--events 1 5] [--ties drawn] [--trials 6]
                                          [--kept FOLDER]

The first FOLDER is the virtual environment of `peers.py`, PATH a checkout of
GRU4Rec_PyTorch_Official, `--warprec` an environment as for `race.py`. With `--events N` everybody
is trained on all but each learner's last N + 1 events; the first of these chooses trial and epoch;
each of the last N is predicted from all events before it, and a learner's NDCG@10 is their mean.
N = 1 is the usual leave-one-out; with more, the same question is answered with a smaller error.
Several N are asked in turn.

Half of the events share their second with another of their learner. There the order is that of
course ids, so that a learner's last event is the highest id of its second: it is unlike the events
that are trained on. With `--ties drawn` the order within a second is drawn once for all.

The sequences, the candidates (the whole catalogue without the courses of a history), the stopping
(five epochs without a better one, at most 24) and the machine are the same, one thread each. Each
side has its own space: what it tries first, then random draws (`peer_trials.py` for the peers);
`gru` with every event at its own place. Differences have a paired bootstrap interval over learners.
Seconds are a processor's, of training alone: of all epochs, and of those that are left where each
side stops a trial that lags behind its best as the default study does, which loses nobody's best.
Trials are kept in `--kept` one by one, and those that are there already aren't trained again: after
a change of the code remove `gru`'s.

The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import polars as pl
import torch
from ray.tune.schedulers import TrialScheduler
from scipy.stats import bootstrap

from peer_trials import PATIENCE, kept_trials
from peers import CPU, events, install, peer, targets_of, training_of, write_log
from recsweep.config.files import load_experiment
from recsweep.config.values import Configuration
from recsweep.data.types import Targets, Training
from recsweep.evaluation.metrics import ndcg, recall
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of
from recsweep.models.registry import family as family_of
from recsweep.search.lag import Lag
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.next_item.ranking import Ranker

EXPERIMENT = Path(__file__).parents[1] / "experiments/default.yaml"
EPOCHS = 24
PEERS = {"gru4rec": "GRU4Rec official", "warprec": "WarpRec GRU4Rec"}


def drawn_ties(log: pl.DataFrame) -> pl.DataFrame:
    """The order within a second by chance."""
    chance = pl.Series("chance", np.random.default_rng(0).random(len(log)))
    log = log.with_columns(chance).sort("user", "time", "chance").drop("chance")
    return log.with_columns(place=pl.int_range(pl.len()).over("user"))


def configurations(family: str, trials: int) -> Iterator[Configuration]:
    """The first trials of the family's space, then random draws."""
    path = own_space(family_of(family), "next_item")
    assert path is not None
    space = load_space(path, families_of("next_item"))
    first = [space.whole(config) for config in space.first().values()]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = (space.suggest(study.ask()) for _ in range(trials - len(first)))
    yield from first[:trials]
    yield from drawn


def measured(
    family: str,
    training: Training,
    targets: Sequence[Targets],
    precision: str,
    config: Configuration,
    seed: int,
) -> list[dict[str, Any]]:
    """(recall@10, NDCG@10) of every epoch, of the first targets and of the rest, the test's
    NDCG@10 of each learner, and seconds of training.
    """
    model = families_of("next_item")[family].model(config, Context(training, seed, CPU, precision))
    assert isinstance(model, GradientRanker)
    rankers = [Ranker(each, training.n_items, CPU) for each in targets]
    rows: list[dict[str, Any]] = []
    best = 0
    while len(rows) < EPOCHS and len(rows) - 1 - best < PATIENCE:
        began = time.process_time()
        model.fit_epoch()
        row: dict[str, Any] = {"seconds": time.process_time() - began}
        ranks = [ranker.ranks(model) for ranker in rankers]
        found = [(float(recall(each, 10).mean()), float(ndcg(each, 10).mean())) for each in ranks]
        row["validation"], row["test"] = found[0], tuple(np.mean(found[1:], axis=0).tolist())
        row["gains"] = np.mean([ndcg(each, 10) for each in ranks[1:]], axis=0).tolist()
        rows.append(row)
        best = max(range(len(rows)), key=lambda at: rows[at]["validation"][1])
    return rows


def told(name: str, trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The best trial's epoch by validation, and seconds of all trials."""
    number, epoch = max(
        ((n, e) for n, trial in enumerate(trials) for e in range(len(trial["epochs"]))),
        key=lambda at: trials[at[0]]["epochs"][at[1]]["validation"][1],
    )
    row = trials[number]["epochs"][epoch]
    curves = [trial["epochs"] for trial in trials]
    seconds, shorter = seconds_of(curves), seconds_of(not_lagging(curves))
    print(
        f"{name:18} recall@10 {row['test'][0]:.4f}  NDCG@10 {row['test'][1]:.4f}  (validation "
        f"{row['validation'][1]:.4f}; trial {number}, epoch {epoch + 1})  {seconds:7.1f} s of "
        f"{sum(map(len, curves))} epochs in {len(trials)} trials; {shorter:.1f} s where those "
        "that lag behind are stopped",
        flush=True,
    )
    return {**row, "seconds": seconds, "seconds_without_laggards": shorter, "trials": len(trials)}


def seconds_of(curves: Sequence[Sequence[Mapping[str, Any]]]) -> float:
    """Of all epochs."""
    return float(sum(row["seconds"] for curve in curves for row in curve))


def not_lagging(
    curves: Sequence[Sequence[Mapping[str, Any]]],
) -> list[Sequence[Mapping[str, Any]]]:
    """What a study would have trained of trials in turn, by the default study's rule.

    Raises:
        AssertionError: it would have missed the best trial's best epoch.
    """
    stopping = load_experiment(EXPERIMENT).stopping
    lag, kept = Lag(stopping, 1.0), list[Sequence[Mapping[str, Any]]]()
    for number, curve in enumerate(curves):
        epochs = 0
        for epochs, row in enumerate(curve, 1):
            behind = lags(lag, number, epochs, row["validation"][1])
            if behind and number >= stopping.full_trials:
                break
        kept.append(curve[:epochs])
    best = [max(row["validation"][1] for each in part for row in each) for part in (curves, kept)]
    assert best[0] == best[1]
    return kept


def lags(lag: Lag, number: int, epoch: int, value: float) -> bool:
    """Tell the rule of a trial's epoch: does the trial lag behind those before it?"""
    trial = SimpleNamespace(trial_id=str(number))
    said = lag.on_trial_result(None, trial, {"epoch": epoch, "value": value})
    return bool(said == TrialScheduler.STOP)


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """95% of the mean, by resampling learners."""
    found = bootstrap(
        (np.asarray(differences),),
        np.mean,
        n_resamples=9_999,
        batch=500,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def main() -> None:
    """Measure all, for one number of events after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--gru4rec", type=Path)
    parser.add_argument("--warprec", type=Path)
    parser.add_argument("--events", type=int, nargs="+", default=[1])
    parser.add_argument("--ties", choices=("id", "drawn"), default="id")
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--kept", type=Path)
    options = parser.parse_args()
    if options.gru4rec and not options.environment:
        parser.error("--gru4rec needs --environment")
    torch.set_num_threads(1)
    found, log = {}, events() if options.ties == "id" else drawn_ties(events())
    with tempfile.TemporaryDirectory() as temporary:
        options.kept = (options.kept or Path(temporary) / "kept").absolute()
        options.kept.mkdir(parents=True, exist_ok=True)
        write_log(log, Path(temporary))
        for n in options.events:
            print(f"last events predicted: {n}", flush=True)
            found[n] = compared(log, n, options, temporary)
    print(json.dumps({"benchmark": "parity_movielens", "found": found}))


def compared(log: pl.DataFrame, n: int, options: argparse.Namespace, folder: str) -> dict[str, Any]:
    """Everybody, on the last n events of each learner."""
    found = {}
    training = training_of(log, "place", n + 1)
    targets = [targets_of(log, which, drop_seen=True) for which in range(n + 1, 0, -1)]

    def kept(name: str) -> Path:
        ties = "" if options.ties == "id" else f"-{options.ties}"
        return Path(options.kept / f"{name}-{n}-{EPOCHS}{ties}.jsonl")

    ours = {f"gru {precision}": precision for precision in ("fp32", "bf16")}
    for name, precision in ours.items():
        trials = kept_trials(
            kept(f"gru-{precision}"),
            configurations("gru", options.trials),
            partial(measured, "gru", training, targets, precision),
        )
        found[name] = told(name, trials)
    for which, name in PEERS.items():
        if not (path := getattr(options, which)):
            continue
        python, more = path / "bin" / "python", []
        if which == "gru4rec":
            python, more = install(options.environment), [str(path.resolve())]
        how = (folder, str(n), str(options.trials), str(EPOCHS), str(kept(which)))
        peer(python, which, *how, *more, script="peer_trials.py")
        lines = kept(which).read_text().splitlines()[: options.trials]
        found[name] = told(name, [json.loads(line) for line in lines])
    gains = {name: np.asarray(each.pop("gains")) for name, each in found.items()}
    for name in ours:
        for other in found.keys() - ours.keys():
            low, high = interval(gains[name] - gains[other])
            found[name][f"ahead of {other}"] = (low, high)
            full, shorter = (
                found[name][key] / found[other][key]
                for key in ("seconds", "seconds_without_laggards")
            )
            print(
                f"{name}: {gains[name].mean() - gains[other].mean():+.4f} [{low:.4f}, {high:.4f}] "
                f"NDCG@10 ahead of {other} over {len(gains[name])} learners, in {full:.3f} of its "
                f"seconds, {shorter:.3f} where both stop laggards",
                flush=True,
            )
    return found


if __name__ == "__main__":
    main()
