"""The committed studies, copied so that a test can change them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recsweep.records.checked import write_checked
from recsweep.records.confirmation_files import VERDICTS

REFERENCE = Path(__file__).parents[1] / "examples" / "reference"


def copied(name: str, folder: Path) -> Path:
    """A study's folder in another one."""
    return Path(shutil.copytree(REFERENCE / name, folder / name))


def change_verdicts(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite a study's verdicts, so that they are whole again."""
    content = json.loads((folder / VERDICTS).read_text("utf-8"))
    content.pop("digest", None)
    change(content)
    write_checked(folder / VERDICTS, content)
