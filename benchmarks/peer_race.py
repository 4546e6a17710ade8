"""The peers' side of `race.py`: runs where only the peer is installed.

    python peer_race.py recbole | implicit | gru4rec | gru4rec_quick | warprec | cornac FOLDER GOAL
                        SECONDS [PATH]

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
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from peaks import peak_gib
from peer import MODELS, StopEarly, read, recbole_trainer

EPOCHS = 1000
"""More than anybody is given time for."""
GRU4REC: Mapping[str, Any] = {"layers": [MODELS["gru"][1]["hidden_size"]]}
"""GRU4Rec official: the sizes of the others, otherwise its defaults."""
GRU4REC_QUICK: Mapping[str, Any] = {
    "layers": [64],
    "batch_size": 256,
    "learning_rate": 0.1,
    "n_sample": 256,
}
"""The quickest of eight to an NDCG@10 of .058: none of the others is there in 2 s."""
WARPREC: Mapping[str, Any] = {
    **MODELS["gru"][1],
    "dropout_prob": 0.0,
    "weight_decay": 0.0,
    "batch_size": 1024,
    "learning_rate": 0.0028,
}
BLOCK = 64
"""Histories that a recurrent network reads at once."""
Scorer = Callable[[Sequence[Any], Sequence[int]], Any]
"""Histories, an array of courses each, and how many of their last events are cut off, to (n_cuts,
n_histories, n) scores.
"""


class LeftOut:
    """A log of which the last events of every learner aren't trained on, and their ranks."""

    def __init__(self, folder: Path, left_out: int) -> None:
        events = read(folder, import_module("pandas"))
        self.known = events[events.groupby("user").cumcount(ascending=False) >= left_out]
        self.n_items = int(events.item.max()) + 1
        self._courses = [each.to_numpy() for _, each in events.groupby("user").item]
        self._began = 0.0

    def begin(self) -> None:
        """The clock runs."""
        self._began = time.process_time()

    def since(self) -> float:
        """Seconds of this process's processor."""
        return time.process_time() - self._began

    def epoch(self, scorer: Scorer, places: Any) -> None:
        """One more is over.

        Args:
            scorer: of scores.
            places: (n_items,) column of each course, -1 of one that training doesn't know.

        Raises:
            StopEarly: the rest isn't wanted.
        """
        raise NotImplementedError

    def ranks(self, scorer: Scorer, places: Any, asked: Sequence[int]) -> Any:
        """(n_asked, n_learners) of each learner's event so far from the end, after all before it;
        infinite for a course that training doesn't know.
        """
        np: Any = import_module("numpy")
        least, known = min(asked), places >= 0
        found = scorer([each[:-least] for each in self._courses], [each - least for each in asked])
        ranks = np.empty((len(asked), len(self._courses)))
        for row, which, of_known in zip(ranks, asked, found, strict=True):
            scores = np.full((len(row), self.n_items), -np.inf)
            scores[:, known] = of_known[:, places[known]]
            for of_learner, courses in zip(scores, self._courses, strict=True):
                of_learner[courses[:-which]] = -np.inf
            target = [courses[-which] for courses in self._courses]
            own = scores[np.arange(len(scores)), target]
            row[:] = np.where(np.isfinite(own), (scores >= own[:, None]).sum(1), np.inf)
        return ranks


class Race(LeftOut):
    """How far somebody has come."""

    def __init__(self, folder: Path, goal: float, limit: float) -> None:
        super().__init__(folder, 2)
        self.goal, self.limit = goal, limit
        self.seconds = 0.0
        self.rows: list[tuple[float, float]] = []

    def epoch(self, scorer: Scorer, places: Any) -> None:
        """It is over when it is far enough, or too late."""
        self.seconds += self.since()
        gain = gains(self.ranks(scorer, places, [2]))
        self.rows.append((self.seconds, float(gain.mean())))
        print(self.rows[-1], file=sys.stderr, flush=True)
        if self.rows[-1][1] >= self.goal or self.seconds > self.limit:
            raise StopEarly
        self.begin()


def gains(ranks: Any) -> Any:
    """NDCG@10 of one target at each rank."""
    np: Any = import_module("numpy")
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)


def cut_off(score: Callable[[Sequence[Any]], Any]) -> Scorer:
    """Of what scores after whole histories."""
    np: Any = import_module("numpy")
    return lambda histories, cuts: np.stack(
        [score([each[: len(each) - cut] for each in histories]) for cut in cuts]
    )


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
    np: Any = import_module("numpy")
    cell = network.G[0]
    layer = torch.nn.GRU(cell.input_size, cell.hidden_size, batch_first=True)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})

    def score(histories: Sequence[Any], cuts: Sequence[int]) -> Any:
        known = [np.cumsum(places[each] >= 0) for each in histories]
        last = np.array([[each[len(each) - 1 - cut] - 1 for each in known] for cut in cuts])
        found = np.empty((*last.shape, len(network.Wy.weight)), np.float32)
        order = np.argsort([len(each) for each in histories])  # so that little is padded
        for first in range(0, len(order), BLOCK):
            at = order[first : first + BLOCK]
            items, _ = padded([histories[n] for n in at], places, None, 0)
            with torch.inference_mode():
                states = layer(network.Wy(items))[0]
                for scores, state in zip(found, last[:, at], strict=True):
                    asked = states[torch.arange(len(at)), torch.from_numpy(state)]
                    weights = (network.Wy.weight, network.By.weight)
                    scores[at] = network.score_items(asked, *weights).numpy()
        return found

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
        race.epoch(cut_off(score), places)


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
        cut_off(lambda histories: model.user_factors @ model.item_factors.T),
        np.where(known, np.arange(race.n_items), -1),
    )


def gru4rec(
    race: LeftOut,
    path: str,
    config: Mapping[str, Any] = GRU4REC,
    seed: int = 0,
    epochs: int = EPOCHS,
) -> None:
    """GRU4Rec of its authors, cross entropy over sampled courses."""
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    if path not in sys.path:
        sys.path.insert(0, path)
    official: Any = import_module("gru4rec_pytorch")
    plain: Any = official.SessionDataIterator

    class Watched(plain):  # type: ignore[misc]
        """Looks at the network after each epoch, which the library gives no hook for."""

        def __call__(self, *arguments: Any, **named: Any) -> Any:
            yield from super().__call__(*arguments, **named)
            places = self.itemidmap.reindex(range(race.n_items)).fillna(-1).to_numpy(np.int64)
            race.epoch(recurrent(model.model, places), places)

    torch.manual_seed(seed)
    model = official.GRU4Rec(
        loss="cross-entropy", n_epochs=epochs, device=torch.device("cpu"), **config
    )
    known = race.known.rename(columns={"user": "SessionId", "item": "ItemId", "place": "Time"})
    official.SessionDataIterator = Watched
    race.begin()
    try:
        model.fit(known, sample_cache_max_size=1_000_000)
    finally:
        official.SessionDataIterator = plain


def warprec(
    race: LeftOut, config: Mapping[str, Any] = WARPREC, seed: int = 0, epochs: int = EPOCHS
) -> None:
    """WarpRec's GRU4Rec by its own trainer's settings, without Ray, which its package needs beside.

    Prefixes of up to 50 courses, cross entropy.
    """
    torch: Any = import_module("torch")
    np: Any = import_module("numpy")
    lightning: Any = import_module("lightning")
    names = {"user": "user_id", "item": "item_id", "place": "timestamp"}
    known = race.known.rename(columns=names)
    data = import_module("warprec.data.dataset").Dataset(known, timestamp_label="timestamp")
    library: Any = import_module("warprec.recommenders.sequential_recommender.gru4rec")
    rest = {"max_seq_len": 50, "reg_weight": 0.0, "epochs": epochs, "neg_samples": 0}
    model = library.GRU4Rec({**config, **rest}, data.info(), seed=seed)
    model.set_optimization_parameters()
    batches = model.get_dataloader(data.train_set, data.train_session, num_workers=0, seed=seed)
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
            race.epoch(cut_off(score), places)
            model.train()

    trainer = lightning.Trainer(
        max_epochs=epochs,
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
        "gru4rec_quick": lambda: gru4rec(race, sys.argv[5], GRU4REC_QUICK),
        "warprec": lambda: warprec(race),
        "cornac": lambda: cornac(race),
    }
    with suppress(StopEarly):
        peers[name]()
    print(json.dumps({"epochs": race.rows, "peak_gib": peak_gib()}), file=out)


if __name__ == "__main__":
    main()
