"""Which columns of a log say who, which course, when, what, and for how long."""

from dataclasses import dataclass
from pathlib import Path

from recsweep.errors import BadInput
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.times import TimeFormat, find_format, refuse_odd, refuse_spoilt
from recsweep.stages.init.words import Role, event_type, normal, score

ONE_OF_MANY = 0.5  # share of rows that a column of ids may have values
RATINGS = 11  # different values at most of what is a rating or a kind, and no id
STARTS: dict[str, tuple[str, ...]] = {
    "user": ("u", "user", "learner", "student"),
    "item": ("c", "i", "item", "course"),
}
WHO: dict[Role, str] = {"user": "the learner", "item": "the course", "time": "the time"}


QUIET = Answers(lambda question: question.options[0])
"""Where it is only asked whether a column holds times, however they are meant."""


@dataclass(frozen=True, slots=True)
class LogColumns:
    """The columns that a log needs, and the seconds spent where it has them."""

    user: str
    item: str
    time: str
    format: TimeFormat
    dwell: str | None


def best_named(names: list[str], role: Role) -> list[str]:
    """Columns whose header names the role best; none if no header does."""
    scores = {name: score(name, role) for name in names}
    top = max([1, *scores.values()])  # 0 is not at all
    return [name for name in names if scores[name] == top]


def looks_like_log(look: Look, given: dict[Role, str]) -> bool:
    """Do its headers name a learner and a course; without a header, does it hold times?"""
    if look.table.header or given:
        return all(best_named(look.names, role) or role in given for role in ("user", "item"))
    return any(find_format(look, name, QUIET) is not None for name in look.names)


def find_columns(look: Look, given: dict[Role, str], answers: Answers) -> LogColumns:
    """The roles of a log's columns.

    Raises:
        BadInput: one can't be found and nobody answers, or a given column isn't there.
    """
    for name in given.values():
        if name not in look.names:
            raise BadInput(f"{look.path}: has no column {name!r}; it has {', '.join(look.names)}")
    time, form = _time(look, given, answers)
    left = [name for name in look.names if name != time and len(look.text(name))]
    user = _id(look, "user", [n for n in left if n != given.get("item")], given, answers)
    item = _id(look, "item", [n for n in left if n != user], given, answers)
    seconds = [n for n in best_named(left, "dwell") if n not in (user, item)]
    return LogColumns(user, item, time, form, _plain_seconds(look, seconds))


def _time(look: Look, given: dict[Role, str], answers: Answers) -> tuple[str, TimeFormat]:
    ids = {n for role in ("user", "item") for n in best_named(look.names, role)}
    names = [given["time"]] if "time" in given else [n for n in look.names if n not in ids]
    named = best_named(names, "time")
    for name in named:
        refuse_spoilt(look, name)
    holding = [n for n in names if find_format(look, n, QUIET) is not None]
    if not holding:
        for name in named:
            refuse_odd(look, name)
        found = f": {named[0]} holds {look.text(named[0])[0]!r}" if named else ""
        raise BadInput(
            f"{look.path}: no column holds times that can be read{found}; columns are "
            f"{', '.join(look.names)}"
        )
    likely = [n for n in holding if n in named] or holding
    name = likely[0]
    if len(likely) > 1:
        name = answers.settle(_which(look, "time", likely, likely[0] if named else None))
    form = find_format(look, name, answers)
    assert form is not None
    return name, form


def _id(look: Look, role: Role, names: list[str], given: dict[Role, str], answers: Answers) -> str:
    if role in given:
        return given[role]
    other: Role = "item" if role == "user" else "user"
    named = [n for n in best_named(names, role) if score(n, role) > score(n, other)]
    if len(named) == 1:
        return named[0]
    open_ = [n for n in names if _may_be_id(look, n) and not best_named([n], other)]
    likely = named or _by_values(look, role, names) or open_
    if not likely:
        raise BadInput(
            f"{look.path}: no column can be {WHO[role]}; columns are {', '.join(look.names)}"
        )
    if len(likely) == 1 and not look.table.header:
        return likely[0]
    best = likely[0] if named or len(likely) <= 2 else None
    return answers.settle(_which(look, role, likely, best))


def _which(look: Look, role: Role, likely: list[str], best: str | None) -> Question:
    shown = "; ".join(f"{n} holds {', '.join(look.text(n).unique(maintain_order=True)[:2])}"
                      for n in likely)  # fmt: skip
    return Question(
        text=f"Which column of {look.path.name} holds {WHO[role]}?",
        why=shown,
        options=tuple(likely),
        best=best,
        remedy=f"name it with --{role} COLUMN",
    )


def _by_values(look: Look, role: Role, names: list[str]) -> list[str]:
    """Columns whose ids begin with a letter or word that tells, as in u12 or course-7."""
    return [
        name
        for name in names
        if len(first := look.text(name).str.extract(r"^([A-Za-z]+)[-_]?\d+$").unique()) == 1
        and normal(first[0] or "") in STARTS[role]
    ]


def _may_be_id(look: Look, name: str) -> bool:
    """Several values, most of them met more than once, neither fractions nor types of events."""
    text = look.text(name)
    values = text.head(1000)
    if values.str.contains(r"^-?\d+[.,]\d+$").any():
        return False
    kinds = sum(event_type(value) is not None for value in values)
    distinct = text.n_unique()
    many = distinct > RATINGS or len(text) < RATINGS**2
    return many and 1 < distinct <= max(2, ONE_OF_MANY * len(text)) and kinds < len(values) / 2


def _plain_seconds(look: Look, names: list[str]) -> str | None:
    for name in names:
        if look.text(name).str.contains(r"^\d+(\.\d+)?$").all():
            return name
    return None


def named_after(path: Path) -> str:
    """What a file's name says, without what it was packed with."""
    return path.name.split(".")[0]
