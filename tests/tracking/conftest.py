from collections.abc import Iterator

import pytest
from wandb_server import WandbServer


@pytest.fixture
def wandb_server() -> Iterator[WandbServer]:
    server = WandbServer()
    yield server
    server.close()
