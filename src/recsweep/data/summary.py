"""A manifest as a few lines for people."""

from pathlib import PurePosixPath

from recsweep.data.manifest import FeatureRows, FoldSupport, Manifest, Period
from recsweep.data.types import BOUGHT, KINDS


def summary_lines(manifest: Manifest) -> list[tuple[str, str]]:
    """Pairs of (label, value), in reading order; a rule that took out nothing is not listed."""
    lines = [("data set", f"{manifest.name}, fingerprint {manifest.fingerprint[:12]}")]
    for table in manifest.cleaning:
        lines.append((f"rows of {PurePosixPath(table.path).name}", f"{table.rows:,}"))
        lines += [(f"  dropped: {rule}", f"{n:,}") for rule, n in table.dropped.items() if n]
        lines += [(f"    such as {kind!r}", f"{n:,}") for kind, n in table.unmapped_types.items()]
    if manifest.duplicates:
        same = "all columns" if manifest.data.sessions else "user, item, time and type"
        lines.append((f"dropped: same {same}", f"{manifest.duplicates:,}"))
    for word, rows in (("users", manifest.user_table), ("items", manifest.item_table)):
        if rows is not None:
            lines.append((f"table of {word}", _feature_rows(rows, word)))
    if manifest.data.sessions is not None:
        return lines + _sessions(manifest)
    lines.append(("development", _period(manifest.development)))
    lines += [(f"  {fold.name}", _fold(fold)) for fold in manifest.folds]
    lines.append(("sealed test", _period(manifest.sealed_test)))
    return lines


def warnings(manifest: Manifest) -> list[str]:
    """What would spoil a study if it were overlooked."""
    tables = (("users", manifest.user_table), ("items", manifest.item_table))
    return [
        f"{rows.path}: only {rows.ids - rows.ids_without_row:,} of {rows.ids:,} {word} of the log "
        "have a row; features of all others are missing"
        for word, rows in tables
        if rows is not None and 2 * rows.ids_without_row > rows.ids > 0
    ]


def _sessions(manifest: Manifest) -> list[tuple[str, str]]:
    """Parts of a table without a clock."""
    parts = [(f"  {fold.name}", fold.validation) for fold in manifest.folds]
    named = [("development", manifest.development), *parts, ("sealed test", manifest.sealed_test)]
    return [
        (name, f"{part.events:,} sessions, {part.types.get(KINDS[BOUGHT], 0):,} labelled yes")
        for name, part in named
    ] + [("time", "not respected: the table has no clock, parts are drawn at random")]


def _period(period: Period) -> str:
    days = f"{period.start.iso[:10]} to {period.end.iso[:10]}"
    return f"{period.events:,} events, {period.users:,} users, {period.items:,} items, {days}"


def _fold(fold: FoldSupport) -> str:
    return (
        f"trains on {fold.training.events:,} events before {fold.validation.start.iso[:16]}, "
        f"validates on {fold.validation.events:,} "
        f"({fold.validation_events_of_new_users:,} of new users, "
        f"{fold.validation_events_on_new_items:,} on new items); below support: "
        f"{fold.users_below_min_user_events:,} users, {fold.items_below_min_item_events:,} items"
    )


def _feature_rows(rows: FeatureRows, word: str) -> str:
    return (
        f"{rows.rows:,} rows, {rows.without_event:,} without an event; "
        f"{rows.ids_without_row:,} {word} of the log without a row"
    )
