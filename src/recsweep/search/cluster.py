"""Ray: started here and shut down, or joined where RAY_ADDRESS says; silent either way."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ray

from recsweep.config.schema import Resources
from recsweep.errors import BadInput
from recsweep.training.process import environment_variables, worker_environment

_DRIVER = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # otherwise a warning on every machine without GPU
    "RAY_AIR_NEW_OUTPUT": "0",  # its banner ignores verbose=0
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # `interrupts.py` has one
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",  # Optuna's journal is what a sweep resumes from
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "10",
}


@contextmanager
def cluster(resources: Resources) -> Iterator[int]:
    """Yield how many trials may run at once.

    Raises:
        BadInput: no machine of the cluster can hold a trial, or RAY_ADDRESS is no use.
    """
    with environment_variables(_DRIVER):
        ours = not ray.is_initialized()
        if ours:
            _start(resources)
        try:
            yield _workers(resources)
        finally:
            if ours:
                ray.shutdown()


def _start(resources: Resources) -> None:
    address = os.environ.get("RAY_ADDRESS", "")
    if address.startswith("ray://"):
        raise BadInput(
            f"RAY_ADDRESS={address}: Ray Client is not supported; run recsweep on a machine of the "
            "cluster with RAY_ADDRESS=auto or host:port"
        )
    try:
        ray.init(
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            runtime_env={"env_vars": worker_environment(resources)},
        )
    except ConnectionError as error:
        raise BadInput(f"RAY_ADDRESS={address}: {error}; is the cluster up?") from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)


def _workers(resources: Resources) -> int:
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    workers = sum(_fitting(machine, resources) for machine in machines)
    if workers == 0:
        held = ", ".join(f"{m.get('CPU', 0):g} CPU and {m.get('GPU', 0):g} GPU" for m in machines)
        raise BadInput(
            f"resources: a trial asks for {resources.cpu:g} CPU and {resources.gpu:g} GPU, "
            f"but the machines have {held}"
        )
    return min(workers, resources.workers or workers)


def _fitting(machine: Mapping[str, float], resources: Resources) -> int:
    by_cpu = machine.get("CPU", 0) // resources.cpu
    by_gpu = machine.get("GPU", 0) // resources.gpu if resources.gpu else by_cpu
    return int(min(by_cpu, by_gpu))
