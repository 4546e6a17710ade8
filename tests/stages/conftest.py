"""A finished tiny study for every test of this folder, and two committed ones."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from reference import copied
from tiny import World, build

from recsweep.records.checked import write_checked


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("finished"))
    torch.set_num_threads(1)
    os.environ["TINY_LOG"] = str(world.root)
    try:
        build(world)
    finally:
        del os.environ["TINY_LOG"]
    return world


@pytest.fixture
def world(_finished: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A copy of the finished study, its log and its prepared data, to do with as one likes."""
    copy = World(tmp_path / "project")
    shutil.copytree(_finished.root, copy.root)
    monkeypatch.setenv("TINY_LOG", str(copy.root))
    return copy


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The committed evidence of two studies."""
    return copied("default", tmp_path), copied("mars", tmp_path)


@pytest.fixture
def edit() -> Callable[[Path, str, str], None]:
    """Replace a text that a file holds, once; a record's digest is made anew."""

    def edit(path: Path, old: str, new: str) -> None:
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        if path.suffix == ".json":
            content = json.loads(path.read_text("utf-8"))
            if content.pop("digest", None):
                write_checked(path, content)

    return edit
