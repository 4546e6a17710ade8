import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sweeps
from simulated import rows, sweep
from sweeps import FAMILIES, ledger_of, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.replay import Replayed, replay
from recsweep.search.storage import JOURNAL

STUDY = study_of("a", "b", "floor", trials=10, epochs=6)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]


def write(folder: Path, content: list[dict[str, Any]]) -> None:
    (folder / JOURNAL).write_text("".join(json.dumps(line) + "\n" for line in content))


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize("deaths", [0, 6])
def test_every_suggestion_and_stop_follows_from_the_journal(
    tmp_path: Path, repeatable: bool, deaths: int, patience: int | None
) -> None:
    stopping = STUDY.stopping.model_copy(update={"patience": patience})
    study = STUDY.model_copy(update={"repeatable": repeatable, "stopping": stopping})
    sessions = sweep(tmp_path, study, 3, Random(deaths), deaths)
    found = replay(tmp_path, FAMILIES)
    assert found.difference is None
    assert (found.sessions, found.suggestions, found.ends) == (sessions, 21, 21)
    assert {row.state for row in rows(tmp_path, study)} >= {"complete", "pruned"}


def test_what_forecasts_stopped_follows_from_the_journal(tmp_path: Path) -> None:
    stopping = {"rule": "forecast", "grace_epochs": 1, "full_trials": 2, "patience": 3}
    study = study_of("a", trials=10, epochs=6, stopping=stopping)
    sweep(tmp_path, study, 2, Random(3), deaths=3)
    assert replay(tmp_path, FAMILIES).difference is None
    assert {row.state for row in rows(tmp_path, study)} >= {"complete", "pruned"}


def test_with_patience_a_journal_cut_anywhere_is_replayed_and_resumed(tmp_path: Path) -> None:
    stopping = STUDY.stopping.model_copy(update={"patience": 2})
    study = STUDY.model_copy(update={"stopping": stopping})
    sweep(tmp_path / "whole", study, 2, Random(1))
    whole = lines(tmp_path / "whole")
    for length in range(20, len(whole), 97):
        folder = tmp_path / str(length)
        folder.mkdir()
        write(folder, whole[:length])
        assert replay(folder, FAMILIES).difference is None, length
        sweep(folder, study, 2, Random(length))
        assert replay(folder, FAMILIES).difference is None, length
        assert len(rows(folder, study)) == 21


def test_with_limits_a_journal_cut_anywhere_is_replayed_and_resumed(tmp_path: Path) -> None:
    study = study_of("a", trials=4, epochs=2, limits={"parameters": 450})
    sweep(tmp_path / "whole", study, 2, Random(1))
    whole = lines(tmp_path / "whole")
    refused = next(n for n, line in enumerate(whole) if "refused" in line.get("user_attr", {}))
    assert "measured" in whole[refused - 2]["user_attr"]
    for length in range(refused - 1, refused + 2):  # before its constraint, its reason, its end
        folder = tmp_path / str(length)
        folder.mkdir(exist_ok=True)
        write(folder, whole[:length])
        assert replay(folder, FAMILIES).difference is None, length
        sweep(folder, study, 2, Random(length))
        assert replay(folder, FAMILIES).difference is None, length
        trained = [row for row in rows(folder, study) if row.state != "refused"]
        assert len(trained) == 4, length


def test_wherever_a_driver_died_its_journal_can_be_replayed(tmp_path: Path) -> None:
    sweep(tmp_path / "whole", STUDY, 2, Random(1), deaths=2)
    whole = lines(tmp_path / "whole")
    folder = tmp_path / "cut"
    for length in range(9, len(whole), 23):
        folder.mkdir(exist_ok=True)
        write(folder, whole[:length])
        with (folder / JOURNAL).open("a") as file:
            file.write('{"op_code":5,"tri')  # torn
        assert replay(folder, FAMILIES).difference is None, length


def test_a_study_that_was_cut_anywhere_and_resumed_can_be_replayed(tmp_path: Path) -> None:
    sweep(tmp_path / "whole", STUDY, 2, Random(1))
    whole = lines(tmp_path / "whole")
    for length in range(20, len(whole), 89):
        folder = tmp_path / str(length)
        folder.mkdir()
        write(folder, whole[:length])
        sweep(folder, STUDY, 2, Random(length))
        found = replay(folder, FAMILIES)
        assert (found.difference, found.ends) == (None, 21), length
        assert len(rows(folder, STUDY)) == 21


def test_an_extension_and_a_changed_budget_are_replayed(tmp_path: Path) -> None:
    sweep(tmp_path, STUDY, 2, Random(1))
    ledger_of(tmp_path, STUDY, spaces_of(tmp_path, "a", "b", "floor"), begin=False).turns.extend(3)
    sweep(tmp_path, study_of("a", "b", "floor", trials=12, epochs=6), 2, Random(2))
    found = replay(tmp_path, FAMILIES)
    assert (found.difference, found.ends, found.sessions) == (None, 15 + 15 + 1, 2)


SWITCHED = f"""{sweeps.TUNED}  n: {{int: [1, 2], role: nuisance, why: a switch}}
fixed: {{y: 0.5}}
"""


def test_a_study_from_before_fixed_values_had_conditions_goes_on_and_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = SWITCHED.replace("defaults: {x: 0.5}", "defaults: {x: 0.5, n: 1}")
    monkeypatch.setattr(sweeps, "TUNED", before)
    sweep(tmp_path, study_of("a", trials=6), 2, Random(1))
    old = rows(tmp_path, study_of("a"))
    assert all("y" in row.config for row in old)
    monkeypatch.setattr(sweeps, "TUNED", before + "fixed_when: {y: {n: [2]}}\n")
    sweep(tmp_path, study_of("a", trials=30), 2, Random(2))
    everything = rows(tmp_path, study_of("a"))
    assert everything[:6] == old
    assert {(row.config["n"], "y" in row.config) for row in everything[6:]} == {
        (1, False),
        (2, True),
    }
    found = replay(tmp_path, FAMILIES)
    assert (found.difference, found.sessions, found.suggestions) == (None, 2, 30)


def changed(line: dict[str, Any], **to: Any) -> dict[str, Any]:
    return {**line, **to}


def another_value(line: dict[str, Any]) -> dict[str, Any] | None:
    if line["op_code"] != 5 or line["param_value_internal"] == 0.5:
        return None
    return changed(line, param_value_internal=line["param_value_internal"] / 2)


def another_end(line: dict[str, Any]) -> dict[str, Any] | None:
    return changed(line, state=2) if line.get("state") == 1 else None  # complete is stopped


def another_report(line: dict[str, Any]) -> dict[str, Any] | None:
    return changed(line, intermediate_value=0.9) if line.get("step") == 6 else None


def another_seed(line: dict[str, Any]) -> dict[str, Any] | None:
    return changed(line, user_attr={"seed": 77}) if "seed" in line.get("user_attr", {}) else None


@pytest.mark.parametrize("change", [another_value, another_end, another_report, another_seed])
def test_one_changed_line_is_found_and_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> None:
    sweep(tmp_path, STUDY, 2, Random(1))
    content = lines(tmp_path)
    at, new = next((n, c) for n, line in enumerate(content) if (c := change(line)) is not None)
    content[at] = new
    write(tmp_path, content)
    difference = replay(tmp_path, FAMILIES).difference
    assert difference is not None
    assert int(difference.split(":")[0].removeprefix("line ")) >= at + 1


def test_a_stop_that_the_rules_do_not_know_is_found(tmp_path: Path) -> None:
    sweep(tmp_path, STUDY, 1, Random(1))
    content = lines(tmp_path)
    at = next(n for n, line in enumerate(content) if line.get("step") == 1)
    stop = {"op_code": 6, "worker_id": "x", "trial_id": content[at]["trial_id"], "state": 2}
    write(tmp_path, [*content[: at + 1], {**stop, "values": [0.1]}])
    assert "by the rules it goes on" in str(replay(tmp_path, FAMILIES).difference)


def test_a_space_that_this_version_does_not_know_is_left_to_the_version_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise BadInput("optuna.log: a has no setting 'recency'")

    sweep(tmp_path, STUDY, 1, Random(1))
    monkeypatch.setattr("recsweep.search.replay.parse_space", unknown)
    with pytest.raises(BadInput, match=r"'recency'; replay it with the version that searched it$"):
        replay(tmp_path, FAMILIES)


def test_a_folder_without_a_journal_and_an_old_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no sweep has begun here"):
        replay(tmp_path)
    sweep(tmp_path, STUDY, 1, Random(1))
    write(
        tmp_path, [line for line in lines(tmp_path) if "session" not in line.get("user_attr", {})]
    )
    with pytest.raises(BadInput, match="can't be replayed"):
        replay(tmp_path, FAMILIES)


def test_notes_that_a_dashboard_left_in_the_journal_are_passed_over(tmp_path: Path) -> None:
    study = study_of("a", trials=2)
    sweep(tmp_path, study, 1, Random(1))
    note = {"worker_id": "dashboard", "system_attr": {"dashboard:note": "good"}}
    notes = [{"op_code": 3, "study_id": 0, **note}, {"op_code": 9, "trial_id": 0, **note}]
    write(tmp_path, [*lines(tmp_path), *notes])
    assert replay(tmp_path, FAMILIES).difference is None


def test_a_replay_counts_what_it_derived(tmp_path: Path) -> None:
    study = study_of("a", "floor", trials=2, epochs=1)
    sweep(tmp_path, study, 1, Random(1))
    whole = lines(tmp_path)
    assert replay(tmp_path, FAMILIES) == Replayed(len(whole), 1, 3, 3, None)
    cut = next(n for n, line in enumerate(whole) if line["op_code"] == 7)  # its first score
    write(tmp_path, whole[:cut])
    assert replay(tmp_path, FAMILIES) == Replayed(cut, 1, 1, 0, None)
    sweep(tmp_path, study, 1, Random(1))
    found = replay(tmp_path, FAMILIES)
    assert (found.sessions, found.suggestions, found.ends, found.difference) == (2, 3, 3, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"op_code": 4, "study_id": 0}, "recorded a new trial in a; by the rules no trial is due"),
        ({"op_code": 4, "study_id": 1}, "recorded a new trial in floor; by the rules no trial"),
        ({"op_code": 4, "study_id": 77}, "a new trial belongs to no family"),
        ({"op_code": 8, "trial_id": 77, "user_attr": {"seed": 1}}, "{'seed': 1} belongs to no"),
        ({"op_code": 8, "trial_id": 0, "user_attr": {"seed": 1}}, "{'seed': 1} in a; by the"),
        ({"op_code": 8, "trial_id": 1, "user_attr": {"seed": 1}}, "{'seed': 1} in floor; by the"),
    ],
)
def test_what_comes_after_the_end_is_named_with_its_family(
    tmp_path: Path, line: dict[str, Any], words: str
) -> None:
    sweep(tmp_path, study_of("a", "floor", trials=1, epochs=1), 1, Random(1))
    whole = lines(tmp_path)
    write(tmp_path, [*whole, {**line, "worker_id": "x"}])
    difference = replay(tmp_path, FAMILIES).difference
    assert difference is not None
    assert difference.startswith(f"line {len(whole) + 1}: ")
    assert words in difference
