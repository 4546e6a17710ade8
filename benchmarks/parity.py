"""Does a family reach the numbers that others publish? Amazon Beauty of S3-Rec, leave one out.

One configuration a family, the first of its space or, with --best, that of a finished study's
`best/`: epochs are chosen on each learner's event before the last, and the model is asked for the
last ones over the whole catalogue, with the events before them in its histories. As in the papers
it has not trained on those; with --validation-too it has, as `confirm` does.
docs/parity.md has the figures, and every difference of protocol.

    RECSWEEP_DATA=/path/to/data python benchmarks/parity.py markov popularity item_knn
"""

import argparse
import gzip
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import torch

from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration, RecordedConfiguration
from recsweep.data.before_cut import is_inside, learn, moment_of
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.sources import resolve
from recsweep.data.splits import LEARNED
from recsweep.data.types import Dataset, Fold
from recsweep.models.registry import families_of
from recsweep.models.registry import family as family_of
from recsweep.records.selection import read_best
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds, make_fold
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import TEST, Split
from recsweep.training.refit import refit
from recsweep.training.trial import Trial

ROOT = Path(__file__).parents[1]
CPU = torch.device("cpu")
PATIENCE = 5
"""Epochs without a better score on the validation events before training ends."""


class Figure(NamedTuple):
    """HR@10 and NDCG@10 on the test events."""

    hit_rate: float
    ndcg: float
    whose: str


KNOWN: Mapping[str, tuple[Figure, ...]] = {
    "popularity": (
        Figure(0.0152, 0.0068, "S3-Rec paper"),
        Figure(0.0115, 0.0055, "counted apart from this project"),
    ),
    "markov": (Figure(0.0628, 0.0422, "counted apart from this project"),),
    "gru": (Figure(0.0283, 0.0137, "GRU4Rec in the S3-Rec paper"),),
    "sasrec": (
        Figure(0.0605, 0.0318, "S3-Rec paper"),
        Figure(0.0921, 0.0531, "blondered/transformer_benchmark, sampled softmax"),
    ),
}


def test_of(dataset: Dataset, experiment: Experiment, *, validation_too: bool) -> Fold:
    """The last events as a window; trained on is all else, or all but the events before them."""
    whole = unseal(dataset)
    events, rule = whole.development, experiment.folds
    if validation_too:
        return make_fold(TEST, events, whole.cuts.test, whole, experiment)
    cut = moment_of(events, whole.cuts.test[0], rule)
    before, inside = events.cut_by == LEARNED, is_inside(events, whole.cuts.test)
    learned = learn(events, before, cut, whole, experiment)
    split = Split(TEST, events, (cut, cut), before, inside, learned, whole, experiment)
    task = TASKS[experiment.task]
    training = task.training(split)
    return Fold(TEST, cut, learned.items, training, task.targets(split, training))


def measured(
    family: str,
    config: RecordedConfiguration,
    folds: tuple[Fold, ...],
    test: Fold,
    experiment: Experiment,
    epochs: int,
) -> Iterator[dict[str, object]]:
    """The test's figures, last of all; before them each epoch's on the validation events."""
    task, precision = TASKS[experiment.task], experiment.resources.precision
    trial = Trial(family, config, folds, experiment, epochs=epochs, seed=0, device=CPU)
    while trial.epoch < trial.epochs:
        report = trial.advance()
        best = trial.best or report
        yield {"epoch": report.epoch, "NDCG@10": report.value, "seconds": report.fit_seconds}
        if report.epoch - best.epoch >= PATIENCE:
            break
    model = refit(
        family,
        config,
        test.training,
        epochs=best.epoch,
        seed=0,
        device=CPU,
        precision=precision,
        task=task,
    )
    scorer = task.scorer(test.validation, test.n_items, CPU)
    means, _ = task.summarise(scorer.outcomes(model), test.validation, experiment.metric)
    yield {
        "family": family,
        "HR@10": means["recall@10"],
        "NDCG@10": means["ndcg@10"],
        "on validation": best.value,
        "epochs": best.epoch,
        "learners": len(test.validation.histories),
    }


def by_hand(lines: Sequence[Sequence[str]], *, by_popularity: bool) -> tuple[float, float]:
    """HR@10 and NDCG@10 of the first-order chain by a plain loop over the file.

    Equal counts are taken by popularity, or as they first come in the file. Courses that never
    followed come last, by popularity.

    Args:
        lines: of each learner, all courses, oldest first.
        by_popularity: the rule of ties.
    """
    follows: dict[str, Counter[str]] = defaultdict(Counter)
    popular: Counter[str] = Counter()
    for courses in lines:
        popular.update(courses[:-2])
        for item, then in pairwise(courses[:-2]):
            follows[item][then] += 1
    most = [item for item, _ in popular.most_common()]
    hits, gain = 0, 0.0
    for *history, target in lines:
        row, seen = follows[history[-1]], set(history)
        ranked = sorted(row, key=lambda item: (-row[item], -popular[item] * by_popularity))
        others = (item for item in (*ranked, *most[:200]) if item not in seen)
        listed = list(islice(dict.fromkeys(others), 10))
        if target in listed:
            hits, gain = hits + 1, gain + 1 / math.log2(listed.index(target) + 2)
    return hits / len(lines), gain / len(lines)


def _published(family: str, experiment: Experiment) -> Configuration:
    """The defaults of its space."""
    kinds = families_of(experiment.task)
    found = own_space(family_of(family), experiment.task)
    assert found is not None  # every family here comes with a space
    space = load_space(found, kinds)
    return space.whole(space.first()["defaults"])


def _shown(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Print a line an epoch, the figures beside those of others, and a line of JSON at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("families", nargs="*", default=["popularity", "markov"])
    parser.add_argument("--epochs", type=int, default=60, help="at most")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--best", type=Path, help="of a study of the file: results/beauty/best")
    parser.add_argument(
        "--validation-too",
        action="store_true",
        help="train on the validation events before the test",
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    experiment = load_experiment(
        ROOT / "experiments/beauty.yaml", [f"resources.precision={args.precision}"]
    )
    dataset = prepare(experiment, ROOT)
    folds, found = development_folds(dataset, experiment), []
    test = test_of(dataset, experiment, validation_too=args.validation_too)
    for family in args.families:
        if family not in families_of(experiment.task):
            parser.error(f"no family is called {family}: {', '.join(families_of(experiment.task))}")
        began = time.monotonic()
        best = args.best and args.best / f"{family}.yaml"
        config = read_best(best).config if best else _published(family, experiment)
        for line in measured(family, config, folds, test, experiment, args.epochs):
            print("; ".join(f"{key}: {_shown(value)}" for key, value in line.items()), flush=True)
        if family == "markov":
            path = resolve(experiment.data.events[0], None, ROOT / "data/raw").path
            text = gzip.decompress(path.read_bytes()).decode()
            lines = [line.split()[1:] for line in text.splitlines()]
            for way, popularity in (("place in the file", False), ("popularity", True)):
                rate, ndcg = by_hand(lines, by_popularity=popularity)
                print(f"  HR@10 {rate:.4f}, NDCG@10 {ndcg:.4f}: a plain loop, ties by {way}")
        for other in KNOWN.get(family, ()):
            print(f"  HR@10 {other.hit_rate:.4f}, NDCG@10 {other.ndcg:.4f}: {other.whose}")
        found.append({**line, "seconds": round(time.monotonic() - began)})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
