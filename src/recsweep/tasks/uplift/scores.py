"""What predicted differences score, each metric as values of the rows whose mean it is."""

from recsweep.config.schema import Metric
from recsweep.data.types import Float64, Targets
from recsweep.evaluation.uplift import UpliftRows, metrics
from recsweep.models.cases import labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.task import Outcomes


def rows_of(outcomes: Outcomes, targets: Targets) -> UpliftRows:
    """The targets in the order that a model's answers put them in."""
    labels = labels_of(targets)
    treatments = treatments_of(labels)
    return UpliftRows(outcomes, labels.bought, treatments.treated, treatments.propensity)


def target_values(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, Float64]:
    """Metric -> (n_targets,)."""
    rows, treatments = rows_of(outcomes, targets), treatments_of(labels_of(targets))
    assert treatments.expected is not None  # every window has them
    found = metrics(rows, treatments.budget, treatments.expected)
    return {name: rows.values(value) for name, value in found.items()}
