"""Serves the page on loopback. Only reading is possible, and only for this machine's browsers."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from recsweep.dashboard.frame import frame, reading
from recsweep.dashboard.state import Places, StudyState
from recsweep.errors import WorkFailed
from recsweep.reporting.words import DASHBOARD_WORDS

LOOPBACK = ("127.0.0.1", "localhost")
SECONDS = 1.0  # between two looks at the study
TRIES = 20
TYPES = {".html": "text/html; charset=utf-8", ".md": "text/plain; charset=utf-8"}


class Watch:
    """Looks at a study in a thread of its own, so that no request waits for a slow disk."""

    def __init__(self, look: Callable[[], tuple[StudyState, Places]], places: Places) -> None:
        self._look, self.places = look, places
        self.state: StudyState | None = None
        self.trouble: str | None = None
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def show(self, lang: str) -> str:
        """The live part."""
        if self.state is None and self.trouble is None:
            return reading(lang)
        from recsweep.dashboard.page import live_part

        return live_part(self.state, self.places, lang, self.trouble)

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.state, self.places = self._look()
                self.trouble = None
            except Exception as error:  # said on the page; the next look may go well
                self.trouble = str(error) or type(error).__name__
            self._stop.wait(SECONDS)


def serve(watch: Watch, port: int) -> ThreadingHTTPServer:
    """A server that is ready to `serve_forever`, on `port` or the next free one; 0: any.

    Raises:
        WorkFailed: no port near it is free.
    """
    handler = type("Handler", (_Handler,), {"watch": watch})
    for tried in range(port, port + TRIES):
        try:
            server = ThreadingHTTPServer(("127.0.0.1", tried), handler)
        except (OSError, OverflowError):
            continue
        server.daemon_threads = True
        return server
    raise WorkFailed(f"no port from {port} to {port + TRIES - 1} is free; give another --port")


class _Handler(BaseHTTPRequestHandler):
    watch: Watch

    def do_GET(self) -> None:
        """The page, its live part, or a file of the study that is made to be read."""
        # Another site's page can make a browser ask here under a name of its own.
        if (urlsplit(f"//{self.headers.get('Host', '')}").hostname or "") not in LOOPBACK:
            self.send_error(403)
            return
        address = urlsplit(self.path)
        asked = parse_qs(address.query).get("lang", ["en"])[0]
        lang = asked if asked in DASHBOARD_WORDS else "en"
        watch = self.watch
        state = watch.state
        if address.path == "/":
            name = state.name if state else watch.places.folder.name
            title = DASHBOARD_WORDS[lang]["title"].format(study=name)
            self._send(frame(name, lang, title))
        elif address.path == "/live":
            self._send(watch.show(lang))
        elif state is not None and address.path[1:] in state.files:
            path = watch.places.folder / address.path[1:]
            self._send(path.read_text("utf-8"), TYPES[path.suffix])
        else:
            self.send_error(404)

    def _send(self, text: str, type_: str = TYPES[".html"]) -> None:
        content = text.encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        known = self.headers.get("If-None-Match") == tag
        self.send_response(304 if known else 200)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if not known:
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not known:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def look_at(places: Places, *, tensorboard: bool) -> Callable[[], tuple[StudyState, Places]]:
    """A look that opens the study at the first one: what it needs takes seconds to load."""
    tools: dict[str, Any] = {}

    def look() -> tuple[StudyState, Places]:
        from recsweep.dashboard.reader import Reader

        reader = tools.setdefault("reader", Reader(places.folder))
        state = reader.look()
        if "optuna" not in tools and reader.storage is not None:
            tools["optuna"] = None
            threading.Thread(target=start, args=(reader,), daemon=True).start()
        if tensorboard:
            from recsweep.dashboard.event_files import EventFiles

            files = tools.setdefault("tensorboard", EventFiles(places.folder))
            files.write(reader)
        return state, replace(
            places,
            optuna=tools.get("optuna"),
            tensorboard=tools["tensorboard"].folder if tensorboard else None,
        )

    def start(reader: Any) -> None:
        from recsweep.dashboard.optuna_app import start_optuna

        tools["optuna"] = start_optuna(reader.storage)

    return look
