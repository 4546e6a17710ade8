"""What `init` makes of its files, and the file that it writes."""

import errno
import os
from pathlib import Path

import pytest

from recsweep.config.files import load_experiment
from recsweep.errors import BadInput, WorkFailed
from recsweep.stages.init.stage import Started, init, write
from recsweep.stages.init.words import Role

LOG = "user_id,course_id,time\n" + "".join(f"u{n % 4},c{n % 5},17000000{n:02}\n" for n in range(20))
COURSES = "id,level\n" + "".join(f"c{n},{('easy', 'hard')[n % 2]}\n" for n in range(5))
SESSIONS = "place,pages,purchased\n" + "".join(
    f"{('home', 'work')[n % 2]},{n}.5,{('no', 'yes')[n % 3 == 0]}\n" for n in range(20)
)


def files(folder: Path, **contents: str) -> list[Path]:
    for name, content in contents.items():
        (folder / f"{name}.csv").write_text(content)
    return [folder / f"{name}.csv" for name in contents]


def test_a_study_is_called_after_its_log_wherever_that_stands(tmp_path: Path) -> None:
    paths = files(tmp_path, courses=COURSES, my_views=LOG)
    experiment = init(paths).experiment
    assert (experiment.study, experiment.data.name) == ("my_views", "my_views")
    assert experiment.description.startswith("Tuned recurrent recommenders")
    named = init(paths, name="spring").experiment
    assert (named.study, named.data.name) == ("spring", "spring")


def test_guesses_are_told_and_stand_above_the_data(tmp_path: Path) -> None:
    started = init(files(tmp_path, views=LOG, courses=COURSES))
    [guess] = started.guessed
    assert guess.startswith("Is all of courses.csv older than the log's first event? Guessed: no")
    lines = started.text.splitlines()
    assert lines[:3] == ["", "study: views", ""]
    place = next(n for n, line in enumerate(lines) if line.startswith("# Not sure: Is all of"))
    assert lines[3].startswith("description: Tuned recurrent recommenders against equally tuned")
    assert (place, lines[place + 2]) == (5, "data:")
    assert [shown.title for shown in started.previews] == [
        "views.csv", "courses.csv: table of courses",
    ]  # fmt: skip


def test_what_is_asked_is_no_guess(tmp_path: Path) -> None:
    started = init(files(tmp_path, views=LOG, courses=COURSES), ask=lambda _: "yes")
    assert started.guessed == ()
    assert "Not sure" not in started.text
    assert started.experiment.data.items is not None
    assert started.experiment.data.items.immutable


def test_columns_and_a_zone_that_are_given_are_taken(tmp_path: Path) -> None:
    rows = "a,b,t\n" + "".join(f"c{n % 5},u{n % 4},2024-03-01 10:{n:02}:00\n" for n in range(20))
    paths = files(tmp_path, log=rows, courses=COURSES)
    columns: dict[Role, str] = {"user": "b", "item": "a"}
    experiment = init(paths[:1], columns=columns, timezone="Europe/Berlin").experiment
    [table] = experiment.data.events
    assert (table.user, table.item, table.timezone) == ("b", "a", "Europe/Berlin")


def test_a_table_with_a_label_and_no_learners_is_one_of_sessions(tmp_path: Path) -> None:
    experiment = init(files(tmp_path, visits=SESSIONS)).experiment
    assert (experiment.study, experiment.task) == ("visits", "purchase")
    assert experiment.description == "Which sessions end in buying?"
    assert experiment.data.sessions is not None
    assert experiment.data.sessions.label == "purchased"


def test_a_log_with_a_label_is_a_log(tmp_path: Path) -> None:
    rows = LOG.replace("time\n", "time,purchased\n").splitlines()
    rows = [rows[0], *(f"{row},{n % 2}" for n, row in enumerate(rows[1:]))]
    [path] = files(tmp_path, log="\n".join(rows))
    started = init([path], ask=lambda question: question.best or question.options[0])
    assert started.experiment.task == "next_item"
    assert started.experiment.data.sessions is None


def test_a_label_among_several_files_or_under_given_columns_is_none_of_sessions(
    tmp_path: Path,
) -> None:
    paths = files(tmp_path, visits=SESSIONS, courses=COURSES)
    with pytest.raises(BadInput, match=r"none of visits\.csv, courses\.csv has columns of"):
        init(paths)
    with pytest.raises(BadInput, match=r"visits\.csv: no column holds times"):
        init(paths[:1], columns={"user": "place", "item": "pages"})


def test_a_file_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    [log, courses] = files(tmp_path, views=LOG, courses=COURSES)
    with pytest.raises(BadInput, match=r"courses\.csv: is given twice"):
        init([courses, log, courses])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Started:
    return init(files(tmp_path_factory.mktemp("log"), views=LOG))


def test_a_written_experiment_says_what_to_do_next_and_is_read_as_it_was(
    started: Started, tmp_path: Path
) -> None:
    path = tmp_path / "a" / "b" / "mine.yaml"
    write(started, path)
    text = path.read_text("utf-8")
    assert text.startswith("# Written by recsweep init, which looked at the files below.")
    assert f"#   recsweep sweep {path}\n\nstudy: views\n" in text
    assert load_experiment(path) == started.experiment


def test_a_file_in_the_place_of_the_folder_is_named(started: Started, tmp_path: Path) -> None:
    (tmp_path / "studies").write_text("no folder")
    with pytest.raises(WorkFailed, match=r"cannot be written \(File exists: .*studies\)$"):
        write(started, tmp_path / "studies" / "mine.yaml")


def test_a_full_disk_leaves_no_half_of_a_file(
    started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkFailed, match=r"cannot be written \(No space left on device\)$"):
        write(started, tmp_path / "mine.yaml")
    assert list(tmp_path.iterdir()) == []


def test_what_lies_there_is_written_over_only_by_force(started: Started, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine, and longer than nothing")
    with pytest.raises(BadInput, match=r"mine\.yaml: exists already; .* or over it with --force"):
        write(started, path)
    assert path.read_text() == "mine, and longer than nothing"
    write(started, path, force=True)
    assert load_experiment(path) == started.experiment


def test_a_file_that_cannot_be_written_is_told_in_a_line(started: Started, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(WorkFailed, match=r"folder\.yaml: cannot be written \(Is a directory\)"):
        write(started, tmp_path / "folder.yaml", force=True)


def test_a_file_that_would_not_be_read_is_refused_when_it_is_written(
    started: Started, tmp_path: Path
) -> None:
    torn = Started(started.experiment, "study: mine\nextra: 1\n", (), ())
    with pytest.raises(BadInput, match=r"torn\.yaml"):
        write(torn, tmp_path / "torn.yaml")
