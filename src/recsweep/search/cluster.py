"""Ray: started here and shut down, or joined where RAY_ADDRESS says; silent either way.

What is started here is nobody else's. Its token is its own, so that a program of this machine that
looks for any cluster can't land in it, and so that Ray writes none to the home folder.
"""

import logging
import math
import os
import secrets
import site
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]
from ray.tune.execution import class_cache

from recsweep.config.schema import Resources
from recsweep.errors import BadInput, WorkFailed, one_line
from recsweep.records.environment import PACKAGE
from recsweep.search.addresses import check_address
from recsweep.search.placement import places
from recsweep.training.cores import usable_cores
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

_LONGEST = 107  # bytes of a socket's path, in Linux
_IDLE = 3_600_000  # ms that a process waits for a trial; after Ray's second it would begin anew


@contextmanager
def cluster(resources: Resources) -> Iterator[int]:
    """Yield how many trials may run at once.

    Raises:
        BadInput: no machine of the cluster can hold a trial, RAY_ADDRESS is no use, this process
            uses a Ray that nobody asked us to join, or Ray has no place for its files.
        WorkFailed: Ray's processes didn't come up in time.
    """
    with environment_variables(_DRIVER):
        address = os.environ.get("RAY_ADDRESS", "").strip()
        ours = not ray.is_initialized()
        _hand_on(set() if ours and address in _HERE else {"RAY_CHDIR_TO_TRIAL_DIR"})
        if not ours:
            _check_asked(address)
        elif address in _HERE:
            _start(resources)
        else:
            _join(resources, address)
        level = _quietly()
        try:
            yield _workers(resources)
        finally:
            if ours:
                ray.shutdown()
                _read_token_again()
            else:
                logging.getLogger("ray").setLevel(level)


def _hand_on(variables: set[str]) -> None:
    """Of the driver's variables Tune gives workers these alone.

    Otherwise the keys of a store would be among them, which only the driver needs, and Ray writes a
    worker's variables into its logs. None at all: a process that is ready can be a worker.
    """
    class_cache.DEFAULT_ENV_VARS = {}
    class_cache.ENV_VARS_TO_PROPAGATE = variables


def _check_asked(address: str) -> None:
    """A process has one Ray; one that it uses for something else is joined on demand alone."""
    own = ray.get_runtime_context().gcs_address
    if address not in ("auto", own):
        raise BadInput(
            f"this process uses a Ray already, at {own}: call ray.shutdown() first, or set "
            f"RAY_ADDRESS={own} to run the trials there"
        )


def _start(resources: Resources) -> None:
    # Processes inherit the variables from Ray here, and where this very code is. Where a runtime
    # environment is asked for, those that Ray starts by itself, one a core, are no use: they would
    # import beside the ones that train.
    variables = {
        **worker_environment(resources),
        **_code(),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    place = _place()
    modules = ["recsweep.search.preload"] if most_train(resources) else []
    # `uv run` above us would have workers begun by uv too, in a copy of the current folder.
    asked_by_uv = ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV
    ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = False
    try:
        with environment_variables(variables):
            _read_token_again()
            _init(
                address="local",
                num_cpus=cores(resources),
                _system_config={
                    "preload_python_modules": modules,
                    "idle_worker_killing_time_threshold_ms": _IDLE,
                },
                _temp_dir=str(place),
                _skip_env_hook=True,
            )
    except (OSError, RuntimeError) as error:
        raise BadInput(
            f"Ray can't start: {' '.join(str(error).split())}; its files go to {place}, and some "
            f"to HOME={os.environ.get('HOME', '')}: set RAY_TMPDIR, or HOME, to a folder that can "
            "be written to"
        ) from error
    except Exception as error:
        if type(error) is not Exception:
            raise
        # Ray's word for half a minute without a sign of life of the processes that it began.
        raise WorkFailed(
            f"Ray didn't start: {one_line(error)} Is the machine busy? Run the same command again"
        ) from error
    finally:
        ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = asked_by_uv


def _code() -> dict[str, str]:
    """The variable by which a process finds this code, unless any process of this Python does."""
    folder = str(PACKAGE.parent)
    if folder in (*site.getsitepackages(), site.getusersitepackages()):
        return {}  # before all others it would hide modules of Python's own
    given = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([folder, given] if given else [folder])}


def _read_token_again() -> None:
    """Ray remembers what the variables said when it first looked."""
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _place() -> Path:
    """Where Ray keeps its files; it must be writable, and a socket's path in it short enough.

    Raises:
        BadInput: it isn't.
    """
    names = ("RAY_TMPDIR", "TMPDIR") if sys.platform == "linux" else ("RAY_TMPDIR",)  # as Ray does
    name = next((name for name in names if os.environ.get(name)), "")
    given = os.environ.get(name) or "/tmp"
    where = f"{name}={given}" if name else given
    way_out = "set RAY_TMPDIR to a short folder that can be written to, such as /tmp"
    try:
        place = Path(given).expanduser().absolute() / "ray"
    except RuntimeError:
        raise BadInput(f"{where}: there is no such user; {way_out}") from None
    session = f"session_0000-00-00_00-00-00_000000_{os.getpid()}"
    length = len(os.fsencode(place / session / "sockets" / "plasma_store"))
    if length > _LONGEST:
        raise BadInput(
            f"{where}: is too long by {length - _LONGEST} bytes for the sockets that Ray keeps in "
            f"it; {way_out} (HOME={os.environ.get('HOME', '')} is not used)"
        )
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise BadInput(
            f"{where}: Ray can't write there ({error.strerror or error}); {way_out} "
            f"(HOME={os.environ.get('HOME', '')} is not used)"
        ) from None
    return place


def _join(resources: Resources, address: str) -> None:
    check_address(address)
    try:
        _init(address=address, runtime_env=_runtime_environment(resources))
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise BadInput(
            f"RAY_ADDRESS={address}: {' '.join(str(error).split())}; is it the head's address, and "
            "the cluster up? If it asks for a token, set RAY_AUTH_MODE=token"
        ) from None


def _init(**options: Any) -> None:
    ray.init(
        include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL, **options
    )


def _quietly() -> int:
    """Tune tells of files that we have it not write; the level of before, for whose Ray it is."""
    logger = logging.getLogger("ray")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    return level


def cores(resources: Resources) -> int:
    """That Ray may use of this machine: it begins a process for each, which imports at once. Where
    fewer trials run than there is room for, the others would do so for nothing.
    """
    found = usable_cores()
    if resources.workers is None:
        return found
    return min(found, math.ceil(resources.workers * resources.cpu))


def most_train(resources: Resources) -> bool:
    """Of the processes that Ray starts, one a core, will most hold a trial?"""
    processes = cores(resources)
    trials = min(resources.workers or processes, processes / resources.cpu)
    return not resources.gpu and trials >= processes / 2


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
