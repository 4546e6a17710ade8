"""Tables of the data, and of which rule took out how much."""

from recsweep.data.manifest import FeatureRows, Manifest
from recsweep.reporting.view import View, capitalised

Rows = list[tuple[str, ...]]


COUNTED = {"events": ("events", "units", "courses"), "sessions": ("units",), "texts": ("events",)}


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
    """A head, then one row a period: (period, from, to, events, learners, courses), as far as the
    data have that.
    """
    kind, clock = manifest.data.kind, manifest.fold_rule.in_time
    heads = ["period", *(("from", "to") if clock or kind == "events" else ()), *COUNTED[kind]]
    found: Rows = [tuple(capitalised(view.say(key)) for key in heads)]
    periods = {"development": manifest.development, "sealed_test": manifest.sealed_test}
    for name, period in periods.items():
        cells = {
            "period": view.say(name),
            "from": period.start.iso[:10] if clock else "–",
            "to": period.end.iso[:10] if clock else "–",
            "events": f"{period.events:,}",
            "units": f"{period.users:,}",
            "courses": f"{period.items:,}",
        }
        found.append(tuple(cells[key] for key in heads))
    return found


def fold_rows(view: View) -> Rows:
    """A head with the folds' names, then one row a count."""
    folds = view.study.folds
    keys = dict.fromkeys(key for counts in folds.values() for key in counts)
    return [
        ("", *folds),
        *((view.term(key), *(f"{c.get(key, 0):,}" for c in folds.values())) for key in keys),
    ]


def _features(view: View, rows: FeatureRows) -> str:
    return view.say(
        "feature_rows",
        rows=f"{rows.rows:,}",
        without=f"{rows.without_event:,}",
        unknown=f"{rows.ids_without_row:,}",
    )
