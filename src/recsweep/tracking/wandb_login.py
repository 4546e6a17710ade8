"""One question to the W&B server before any work is done: does it take this key?

W&B's own check tells a refused key and a dead server apart only in words, and retries for longer
than anybody wants to wait before a sweep.
"""

import base64
import json
import threading
import urllib.error
import urllib.request
from typing import Literal

Answer = Literal["welcome", "refused", "silent"]
QUESTION = json.dumps({"query": "query Viewer { viewer { id } }"}).encode()
SECONDS = 4.0


def ask_server(address: str, key: str) -> Answer:
    """What the server at `address` says to a key; `silent` where it says nothing in `SECONDS`.

    A name server may take its own time, so the whole question has the limit.
    """
    answers: list[Answer] = []

    def ask() -> None:
        answers.append(_ask(address, key))

    thread = threading.Thread(target=ask, name="wandb-login", daemon=True)
    thread.start()
    thread.join(SECONDS)
    return answers[0] if answers else "silent"


def _ask(address: str, key: str) -> Answer:
    credentials = base64.b64encode(f"api:{key}".encode()).decode()
    request = urllib.request.Request(
        f"{address.rstrip('/')}/graphql",
        QUESTION,
        {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            viewer = (json.load(response).get("data") or {}).get("viewer")
    except urllib.error.HTTPError as error:
        return "refused" if error.code in (401, 403) else "silent"
    except (OSError, ValueError, AttributeError):
        return "silent"
    return "welcome" if viewer else "refused"
