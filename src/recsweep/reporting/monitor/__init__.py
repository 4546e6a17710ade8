"""The page of `recsweep monitor`."""
