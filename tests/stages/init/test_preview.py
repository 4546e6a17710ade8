"""The first rows of each table, as the readers have them."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsweep.config.files import validate
from recsweep.config.schema import Experiment
from recsweep.stages.init import preview
from recsweep.stages.init.preview import Preview, previews

LOG = {
    "path": "views.csv", "user": "u", "item": "i", "time": "t", "time_format": "iso",
    "type": {"column": "what", "values": {"view": "browse", "buy": "purchase"}},
}  # fmt: skip


def previewed(folder: Path, monkeypatch: pytest.MonkeyPatch, **data: Any) -> list[Preview]:
    monkeypatch.chdir(folder)
    keys: dict[str, Any] = {"study": "mine", "data": {"name": "mine", **data},
                            "families": ["popularity"]}  # fmt: skip
    if "sessions" in data:
        keys |= {"task": "purchase", "families": ["base_rate"], "metric": {"name": "log_loss"},
                 "folds": {"rule": "stratified", "count": 5, "test": 0.2}}  # fmt: skip
    return list(previews(validate(Experiment, keys, "mine")))


def views(folder: Path, *rows: str) -> None:
    (folder / "views.csv").write_text("\n".join(["t,what,u,i,note", *rows]) + "\n")


def test_events_are_shown_as_cleaning_leaves_them_with_times_in_the_zone_of_their_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"2024-03-01T0{n}:00:00Z,view,u{n},c{n},x" for n in range(7)]
    rows[1] = "2024-03-01 09:30:00,buy,u1,c1,x"  # of the zone
    rows[3] = "2024-03-01T03:00:00Z,remove,u3,c3,x"  # no type
    views(tmp_path, *rows)
    [shown] = previewed(tmp_path, monkeypatch, events=[{**LOG, "timezone": "Asia/Shanghai"}])
    assert shown == Preview(
        "views.csv",
        ("learner", "course", "time (Asia/Shanghai)", "type"),
        (
            ("u0", "c0", "2024-03-01 08:00:00", "browse"),
            ("u1", "c1", "2024-03-01 09:30:00", "purchase"),
            ("u2", "c2", "2024-03-01 10:00:00", "browse"),
            ("u4", "c4", "2024-03-01 12:00:00", "browse"),
            ("u5", "c5", "2024-03-01 13:00:00", "browse"),
        ),
    )


def test_without_a_zone_times_are_shown_in_utc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views(tmp_path, "2024-03-01 09:30:00.75,buy,u1,c1,x")
    [shown] = previewed(tmp_path, monkeypatch, events=[LOG])
    assert shown.columns[2] == "time (UTC)"
    assert shown.rows == (("u1", "c1", "2024-03-01 09:30:00", "purchase"),)


@pytest.mark.parametrize(("dropped", "rows"), [(999, 1), (1000, 0)])
def test_events_are_sought_in_the_first_thousand_rows(
    dropped: int, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["2024-03-01,remove,u1,c1,x"] * dropped
    views(tmp_path, *lines, "2024-03-01,view,u1,c1,x")
    [shown] = previewed(tmp_path, monkeypatch, events=[LOG])
    assert len(shown.rows) == rows


def test_tables_of_learners_and_courses_show_their_ids_titles_and_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views(tmp_path, "2024-03-01,view,u1,c1,x")
    (tmp_path / "courses.csv").write_text(
        "price,title,id,about,level,intro,other\n"
        + "2.50,A,c1,a|b,easy,First,x\n3,,c2,,,,\n"
        + "".join(f"{n},T{n},c{n},a,hard,Text,x\n" for n in range(3, 8))
    )
    (tmp_path / "learners.csv").write_text("city,id\nBern,u1\n")
    log, learners, courses = previewed(
        tmp_path,
        monkeypatch,
        items={"path": "courses.csv", "key": "id", "label": "title", "categorical": ["level"],
               "numeric": ["price"], "tags": {"about": "|"}, "text": ["title", "intro"],
               "missing": ["", "T5"]},
        users={"path": "learners.csv", "key": "id", "categorical": ["city"]},
        events=[LOG],
    )  # fmt: skip
    assert log.title == "views.csv"
    assert learners == Preview("learners.csv: table of learners", ("id", "city"), (("u1", "Bern"),))
    assert courses.title == "courses.csv: table of courses"
    assert courses.columns == ("id", "title", "level", "price", "about", "intro")
    assert courses.rows == (
        ("c1", "A", "easy", "2.5", "a · b", "First"),
        ("c2", "", "", "3", "", ""),
        ("c3", "T3", "hard", "3", "a", "Text"),
        ("c4", "T4", "hard", "4", "a", "Text"),
        ("c5", "T5", "hard", "5", "a", "Text"),
    )


def test_sessions_show_their_label_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sessions.csv").write_text("place,bought\nhome,yes\nwork,no\n")
    table = {"path": "sessions.csv", "label": "bought", "positive": ["yes"],
             "categorical": ["place"]}  # fmt: skip
    [shown] = previewed(tmp_path, monkeypatch, sessions=table)
    assert shown == Preview(
        "sessions.csv: sessions", ("bought", "place"), (("yes", "home"), ("no", "work"))
    )


def test_of_a_folder_the_first_file_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "visits").mkdir()
    for name, place in (("2.csv", "work"), ("1.csv", "home")):
        (tmp_path / "visits" / name).write_text(f"place,bought\n{place},yes\n")
    table = {"path": "visits", "label": "bought", "positive": ["yes"], "categorical": ["place"]}
    [shown] = previewed(tmp_path, monkeypatch, sessions=table)
    assert (shown.title, shown.rows) == ("visits: sessions", (("yes", "home"),))


def test_the_first_batch_that_has_rows_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"bought": "yes", "place": place} for place in ("home", "work")]
    batches = [pl.DataFrame(rows[:0], {"bought": pl.String, "place": pl.String}),
               pl.DataFrame(rows[:1]), pl.DataFrame(rows[1:])]  # fmt: skip
    monkeypatch.setattr(preview, "read_batches", lambda *_: iter(batches))
    table = {"path": "a.csv", "label": "bought", "positive": ["yes"], "categorical": ["place"]}
    [shown] = previewed(tmp_path, monkeypatch, sessions=table)
    assert shown.rows == (("yes", "home"),)
