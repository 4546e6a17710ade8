"""The peers' side of `peers.py`: runs where only the peer is installed, prints a line of JSON.

    python peer.py recbole FOLDER FAMILY SECONDS THREADS | implicit FOLDER
                   | gru4rec FOLDER PATH

FOLDER has `peers/peers.inter`: user, item and place (the order of a learner's events, unique). The
last event of a learner is left out, the one before is validated on, the rest is trained on.
"""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from peaks import peak_gib

THREADS = 2
MODELS = {
    "gru": ("GRU4Rec", {"hidden_size": 128, "embedding_size": 64, "num_layers": 1}),
    "sasrec": ("SASRec", {"hidden_size": 64, "inner_size": 256, "n_layers": 2, "n_heads": 2}),
}


def recbole_trainer(folder: Path, family: str) -> tuple[Any, Any]:
    """A network of RecBole with its trainer, and what it trains on."""
    name, sizes = MODELS[family]
    config_dict = {
        **sizes,
        "data_path": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
        "use_gpu": False,
        "show_progress": False,
        "seed": 0,
    }
    config = import_module("recbole.config").Config(
        model=name, dataset="peers", config_dict=config_dict
    )
    import_module("recbole.utils").init_seed(0, True)
    logging.disable(logging.CRITICAL)
    data: Any = import_module("recbole.data")
    train, _, _ = data.data_preparation(config, data.create_dataset(config))
    kind = getattr(import_module("recbole.model.sequential_recommender"), name)
    trainer = import_module("recbole.trainer").Trainer(config, kind(config, train.dataset))
    return trainer, train


def recbole(folder: Path, family: str, seconds: float, threads: int) -> dict[str, object]:
    """The speed of a network of RecBole over some seconds."""
    import_module("torch").set_num_threads(threads)
    trainer, train = recbole_trainer(folder, family)
    clock = time.process_time if threads == 1 else time.perf_counter
    speed = batches_a_second(trainer, train, seconds, clock) * train.step
    events = len(train.dataset)
    return {"events": events, "events_per_second": speed, "epoch_seconds": events / speed}


def batches_a_second(trainer: Any, train: Any, seconds: float, clock: Callable[[], float]) -> float:
    """The steps of RecBole's own `_train_epoch`, for a while; the first batch warms up."""
    trainer.model.train()
    done, started = -1, 0.0
    for batch in train:
        trainer.optimizer.zero_grad()
        loss = trainer.model.calculate_loss(batch.to(trainer.device))
        loss.backward()
        trainer.optimizer.step()
        done += 1
        if done == 0:
            started = clock()
        elif clock() - started > seconds:
            break
    return done / (clock() - started)


def implicit(folder: Path) -> dict[str, object]:
    """ALS of implicit, 64 factors and 15 iterations: how many events a second."""
    np: Any = import_module("numpy")
    pandas: Any = import_module("pandas")
    sparse: Any = import_module("scipy.sparse")
    events = read(folder, pandas)
    last = events.groupby("user").cumcount(ascending=False)
    n_users, n_items = events.user.max() + 1, events.item.max() + 1
    known = events[last >= 2]
    matrix = sparse.csr_matrix(
        (np.ones(len(known), np.float32), (known.user, known.item)), (n_users, n_items)
    )
    warnings.simplefilter("ignore")
    library: Any = import_module("implicit.als")
    began = time.perf_counter()
    model = library.AlternatingLeastSquares(
        factors=64, iterations=15, num_threads=THREADS, random_state=0
    )
    model.fit(matrix, show_progress=False)
    seconds = time.perf_counter() - began
    return {"events": len(known), "events_per_second": 15 * len(known) / seconds}


def gru4rec(folder: Path, path: Path) -> dict[str, object]:
    """The official GRU4Rec in PyTorch: one epoch with 2,048 sampled courses a batch, its way."""
    torch: Any = import_module("torch")
    pandas: Any = import_module("pandas")
    torch.set_num_threads(1)  # faster here than two
    sys.path.insert(0, str(path))
    sys.stdout = sys.stderr  # it prints its progress
    events = read(folder, pandas)
    last = events.groupby("user").cumcount(ascending=False)
    known = events[last >= 2].rename(
        columns={"user": "SessionId", "item": "ItemId", "place": "Time"}
    )
    model = import_module("gru4rec_pytorch").GRU4Rec(
        layers=[MODELS["gru"][1]["hidden_size"]],
        loss="cross-entropy",
        batch_size=512,
        constrained_embedding=True,
        n_sample=2048,
        n_epochs=1,
        device=torch.device("cpu"),
    )
    began = time.perf_counter()
    model.fit(known, sample_cache_max_size=1_000_000)
    seconds = time.perf_counter() - began
    targets = len(known) - known.SessionId.nunique()
    return {"events": targets, "events_per_second": targets / seconds, "seconds": seconds}


class StopEarly(Exception):
    """The rest of a training isn't wanted."""


def read(folder: Path, pandas: Any) -> Any:
    """The events as a table, ordered by user and place, codes from 0."""
    events = pandas.read_csv(folder / "peers" / "peers.inter", sep="\t")
    events.columns = ["user", "item", "place"]
    return events.sort_values(["user", "place"]).reset_index(drop=True)


def main() -> None:
    """Run one peer."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    out = sys.stdout
    if name == "recbole":
        found = recbole(folder, sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
    elif name == "implicit":
        found = implicit(folder)
    else:
        found = gru4rec(folder, Path(sys.argv[3]))
    print(json.dumps({**found, "peak_gib": peak_gib()}), file=out)


if __name__ == "__main__":
    main()
