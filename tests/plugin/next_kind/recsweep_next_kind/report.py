"""What the report says of this task."""

from markupsafe import Markup

from recsweep.records.confirmation import Confirmation
from recsweep.reporting.tasks.registry import TaskReport
from recsweep.reporting.view import View
from recsweep_next_kind.settings import NextKind
from recsweep_next_kind.task import Details

ENGLISH = {
    "kind_rule": "Example: a learner’s last event of a period, if it has a history. Asked: is it "
    "of the kind {kind}?",
    "kind_shares": "{family} promised {promised:.1%}, {share:.1%} were.",
}


def _notes(view: View) -> list[str]:
    return [view.say("kind_rule", kind=view.study.experiment.settings_of(NextKind).kind)]


def _section(view: View, sealed: Confirmation) -> Markup:
    found = Markup()
    for family, result in sealed.families.items():
        details = Details.model_validate(result.details["next_kind"])
        text = view.say("kind_shares", family=family, **details.model_dump())
        found += Markup("<p>{}</p>").format(text)
    return found


REPORT = TaskReport(
    means="a mean is over learners, each with one target.",
    words={"en": ENGLISH},
    notes=_notes,
    section=_section,
)
