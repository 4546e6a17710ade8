"""The toy of the architecture's page does what the real thing does, in a second."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[1] / "docs" / "minisweep.py"
TOY = runpy.run_path(str(PATH))


def test_its_folds_have_a_rolling_origin_and_the_sealed_part_is_the_last() -> None:
    folds, sealed = TOY["make_folds"](TOY["make_log"]())
    assert len(folds) == TOY["FOLDS"]
    ends = [train[-1, 0] for train, _ in folds]
    assert ends == sorted(set(ends))
    for train, window in folds:
        assert train[:, 0].max() <= window[:, 0].min()
        assert window[:, 0].max() <= sealed[:, 0].min()


@pytest.mark.parametrize(("rank", "gain"), [(1, 1.0), (3, 0.5), (11, 0.0)])
def test_its_score_is_the_gain_of_the_rank(rank: int, gain: float) -> None:
    scores = np.tile(np.arange(30)[::-1], (30, 1))  # course n has rank n + 1
    train, window = np.array([[0.0, 7, 4]]), np.array([[1.0, 7, rank - 1]])
    assert TOY["ndcg"](scores, train, window) == pytest.approx(gain)


def test_a_tie_counts_against_it() -> None:
    train, window = np.array([[0.0, 7, 4]]), np.array([[1.0, 7, 2]])
    assert TOY["ndcg"](np.ones((30, 30)), train, window) == 0.0


def test_it_finds_a_better_configuration_than_the_defaults_and_says_which() -> None:
    done = subprocess.run([sys.executable, PATH], capture_output=True, text=True, check=True)
    best, tested = TOY["main"]()
    assert best.number > 0
    assert f"{best.value:.4f} on the folds" in done.stdout
    assert f"opened once: {tested:.4f}" in done.stdout


def test_it_has_at_most_sixty_lines_of_code() -> None:
    lines = PATH.read_text("utf-8").splitlines()
    assert sum(bool(line.strip()) and '"""' not in line for line in lines) <= 60
