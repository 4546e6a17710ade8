"""The verb `init`: from raw files to an experiment that `prepare` takes as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsweep.config.files import read_yaml, validate
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, WorkFailed
from recsweep.records.atomic import write_text
from recsweep.stages.init.columns import looks_like_log
from recsweep.stages.init.experiment import Draft, study_name
from recsweep.stages.init.log import Given, study_of_logs
from recsweep.stages.init.look import look_at
from recsweep.stages.init.preview import Preview, previews
from recsweep.stages.init.questions import Answers, Ask
from recsweep.stages.init.sessions import find_label, study_of_sessions
from recsweep.stages.init.words import Role
from recsweep.stages.init.write import to_yaml

HEAD = """\
# Written by recsweep init, which looked at the files below. Look it over, then:
#
#   recsweep prepare {path}          # reads, checks, counts; trains nothing
#   recsweep plan {path}  # how long a search takes
#   recsweep sweep {path}
"""


@dataclass(frozen=True, slots=True)
class Started:
    """An experiment that isn't written yet."""

    experiment: Experiment
    text: str  # of the YAML file, without its head
    previews: tuple[Preview, ...]
    guessed: tuple[str, ...]  # what nobody was asked about, a line each


def init(
    files: Sequence[Path],
    *,
    name: str | None = None,
    columns: Mapping[Role, str] | None = None,
    timezone: str | None = None,
    ask: Ask | None = None,
) -> Started:
    """Look at a log, and at tables of learners and courses, in any order.

    Args:
        files: CSV or Parquet, packed or not; a folder or a pattern stands for all its files.
        name: of the study; None: after the first log.
        columns: that are known: of the learner, the course, the time, the event type.
        timezone: of times that name none; None: asked for.
        ask: answers what the files leave open; None: the best guess does, and is told.

    Raises:
        BadInput: a file can't be read, or what is open can't be guessed.
    """
    answers = Answers(ask)
    if twice := next((path for path in files if list(files).count(path) > 1), None):
        raise BadInput(f"{twice}: is given twice")
    looks = [look_at(path, answers) for path in files]
    first = next((look for look in looks if looks_like_log(look, dict(columns or {}))), looks[0])
    study = name or study_name(first.path)
    draft = Draft({"study": study, "description": "", "data": {"name": study}})
    label = find_label(first) if len(looks) == 1 else None
    if label is not None and not looks_like_log(first, dict(columns or {})):
        study_of_sessions(first, label, draft, answers)
    else:
        study_of_logs(looks, Given(columns or {}, timezone), draft, answers)
    draft.keys["description"] = _description(draft)
    experiment = validate(Experiment, draft.keys, study)
    for guess in answers.guessed:
        draft.say(("data",), f"Not sure: {guess}")
    text = to_yaml(draft.keys, draft.comments)
    return Started(experiment, text, tuple(previews(experiment)), tuple(answers.guessed))


def write(started: Started, path: Path, force: bool = False) -> None:
    """Write the experiment's file.

    Raises:
        BadInput: something lies there already.
        WorkFailed: it can't be written.
    """
    if path.exists() and not force:
        raise BadInput(
            f"{path}: exists already; write elsewhere with --output, or over it with --force"
        )
    try:
        write_text(path, HEAD.format(path=path) + started.text)
    except OSError as error:
        place = "" if path.parent.is_dir() else f": {error.filename}"
        raise WorkFailed(f"{path}: cannot be written ({error.strerror}{place})") from None
    validate(Experiment, read_yaml(path), path)


def _description(draft: Draft) -> str:
    if "sessions" in draft.keys["data"]:
        return "Which sessions end in buying?"
    return "Tuned recurrent recommenders against equally tuned baselines on our own log."
