import time
from pathlib import Path

import optuna
import pytest
from sweeps import FAMILIES, ledger_of, lower, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.ledger import Ledger
from recsweep.search.storage import (
    JOURNAL,
    _short,
    identity,
    kept_earlier,
    kept_widenings,
    open_family,
    open_storage,
    widened_before,
)
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.spaces.widen import with_ranges


def test_a_line_torn_by_a_crash_is_dropped_and_the_rest_kept(tmp_path: Path) -> None:
    experiment, spaces = study_of("a"), spaces_of(tmp_path, "a")
    ledger_of(tmp_path, experiment, spaces).ask("a")
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"x","stu')
    ledger = ledger_of(tmp_path, experiment, spaces)
    assert [ledger.ask("a").id for _ in range(2)] == ["a-0000", "a-0001"]
    assert len(ledger_of(tmp_path, experiment, spaces).trials("a")) == 2


def test_a_lock_that_a_killed_driver_left_on_the_journal_does_not_hold_it_up(
    tmp_path: Path,
) -> None:
    ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    (tmp_path / f"{JOURNAL}.lock").touch()
    began = time.monotonic()
    ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a")).ask("a")
    assert time.monotonic() - began < 10  # Optuna itself waits for half a minute


def test_a_study_from_before_there_was_a_choice_of_stopping_rules_goes_on(tmp_path: Path) -> None:
    now = identity(study_of("a"), "a", spaces_of(tmp_path, "a")["a"], "data")
    assert now["stopping"] == {"grace_epochs": 1, "reduction": 2, "full_trials": 4}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": {"name": "mrr"}}, "began with metric name ndcg, now it is name mrr"),
        ({"epochs": 5}, "began with budget.epochs 4, now it is 5"),
        (
            {"stopping": {"rule": "lag", "grace_epochs": 1, "reduction": 2}},
            "stopping rule absent, now it is rule lag",
        ),
        (
            {"stopping": {**{"grace_epochs": 1, "reduction": 2, "full_trials": 4, "patience": 2}}},
            "stopping patience absent, now it is patience 2",
        ),
        ({"seed": 1}, "began with seed 0, now it is 1"),
        ({"resources": {"precision": "bf16"}}, "resources.precision fp32, now it is bf16"),
    ],
)
def test_a_study_that_began_otherwise_is_not_gone_on_with(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    spaces = spaces_of(tmp_path, "a")
    ledger_of(tmp_path, study_of("a"), spaces)
    with pytest.raises(BadInput) as error:
        ledger_of(tmp_path, study_of("a", **change), spaces)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_other_data_and_another_space_are_refused_by_name(tmp_path: Path) -> None:
    spaces = spaces_of(tmp_path, "a")
    ledger_of(tmp_path, study_of("a"), spaces)
    with pytest.raises(BadInput, match="began with data data, now it is other"):
        ledger_of(tmp_path, study_of("a"), spaces, fingerprint="other")
    path = tmp_path / "a.yaml"
    path.write_text(path.read_text().replace("[0.0, 1.0]", "[0.0, 2.0]"))
    with pytest.raises(BadInput, match=r"space parameters x float \[0.0, 1.0\], now it is"):
        ledger_of(tmp_path, study_of("a"), {"a": load_space(path, FAMILIES)})


def test_with_conditions_of_fixed_values_nothing_else_gets_in(tmp_path: Path) -> None:
    (begun,) = spaces_of(tmp_path, "a").values()
    ledger_of(tmp_path, study_of("a"), {"a": begun.model_copy(update={"fixed": {"y": 1.0}})})
    changes = {"fixed": {"y": 2.0}, "fixed_when": {"y": {"x": (1,)}}}
    with pytest.raises(BadInput, match=r"space fixed y 1.0, now it is fixed y 2.0"):
        ledger_of(tmp_path, study_of("a"), {"a": begun.model_copy(update=changes)})


def test_more_trials_other_workers_and_another_rule_are_no_other_study(tmp_path: Path) -> None:
    spaces = spaces_of(tmp_path, "a")
    ledger_of(tmp_path, study_of("a"), spaces)
    changed = study_of(
        "a",
        trials=20,
        resources={"workers": 1},
        selection={"rule": "one_standard_error"},
        tracking={"wandb": "off"},
        description="new",
    )
    assert ledger_of(tmp_path, changed, spaces).turns.target("a") == 20


def draws(ledger: Ledger, family: str, n: int = 4) -> list[float]:
    return [float(ledger.ask(family).config["x"]) for _ in range(n)]


def test_families_and_sessions_draw_differently_and_a_new_run_the_same(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", "b"), spaces_of(tmp_path, "a", "b")

    def open_(folder: str) -> Ledger:
        (tmp_path / folder).mkdir(exist_ok=True)
        return ledger_of(tmp_path / folder, experiment, spaces)

    one = open_("one")
    first, other = draws(one, "a"), draws(one, "b")
    resumed = draws(open_("one"), "a", 8)
    assert first[0] == other[0] == 0.5  # the defaults
    assert resumed[:4] == first
    assert len({*first[1:], *other[1:], *resumed[4:]}) == 3 + 3 + 4
    assert draws(open_("two"), "a") == first


def opened(folder: Path, space: Space, *, widen: bool = False) -> optuna.Study:
    return open_family(open_storage(folder), "a", space, study_of("a"), "data", widen=widen)


def test_who_only_reads_mends_nothing(tmp_path: Path) -> None:
    path, lock = tmp_path / JOURNAL, tmp_path / f"{JOURNAL}.lock"
    ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    with path.open("a") as file:
        file.write('{"op_code":4,"wor')  # whoever writes may be at it
    lock.touch()
    whole = path.read_bytes()
    open_storage(tmp_path)
    assert path.read_bytes() == whole
    assert lock.exists()
    open_storage(tmp_path, heal=True)
    assert path.read_bytes() == whole[: -len('{"op_code":4,"wor')]
    assert not lock.exists()


def test_a_journal_of_nothing_but_a_torn_line_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text('{"op_code":0,"wor')
    assert ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a")).ask("a").id == "a-0000"


def test_a_last_line_that_is_whole_and_cant_be_read_is_damage(tmp_path: Path) -> None:
    ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    with (tmp_path / JOURNAL).open("a") as file:
        file.write("nonsense\n")
    with pytest.raises(
        BadInput, match=r"optuna\.log: is damaged \(JSONDecodeError: Expecting value"
    ):
        open_storage(tmp_path, heal=True)


def test_a_long_word_about_damage_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object, **named: object) -> None:
        raise KeyError("x" * 200)

    monkeypatch.setattr("recsweep.search.storage.JournalFileBackend", fails)
    with pytest.raises(BadInput, match=r"\(KeyError: 'x{119}\); put back a copy"):
        open_storage(tmp_path)


def test_a_family_begins_once_with_its_defaults_and_a_name_of_its_own(tmp_path: Path) -> None:
    (space,) = spaces_of(tmp_path, "a").values()
    first, again = opened(tmp_path, space), opened(tmp_path, space)
    (waits,) = again.get_trials()
    assert (waits.state.name, waits.user_attrs) == ("WAITING", {"number": 0})
    assert waits.system_attrs["fixed_params"] == {"x": 0.5}
    assert again.user_attrs["uid"] == first.user_attrs["uid"]
    assert len(bytes.fromhex(first.user_attrs["uid"])) == 4
    assert first.direction.name == "MAXIMIZE"
    other = open_family(open_storage(tmp_path), "b", space, lower(study_of("b")), "data")
    assert other.direction.name == "MINIMIZE"
    assert other.user_attrs["uid"] != first.user_attrs["uid"]


def test_a_study_without_a_name_of_its_own_gets_one_and_no_second_defaults(tmp_path: Path) -> None:
    """One from before studies had such names, which has begun."""
    (space,) = spaces_of(tmp_path, "a").values()
    opened(tmp_path, space)
    path = tmp_path / JOURNAL
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"uid"' not in line))
    assert "uid" not in optuna.load_study(study_name="a", storage=open_storage(tmp_path)).user_attrs
    study = opened(tmp_path, space)
    assert len(study.user_attrs["uid"]) == 8
    assert len(study.get_trials()) == 1


def test_conditions_of_fixed_values_are_taken_up_by_a_study_from_before_they_were_said(
    tmp_path: Path,
) -> None:
    (begun,) = spaces_of(tmp_path, "a").values()
    old = begun.model_copy(update={"fixed": {"y": 1.0}})
    now = old.model_copy(update={"fixed_when": {"y": {"x": (1,)}}})
    assert "fixed_when" not in opened(tmp_path, old).user_attrs["identity"]["space"]
    study = opened(tmp_path, now)
    assert study.user_attrs["identity"]["space"]["fixed_when"] == {"y": {"x": [1]}}
    with pytest.raises(BadInput, match="now it is fixed_when absent"):
        opened(tmp_path, old)


def test_ranges_that_were_widened_are_kept_in_order_and_known_to_who_reads_the_file_anew(
    tmp_path: Path,
) -> None:
    assert widened_before(tmp_path, spaces_of(tmp_path, "a"), FAMILIES) == spaces_of(tmp_path, "a")
    assert not (tmp_path / JOURNAL).exists()
    files = spaces_of(tmp_path, "a", "b")
    experiment = study_of("a", "b")
    ledger = ledger_of(tmp_path, experiment, files)
    assert kept_widenings(ledger._studies["a"]) == ()
    ledger.fail(ledger.ask("a").id, "no memory")
    ledger.ask("a")  # has not finished
    for asked in ("a.x=0:2", "a.x=0:3"):
        wide = with_ranges(widened_before(tmp_path, files, FAMILIES), [asked], FAMILIES)
        study = opened(tmp_path, wide["a"], widen=True)
    opened(tmp_path, wide["a"], widen=True)  # typed again
    assert [w.model_dump() for w in kept_widenings(study)] == [
        {"parameter": "x", "before": (0, 1), "now": (0, 2), "trials": 1},
        {"parameter": "x", "before": (0, 2), "now": (0, 3), "trials": 1},
    ]
    found = widened_before(tmp_path, files, FAMILIES)
    assert (found["a"].parameters["x"].high, found["b"]) == (3, files["b"])
    assert widened_before(tmp_path, {"b": files["b"]}, FAMILIES) == {"b": files["b"]}
    (tmp_path / "a.yaml").write_text((tmp_path / "a.yaml").read_text().replace("1.0]", "9.0]"))
    edited = load_space(tmp_path / "a.yaml", FAMILIES)  # says something else, which is for others
    assert widened_before(tmp_path, {"a": edited}, FAMILIES) == {"a": edited}


def test_what_a_study_began_with_is_nothing_where_there_is_none(tmp_path: Path) -> None:
    assert kept_earlier(tmp_path) == {}
    assert not (tmp_path / JOURNAL).exists()
    ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    assert kept_earlier(tmp_path) == {}


def test_what_differs_is_told_in_forty_characters() -> None:
    assert _short("x" * 40) == "x" * 40
    assert _short("x" * 41) == "x" * 37 + "…"
    assert [_short(None), _short(0), _short([1, 2])] == ["absent", "0", "[1, 2]"]


def test_a_study_of_which_a_line_is_lost_is_not_gone_on_with(tmp_path: Path) -> None:
    spaces = spaces_of(tmp_path, "a")
    ledger = ledger_of(tmp_path, study_of("a"), spaces)
    ledger.fail(ledger.ask("a").id, "no memory")
    path = tmp_path / JOURNAL
    lines = path.read_text().splitlines(keepends=True)
    (lost,) = (line for line in lines if '"config":' in line)
    path.write_text("".join(line for line in lines if line != lost))
    with pytest.raises(BadInput, match=r"a: trial 0 of the journal optuna\.log is not whole"):
        ledger_of(tmp_path, study_of("a"), spaces)
