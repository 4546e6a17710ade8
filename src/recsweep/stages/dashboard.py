"""The verb `dashboard`: the live page of a study, until it is stopped."""

from collections.abc import Callable
from pathlib import Path

from recsweep.dashboard.server import Watch, look_at, serve
from recsweep.dashboard.state import Places


def dashboard_stage(
    folder: Path,
    port: int,
    programs: tuple[str, str],
    *,
    tensorboard: bool = False,
    on_start: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve until Ctrl-C. The study may not have begun.

    Args:
        folder: of the study.
        port: on loopback; the next free one is taken.
        programs: recsweep and wandb as they can be typed.
        tensorboard: write event files of trials that end.
        on_start: told the page's address.

    Raises:
        WorkFailed: no port is free.
    """
    recsweep, wandb = programs
    places = Places(folder, recsweep, wandb)
    watch = Watch(look_at(places, tensorboard=tensorboard), places)
    server = serve(watch, port)
    on_start(f"http://127.0.0.1:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        watch.stop()
        server.server_close()
