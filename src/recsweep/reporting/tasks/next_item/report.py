"""The task `next_item`: which targets there are, and what they are ranked against."""

from pathlib import Path

from recsweep.reporting.tasks.registry import TaskReport
from recsweep.reporting.view import View
from recsweep.reporting.words import load_words


def _notes(view: View) -> list[str]:
    targets = view.study.experiment.targets
    notes = [
        view.say("protocol_history"),
        view.say("protocol_targets", which=view.say(f"which_{targets.which}")),
        view.say("protocol_catalogue", seen=view.say(f"seen_{targets.seen}")),
    ]
    if targets.candidates == "catalogue":
        notes.append(view.say("protocol_candidates"))
    return notes


REPORT = TaskReport(
    means="the whole catalogue is ranked, ties count against the model, and a mean is over "
    "a learner's targets first and over learners then.",
    words=load_words(Path(__file__).with_name("words.yaml")),
    notes=_notes,
)
