"""What `recommend` says beside its lists."""

from collections import Counter

from recsweep.bundle.histories import ReadCounts
from recsweep.cli.model_lines import recommended_lines
from recsweep.stages.recommend import Recommended


def test_one_is_told_as_one_and_several_as_several() -> None:
    def told(n: int) -> list[str]:
        done = Recommended(read=ReadCounts(rows=9, dropped=Counter({"no time": n})))
        done.learners, done.rows = 5, 20
        done.courses_unknown = done.too_late = done.learners_unknown = n
        done.by_popularity = done.short = n
        return list(recommended_lines(done))[1:]

    assert told(1) == [
        "! 1 row left out: no time",
        "! 1 event on courses that the model doesn't know: no history",
        "! 1 event left out: not before --at",
        "! 1 learner in no table of learners: columns count as missing",
        "! 1 learner without a history that the model knows: popular courses",
        "! 1 learner gets fewer courses than were asked for",
    ]
    assert [line.split()[2] for line in told(2)] == ["rows", *["events"] * 2, *["learners"] * 3]
    assert told(2)[-1] == "! 2 learners get fewer courses than were asked for"
