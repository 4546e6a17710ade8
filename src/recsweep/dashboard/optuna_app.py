"""Optuna's own dashboard on a study's journal, read-only, in a thread of this process.

It could rename, annotate and delete studies; a journal that a sweep resumes from is not to be
touched, so everything but reading is refused, and the buttons for it are hidden.
"""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

WRITING = (  # create, rename, delete; notes, which nobody can write; skip a trial
    'button:has([data-testid="AddBoxIcon"])',
    '[aria-label="rename study"]',
    '[aria-label="delete study"]',
    'button:has([data-testid="EditIcon"])',
    'li:has(> a[href$="/note"])',
    'button:has([data-testid="StopCircleIcon"])',
)
HIDDEN = f"<style>{', '.join(WRITING)} {{ display: none !important; }}</style>".encode()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def start_optuna(storage: Any) -> str:
    """Serve the dashboard on a free port of loopback; gives its address."""
    from optuna_dashboard import wsgi

    from recsweep.dashboard.optuna_view import ReadableStorage

    application = read_only(wsgi(ReadableStorage(storage)))
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="optuna-dashboard", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/dashboard/"


def read_only(application: Any) -> Application:
    """Refuse whatever is not reading, and hide what asks for it."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [("Content-Type", "text/plain")])
            return [b"read-only: a sweep resumes from this journal"]
        answer: Iterable[bytes]
        if not environ["PATH_INFO"].startswith("/dashboard"):
            answer = application(environ, start_response)
            return answer
        said: list[Any] = []
        answer = application(environ, lambda *given: said.append(given))
        page = b"".join(answer).replace(b"</head>", HIDDEN + b"</head>")
        status, headers, *_ = said[0]
        kept = [header for header in headers if header[0].lower() != "content-length"]
        start_response(status, [*kept, ("Content-Length", str(len(page)))])
        return [page]

    return guarded
