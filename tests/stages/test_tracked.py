"""What a stage tells W&B that it stood on and made."""

import pytest
from tiny import CONFIGS, World

from recsweep.stages import tracked
from recsweep.tracking.stage_runs import StageRun


def test_a_selections_run_stands_on_data_and_spaces_and_gives_out_what_was_selected(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = list[StageRun]()
    monkeypatch.setattr(tracked, "track", lambda folder, experiment, run: runs.append(run))
    tracked.track_selection(world.study)
    (run,) = runs
    assert [item.type for item in run.took] == ["dataset", "search-space"]
    (best,) = run.gave
    assert best.name == "tiny-best"
    assert {*best.files} == {f"{family}.yaml" for family in CONFIGS}
    assert run.summary == {"families": len(CONFIGS)}
