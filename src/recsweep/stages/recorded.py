"""What a best file says of its study, held against what is there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from recsweep.config.files import nearest, validate
from recsweep.data.prepare import prepare
from recsweep.data.sources import resolve
from recsweep.data.types import Dataset
from recsweep.errors import BadInput, WorkFailed
from recsweep.models.registry import families_of
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import VERDICTS, read_confirmation
from recsweep.records.openings import Opened
from recsweep.records.selection import BestFile
from recsweep.records.study import Study
from recsweep.spaces.files import bind_space
from recsweep.spaces.space import Space


def check_configuration(best: BestFile, path: Path) -> None:
    """Refuse a best file that nothing can be built from.

    Raises:
        BadInput: a family that isn't here, or a configuration that it doesn't take.
    """
    families = families_of(best.experiment.task)
    if best.kind not in families:
        raise BadInput(f"{path}: kind {best.kind!r} is no family{nearest(best.kind, families)}")
    with made_by(best.environment):
        validate(families[best.kind].config, dict(best.config), f"{path}: config")


def bound_spaces(study: Study, path: Path) -> dict[str, Space]:
    """What a study searched, family by family, where `path` has it.

    Raises:
        BadInput: this version's families don't take it.
    """
    families = families_of(study.experiment.task)
    with made_by(study.environment):
        return {name: bind_space(space, path, families) for name, space in study.spaces.items()}


@contextmanager
def made_by(environment: Mapping[str, object]) -> Iterator[None]:
    """A record that this version can't use is refused with the version that can."""
    try:
        yield
    except BadInput as error:
        code = environment.get("code")
        commit = code.get("commit") if isinstance(code, Mapping) else None
        version = f"{environment.get('recsweep')}" + (f" (commit {commit})" if commit else "")
        raise BadInput(
            f"{error}; recsweep {version} made it: go on with that version, or begin another study"
        ) from None


def recorded_data(best: BestFile, root: Path) -> Dataset:
    """Fetch and prepare the data that a configuration was selected on.

    Raises:
        BadInput: a raw file that can't be read.
        WorkFailed: a raw file or the prepared data differ from the record.
    """
    data = best.experiment.data
    for table in data.tables:
        # Without its own sha256: the record's is what counts, and tells the same.
        source = resolve(
            table.model_copy(update={"sha256": None}),
            data.package,
            root / "data" / "raw",
            data.simulator,
        )
        expected = best.data.raw.get(table.path)
        if source.sha256 != expected:
            raise WorkFailed(
                f"{source.path}: has sha256 {source.sha256[:12]}…, the record has "
                f"{(expected or 'none')[:12]}…: it is not the file that {best.family} was "
                "selected on"
            )
    dataset = prepare(best.experiment, root)
    if dataset.fingerprint != best.data.fingerprint:
        raise WorkFailed(
            f"{dataset.folder}: has fingerprint {dataset.fingerprint[:12]}…, the record has "
            f"{best.data.fingerprint[:12]}…: the raw files are the same, their preparation is not"
        )
    return dataset


def confirmed(best: BestFile, folder: Path) -> Confirmation | None:
    """What the sealed test of the study in `folder` said of this very configuration; None: it was
    not asked.
    """
    confirmation = read_confirmation(folder)
    family = None if confirmation is None else confirmation.families.get(best.family)
    return confirmation if family and Opened.of(family) == Opened.of(best) else None


def unconfirmed(best: BestFile, folder: Path, otherwise: str = "") -> BadInput:
    """Why the sealed test stays sealed, and what to do about it."""
    read = read_confirmation(folder)
    found = "has no verdicts" if read is None else f"has no verdict on this {best.family}"
    return BadInput(
        f"{folder / VERDICTS}: {found}, so the sealed test stays sealed; run recsweep confirm "
        f"{folder} first{otherwise}"
    )
