"""A simulated log as raw files of an experiment, made once from its settings alone."""

import hashlib
import shutil
from pathlib import Path

from recsweep.config.files import nearest
from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.files import write
from recsweep.data.simulator.simulate import simulate
from recsweep.errors import BadInput

TABLES = ("events", "users", "items", "exposures")


def simulated(path: str, settings: SimulatorSettings | None, raw_folder: Path) -> Path:
    """The file of `simulator:<table>`. CSV, so that its bytes depend on no library's version.

    Raises:
        BadInput: no such table, or no settings.
    """
    table = path.partition(":")[2]
    if settings is None:
        raise BadInput(f"{path}: needs data.simulator (its settings; {{}} takes the defaults)")
    if table not in TABLES:
        raise BadInput(f"{path}: the simulator makes no such table{nearest(table, TABLES)}")
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    folder = raw_folder / f"synthetic-{digest[:12]}"
    file = folder / f"synthetic_{table}.csv"
    if not file.exists():
        shutil.rmtree(folder, ignore_errors=True)  # half a folder of ours is of no use
        write(simulate(settings), folder, "csv")
    return file
