import time
from pathlib import Path

import pytest
from sweeps import ledger_of, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.ledger import Ledger
from recsweep.search.storage import JOURNAL, identity


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
    from sweeps import FAMILIES

    from recsweep.spaces.files import load_space

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
    assert ledger_of(tmp_path, changed, spaces).target("a") == 20


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
