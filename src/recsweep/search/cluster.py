"""Ray: started here and shut down, or joined where RAY_ADDRESS says; silent either way."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.tune.execution import class_cache

from recsweep.config.schema import Resources
from recsweep.errors import BadInput
from recsweep.records.environment import PACKAGE
from recsweep.search.placement import places
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

_HERE = ("", "local")  # values of RAY_ADDRESS with which Ray is started on this machine


@contextmanager
def cluster(resources: Resources) -> Iterator[int]:
    """Yield how many trials may run at once.

    Raises:
        BadInput: no machine of the cluster can hold a trial, or RAY_ADDRESS is no use.
    """
    with environment_variables(_DRIVER):
        address = os.environ.get("RAY_ADDRESS", "")
        ours = not ray.is_initialized()
        _hand_on(set() if ours and address in _HERE else {"RAY_CHDIR_TO_TRIAL_DIR"})
        if ours:
            _start(resources, address)
        try:
            yield _workers(resources)
        finally:
            if ours:
                ray.shutdown()


def _hand_on(variables: set[str]) -> None:
    """Of the driver's variables Tune gives workers these alone.

    Otherwise the keys of a store would be among them, which only the driver needs, and Ray writes a
    worker's variables into its logs. None at all: a process that is ready can be a worker.
    """
    class_cache.DEFAULT_ENV_VARS = {}
    class_cache.ENV_VARS_TO_PROPAGATE = variables


def _start(resources: Resources, address: str) -> None:
    if address.startswith("ray://"):
        raise BadInput(
            f"RAY_ADDRESS={address}: Ray Client is not supported; run recsweep on a machine of the "
            "cluster with RAY_ADDRESS=auto or host:port"
        )
    options: dict[str, Any] = {"address": address, "runtime_env": _runtime_environment(resources)}
    variables: dict[str, str] = {}
    if address in _HERE:
        # Processes inherit the variables from Ray here. In a runtime environment they would be no
        # use to those that Ray starts, one a core, before it is asked for any.
        variables = worker_environment(resources)
        modules = ["recsweep.search.preload"] if most_train(resources) else []
        settings = {"preload_python_modules": modules}
        options = {"address": "local", "_system_config": settings}  # not what else runs here
    try:
        with environment_variables(variables):
            ray.init(
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                **options,
            )
    except ConnectionError as error:
        raise BadInput(
            f"RAY_ADDRESS={address}: {error}; is the cluster up? If it asks for a token, set "
            "RAY_AUTH_MODE=token"
        ) from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)


def most_train(resources: Resources) -> bool:
    """Of the processes that Ray starts, one a core, will most hold a trial?"""
    cores = os.cpu_count() or 1
    trials = min(resources.workers or cores, cores / resources.cpu)
    return not resources.gpu and trials >= cores / 2


def _runtime_environment(resources: Resources) -> dict[str, object]:
    """What workers of a cluster get: variables, and this very code, which they may lack.

    A job that was submitted to the cluster has brought its code with it.
    """
    environment: dict[str, object] = {"env_vars": worker_environment(resources)}
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" not in os.environ:
        environment["py_modules"] = [str(PACKAGE)]
    return environment


def _workers(resources: Resources) -> int:
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    workers = sum(places(machine, resources) for machine in machines)
    if workers == 0:
        held = ", ".join(f"{m.get('CPU', 0):g} CPU and {m.get('GPU', 0):g} GPU" for m in machines)
        asked = " and ".join(
            [f"{resources.cpu:g} CPU", f"{resources.gpu:g} GPU"]
            + [f"{amount:g} {name}" for name, amount in resources.custom.items()]
        )
        raise BadInput(f"resources: a trial asks for {asked}, but the machines have {held}")
    return min(workers, resources.workers or workers)
