import signal
import threading
from collections.abc import Iterator

import pytest

from recsweep.search.interrupts import stop_requested

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def usual() -> Iterator[list[int]]:
    """What the process does with a signal as a rule: here it takes note."""
    seen: list[int] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, lambda number, _: seen.append(number))
    yield seen
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_for_a_stop_and_the_second_does_what_it_always_does(
    usual: list[int], number: int
) -> None:
    with stop_requested() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
        assert usual == []
        for other in SIGNALS:
            signal.raise_signal(other)
        assert usual == [*SIGNALS]


def test_afterwards_signals_do_what_they_did_before_an_error_or_not(usual: list[int]) -> None:
    with pytest.raises(ValueError, match="in between"), stop_requested() as stop:
        raise ValueError("in between")
    for number in SIGNALS:
        signal.raise_signal(number)
    assert usual == [*SIGNALS]
    assert not stop.is_set()


def test_elsewhere_than_in_the_main_thread_signals_are_left_alone(usual: list[int]) -> None:
    found: list[bool] = []

    def work() -> None:
        with stop_requested() as stop:
            for number in SIGNALS:
                signal.raise_signal(number)
            found.append(stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
    assert usual == [*SIGNALS]
