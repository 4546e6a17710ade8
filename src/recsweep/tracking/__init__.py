"""Listeners of a running sweep. W&B lives here only."""

import os

# W&B's own telemetry; without a network it holds up the end of the process by 10 seconds and more.
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
