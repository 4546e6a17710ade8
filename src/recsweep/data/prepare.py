"""The verb `prepare`: raw logs in, one checked and fingerprinted folder out."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from recsweep.config.schema import Data, EventTable, Experiment, FeatureTable, Folds, TimeLimits
from recsweep.data import prepared
from recsweep.data.atomic_folders import temporary_folder
from recsweep.data.before_cut import moment_of, rows_of
from recsweep.data.cleaning import Cleaned, clean, needed_columns, together, unit_advice
from recsweep.data.features.dated import ID, TEXT, VALID_FROM
from recsweep.data.features.fit import check_names, declared_names
from recsweep.data.formats.parts import check_order, parts, refuse_copies
from recsweep.data.histories import in_order
from recsweep.data.indexing import Indexed, index_events
from recsweep.data.manifest import (
    FILE,
    FORMAT,
    EventRows,
    Manifest,
    PreparedFile,
    RawFile,
    fingerprint,
    inputs_hash,
    read_manifest,
)
from recsweep.data.odd_ids import odd_ids
from recsweep.data.periods import describe_fold, describe_period
from recsweep.data.reading import read_batches
from recsweep.data.sessions import read_sessions, session_features
from recsweep.data.sources import Source, resolve
from recsweep.data.splits import split_log
from recsweep.data.tables import FeatureRead, bare_table, feature_table
from recsweep.data.texts import read_texts, text_features
from recsweep.data.types import Cuts, Dataset, Events
from recsweep.data.word_vectors import parts_of_texts, read_vectors
from recsweep.errors import BadInput, WorkFailed


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where each declared table lies."""

    events: tuple[Source, ...]  # or the table of sessions, or the tables of texts
    users: Source | None
    items: Source | None
    word_vectors: Source | None

    def all(self) -> list[Source]:
        beside = self.users, self.items, self.word_vectors
        return [*self.events, *(source for source in beside if source is not None)]


def prepare(experiment: Experiment, root: Path = Path()) -> Dataset:
    """Prepare an experiment's data in `root/data/<name>-<hash>`, or reuse what lies there.

    The hash covers the raw files' bytes, the keys `data` and `folds`, and the format.

    Raises:
        BadInput: a raw file, a key or a value that does not fit, or a changed prepared file.
        WorkFailed: a package that can't be fetched, or a folder that can't be written.
    """
    data, rule = experiment.data, experiment.folds
    own = [session_features(data.sessions)] if data.sessions else []
    own += [text_features(*data.texts)] if data.texts else []
    check_names(experiment.feature_names, declared_names(data.users, data.items, *own))
    home = root / "data"
    try:
        home.mkdir(parents=True, exist_ok=True)
        sources = _resolve_all(data, home / "raw")
        inputs = inputs_hash([source.sha256 for source in sources.all()], experiment)
        folder = home / f"{data.name}-{inputs[:12]}"
        if folder.exists():
            manifest = read_manifest(folder)
            prepared.verify(folder, manifest, manifest.files)
        else:
            _build(folder, inputs, data, rule, sources)
    except OSError as error:
        place = error.filename or home
        raise WorkFailed(f"{place}: cannot be written ({error.strerror or error})") from None
    return prepared.load_dataset(folder)


def _resolve_all(data: Data, raw_folder: Path) -> _Sources:
    logs = data.events or data.texts or ((data.sessions,) if data.sessions else ())
    made = (data.package, raw_folder, data.simulator)
    events = tuple(resolve(table, *made) for table in logs)
    users, items, vectors = (
        resolve(table, *made) if table is not None else None
        for table in (data.users, data.items, data.word_vectors)
    )
    return _Sources(events, users, items, vectors)


def _build(folder: Path, inputs: str, data: Data, rule: Folds, sources: _Sources) -> None:
    indexed, cleaning, users, cuts = _read_log(data, rule, sources)
    events = indexed.events
    start = int(events.cut_by.min())
    items = _read_features(data.items, sources.items, indexed.items)
    test_start, test_end = cuts.test
    early = events.cut_by < test_start
    development, test = rows_of(events, early), rows_of(events, ~early)

    with temporary_folder(folder.parent, folder.name) as temporary:
        files = _write(temporary, development, test, users.by_code, items.by_code)
        dated = {prepared.USER_ROWS: users.rows, prepared.ITEM_ROWS: items.rows}
        files |= _write_rows(temporary, dated, moment_of(events, test_start, rule))
        if sources.word_vectors is not None:
            known = int(development.user.max()) + 1
            files |= _write_vectors(temporary, sources.word_vectors, users.by_code[TEXT], known)
        manifest = Manifest(
            recsweep_format=FORMAT,
            name=data.name,
            inputs=inputs,
            fingerprint=fingerprint(files, cuts),
            cleaning=cleaning,
            duplicates=indexed.duplicates,
            odd_ids=(
                *(odd_ids(indexed.users, "learners") if data.events else ()),
                *(odd_ids(indexed.items, "courses") if data.events else ()),
            ),
            odd_values=(*users.odd_values, *items.odd_values),
            user_table=users.counts,
            item_table=items.counts,
            development=describe_period(development, start, test_start),
            folds=tuple(
                describe_fold(f"fold{n}", development, start, window, rule)
                for n, window in enumerate(cuts.validation)
            ),
            sealed_test=describe_period(test, test_start, test_end),
            raw=tuple(
                RawFile(path=s.configured, bytes=s.size, sha256=s.sha256) for s in sources.all()
            ),
            files=files,
            data=data,
            fold_rule=rule,
        )
        (temporary / FILE).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
        _publish(temporary, folder)


def _write(
    folder: Path, development: Events, test: Events, users: pl.DataFrame, items: pl.DataFrame
) -> dict[str, PreparedFile]:
    # Codes count up by first appearance, so those of the development period come first.
    n_users, n_items = int(development.user.max()) + 1, int(development.item.max()) + 1
    events = {prepared.DEVELOPMENT: development, prepared.SEALED_TEST: test}
    tables = {
        prepared.USERS: users[:n_users],
        prepared.ITEMS: items[:n_items],
        prepared.SEALED_USERS: users[n_users:],
        prepared.SEALED_ITEMS: items[n_items:],
    }
    return {
        **{name: prepared.write_events(folder / name, part) for name, part in events.items()},
        **{name: prepared.write_table(folder / name, table) for name, table in tables.items()},
    }


def _write_rows(
    folder: Path, tables: Mapping[str, pl.DataFrame | None], test_start: int
) -> dict[str, PreparedFile]:
    """The rows of dated tables; those that are valid only in the test are sealed with it."""
    files = {}
    for name, rows in tables.items():
        if rows is not None:
            early = (rows[VALID_FROM] < test_start).fill_null(True)
            for part, wanted in ((name, early), (prepared.SEALED[name], ~early)):
                files[part] = prepared.write_table(folder / part, rows.filter(wanted))
    return files


def _write_vectors(
    folder: Path, source: Source, texts: pl.Series, development: int
) -> dict[str, PreparedFile]:
    """Those of all that texts hold; what the sealed ones alone hold is sealed with them."""
    early = parts_of_texts(texts[:development])
    table = read_vectors(source.path, early | parts_of_texts(texts[development:]))
    mine = table[ID].is_in(list(early))
    if not mine.any():
        raise BadInput(f"{source.path}: has a vector of no word or character of the texts")
    name = prepared.WORD_VECTORS
    tables = {name: table.filter(mine), prepared.SEALED[name]: table.filter(~mine)}
    return {file: prepared.write_table(folder / file, rows) for file, rows in tables.items()}


def _publish(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another process was faster, with the same content
            raise


def _read_log(
    data: Data, rule: Folds, sources: _Sources
) -> tuple[Indexed, tuple[EventRows, ...], FeatureRead, Cuts]:
    if data.sessions is not None:
        read = read_sessions(data.sessions, sources.events[0].path, rule)
        features = FeatureRead(read.features, None, None, read.odd_values)
        return read.indexed, (read.rows,), features, read.cuts
    if data.texts:
        paths = [source.path for source in sources.events]
        texts = read_texts(data.texts, paths, rule, data.times)
        features = FeatureRead(texts.table, None, None, texts.odd_values)
        return texts.indexed, texts.rows, features, texts.cuts
    whole, cleaning = _read_events(data, sources)
    indexed, cuts = split_log(whole, rule)
    users = _read_features(data.users, sources.users, indexed.users)
    return indexed, cleaning, users, cuts


def _read_events(data: Data, sources: _Sources) -> tuple[Indexed, tuple[EventRows, ...]]:
    kept, counts, advice = [], [], ""
    for table, source in zip(data.events, sources.events, strict=True):
        cleaned = _clean_table(table, source, data.times)
        kept.append(cleaned.events)
        counts.append(_counts(cleaned, table))
        advice = advice or unit_advice(cleaned, table, data.times)
    alike = len({tuple(part.columns) for part in kept}) == 1
    events = pl.concat(kept, how="vertical" if alike else "diagonal")
    if events.is_empty():
        raise BadInput(f"{data.name}: no event is left; {'; '.join(map(_summary, counts))}{advice}")
    return index_events(in_order(events, data)), tuple(counts)


def _clean_table(table: EventTable, source: Source, limits: TimeLimits) -> Cleaned:
    columns = needed_columns(table)
    files = parts(source.path)
    if table.order == "row":
        check_order(files)
    cleaned = [clean(read_batches(table, file, columns), table, limits, file) for file in files]
    if table.order == "row":  # by their times, events that come twice are dropped, and counted
        refuse_copies(files, [part.rows for part in cleaned])
    return together(cleaned)


def _counts(cleaned: Cleaned, table: EventTable) -> EventRows:
    return EventRows(
        path=table.path,
        rows=cleaned.rows,
        dropped=cleaned.dropped,
        unmapped_types=dict(islice(cleaned.unmapped.items(), 5)),
        kept=len(cleaned.events),
        without_dwell=cleaned.events["dwell"].null_count() if table.dwell else 0,
    )


def _summary(rows: EventRows) -> str:
    dropped = ", ".join(f"{n} {rule}" for rule, n in rows.dropped.items() if n)
    return f"{rows.path} has {rows.rows} rows{': ' + dropped if dropped else ''}"


def _read_features(
    table: FeatureTable | None, source: Source | None, ids: pl.Series
) -> FeatureRead:
    if table is None or source is None:
        return FeatureRead(bare_table(ids), None, None)
    return feature_table(table, source.path, ids)
