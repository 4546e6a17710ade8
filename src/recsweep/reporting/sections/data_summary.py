"""Tables of the data, and of which rule took out how much."""

from recsweep.data.manifest import FeatureRows, Manifest, Period
from recsweep.reporting.view import View

Rows = list[tuple[str, ...]]


def cleaning_rows(view: View, manifest: Manifest) -> Rows:
    """(label, count or words); a rule that took out nothing is not listed."""
    out: Rows = []
    for table in manifest.cleaning:
        out.append((view.say("rows_of", path=table.path), f"{table.rows:,}"))
        for rule, n in table.dropped.items():
            if n:
                out.append((view.say("dropped", rule=view.term(rule)), f"{n:,}"))
        out += [
            (view.say("such_as", kind=kind, n=f"{n:,}"), "")
            for kind, n in table.unmapped_types.items()
        ]
    if manifest.duplicates:
        out.append((view.say("duplicates"), f"{manifest.duplicates:,}"))
    kept = manifest.development.events + manifest.sealed_test.events
    out.append((view.say("kept"), f"{kept:,}"))
    tables = (("learner_table", manifest.user_table), ("course_table", manifest.item_table))
    out += [(view.say(key), _features(view, rows)) for key, rows in tables if rows is not None]
    return out


def period_rows(view: View, manifest: Manifest) -> Rows:
    """(period, from, to, events, learners, courses)."""
    periods = (("development", manifest.development), ("sealed_test", manifest.sealed_test))
    found = [(view.say(key), *_period(period)) for key, period in periods]
    if not manifest.fold_rule.in_time:
        return [(name, "–", "–", *counts) for name, _, _, *counts in found]
    return found


def fold_rows(view: View) -> Rows:
    """A head with the folds' names, then one row a count."""
    folds = view.study.folds
    keys = dict.fromkeys(key for counts in folds.values() for key in counts)
    return [
        ("", *folds),
        *((view.term(key), *(f"{c.get(key, 0):,}" for c in folds.values())) for key in keys),
    ]


def _period(period: Period) -> tuple[str, ...]:
    counts = (period.events, period.users, period.items)
    return period.start.iso[:10], period.end.iso[:10], *(f"{n:,}" for n in counts)


def _features(view: View, rows: FeatureRows) -> str:
    return view.say(
        "feature_rows",
        rows=f"{rows.rows:,}",
        without=f"{rows.without_event:,}",
        unknown=f"{rows.ids_without_row:,}",
    )
