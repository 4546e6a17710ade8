"""What a rebuilt configuration shows in a terminal."""

from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from recsweep.cli.confirmation_lines import reproduction_table
from recsweep.stages.reproduce.figures import Figure


@pytest.mark.parametrize(
    ("obstacles", "tolerance", "digits"), [((), 0.0, 10), (("engine a → b",), 0.034, 8)]
)
def test_no_number_and_no_verdict_of_a_rebuilt_figure_is_cut_at_80_columns(
    obstacles: tuple[str, ...], tolerance: float, digits: int
) -> None:
    figures = (
        Figure("recall@10", "seed 9000", 0.7748171369, 0.7748171369, tolerance),
        Figure("ndcg@10", "seed 9001", 0.4209868878, 0.2209868878, tolerance),
    )
    found: Any = SimpleNamespace(figures=figures, obstacles=obstacles)
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(reproduction_table(found))
    *_, same, other = (line for line in captured.get().splitlines() if line.strip())
    bound = [f"{tolerance:.2g}"] if obstacles else []
    recorded, rebuilt = f"{0.4209868878:.{digits}f}", f"{0.2209868878:.{digits}f}"
    one = f"{0.7748171369:.{digits}f}"
    assert same.split() == ["recall@10", "seed", "9000", one, one, "0", *bound, "ok"]
    told = ["ndcg@10", "seed", "9001", recorded, rebuilt, "-0.2", *bound, "differs"]
    assert other.split() == told
