"""Who hears of a running sweep. W&B lives here only."""
