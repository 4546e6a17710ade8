"""A study of logs: their entries, the tables beside them, and what may be a target."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.stages.init.experiment import Draft, suggested
from recsweep.stages.init.log import Given, study_of_logs
from recsweep.stages.init.look import look_at
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.words import Role

LOG = ["user_id,course_id,time", "u1,c1,1700000000", "u2,c2,1700000001", "u1,c3,1700000002"]
LOCAL = ["user_id,course_id,time", *(f"u{n % 4},c{n},2024-03-01 10:0{n}:00" for n in range(8))]
SHANGHAI = "Asia/Shanghai"


def studied(
    folder: Path,
    files: Mapping[str, Sequence[str]],
    answers: Answers | None = None,
    columns: Mapping[Role, str] | None = None,
    timezone: str | None = None,
) -> Draft:
    """What is found out of the files, given a line at a time."""
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    answers = answers or Answers(None)
    looks = [look_at(folder / name, answers) for name in files]
    draft = Draft({"data": {}})
    study_of_logs(looks, Given(columns or {}, timezone), draft, answers)
    return draft


def told(draft: Draft) -> str:
    return " ".join(line for lines in draft.comments.values() for line in lines)


def test_every_log_is_an_entry_and_families_and_targets_follow(tmp_path: Path) -> None:
    answers = Answers(None)
    files = {"views.csv": LOG, "orders.csv": [LOG[0] + ",note", "u1,c1,1700000003,x"]}
    draft = studied(tmp_path, files, answers)
    roles = {"user": "user_id", "item": "course_id", "time": "time", "time_format": "unix"}
    assert draft.keys == {
        "data": {
            "events": [
                {"path": str(tmp_path / "views.csv"), **roles, "type": {"constant": "browse"}},
                {"path": str(tmp_path / "orders.csv"), **roles, "type": {"constant": "purchase"}},
            ]
        },
        "targets": {"which": "all", "seen": "keep"},  # one of four events is a second one
        "families": suggested("next_item"),
    }
    assert draft.comments["data", "events", 1, "user"] == ["Not used: note"]
    assert draft.comments["targets",][0].startswith("25% of events are on a course that their")
    assert answers.guessed == []  # times in seconds need no zone


@pytest.mark.parametrize(
    ("courses", "share", "seen"),
    [("1122344556", "40%", "keep"), ("1", "0%", "drop"), ("11234", "20%", "keep"),
     ("112345", "17%", "drop"), ("1111", "75%", "keep"), ("1" * 6, "83%", "keep")],
)  # fmt: skip
def test_a_course_that_learners_come_back_to_is_a_target_from_a_fifth_of_events_on(
    courses: str, share: str, seen: str, tmp_path: Path
) -> None:
    rows = [f"u1,c{course},170000000{n}" for n, course in enumerate(courses)]
    draft = studied(tmp_path, {"views.csv": [LOG[0], *rows]})
    assert draft.keys["targets"]["seen"] == seen
    assert draft.comments["targets",][0].startswith(f"{share} of events are")


def test_a_course_that_others_had_is_not_come_back_to(tmp_path: Path) -> None:
    rows = [f"u{n},c1,170000000{n}" for n in range(4)]
    assert studied(tmp_path, {"views.csv": [LOG[0], *rows]}).keys["targets"]["seen"] == "drop"


@pytest.mark.parametrize(
    ("given", "asked", "zone"),
    [(SHANGHAI, False, SHANGHAI), ("UTC", False, None), (None, True, None)],
)
def test_a_zone_is_told_of_logs_whose_times_name_none_and_asked_for_once(
    given: str | None, asked: bool, zone: str | None, tmp_path: Path
) -> None:
    answers = Answers(None)
    draft = studied(tmp_path, {"views.csv": LOG, "orders.csv": LOCAL}, answers, timezone=given)
    first, second = draft.keys["data"]["events"]
    assert "timezone" not in first
    assert second.get("timezone") == zone
    assert len(answers.guessed) == asked


def test_columns_that_are_given_are_taken(tmp_path: Path) -> None:
    rows = ["a,b,t,k,event", "u1,c1,1700000000,x,view", "u2,c1,1700000001,y,view"]
    columns: dict[Role, str] = {"user": "b", "item": "a", "time": "t", "type": "k"}
    answers = Answers(lambda question: "purchase" if "'x'" in question.text else "rate")
    draft = studied(tmp_path, {"log.csv": rows}, answers, columns)
    [keys] = draft.keys["data"]["events"]
    assert (keys["user"], keys["item"], keys["time"]) == ("b", "a", "t")
    assert keys["type"]["column"] == "k"
    assert keys["type"]["values"] == {"x": "purchase", "y": "rate"}


def test_tables_of_learners_and_courses_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    learners = ["id,city", "u1,Bern", "u2,Bern", "u9,Rome"]
    courses = ["id,level", "c1,easy", "c2,hard", "c3,easy"]
    files = {"courses.csv": courses, "views.csv": LOG, "learners.csv": learners}
    draft = studied(tmp_path, files)
    data = draft.keys["data"]
    assert data["users"] == {
        "path": str(tmp_path / "learners.csv"), "key": "id", "categorical": ["city"],
    }  # fmt: skip
    assert data["items"]["categorical"] == ["level"]
    assert "Since when is a row known?" in draft.comments["data", "items", "key"][0]


def test_a_second_table_of_courses_is_refused(tmp_path: Path) -> None:
    files = {"views.csv": LOG, "a.csv": ["id,x", "c1,1"], "b.csv": ["id,x", "c1,2"]}
    with pytest.raises(BadInput, match=r"b.csv: .*a.csv is a table of courses already; join them"):
        studied(tmp_path, files)


def test_a_table_that_could_not_be_read_is_refused_before_it_is_written(tmp_path: Path) -> None:
    files = {"views.csv": LOG, "a.csv": ["id,level", "c1,easy", "c1,hard", "c2,hard", "c2,easy"]}
    with pytest.raises(BadInput, match=r"a\.csv: "):
        studied(tmp_path, files)


def test_a_log_without_a_whole_event_is_refused(tmp_path: Path) -> None:
    rows = ["user_id,course_id,time", "NULL,c1,1700000000", "u1,NULL,1700000001"]
    with pytest.raises(BadInput, match=r"views\.csv: no row has a learner, a course, a time and"):
        studied(tmp_path, {"views.csv": rows})


@pytest.mark.parametrize(("answer", "immutable"), [("yes", True), ("no", False)])
def test_whether_a_table_is_older_than_the_log_is_asked_where_it_has_no_times(
    answer: str, immutable: bool, tmp_path: Path
) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return answer

    files = {"views.csv": LOG, "courses.csv": ["id,level", "c1,easy", "c2,hard", "c3,easy"]}
    items = studied(tmp_path, files, Answers(ask)).keys["data"]["items"]
    assert items.get("immutable", False) is immutable
    [question] = asked
    assert question.text == "Is all of courses.csv older than the log's first event?"
    assert (question.options, question.best) == (("yes", "no"), "no")


def test_a_table_with_times_or_without_features_is_not_asked_about(tmp_path: Path) -> None:
    answers = Answers(None)
    dated = [f"c{n},{('easy', 'hard')[n % 2]},2024-01-0{n}" for n in (1, 2, 3)]
    files = {
        "views.csv": LOG,
        "courses.csv": ["id,level,updated_at", *dated],
        "learners.csv": ["id,phone", "u1,12 34", "u2,34 56"],
    }
    draft = studied(tmp_path, files, answers, timezone=SHANGHAI)
    assert answers.guessed == []
    items = draft.keys["data"]["items"]
    assert (items["valid_from"], items["timezone"]) == ("updated_at", SHANGHAI)
    assert draft.keys["data"]["users"] == {"path": str(tmp_path / "learners.csv"), "key": "id"}
    assert "Left out: phone (personal)" in told(draft)


def test_a_folder_of_logs_is_read_whole(tmp_path: Path) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    for n, course in enumerate("12"):
        (folder / f"{n}.csv").write_text(f"{LOG[0]}\nu1,c{course},170000000{n}\n")
    answers = Answers(None)
    draft = Draft({"data": {}})
    (tmp_path / "courses.csv").write_text("id,level\nc1,easy\nc2,hard\nc7,easy\nc8,easy\n")
    looks = [look_at(folder, answers), look_at(tmp_path / "courses.csv", answers)]
    study_of_logs(looks, Given({}), draft, answers)
    assert draft.keys["data"]["events"][0]["path"] == str(folder)
    assert draft.comments["targets",][0].startswith("0% of events")  # of two
    assert draft.keys["data"]["items"]["key"] == "id"
