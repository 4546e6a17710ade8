from contextlib import suppress
from pathlib import Path

import pytest

from recsweep.cli.notify import notifying
from recsweep.errors import BadInput, RecsweepError, WorkFailed


@pytest.mark.parametrize(
    ("ends", "status"), [(None, "0"), (WorkFailed("x"), "1"), (BadInput("x"), "2")]
)
def test_a_command_at_the_end_is_told_how_it_ended(
    ends: Exception | None, status: str, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    with suppress(RecsweepError), notifying(f"echo $RECSWEEP_STATUS > {told}"):
        if ends is not None:
            raise ends
    assert told.read_text().strip() == status


def test_a_stopped_command_is_told_too(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with pytest.raises(KeyboardInterrupt), notifying(f"echo $RECSWEEP_STATUS > {told}"):
        raise KeyboardInterrupt
    assert told.read_text().strip() == "1"


def test_what_it_says_is_no_result_and_its_failure_a_warning(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with notifying("echo hello; exit 3"):
        pass
    out, err = capfd.readouterr()
    assert out == ""
    assert "hello" in err
    assert "ended with status 3" in " ".join(err.split())
