"""What `monitor` refuses before it looks for a model."""

from pathlib import Path

import pytest

from recsweep.bundle.labels import Feed
from recsweep.errors import BadInput
from recsweep.evaluation.monitoring import Watching
from recsweep.stages.monitor import monitor_stage


@pytest.mark.parametrize(
    ("false_alarms", "reference_days", "message"),
    [
        (0.0, 28, "--false-alarms and --reference-days must be above 0"),
        (-0.5, 28, "--false-alarms and --reference-days must be above 0"),
        (0.5, 0, "--false-alarms and --reference-days must be above 0"),
        (0.01, 1, "none"),  # these will do; the model is missing
    ],
)
def test_a_chart_needs_some_false_alarms_and_some_days_to_learn_from(
    false_alarms: float, reference_days: int, message: str, tmp_path: Path
) -> None:
    watching = Watching(false_alarms=false_alarms, reference_days=reference_days)
    with pytest.raises(BadInput, match=message):
        monitor_stage(tmp_path / "none", tmp_path / "feed.csv", feed=Feed(), watching=watching)
