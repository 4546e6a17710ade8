"""Epochs after which a trial is compared, or complete."""

from recsweep.config.schema import Experiment


def is_over(epoch: int, best: int, length: int, patience: int | None) -> bool:
    """Is a trial complete?

    Args:
        epoch: its last one, from 1.
        best: its best one; of equals the earliest.
        length: epochs of a full trial.
        patience: epochs in a row without a better score after which it is complete (Prechelt 1998,
            "Early stopping - but when?", the criterion UP with the best score so far in the last
            one's place).
    """
    return epoch >= length or (patience is not None and epoch - best >= patience)


def rungs(experiment: Experiment) -> tuple[int, ...]:
    """Epochs after which a trial is compared with its family's earlier ones."""
    epoch, found = experiment.stopping.grace_epochs, []
    if experiment.stopping.rule != "halving":
        return tuple(range(epoch, experiment.budget.epochs))
    while epoch < experiment.budget.epochs:
        found.append(epoch)
        epoch *= experiment.stopping.reduction
    return tuple(found)
