"""Listeners of a running sweep. W&B lives here only."""

import os

# W&B's own telemetry; without a network it holds up the end of the process by 10 seconds and more.
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")

OF_ONE_RUN = (
    "WANDB_SERVICE",
    "WANDB_RUN_ID",
    "WANDB_RESUME",
    "WANDB_RESUME_FROM",
    "WANDB_FORK_FROM",
    "WANDB_SWEEP_ID",
    "WANDB_SWEEP_PARAM_PATH",
    "WANDB_LAUNCH",
    "WANDB_LAUNCH_CONFIG_PATH",
    "WANDB_CONFIG",
    "WANDB_CONFIG_PATHS",
)
"""Variables with which a process that uses W&B, such as its agent, hands one run to its children.

A sweep has a run for each trial: with these all of them would be that one.
"""


def stand_apart() -> None:
    """Forget W&B's run of the process that started this one, and variables that say nothing."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        if name in OF_ONE_RUN or not os.environ[name].strip():
            del os.environ[name]
