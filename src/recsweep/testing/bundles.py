"""A family's model as a bundle, without a study: fitted on all of the made-up log."""

from recsweep.bundle.bundle import Bundle, parts_of, rebuilt
from recsweep.bundle.format import BundleFile, Fitted, Selected
from recsweep.evaluation.probability import Calibrator
from recsweep.models.protocol import Context
from recsweep.tasks.registry import TASKS
from recsweep.testing.cases import CPU, Case
from recsweep.testing.worlds import whole_world


def bundle_of(case: Case) -> Bundle:
    """Fitted, taken to pieces and rebuilt from them."""
    record, files = pieces_of(case)
    read = BundleFile.model_validate_json(record.model_dump_json())
    return rebuilt("made-up", read, files, case.traits)


def pieces_of(case: Case) -> tuple[BundleFile, dict[str, bytes]]:
    """What `bundle.json` says, and the files beside it."""
    split = whole_world(case.task, case.settings)
    training = TASKS[case.task].training(split)
    model = case.traits.model(case.config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    content, files = parts_of(model, split, training, Calibrator())
    fitted = Fitted(
        until="everything",
        end=split.window[0],
        learners=len(training.sequences),
        events=len(training.sequences.item),
        dataset="made-up",
        fingerprint="none",
        raw={},
    )
    record = BundleFile(
        study="made-up",
        family=case.family.name,
        kind=case.family.name,
        task=case.task,
        config=case.config,
        epochs=1,
        seed=0,
        fitted=fitted,
        selected=Selected(trial="", rule="", metric="", value=0, folds=(), trials=None),
        evidence=None,
        licence="",
        experiment=split.experiment,
        environment={},
        files={},
        **content,
    )
    return record, files
