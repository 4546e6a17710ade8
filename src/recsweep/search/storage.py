"""The Optuna studies of one recsweep study, one a family, in one journal file.

They are the only truth about a sweep: resuming, selecting and reporting start from them.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from recsweep.config.schema import Decides, Experiment, deciding
from recsweep.errors import BadInput
from recsweep.models.family import Builds
from recsweep.records.earlier import Earlier, EarlierStudy
from recsweep.search.earlier import first_configurations, keep, kept
from recsweep.search.trials import check_trials, finished
from recsweep.spaces.declared import DeclaredSpace, Widening
from recsweep.spaces.space import Space
from recsweep.spaces.widen import widened, widenings, with_ends

optuna.logging.set_verbosity(optuna.logging.ERROR)  # one line a trial is the progress table's job

JOURNAL = "optuna.log"
WIDENED = "widened"
"""The key of a study's identity that tells which ranges were widened since it began."""


def open_storage(folder: Path, *, heal: bool = False) -> JournalStorage:
    """Open the journal of a study, creating it if need be.

    Args:
        folder: the study's folder.
        heal: mend what a killed driver left behind. Only for who holds the study's lock.

    Raises:
        BadInput: the journal can't be read.
    """
    path = folder / JOURNAL
    try:
        if heal and path.exists():
            path.with_name(path.name + ".lock").unlink(missing_ok=True)
            _drop_torn_line(path)
        lock = JournalFileOpenLock(str(path))
        return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    except Exception as error:  # damage shows as one of many errors of Optuna's reader
        raise BadInput(
            f"{path}: is damaged ({type(error).__name__}: {str(error)[:120]}); put back a copy of "
            "it, or move the study's folder away and begin again"
        ) from None


def _drop_torn_line(path: Path) -> None:
    """A line that was cut off in writing would glue itself to the next one and spoil both."""
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        file.truncate(whole)
    if last := content[:whole].splitlines()[-1:]:
        json.loads(last[0])  # Optuna takes a bad last line for a torn one, until another follows


def open_family(
    storage: JournalStorage,
    name: str,
    space: Space,
    experiment: Experiment,
    fingerprint: str,
    earlier: Sequence[EarlierStudy] = (),
    *,
    widen: bool = False,
) -> optuna.Study:
    """Create or load one family's Optuna study; a new one begins with the defaults, the best of
    earlier studies and the space's other first trials. With `widen`, the ranges of one that
    has begun may be wider now.

    Raises:
        BadInput: the study was begun with other data, space or settings.
    """
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize" if experiment.metric.lower_is_better else "maximize",
        load_if_exists=True,
    )
    if widen:
        _widen(study, space)
    _take_conditions(study, space)
    _check_identity(study, identity(experiment, name, space, fingerprint))
    check_trials(study)
    if not study.get_trials(deepcopy=False):
        keep(study, earlier)
        lower_is_better = experiment.metric.lower_is_better
        for number, config in enumerate(first_configurations(space, earlier, lower_is_better)):
            study.enqueue_trial(config, user_attrs={"number": number})
    if "uid" not in study.user_attrs:
        study.set_user_attr("uid", uuid.uuid4().hex[:8])
    return study


def _widen(study: optuna.Study, space: Space) -> None:
    """Record wider ranges, in one line of the journal; whatever else differs is refused later."""
    begun = study.user_attrs.get("identity")
    if begun is None:
        raise BadInput(
            f"--widen: {study.study_name} has no trial yet; change the range in its space file"
        )
    trials = len(finished(study.get_trials(deepcopy=False)))
    then = DeclaredSpace(**begun["space"])
    if found := widenings(then, space, trials):
        wide = with_ends(then, {w.parameter: w.now for w in found})
        ranges = [*begun.get(WIDENED, ()), *(w.model_dump(mode="json") for w in found)]
        study.set_user_attr("identity", {**begun, "space": wide, WIDENED: ranges})


def _take_conditions(study: optuna.Study, space: Space) -> None:
    """Record under which choices fixed values are in use, in a study from before spaces said so:
    they leave out what reached nothing, so its trials are those of the space as it is now.
    """
    begun, now = study.user_attrs.get("identity"), space.keys_as_declared()
    without = {key: value for key, value in now.items() if key != "fixed_when"}
    if begun is not None and begun["space"] == without != now:
        study.set_user_attr("identity", {**begun, "space": now})


def kept_widenings(study: optuna.Study) -> tuple[Widening, ...]:
    """Ranges that were widened on the way, in order."""
    begun = study.user_attrs.get("identity", {})
    return tuple(Widening(**entry) for entry in begun.get(WIDENED, ()))


def widened_before(folder: Path, spaces: Mapping[str, Space], families: Builds) -> dict[str, Space]:
    """The spaces as they are in a study that may have begun, whose files don't know of `--widen`.

    Raises:
        BadInput: the journal can't be read.
    """
    found = dict(spaces)
    for name, study in _begun(folder).items():
        for w in kept_widenings(study) if name in found else ():
            parameter = found[name].parameters.get(w.parameter)
            if parameter is not None and (parameter.low, parameter.high) == w.before:
                found[name] = widened(found[name], w.parameter, w.now, families, str(folder))
    return found


def kept_earlier(folder: Path) -> Earlier:
    """What each family of a study began with, by its journal; nothing, where there is none.

    Raises:
        BadInput: the journal can't be read.
    """
    found = {name: kept(study) for name, study in _begun(folder).items()}
    return {name: studies for name, studies in found.items() if studies}


def kept_precision(folder: Path) -> str | None:
    """What a study has computed in since it began, by its journal; None, where there is none.

    Raises:
        BadInput: the journal can't be read.
    """
    identities = (study.user_attrs.get("identity", {}) for study in _begun(folder).values())
    kept = (identity.get("resources.precision") for identity in identities)
    return next(filter(None, kept), None)


def _begun(folder: Path) -> dict[str, optuna.Study]:
    if not (folder / JOURNAL).exists():
        return {}
    storage = open_storage(folder)
    names = optuna.get_all_study_names(storage)
    return {name: optuna.load_study(study_name=name, storage=storage) for name in names}


def identity(
    experiment: Experiment, family: str, space: Space, fingerprint: str
) -> dict[str, object]:
    """Everything that a trial's score depends on besides its configuration, seed and the code,
    and how the search is done.
    """
    return {
        "data": fingerprint,
        "space": space.keys_as_declared(),
        **deciding(experiment.of_family(family), Decides.TRIALS),
    }


def _check_identity(study: optuna.Study, now: Mapping[str, object]) -> None:
    begun = study.user_attrs.get("identity")
    if begun is None:
        study.set_user_attr("identity", now)
        return
    for key in {**begun, **now}:
        if key != WIDENED and begun.get(key) != now.get(key):
            before, after = _difference(begun.get(key), now.get(key))
            raise BadInput(
                f"{study.study_name}: this study began with {key} {before}, now it is {after}; "
                "give the experiment another study name, or put back what was changed"
            )


def _difference(before: object, after: object) -> tuple[str, str]:
    """The first entry that differs, where both are mappings; otherwise the whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            if before.get(key) != after.get(key):
                inner = _difference(before.get(key), after.get(key))
                return f"{key} {inner[0]}", f"{key} {inner[1]}"
    return _short(before), _short(after)


def _short(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "…"
