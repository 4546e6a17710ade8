"""The peers' side of `race.py`: runs where only the peer is installed.

    python peer_race.py recbole | implicit | gru4rec | warprec | cornac FOLDER GOAL SECONDS [PATH]

FOLDER as in `peer.py`; PATH is the checkout that `gru4rec` needs. Trains until the validation
NDCG@10 is GOAL or SECONDS are over. Everybody is ranked here, by one rule: of each learner the
event before the last, after all before it, in the whole catalogue without the courses of the
history; ties count against, and so does a course that training doesn't know. Seconds are this
process's processor's, of training alone: neither what comes before its first step, nor ranking. The
one line of JSON has them and NDCG@10 after every epoch.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from peaks import peak_gib
from peer import MODELS, StopEarly, read, recbole_trainer

EPOCHS = 1000
"""More than anybody is given time for."""
Scorer = Callable[[Sequence[Any]], Any]
"""Histories, an array of courses each, to (n_histories, n) scores."""


class Race:
    """A log, and how far somebody has come on it."""

    def __init__(self, folder: Path, goal: float, limit: float) -> None:
        np: Any = import_module("numpy")
        events = read(folder, import_module("pandas"))
        last = events.groupby("user").cumcount(ascending=False)
        self.known = events[last >= 2]
        self.histories = [each.to_numpy() for _, each in self.known.groupby("user").item]
        self.target = events[last == 1].sort_values("user").item.to_numpy()
        self.n_items = int(events.item.max()) + 1
        self.goal, self.limit = goal, limit
        self.seconds = 0.0
        self.rows: list[tuple[float, float]] = []
        self._np, self._began = np, 0.0

    def begin(self) -> None:
        """The clock runs."""
        self._began = time.process_time()

    def epoch(self, scorer: Scorer, places: Any) -> None:
        """One more is over.

        Args:
            scorer: of (n_histories, n) scores.
            places: (n_items,) column of each course, -1 of one that training doesn't know.

        Raises:
            StopEarly: it is far enough, or too late.
        """
        np = self._np
        self.seconds += time.process_time() - self._began
        scores = np.full((len(self.histories), self.n_items), -np.inf)
        scores[:, places >= 0] = scorer(self.histories)[:, places[places >= 0]]
        for row, history in zip(scores, self.histories, strict=True):
            row[history] = -np.inf
        own = scores[np.arange(len(scores)), self.target][:, None]
        rank = (scores >= own).sum(1)
        gain = np.where((rank <= 10) & np.isfinite(own[:, 0]), 1 / np.log2(rank + 1), 0)
        self.rows.append((self.seconds, float(gain.mean())))
        print(self.rows[-1], file=sys.stderr, flush=True)
        if self.rows[-1][1] >= self.goal or self.seconds > self.limit:
            raise StopEarly
        self._began = time.process_time()


def padded(
    histories: Sequence[Any], places: Any, longest: int | None, padding: int
) -> tuple[Any, Any]:
    """(n, longest) places of the last courses, left-aligned, and (n,) how many."""
    torch: Any = import_module("torch")
    of_known = [places[each] for each in histories]
    rows = [torch.from_numpy(each[each >= 0][-(longest or len(each)) :]) for each in of_known]
    table = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
    return table, torch.tensor([len(each) for each in rows])


def recurrent(network: Any, places: Any) -> Scorer:
    """The networks of GRU4Rec's authors and of cornac, over whole histories at once."""
    torch: Any = import_module("torch")
    cell = network.G[0]
    layer = torch.nn.GRU(cell.input_size, cell.hidden_size, batch_first=True)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})

    def score(histories: Sequence[Any]) -> Any:
        items, length = padded(histories, places, None, 0)
        with torch.inference_mode():
            states = layer(network.Wy(items))[0][torch.arange(len(items)), length - 1]
            return network.score_items(states, network.Wy.weight, network.By.weight).numpy()

    return score


def recbole(race: Race, folder: Path) -> None:
    """RecBole's GRU4Rec with its own learning rate and batches, prefixes of up to 50 courses."""
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    trainer, train = recbole_trainer(folder, "gru")
    tokens = train.dataset.field2token_id["item_id"]
    known = set(race.known.item)
    places = np.array([tokens[str(n)] if n in known else -1 for n in range(race.n_items)])

    def score(histories: Sequence[Any]) -> Any:
        trainer.model.eval()
        items, length = padded(histories, places, 50, 0)
        asked = {"item_id_list": items, "item_length": length}
        with torch.inference_mode():
            return trainer.model.full_sort_predict(asked).view(len(items), -1).numpy()

    race.begin()
    for epoch in count():
        trainer._train_epoch(train, epoch, show_progress=False)
        race.epoch(score, places)


def implicit(race: Race) -> None:
    """ALS of implicit, 64 factors and 15 iterations, which are one epoch here."""
    np: Any = import_module("numpy")
    sparse: Any = import_module("scipy.sparse")
    warnings.simplefilter("ignore")
    library: Any = import_module("implicit.als")
    users, courses = race.known.user.to_numpy(), race.known.item.to_numpy()
    ones = np.ones(len(users), np.float32)
    matrix = sparse.csr_matrix((ones, (users, courses)), (users.max() + 1, race.n_items))
    model = library.AlternatingLeastSquares(
        factors=64, iterations=15, num_threads=1, random_state=0
    )
    known = np.isin(np.arange(race.n_items), courses)
    race.begin()
    model.fit(matrix, show_progress=False)
    race.epoch(
        lambda histories: model.user_factors @ model.item_factors.T,
        np.where(known, np.arange(race.n_items), -1),
    )


def gru4rec(race: Race, path: str) -> None:
    """GRU4Rec of its authors, cross entropy over 2,048 sampled courses, otherwise its defaults."""
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    sys.path.insert(0, path)
    official: Any = import_module("gru4rec_pytorch")

    class Watched(official.SessionDataIterator):  # type: ignore[misc]
        """Looks at the network after each epoch, which the library gives no hook for."""

        def __call__(self, *arguments: Any, **named: Any) -> Any:
            yield from super().__call__(*arguments, **named)
            places = self.itemidmap.reindex(range(race.n_items)).fillna(-1).to_numpy(np.int64)
            race.epoch(recurrent(model.model, places), places)

    official.SessionDataIterator = Watched
    model = official.GRU4Rec(
        layers=[MODELS["gru"][1]["hidden_size"]],
        loss="cross-entropy",
        constrained_embedding=True,
        n_epochs=EPOCHS,
        device=torch.device("cpu"),
    )
    names = {"user": "SessionId", "item": "ItemId", "place": "Time"}
    known = race.known.rename(columns=names)
    torch.manual_seed(0)
    race.begin()
    model.fit(known, sample_cache_max_size=1_000_000)


def warprec(race: Race) -> None:
    """WarpRec's GRU4Rec by its own trainer's settings, without Ray, which its package needs beside.

    Prefixes of up to 50 courses in batches of 1,024, cross entropy, a learning rate of .0028.
    """
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    lightning: Any = import_module("lightning")
    names = {"user": "user_id", "item": "item_id", "place": "timestamp"}
    known = race.known.rename(columns=names)
    data = import_module("warprec.data.dataset").Dataset(known, timestamp_label="timestamp")
    library: Any = import_module("warprec.recommenders.sequential_recommender.gru4rec")
    sizes = {"max_seq_len": 50, "dropout_prob": 0.0, "reg_weight": 0.0, "weight_decay": 0.0}
    rates = {"batch_size": 1024, "epochs": EPOCHS, "learning_rate": 0.0028, "neg_samples": 0}
    model = library.GRU4Rec({**MODELS["gru"][1], **sizes, **rates}, data.info(), seed=0)
    model.set_optimization_parameters()
    batches = model.get_dataloader(data.train_set, data.train_session, num_workers=0, seed=0)
    of_course = data.get_mappings()[1]
    places = np.array([of_course.get(n, -1) for n in range(race.n_items)])

    def score(histories: Sequence[Any]) -> Any:
        model.eval()
        items, length = padded(histories, places, 50, model.n_items)
        with torch.inference_mode():
            return model.predict(items, length).numpy()

    class Watched(lightning.Callback):  # type: ignore[misc]
        """Looks at the network after each epoch."""

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            race.epoch(score, places)
            model.train()

    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        callbacks=[Watched()],
    )
    race.begin()
    trainer.fit(model, batches)


def cornac(race: Race) -> None:
    """cornac's GRU4Rec, cross entropy, otherwise its defaults."""
    np: Any = import_module("numpy")
    torch: Any = import_module("torch")
    of_model: Any = import_module("cornac.models.gru4rec.recom_gru4rec")
    rows = race.known[["user", "item", "place"]].itertuples(index=False, name=None)
    train = import_module("cornac.data").SequentialDataset.build(list(rows), fmt="SIT")
    places = np.array([train.iid_map.get(n, -1) for n in range(race.n_items)])

    def after_epoch(model: Any, *arguments: Any, **named: Any) -> float:
        race.epoch(recurrent(model.model, places), places)
        return 0.0

    of_model.val_score = after_epoch  # asked after every epoch
    model = of_model.GRU4Rec(
        layers=[MODELS["gru"][1]["hidden_size"]],
        n_epochs=EPOCHS,
        model_selection="best",
        val_eval_every=1,
        seed=0,
    )
    torch.manual_seed(0)
    race.begin()
    model.fit(train, train)


def main() -> None:
    """Run one peer."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    out, sys.stdout = sys.stdout, sys.stderr  # some print their progress
    import_module("torch").set_num_threads(1)
    race = Race(folder, float(sys.argv[3]), float(sys.argv[4]))
    peers: dict[str, Callable[[], None]] = {
        "recbole": lambda: recbole(race, folder),
        "implicit": lambda: implicit(race),
        "gru4rec": lambda: gru4rec(race, sys.argv[5]),
        "warprec": lambda: warprec(race),
        "cornac": lambda: cornac(race),
    }
    with suppress(StopEarly):
        peers[name]()
    print(json.dumps({"epochs": race.rows, "peak_gib": peak_gib()}), file=out)


if __name__ == "__main__":
    main()
