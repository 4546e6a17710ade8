import io

import pytest
from rich.console import Console
from rich.live import Live
from studies import NOW

from recsweep.cli.refit_progress import RefitProgress
from recsweep.records.study import SweepSession
from recsweep.stages.confirm.refits import Job, RefitEnded
from recsweep.tracking.events import SweepEnded

END = SweepEnded(SweepSession(NOW, 1.0, 0.1, 1, 0.5, 1), interrupted=False)


def test_the_bar_of_refits_gives_way_to_a_search_and_comes_back() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    with RefitProgress(console, quiet=False) as progress:
        progress.give_way(END)
        with Live("the search", console=console):  # refused while another display is live
            pass
        progress(RefitEnded(Job("gru", "gru", {}, 1, 5, 1.0), 1, 2, 3.0))
    assert "the search" in shown.getvalue()
    assert "gru, seed 5 done" in shown.getvalue()


@pytest.mark.parametrize("quiet", [True, False])
def test_a_search_adds_no_empty_lines_to_a_log(quiet: bool) -> None:
    shown = io.StringIO()
    with RefitProgress(Console(file=shown, width=100), quiet=quiet) as progress:
        for _ in range(3):
            progress.give_way(END)
        assert shown.getvalue() == ""


def test_a_log_has_each_refit_on_one_line_however_long() -> None:
    shown = io.StringIO()
    with RefitProgress(Console(file=shown, width=20), quiet=False) as progress:
        progress(RefitEnded(Job("matrix_factorization", "x", {}, 1, 5, 1.0), 1, 2, 3.0))
    line = shown.getvalue().splitlines()[0]
    assert line.startswith("[1/2] matrix_factorization, seed 5 done, about ")
    assert line.endswith(" left")
