"""The task `next_item`: which targets there are, and what they are ranked against."""

from collections.abc import Mapping
from pathlib import Path

from recsweep.records.confirmation import Confirmation
from recsweep.reporting.tasks.registry import Say, TaskReport, listed
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


def _plainly(say: Say, sealed: Confirmation, asked: Mapping[str, str]) -> str:
    """How often the next course is in the list: recall, where there is one course to find."""
    k = sealed.metric.partition("@")[2]
    if any(f"recall@{k}" not in sealed.families[name].metrics for name in asked):
        return ""
    shares = {name: f"{sealed.families[name].metrics[f'recall@{k}'].mean:.1%}" for name in asked}
    (first, title), *rivals = asked.items()
    others = [say("plainly_other", a=called, share=shares[name]) for name, called in rivals]
    return say("plainly", a=title, k=k, share=shares[first], others=listed(say, others))


REPORT = TaskReport(
    means="the whole catalogue is ranked, ties count against the model, and a mean is over "
    "a learner's targets first and over learners then.",
    words=load_words(Path(__file__).with_name("words.yaml")),
    notes=_notes,
    plainly=_plainly,
)
