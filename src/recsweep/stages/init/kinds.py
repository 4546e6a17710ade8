"""What an event's raw type means, or what all events of a log are."""

from dataclasses import dataclass, field

from recsweep.data.types import KINDS
from recsweep.errors import BadInput
from recsweep.stages.init.columns import LogColumns, named_after
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.words import event_type, has, score

FEW = 60  # different values at most, of a column of types
DROP = "drop"


@dataclass(frozen=True, slots=True)
class EventKinds:
    """`type` of an event table."""

    constant: str | None
    column: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)  # raw values without a meaning -> rows


def find_kinds(look: Look, columns: LogColumns, given: str | None, answers: Answers) -> EventKinds:
    """A column of types with the meaning of its values, or one type for all.

    Raises:
        BadInput: no meaning is known and nobody answers, or the given column can't hold types.
    """
    taken = (columns.user, columns.item, columns.time, columns.dwell)
    names = [given] if given else [n for n in look.names if n not in taken]
    for name in sorted(names, key=lambda n: -score(n, "type")):
        found = _column(look, name, answers, sure=bool(given) or score(name, "type") >= 3)
        if found is not None:
            return found
    if given:
        raise BadInput(
            f"{look.path}: {given} holds no types of events; expected are at most {FEW} different "
            "values, and no decimals"
        )
    return EventKinds(_constant(look, columns, answers))


def _column(look: Look, name: str, answers: Answers, sure: bool) -> EventKinds | None:
    text = look.text(name)
    counts = dict(text.value_counts(sort=True).iter_rows())
    if not counts or len(counts) > FEW or (text.str.contains(r"^-?\d+[.,]\d+$").any()):
        return None
    known = {value: kind for value in counts if (kind := event_type(value))}
    if sum(counts[value] for value in known) < len(text) / 2 and not sure:
        return None
    unclear = [value for value in counts if value not in known]
    dropped = {}
    for value in unclear:
        answer = answers.settle(
            Question(
                text=f"What does {value!r} in {name} of {look.path.name} mean?",
                why=f"{counts[value]:,} of {len(text):,} rows",
                options=(*KINDS, DROP),
                best=DROP if known else None,
                remedy="nothing in the column is a known word; answer the questions, or write "
                "words such as browse and purchase in the file",
            )
        )
        if answer == DROP:
            dropped[value] = counts[value]
        else:
            known[value] = answer
    if not known:
        raise BadInput(f"{look.path}: all events are dropped; give at least one type of {name}")
    values = {value: known[value] for value in counts if value in known}
    return EventKinds(None, name, values, dropped)


def _constant(look: Look, columns: LogColumns, answers: Answers) -> str:
    """From the file's name, or a column's: orders.csv and ordered_at speak of buying."""
    hints = [named_after(look.path), columns.time, *look.names]
    for hint in hints:
        implicit = has(hint, ("implicit",))  # ratings that nobody gave
        known = hint not in (columns.user, columns.item) and not implicit
        if known and (kind := event_type(hint)):
            return kind
    return answers.settle(
        Question(
            text=f"What are the events of {look.path.name}?",
            why="no column says so",
            options=KINDS,
            best="browse",
            remedy="",
        )
    )
