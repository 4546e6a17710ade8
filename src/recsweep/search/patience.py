"""When a trial has had enough epochs."""


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
