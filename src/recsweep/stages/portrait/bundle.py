"""The verb `portrait` of a bundle: learners as a model in use sees them, without a refit."""

from pathlib import Path

from recsweep.bundle.bundle import load_bundle
from recsweep.config.digest import json_sha256
from recsweep.errors import BadInput
from recsweep.models.protocol import Portrayable
from recsweep.records.environment import environment
from recsweep.records.portrait import read_portrait
from recsweep.stages.machine import threads
from recsweep.stages.portrait.stage import Portrayed, portray
from recsweep.stages.recommend import prepared_log
from recsweep.tasks.development import whole_development


def bundle_portrait_stage(folder: Path, root: Path, *, clusters: int | None = None) -> Portrayed:
    """Portray the learners of the log that a bundle was fitted on, by all that it learned from.

    The portrait lies beside the bundle, in `portraits/<its name>.json` and `.parquet`, since
    nothing of a learner is to be in the bundle.

    Args:
        folder: of the bundle.
        root: the folder that holds `data/`.
        clusters: how many; None: chosen by silhouette score.

    Raises:
        BadInput: a bundle that can't be used, other data than it was fitted on, or a model that
            has no state of a learner.
    """
    bundle = load_bundle(folder)
    record, experiment, model = bundle.file, bundle.known.experiment, bundle.model
    if experiment.data.sessions is not None or not isinstance(model, Portrayable):
        raise BadInput(f"{folder}: {record.family} has no state of a learner to portray")
    place, files = folder.absolute().parent, {n: f.sha256 for n, f in record.files.items()}
    inputs = json_sha256({"files": files, "clusters": clusters})
    before = read_portrait(place, bundle.name)
    if before is not None and before.inputs == inputs:
        return Portrayed(before, fitted=False)
    dataset = prepared_log(bundle, root)
    fold = whole_development(dataset, experiment, record.fitted.end)
    with threads(experiment.resources):
        vectors = model.learner_vectors(fold.validation.histories)
    told = {
        **record.model_dump(include={"study", "kind", "config", "epochs", "seed"}),
        "trial": record.selected.trial,
        "asked": clusters,
        "inputs": inputs,
        "environment": environment(experiment.resources),
    }
    return Portrayed(
        portray(vectors, fold, dataset, experiment, place, bundle.name, told), fitted=True
    )
