import pytest
from sweeps import study_of

from recsweep.search.stopping import is_over, rungs


@pytest.mark.parametrize(
    ("epoch", "best", "patience", "over"),
    [
        (9, 9, None, False),
        (9, 1, None, False),  # without patience nothing but the length counts
        (10, 10, None, True),
        (11, 11, None, True),  # a study that was shortened
        (4, 2, 3, False),
        (5, 2, 3, True),
        (6, 2, 3, True),
        (10, 9, 3, True),
    ],
)
def test_a_trial_is_over_at_its_length_or_after_as_many_epochs_without_a_better_score(
    epoch: int, best: int, patience: int | None, over: bool
) -> None:
    assert is_over(epoch, best, 10, patience) is over


@pytest.mark.parametrize(
    ("rule", "grace", "epochs", "expected"),
    [
        ("halving", 1, 9, (1, 3)),  # not after the last epoch, when there is nothing to save
        ("halving", 1, 10, (1, 3, 9)),
        ("halving", 2, 10, (2, 6)),
        ("halving", 4, 4, ()),
        ("lag", 2, 5, (2, 3, 4)),
        ("forecast", 3, 5, (3, 4)),
        ("forecast", 5, 5, ()),
    ],
)
def test_halving_compares_ever_more_rarely_the_other_rules_after_each_epoch_but_the_last(
    rule: str, grace: int, epochs: int, expected: tuple[int, ...]
) -> None:
    stopping = {"rule": rule, "grace_epochs": grace, "reduction": 3}
    assert rungs(study_of("a", epochs=epochs, stopping=stopping)) == expected
