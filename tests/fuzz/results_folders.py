"""Mutated files of a finished study, through the commands that read them."""

import json
import os
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import yaml
from fuzz import mutate
from fuzz.command import Ended, half_written, recsweep
from fuzz.configurations import write_log

from recsweep.config.files import load_experiment
from recsweep.errors import WorkFailed
from recsweep.records.files import write_study
from recsweep.search.ledger import Ledger
from recsweep.search.sessions import SessionClock
from recsweep.search.storage import open_family, open_storage
from recsweep.stages.sweep.stage import collect, load_inputs
from recsweep.training.trial import Trial

FAMILIES = ("matrix_factorization", "popularity", "markov")
STUDY = "results/tiny"
COMMANDS = {
    "study.json": ("select", "report", "confirm"),
    "trials.parquet": ("select", "report", "confirm"),
    "curves.parquet": ("select", "report"),
    "user_values/*.npz": ("select", "report"),
    "verdicts.json": ("report", "confirm"),
    "openings.json": ("report",),
    "confirmation.parquet": ("report", "confirm"),
    "best/*.yaml": ("reproduce",),
    "optuna.log": ("search",),
    "sessions.json": ("search",),
}
DECIDING = ("kind", "config", "seed", "epochs", "metric", "metrics", "value", "data", "experiment")
UNPROTECTED = ("optuna.log", "sessions.json", "openings.json")
"""A digit that changes in one of these can't be told; they must be taken without a traceback."""


class ResultsFolders:
    """A finished study, restored after every case."""

    def __init__(self, root: Path) -> None:
        torch.set_num_threads(1)
        self.root = root / "project"
        self.root.mkdir(parents=True)
        self.study = self.root / STUDY
        write_log(self.root / "log.csv")
        shutil.copytree(Path(__file__).parents[2] / "search_spaces", self.root / "search_spaces")
        (self.root / "tiny.yaml").write_text(yaml.safe_dump(_experiment()))
        _search(self.root)
        for command in ("select", "confirm", "report"):
            ended = recsweep(self.root, command, STUDY)
            assert ended.done, ended.err
        self.finished = self._snapshot()

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What was done, and the problem, if it brought one to light."""
        pattern = rng.choice(list(COMMANDS))
        path = rng.choice(sorted(self.study.glob(pattern)))
        command = rng.choice(COMMANDS[pattern])
        before = path.read_bytes()
        content, said = _damaged(path, before, rng)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        elif rng.random() < 0.3:
            path.mkdir()
            said = "a folder in its place"
        name = str(path.relative_to(self.study))
        try:
            problem = self._check(command, name, pattern, content)
            return f"{command} after {name}: {said}", problem
        finally:
            self._restore()

    def _check(self, command: str, name: str, pattern: str, content: bytes | None) -> str | None:
        damaged = self._snapshot()
        target = {"reproduce": f"{STUDY}/{name}", "search": "tiny.yaml"}.get(command, STUDY)
        nothing = WorkFailed("a sweep would have to start Ray")
        with mock.patch("recsweep.search.run.cluster", side_effect=nothing):
            ended = recsweep(self.root, command, target)
        if problem := ended.problem():
            return problem
        after = self._snapshot()
        if half := half_written(set(after) - set(damaged)):
            return f"half written: {half}"
        if not ended.done:
            return self._untouched(damaged, after)
        if content is None or pattern in UNPROTECTED:
            return None
        if command == "reproduce":
            return _edited(self.finished[name], content)
        return self._same(after, name, ended)

    def _untouched(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str | None:
        """A command that fails leaves every file as it was, but it may have opened the test."""
        changed = {n for n in {**before, **after} if before.get(n) != after.get(n)}
        changed -= {"openings.json", "sweep.lock", "optuna.log"}
        return f"failed, yet wrote {sorted(changed)}" if changed else None

    def _same(self, after: Mapping[str, bytes], damaged: str, ended: Ended) -> str | None:
        """A command that succeeds says the same as before the damage."""
        outputs = [n for n in self.finished if n.startswith(("best/", "leaderboard", "report"))]
        for name in outputs:
            if name != damaged and after.get(name) != self.finished[name]:
                return f"accepted, and {name} says something else; {ended.err}"
        return None

    def _snapshot(self) -> dict[str, bytes]:
        return {
            str(p.relative_to(self.study)): p.read_bytes()
            for p in self.study.rglob("*")
            if p.is_file()
        }

    def _restore(self) -> None:
        now = self._snapshot() if self.study.exists() else {}
        for folder in [p for p in self.study.rglob("*") if p.is_dir() and not any(p.iterdir())]:
            folder.rmdir()
        for name in set(now) - set(self.finished):
            (self.study / name).unlink()
        for name, content in self.finished.items():
            if now.get(name) != content:
                (self.study / name).write_bytes(content)


def _damaged(path: Path, before: bytes, rng: random.Random) -> tuple[bytes | None, str]:
    if rng.random() < 0.08:
        return None, "deleted"
    if path.suffix in (".parquet", ".npz"):
        return mutate.octets(before, rng)
    text = before.decode()
    kind = rng.randrange(4)
    if kind == 0 and path.suffix != ".log":
        keys = yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
        if isinstance(keys, list):
            keys = {"list": keys}
            damaged, said = mutate.tree(keys, rng)
            inner: Any = damaged.get("list", damaged)
        else:
            inner, said = mutate.tree(keys, rng)
        dumped = (
            yaml.safe_dump(inner, sort_keys=False) if path.suffix == ".yaml" else json.dumps(inner)
        )
        return dumped.encode(), said
    if kind == 1 and (found := mutate.digit(text, rng)):
        return found[0].encode(), found[1]
    return mutate.text(text, rng)


def _edited(original: bytes, content: bytes) -> str | None:
    """Reproduction must refuse a file with another configuration, figure or input."""
    before, after = yaml.safe_load(original), yaml.safe_load(content)
    for key in DECIDING:
        if before[key] != after.get(key):
            return f"reproduced, although {key} was edited"
    return None


def _experiment() -> dict[str, Any]:
    event = {"path": "log.csv", "user": "learner", "item": "course", "time": "at"}
    return {
        "study": "tiny",
        "data": {"name": "tiny", "events": [event]},
        "folds": {"count": 2, "validation": 0.2, "test": 0.2},
        "targets": {"seen": "keep"},
        "metric": {"report_k": [5, 10]},
        "families": {name: f"search_spaces/{name}.yaml" for name in FAMILIES},
        "budget": {"trials": 2, "epochs": 2},
        "stopping": {"grace_epochs": 1},
        "resources": {"workers": 1},
        "tracking": {"wandb": "off"},
        "confirm": {"seeds": 2, "resamples": 1000},
    }


def _search(root: Path) -> None:
    """What a sweep leaves, without Ray."""
    before = Path.cwd()
    os.chdir(root)
    try:
        inputs = load_inputs(load_experiment(Path("tiny.yaml")), Path())
    finally:
        os.chdir(before)
    experiment, folder = inputs.experiment, root / STUDY
    folder.mkdir(parents=True)
    storage = open_storage(folder)
    studies = {
        name: open_family(storage, name, space, experiment, inputs.dataset.fingerprint)
        for name, space in inputs.spaces.items()
    }
    ledger = Ledger(
        folder, experiment, inputs.spaces, storage, studies, inputs.folds, lambda event: None
    )
    clock = SessionClock(folder, 1, 0.0)
    while (family := ledger.turns.next_family()) is not None:
        proposal = ledger.ask(family)
        trial = Trial(
            inputs.spaces[family].family, proposal.config, inputs.folds, experiment,
            epochs=2, seed=proposal.seed, device=torch.device("cpu"),
        )  # fmt: skip
        for _ in range(trial.epochs):
            ledger.report(proposal.id, trial.advance())
        assert trial.best is not None
        ledger.complete(proposal.id, trial.best)
    clock.save(ledger.busy_seconds, ledger.ended)
    os.chdir(root)
    try:
        write_study(collect(inputs, {}), Path(STUDY))
    finally:
        os.chdir(before)
