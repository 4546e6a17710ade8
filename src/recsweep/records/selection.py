"""The configurations that were picked, and `best/<family>.yaml`: all it takes to rebuild one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from recsweep.config.files import dump_yaml, read_yaml, validate
from recsweep.config.schema import Decides, Experiment, Schema, SelectionRule
from recsweep.config.values import Configuration, RecordedConfiguration
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text
from recsweep.records.digests import digests_of
from recsweep.records.openings import Opened

EnsembleRule = Literal["greedy_selection"]
ENSEMBLE = "ensemble"
"""The name of what `fuse` makes of a study's trials, and of its kind; no experiment has it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A family's selected configuration and what the folds said of it."""

    family: str  # its name in the study
    kind: str  # its name in the registry
    trial: str
    config: Configuration
    seed: int
    epochs: int  # to train for: the trial's best epoch
    value: float  # the study's metric there, mean over folds
    metrics: Mapping[str, tuple[float, ...]]  # `ndcg@10` -> one value a fold
    converged: bool  # further epochs did not help; False: the budget ended first
    near_edge: tuple[str, ...]  # warnings: a wider range may hold a better configuration
    within: int  # complete trials within one standard error of the best, this one included
    candidates: int  # complete trials


@dataclass(frozen=True, slots=True)
class Selection:
    """One choice a family, by a rule fixed before the sweep."""

    rule: SelectionRule
    metric: str
    families: Mapping[str, Choice]

    @property
    def opened(self) -> dict[str, Opened]:
        """What of each family goes to the test."""
        return {name: Opened.of(choice) for name, choice in self.families.items()}


class DataRecord(Schema):
    """Which data a configuration was selected on."""

    dataset: str  # folder name of the prepared data
    fingerprint: str
    raw: Mapping[str, str]  # raw file -> sha256


class BestFile(Schema):
    """The keys of `best/<family>.yaml`, in their order."""

    command: str  # that rebuilds and checks it
    study: str
    family: str  # its name in the study
    kind: Annotated[str, Decides.REBUILT]  # its name in the registry
    trial: str
    rule: SelectionRule | EnsembleRule
    config: Annotated[RecordedConfiguration, Decides.REBUILT]
    seed: Annotated[int, Decides.REBUILT]
    epochs: Annotated[int, Decides.REBUILT]
    metric: Annotated[str, Decides.REBUILT]
    value: Annotated[float, Decides.REBUILT]
    metrics: Annotated[Mapping[str, tuple[float, ...]], Decides.REBUILT]
    converged: bool
    near_edge: tuple[str, ...]
    data: Annotated[DataRecord, Decides.REBUILT]
    experiment: Annotated[Experiment, Decides.REBUILT]
    environment: Mapping[str, Any]
    digests: Mapping[str, str] = {}  # of the keys that are rebuilt; `write_best` fills them in


def write_best(best: BestFile, path: Path) -> None:
    """Write readable YAML; floats keep every digit. `docs/best.schema.json` describes it."""
    content = best.model_dump(mode="json")
    content["digests"] = digests_of(BestFile, content)
    write_text(path, f"# {best.command}\n{dump_yaml(content)}")


def read_best(path: Path) -> BestFile:
    """Read it back.

    Raises:
        BadInput: no such file, a key that is missing, unknown or of the wrong kind, or a family
            that its own experiment doesn't have.
    """
    best = validate(BestFile, read_yaml(path), path)
    if best.family not in best.experiment.families and best.kind != ENSEMBLE:
        named = ", ".join(best.experiment.families)
        raise BadInput(f"{path}: family: {best.family} is not among experiment.families ({named})")
    return best
