"""From raw logs to folds and batches, with time respected at every step."""
