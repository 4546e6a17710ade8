"""The zone of times that are written without one: no file tells it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from recsweep.errors import BadInput
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question

HAN = r"[\u4e00-\u9fff]"
OF_ENCODING = {"gb18030": "Asia/Shanghai", "big5hkscs": "Asia/Taipei"}


def find_zone(looks: Sequence[Look], given: str | None, answers: Answers) -> str:
    """A name of the time zone database; where files are in Chinese the guess is China's.

    Raises:
        BadInput: the answer is no zone.
    """
    encodings = [OF_ENCODING[e] for look in looks if (e := look.table.encoding) in OF_ENCODING]
    best = encodings[0] if encodings else "Asia/Shanghai" if any(map(_chinese, looks)) else "UTC"
    zone = given or answers.settle(
        Question(
            text="In which time zone are times that name none?",
            why="the files are in Chinese" if best != "UTC" else "the files don't tell",
            options=(),
            best=best,
            remedy="",
        )
    )
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise BadInput(
            f"{zone!r} is no time zone; write one such as Asia/Shanghai, Europe/Berlin or UTC"
        ) from None
    return zone


def _chinese(look: Look) -> bool:
    texts = [look.text(name).head(1000) for name in look.names]
    return any(text.str.contains(HAN).any() for text in texts) or any(
        "\u4e00" <= c <= "\u9fff" for name in look.names for c in name
    )
