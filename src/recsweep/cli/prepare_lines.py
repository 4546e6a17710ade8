"""What `prepare` says: what was read and dropped, and what every fold has to go on."""

import time
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from recsweep.config.schema import EventTable
from recsweep.data.arrays import changes
from recsweep.data.clock import DAY, iso
from recsweep.data.manifest import FeatureRows, FoldSupport, Manifest, Period
from recsweep.data.types import BOUGHT, KINDS, Events
from recsweep.tasks.support import Support


def summary_lines(
    manifest: Manifest,
    development: Events,
    support: Sequence[Support],
    labels: Mapping[str, int] | None = None,
) -> list[tuple[str, str]]:
    """Pairs of (label, value), in reading order; a rule that took out nothing is not listed.

    `labels` are of the development's texts, where rows are texts.
    """
    lines = [("data set", f"{manifest.name}, fingerprint {manifest.fingerprint[:12]}")]
    for table in manifest.cleaning:
        lines.append((f"rows of {PurePosixPath(table.path).name}", f"{table.rows:,}"))
        lines += [(f"  dropped: {_said(rule)}", f"{n:,}") for rule, n in table.dropped.items() if n]
        lines += [(f"    such as {kind!r}", f"{n:,}") for kind, n in table.unmapped_types.items()]
        lines += [(f"  {value!r} says no", f"{n:,}") for value, n in table.negative.items()]
    if manifest.duplicates:
        of_kind = {"events": "learner, course, time, type", "texts": "text"}
        same = of_kind.get(manifest.data.kind, "all columns")
        lines.append((f"dropped: same {same}", f"{manifest.duplicates:,}"))
    tables = (("learners", manifest.user_table), ("courses", manifest.item_table))
    for word, rows in tables:
        if rows is not None:
            lines.append((f"table of {word}", _feature_rows(rows, word)))
    if manifest.data.sessions is not None:
        return lines + _sessions(manifest)
    if manifest.data.texts:
        return lines + _texts(manifest, labels or {})
    on_clock = manifest.fold_rule.in_time
    lines.append(("times", _times(manifest, development)))
    lines.append(("equal instants", _equal_instants(development)))
    if not on_clock:
        lines.append(("split", _NOT_IN_TIME[manifest.fold_rule.rule]))
    lines += _period("development", manifest.development, on_clock)
    targets = {fold.name: fold for fold in support}
    for fold in manifest.folds:
        lines += _fold(fold, on_clock)
        if fold.name in targets:
            lines.append(("    targets", _targets(targets[fold.name])))
    lines += _period("sealed test", manifest.sealed_test, on_clock)
    if not manifest.data.in_sessions:
        return lines
    return [(label, said.replace("learner", "session")) for label, said in lines]


_NOT_IN_TIME = {
    "leave_one_out": "each learner's last moments are left out; time is not respected: folds train "
    "on what other learners did later",
    "learners": "learners are drawn at random; time is not respected: folds train on what other "
    "learners did later",
}


def caveats(manifest: Manifest) -> list[str]:
    """What would spoil a study if it were overlooked, one line each."""
    found = [*manifest.odd_ids, *manifest.odd_values]
    if manifest.sealed_test.end.microseconds > time.time() * 1e6 + DAY:
        until = manifest.sealed_test.end.iso[:10]
        found.append(
            f"The log's last event is of {until}, and that is still to come: if such times stand "
            "for no time, set data.times.latest"
        )
    tables = (("learners", manifest.user_table), ("courses", manifest.item_table))
    found += [
        f"{rows.path}: only {rows.ids - rows.ids_without_row:,} of {rows.ids:,} {word} of the log "
        "have a row; features of all others are missing"
        for word, rows in tables
        if rows is not None and 2 * rows.ids_without_row > rows.ids > 0
    ]
    declared = (("learners", manifest.data.users), ("courses", manifest.data.items))
    undated = [word for word, table in declared if table is not None and not table.dated]
    if not undated:
        return found
    return [
        *found,
        f"Table of {' and of '.join(undated)}: neither valid_from nor immutable is given, so its "
        "columns count as known from the start. One that counts events (mean rating, views, sales) "
        "then tells of the future: leave it out, or say since when a row is known.",
    ]


def _sessions(manifest: Manifest) -> list[tuple[str, str]]:
    """Parts of a table without a clock."""
    unit = manifest.data.unit
    parts = [(f"  {fold.name}", fold.validation) for fold in manifest.folds]
    named = [("development", manifest.development), *parts, ("sealed test", manifest.sealed_test)]
    return [
        (name, f"{part.events:,} {unit}, {part.types.get(KINDS[BOUGHT], 0):,} labelled yes")
        for name, part in named
    ] + [("time", "not respected: the table has no clock, parts are drawn at random")]


def _texts(manifest: Manifest, labels: Mapping[str, int]) -> list[tuple[str, str]]:
    """Parts of tables of texts."""
    timed = manifest.fold_rule.in_time
    parts = [(f"  {fold.name}", fold.validation) for fold in manifest.folds]
    named = [("development", manifest.development), *parts, ("sealed test", manifest.sealed_test)]
    lines = [
        (name, f"{part.events:,} texts" + (f", {_days(part)}" if timed else ""))
        for name, part in named
    ]
    lines.insert(1, ("  by label", ", ".join(f"{label} {n:,}" for label, n in labels.items())))
    if timed:
        return lines
    together = ", no group in two of them" if manifest.fold_rule.rule == "group" else ""
    return [*lines, ("time", f"not respected: parts are drawn at random{together}")]


def _times(manifest: Manifest, development: Events) -> str:
    if not manifest.data.timed:
        return "none: the order of rows says which of a learner's events is later"
    start, end = int(development.time.min()), int(development.time.max())
    if manifest.fold_rule.in_time:
        end = manifest.sealed_test.end.microseconds - 1
    span = f"{iso(start)[:16]} to {iso(end)[:16]} UTC, {(end - start) / DAY:,.0f} days"
    zones = {_zone(table) for table in manifest.data.events}
    return f"{span}; {' and '.join(sorted(zones))}"


def _zone(table: EventTable) -> str:
    if table.time_format.startswith("unix"):
        return "Unix times have no zone"
    return f"read as {table.timezone or 'UTC'} where no zone is written"


def _equal_instants(events: Events) -> str:
    """An event at the instant of another of its learner is no history to it."""
    follows = ~(changes(events.user) | changes(events.time))
    shared = follows | np.append(follows[1:], False)
    return f"{shared.mean():.1%} of events share theirs with another of the same learner"


def _period(name: str, period: Period, on_clock: bool) -> list[tuple[str, str]]:
    days = f", {_days(period)}" if on_clock else ""
    counts = f"{period.events:,} events, {period.users:,} learners, {period.items:,} courses"
    return [(name, f"{counts}{days}"), *_types(period.types)]


def _days(period: Period) -> str:
    return f"{period.start.iso[:10]} to {period.end.iso[:10]}"


def _types(types: Mapping[str, int]) -> list[tuple[str, str]]:
    return [("  by type", ", ".join(f"{kind} {n:,}" for kind, n in types.items()))]


def _fold(fold: FoldSupport, on_clock: bool) -> list[tuple[str, str]]:
    window = fold.validation
    before = f" before {window.start.iso[:16]}" if on_clock else ""
    return [
        (
            f"  {fold.name}",
            f"trains on {fold.training.events:,} events{before}; "
            f"below support: {fold.users_below_min_user_events:,} learners, "
            f"{fold.items_below_min_item_events:,} courses",
        ),
        (
            "    window",
            f"{window.events:,} events ({fold.validation_events_of_new_users:,} of new learners, "
            f"{fold.validation_events_on_new_items:,} on new courses)",
        ),
    ]


def _targets(support: Support) -> str:
    total = ", ".join(
        f"{kind} {targets:,} of {learners:,} learners"
        for kind, (targets, learners) in support.targets.items()
    )
    _, *rules = support.counts.items()
    taken = ", ".join(f"{n:,} {rule}" for rule, n in rules if n)
    return f"{total}{f' ({taken})' if taken else ''}"


def _feature_rows(rows: FeatureRows, word: str) -> str:
    return (
        f"{rows.rows:,} rows, {rows.without_event:,} without an event; "
        f"{rows.ids_without_row:,} {word} of the log without a row"
    )


def _said(rule: str) -> str:
    """A rule of the manifest in the words that people read."""
    return rule.replace("user", "learner").replace("item", "course")
