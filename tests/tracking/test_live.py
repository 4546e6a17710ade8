from pathlib import Path

from studies import NOW
from worlds import experiment_of

from recsweep.records.live import read_live
from recsweep.records.study import SweepSession
from recsweep.spaces.declared import DeclaredSpace
from recsweep.tracking.events import SweepEnded, SweepStarted
from recsweep.tracking.live import LiveFile


def test_the_file_says_what_was_set_out_to_do_and_how_it_ended(tmp_path: Path) -> None:
    listener = LiveFile(tmp_path)
    assert read_live(tmp_path) is None
    listener(
        SweepStarted(
            experiment_of(), {"gru": DeclaredSpace(family="gru")}, {"gru": 12}, (), 2, "u", 0
        )
    )
    live = read_live(tmp_path)
    assert live is not None
    assert (live.study, live.metric, dict(live.targets)) == ("test", "ndcg@10", {"gru": 12})
    assert (live.workers, live.epochs, live.ended) == (2, 8, None)
    listener(SweepEnded(SweepSession(NOW, 10, 1, 2, 15, 2), interrupted=True))
    ended = read_live(tmp_path)
    assert ended is not None
    assert ended.interrupted
    assert ended.ended is not None
    assert ended.started == live.started


def test_a_file_of_another_kind_is_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"study": 1}')
    assert read_live(tmp_path) is None
