"""A table of labelled sessions: which column is the label, and which of its values mean yes."""

from recsweep.config.schema import PURCHASE
from recsweep.errors import BadInput
from recsweep.stages.init.columns import best_named
from recsweep.stages.init.experiment import Draft, suggested, table_keys
from recsweep.stages.init.features import find_features
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.style import as_keys as style_keys
from recsweep.stages.init.words import ID_ENDS, MISSING, YES, normal


def find_label(look: Look) -> str | None:
    """A column of two answers whose header says that something was bought."""
    for name in best_named(look.names, "label"):
        if len(_answers(look, name)) == 2:
            return name
    return None


def find_positive(look: Look, label: str, answers: Answers) -> list[str]:
    """The raw values that mean yes.

    Raises:
        BadInput: neither value is a known word, and nobody answers.
    """
    values = _answers(look, label)
    yes = [value for value in values if value.lower() in YES]
    if len(yes) == 1:
        return yes
    if not values:
        raise BadInput(f"{look.path}: the label {label} is empty")
    counts = dict(look.text(label).value_counts().iter_rows())
    rows = ", ".join(f"{value!r} in {counts[value]:,} rows" for value in values)
    return [
        answers.settle(
            Question(
                text=f"Which value of {label} in {look.path.name} means that somebody bought?",
                why=rows,
                options=tuple(values),
                best=None,
                remedy="answer the question, or write yes and no in the file",
            )
        )
    ]


def _answers(look: Look, name: str) -> list[str]:
    text = look.text(name)
    return list(text.filter(~text.is_in(MISSING)).unique().sort())


def study_of_sessions(look: Look, label: str, draft: Draft, answers: Answers) -> None:
    """Fill in `data`, `folds` and `families` for a table of sessions."""
    positive = find_positive(look, label, answers)
    columns = find_features(look, None, answers)
    for tags in (*columns.tags, *columns.text):
        columns.left_out[tags] = "sessions have categories and numbers only"
    columns.left_out.pop(label, None)
    columns.left_out |= {
        name: "named like an id" for name in columns.categorical if normal(name).endswith(ID_ENDS)
    }
    kept = {
        "categorical": [n for n in columns.categorical if n not in columns.left_out and n != label],
        "numeric": [n for n in columns.numeric if n not in columns.left_out and n != label],
    }
    draft.keys["task"] = PURCHASE
    draft.keys["data"]["sessions"] = {
        **table_keys(look.table),
        "label": label,
        "positive": positive,
        **{kind: names for kind, names in kept.items() if names},
        **({"missing": ["", *columns.missing]} if columns.missing else {}),
        **style_keys(columns.style),
    }
    for name, why in columns.left_out.items():
        draft.say(("data", "sessions", "label"), f"Left out: {name} ({why})")
    draft.keys["folds"] = {"rule": "stratified", "count": 5, "test": 0.2}
    draft.keys["metric"] = {"name": "log_loss"}
    draft.keys["families"] = suggested(PURCHASE, histories=False)
