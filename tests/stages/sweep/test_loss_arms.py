"""A loss as an arm, from the experiment to the page."""

from pathlib import Path

import pytest
import yaml
from fuzz.command import recsweep
from tiny import tiny_experiment, write_log

from recsweep.records.confirmation_files import read_confirmation

ARMS = {"softmax": ["cross_entropy"], "gbce": ["gbce"]}


@pytest.mark.long
@pytest.mark.usefixtures("local_ray")
def test_losses_of_two_families_are_searched_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_LOG", str(tmp_path))
    write_log(tmp_path / "log.csv")
    keys = tiny_experiment().model_dump(mode="json") | {
        "study": "losses",
        "families": ["neumf", "matrix_factorization", "popularity"],
        "losses": ARMS,
        "tracking": {"wandb": "off"},
    }
    keys["budget"] |= {"trials": 1, "epochs": 1}
    keys["stopping"] = {"grace_epochs": 1}
    (tmp_path / "losses.yaml").write_text(yaml.safe_dump(keys))
    ended = recsweep(tmp_path, "sweep", "losses.yaml", "--quiet")
    assert ended.done, ended.err
    study = tmp_path / "results" / "losses"
    confirmation = read_confirmation(study)
    assert confirmation is not None
    arms = [f"{kind}+{name}" for kind in ("neumf", "matrix_factorization") for name in ARMS]
    assert {*confirmation.families} == {*arms, "popularity"}
    for name in arms:
        best = yaml.safe_load((study / "best" / f"{name}.yaml").read_text())
        assert best["config"]["loss"] in ARMS[name.partition("+")[2]]
    declared = {(v.a, v.b) for v in confirmation.pairs if not v.exploratory}
    for kind in ("neumf", "matrix_factorization"):
        assert {f"{kind}+softmax", f"{kind}+gbce"} in [{*pair} for pair in declared]
    page = (study / "report.html").read_text("utf-8")
    assert "Losses of matrix factorisation+gbce: gbce." in page
