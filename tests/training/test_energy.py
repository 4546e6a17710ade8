import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsweep.config.schema import Energy
from recsweep.training import energy
from recsweep.training.energy import Meter

DECLARED = Energy(watts_per_core=10, watts_per_gpu=300)


class Clock:
    """Seconds of the wall, of this process, and of all processors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = self.mine = self.busy = 0.0
        clocks = SimpleNamespace(perf_counter=lambda: self.wall, process_time=lambda: self.mine)
        monkeypatch.setattr(energy, "time", clocks)
        monkeypatch.setattr(energy, "_busy", lambda: self.busy)

    def work(self, wall: float, mine: float, busy: float) -> None:
        self.wall, self.mine, self.busy = self.wall + wall, self.mine + mine, self.busy + busy


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def package(folder: Path, name: str, microjoules: int) -> None:
    entry = folder / name
    entry.mkdir(exist_ok=True)
    (entry / "energy_uj").write_text(f"{microjoules}\n")
    (entry / "max_energy_range_uj").write_text("100000000\n")


def test_a_process_gets_its_share_of_busy_time_of_every_package(
    tmp_path: Path, clock: Clock
) -> None:
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        package(tmp_path, name, 1_000_000)
    meter = Meter(DECLARED, powercap=tmp_path)
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        package(tmp_path, name, 21_000_000)
    clock.work(wall=9, mine=2, busy=8)
    assert meter.joules() == (10.0, 0.0)  # a quarter of 40; what is within a package is in it
    assert meter.joules() == (0.0, 0.0)


def test_a_counter_that_began_anew_is_gone_on_with(tmp_path: Path, clock: Clock) -> None:
    package(tmp_path, "intel-rapl:0", 90_000_000)
    meter = Meter(DECLARED, powercap=tmp_path)
    package(tmp_path, "intel-rapl:0", 5_000_000)
    clock.work(wall=1, mine=1, busy=1)
    assert meter.joules() == pytest.approx((15.0, 0.0))


def test_a_counter_that_stands_still_tells_of_nothing_used(tmp_path: Path, clock: Clock) -> None:
    package(tmp_path, "intel-rapl:0", 7)
    meter = Meter(DECLARED, powercap=tmp_path)
    clock.work(wall=1, mine=1, busy=1)
    assert meter.joules() == (0.0, 0.0)


def test_a_process_gets_no_more_than_all_that_was_used(tmp_path: Path, clock: Clock) -> None:
    package(tmp_path, "intel-rapl:0", 0)
    meter = Meter(DECLARED, powercap=tmp_path)
    package(tmp_path, "intel-rapl:0", 3_000_000)
    clock.work(wall=1, mine=1.02, busy=1)  # the two clocks tick differently
    assert meter.joules() == (3.0, 0.0)


@pytest.mark.parametrize("unread", ["energy_uj", "stat"])
def test_a_counter_that_only_root_may_read_is_as_good_as_none(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, unread: str
) -> None:
    package(tmp_path, "intel-rapl:0", 0)
    package(tmp_path, "intel-rapl:1", 0)
    if unread == "stat":
        monkeypatch.setattr(energy, "_busy", lambda: None)
    else:
        (tmp_path / "intel-rapl:1" / unread).unlink()
    meter = Meter(DECLARED, powercap=tmp_path)
    clock.work(wall=1, mine=2, busy=4)
    assert meter.joules() == (20.0, 20.0)


def test_busy_time_is_that_of_work_on_this_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  1000 200 300 99999 99999 40 5 77777 88888 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    monkeypatch.setattr(energy, "STAT", stat)
    monkeypatch.setattr("os.sysconf", lambda name: 100)
    assert energy._busy() == 15.45
    stat.unlink()
    assert energy._busy() is None


def test_what_can_not_be_read_is_estimated_by_power_and_said_to_be(
    tmp_path: Path, clock: Clock
) -> None:
    meter = Meter(DECLARED, gpu=0.5, powercap=tmp_path)
    clock.work(wall=2, mine=3, busy=4)
    assert meter.joules() == (30 + 300, 30 + 300)  # 3 s of a core, 2 s of half a GPU
    clock.work(wall=1, mine=1, busy=1)
    meter.restart()
    assert meter.joules() == (0.0, 0.0)


@pytest.mark.parametrize(("gpu", "part"), [(0.25, 0.25), (1, 1), (2, 1)])
def test_a_part_of_a_gpu_gets_that_part_of_what_nvml_tells(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, gpu: float, part: float
) -> None:
    told = SimpleNamespace(millijoules=5_000)
    nvml = SimpleNamespace(nvmlDeviceGetTotalEnergyConsumption=lambda gpu: told.millijoules)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(energy, "_handles", lambda: ["GPU"])
    package(tmp_path, "intel-rapl:0", 0)
    meter = Meter(DECLARED, gpu=gpu, powercap=tmp_path)
    told.millijoules = 105_000
    assert meter.joules() == (100 * part, 0.0)


def nvml(monkeypatch: pytest.MonkeyPatch, **joules: int) -> list[str]:
    """NVML that knows these GPUs' millijoules; what it is asked for."""

    def used(handle: str) -> int:
        return joules[handle]

    monkeypatch.setitem(
        sys.modules, "pynvml", SimpleNamespace(nvmlDeviceGetTotalEnergyConsumption=used)
    )
    return [*joules]


def test_gpus_are_summed_in_joules_and_one_that_tells_nothing_spoils_the_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handles = nvml(monkeypatch, a=1_500, b=2_500)
    assert energy._of_gpus(handles) == 4.0
    assert energy._of_gpus([]) is None
    assert energy._of_gpus([*handles, "from before Volta"]) is None


def test_a_process_without_a_gpu_is_charged_for_none(tmp_path: Path, clock: Clock) -> None:
    meter = Meter(DECLARED, powercap=tmp_path)
    clock.work(wall=100, mine=3, busy=4)
    assert meter.joules() == (30.0, 30.0)


def test_what_a_counter_tells_is_not_estimated_where_the_other_is(
    tmp_path: Path, clock: Clock
) -> None:
    package(tmp_path, "intel-rapl:0", 0)
    meter = Meter(DECLARED, gpu=1, powercap=tmp_path)
    package(tmp_path, "intel-rapl:0", 8_000_000)
    clock.work(wall=2, mine=1, busy=4)
    assert meter.joules() == (2.0 + 600.0, 600.0)


def test_a_gpus_counter_that_is_lost_on_the_way_is_estimated(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy, "_handles", lambda: ["GPU"])
    told = iter((5.0, None, None, 9.0))
    monkeypatch.setattr(energy, "_of_gpus", lambda handles: next(told))
    meter = Meter(DECLARED, gpu=1, powercap=tmp_path)
    for _ in range(3):
        clock.work(wall=2, mine=0, busy=4)
        assert meter.joules() == (600.0, 600.0)


def test_every_gpu_that_the_process_sees_is_found_by_its_uuid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[bool] = []
    nvml = SimpleNamespace(
        nvmlInit=lambda: begun.append(True), nvmlDeviceGetHandleByUUID=lambda each: [each]
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda n: SimpleNamespace(uuid="ab"[n]))
    assert energy._handles() == [["GPU-a"], ["GPU-b"]]
    assert begun == [True]
    monkeypatch.setitem(sys.modules, "pynvml", None)  # the extra isn't there
    assert energy._handles() == []


def test_a_process_without_a_gpu_asks_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def handles() -> list[str]:
        asked.append(True)
        return []

    monkeypatch.setattr(energy, "_handles", handles)
    Meter(DECLARED, powercap=tmp_path)
    assert asked == []
    Meter(DECLARED, gpu=0.1, powercap=tmp_path)
    assert asked == [True]


def test_a_counter_whose_range_is_not_told_is_gone_on_with_from_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    package(tmp_path, "intel-rapl:0", 2_000_000)
    (tmp_path / "intel-rapl:0" / "max_energy_range_uj").unlink()
    meter = Meter(DECLARED, powercap=tmp_path)
    package(tmp_path, "intel-rapl:0", 5_000_000)
    clock.work(wall=1, mine=1, busy=1)
    assert meter.joules() == (3.0, 0.0)
    package(tmp_path, "intel-rapl:0", 4_000_000)
    clock.work(wall=1, mine=1, busy=1)
    assert meter.joules() == (-1.0, 0.0)


@pytest.mark.parametrize("content", ["", "cpu  1 2 three 4 5 6 7\n"])
def test_a_count_of_busy_time_that_can_not_be_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    stat = tmp_path / "stat"
    stat.write_text(content)
    monkeypatch.setattr(energy, "STAT", stat)
    assert energy._busy() is None


@pytest.mark.parametrize("counter", ["busy", "packages"])
def test_what_was_told_at_one_end_alone_is_estimated_until_both_are_told(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, counter: str
) -> None:
    package(tmp_path, "intel-rapl:0", 0)
    busy: list[float | None] = [None, 5.0, None, 6.0, 9.0]
    microjoules: list[float | None] = [1e6, 2e6, 3e6, 4e6, 12e6]
    if counter == "packages":
        busy, microjoules = [1.0, 5.0, 5.5, 6.0, 9.0], [None, 2e6, None, 4e6, 12e6]
    told, joules = iter(busy), iter(microjoules)
    monkeypatch.setattr(energy, "_busy", lambda: next(told))
    monkeypatch.setattr(
        energy, "_number", lambda path: next(joules) if path.name == "energy_uj" else 100e6
    )
    meter = Meter(DECLARED, powercap=tmp_path)
    for _ in range(3):
        clock.work(wall=1, mine=1, busy=0)
        assert meter.joules() == (10.0, 10.0)
    clock.work(wall=1, mine=1, busy=0)
    assert meter.joules() == pytest.approx((8.0 / 3, 0.0))
