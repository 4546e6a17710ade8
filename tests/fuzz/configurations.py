"""Mutated experiments, spaces and overrides, through `prepare` and the plan of a sweep."""

import copy
import json
import random
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import yaml
from fuzz import mutate
from fuzz.command import files, half_written, recsweep

REPOSITORY = Path(__file__).parents[2]
VALUES = (
    "", "1", "-1", "0.5", "[1, 2]", "{a: 1}", "[", "'", "nan", ".inf", "x: y", "null", "1e99",
    "../x", "*a", "!!python/name:os.system", "\x00", "2020-01-01",
)  # fmt: skip
SPACES = ("gru", "matrix_factorization", "wide_deep", "item_knn", "popularity")


class Configurations:
    """A small project whose configuration is damaged, a little, again and again."""

    def __init__(self, root: Path) -> None:
        self.root = root / "above" / "project"
        self.root.mkdir(parents=True)
        write_log(self.root / "log.csv")
        write_learners(self.root / "learners.csv")
        shutil.copytree(REPOSITORY / "search_spaces", self.root / "search_spaces")
        self.experiment = experiment()
        self.spaces = {
            name: (self.root / f"search_spaces/{name}.yaml").read_text() for name in SPACES
        }
        self.clean()

    def clean(self) -> None:
        """As it was before."""
        (self.root / "tiny.yaml").write_text(yaml.safe_dump(self.experiment))
        for name, text in self.spaces.items():
            (self.root / f"search_spaces/{name}.yaml").write_text(text)
        shutil.rmtree(self.root / "data", ignore_errors=True)
        shutil.rmtree(self.root / "results", ignore_errors=True)

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What was done, and the problem, if it brought one to light."""
        settings: list[str] = []
        refused = False  # must it be?
        kind = rng.choice(
            ("tree", "tree", "text", "typo", "set", "set", "space", "space", "text space")
        )
        if kind in ("tree", "typo"):
            damaged, said = (
                mutate.tree(self.experiment, rng)
                if kind == "tree"
                else misspelt(self.experiment, rng)
            )
            refused = kind == "typo"
            self._write("tiny.yaml", dumped(damaged))
        elif kind == "text":
            content, said = mutate.text(yaml.safe_dump(self.experiment, sort_keys=False), rng)
            refused = unsafe(content)
            self._write("tiny.yaml", content)
        elif kind == "set":
            settings, said = overrides(self.experiment, rng)
        else:
            name = rng.choice(SPACES)
            if kind == "space":
                keys, said = mutate.tree(yaml.safe_load(self.spaces[name]), rng)
                content = dumped(keys)
            else:
                content, said = mutate.text(self.spaces[name], rng)
                refused = unsafe(content)
            said = f"{name}: {said}"
            self._write(f"search_spaces/{name}.yaml", content)
        try:
            return f"{kind}: {said}", self._check(settings, refused)
        finally:
            self.clean()

    def _write(self, name: str, content: bytes) -> None:
        (self.root / name).write_bytes(content)

    def _check(self, settings: list[str], refused: bool) -> str | None:
        before = files(self.root.parent)
        arguments = [a for setting in settings for a in ("--set", setting)]
        with mock.patch("recsweep.search.plan._measure", return_value=[]):
            ended = recsweep(self.root, "plan", "tiny.yaml", *arguments)
        if problem := ended.problem():
            return problem
        new = files(self.root.parent) - before
        if half := half_written(new):
            return f"half written: {half}"
        if outside := [n for n in new if not n.startswith(("project/data", "project/results"))]:
            return f"written outside data and results: {outside}"
        if not ended.done:
            return f"exit 1 for a mistake of the user's: {ended.err}" if ended.status == 1 else None
        if refused:
            return "accepted, must be refused"
        manifests = list(self.root.glob("data/*/manifest.json"))
        if len(manifests) != 1:
            return f"accepted with {len(manifests)} prepared folders"
        read = json.loads(manifests[0].read_text())
        (rows,) = read["cleaning"] if len(read["cleaning"]) == 1 else (None,)
        if rows is not None and rows["kept"] + sum(rows["dropped"].values()) != rows["rows"]:
            return f"rows do not add up: {rows}"
        return None


def unsafe(content: bytes) -> bool:
    """Is there a tag that makes objects, outside comments?"""
    return any(b"!!python" in line and b"#" not in line for line in content.splitlines())


def experiment() -> dict[str, Any]:
    """One that uses most keys."""
    event = {
        "path": "log.csv", "user": "learner", "item": "course", "time": "at", "time_format": "unix",
        "type": {"column": "what", "values": {"view": "browse", "buy": "purchase"}},
    }  # fmt: skip
    users = {
        "path": "learners.csv", "key": "id", "numeric": ["age"], "categorical": ["job"],
        "tags": {"likes": "|"}, "missing": ["", "?"],
    }  # fmt: skip
    return {
        "study": "tiny",
        "description": "x",
        "task": "next_item",
        "data": {"name": "tiny", "events": [event], "users": users},
        "folds": {"rule": "time", "count": 2, "validation": 0.15, "test": 0.2},
        "targets": {"which": "all", "seen": "keep", "types": ["browse", "purchase"]},
        "metric": {"name": "ndcg", "k": 10, "report_k": [5, 10]},
        "features": ["age", "job"],
        "families": {name: f"search_spaces/{name}.yaml" for name in SPACES},
        "budget": {"trials": 3, "epochs": 2},
        "stopping": {"grace_epochs": 1, "reduction": 2, "full_trials": 1},
        "resources": {"cpu": 1, "gpu": 0, "workers": 2, "precision": "fp32"},
        "tracking": {"wandb": "off", "project": "recsweep", "close_seconds": 5},
        "selection": {"rule": "best_mean"},
        "confirm": {"seeds": 2, "smallest_effect": 0.01, "resamples": 1000},
        "seed": 0,
    }


def misspelt(original: dict[str, Any], rng: random.Random) -> tuple[dict[str, Any], str]:
    """A key of a closed mapping with a slip of the pen, beside the right one or instead of it."""
    damaged = copy.deepcopy(original)
    closed = [p for p in mutate.places(original) if isinstance(p[-1], str)]
    closed = [p for p in closed if not {"values", "tags", "families"} & set(p[:-1])]
    path = rng.choice(closed)
    holder = mutate.parent_of(damaged, path)
    name = mutate.typo(path[-1], rng)
    if name in holder or not name or name == "users":
        name = path[-1] + "_x"
    holder[name] = holder[path[-1]] if rng.random() < 0.5 else holder.pop(path[-1])
    return damaged, f"{path} as {name!r}"


def overrides(original: dict[str, Any], rng: random.Random) -> tuple[list[str], str]:
    """What a user may type after `--set`."""
    settings = []
    for _ in range(rng.choice((1, 1, 2))):
        path = list(map(str, rng.choice(mutate.places(original))))
        if rng.random() < 0.2:
            path[-1] = mutate.typo(path[-1], rng)
        if rng.random() < 0.1:
            path.append(rng.choice(("x", "", "0", "a.b")))
        value = rng.choice((*VALUES, str(rng.choice(mutate.JUNK))))
        settings.append(
            rng.choice(("=", "=", "=", "=", "==", "", ":", " = ")).join((".".join(path), value))
        )
    return settings, repr(settings)


def dumped(keys: Any) -> bytes:
    """As YAML, with the floats that YAML knows."""
    text: str = yaml.safe_dump(keys, allow_unicode=True, sort_keys=False)
    return text.encode()


def write_log(path: Path) -> None:
    """60 learners on 30 courses."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "learner": f"u{u:02}", "course": f"C{(u + 7 * n + int(rng.integers(0, 3))) % 30}",
            "at": int(t), "what": "buy" if n % 5 == 4 else "view",
        }
        for u in range(60)
        for n, t in enumerate(np.sort(rng.integers(0, 100_000, 12)) + 1_000_000_000)
    ]  # fmt: skip
    pl.DataFrame(rows).write_csv(path)


def write_learners(path: Path) -> None:
    """What is known of them."""
    pl.DataFrame(
        [
            {"id": f"u{u:02}", "age": "?" if u % 9 == 0 else str(20 + u), "job": "abc"[u % 3],
             "likes": "art|law" if u % 2 else "law"}
            for u in range(60)
        ]
    ).write_csv(path)  # fmt: skip
