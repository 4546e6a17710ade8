"""A W&B server for tests: takes the client's requests, records them, and answers what it must."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789" * 4
ENTITY = "somebody"


class WandbServer:
    """GraphQL on loopback: a viewer, one project, and views (workspaces and reports) by id.

    `keys` are taken, others get a 401. After `answers` requests it falls silent.
    """

    def __init__(self) -> None:
        self.keys: tuple[str, ...] = (KEY,)
        self.answers: int | None = None
        self.projects: set[str] = set()
        self.broken = False  # takes keys, and then no workspace or report
        self.requests: list[dict[str, Any]] = []
        self.views: dict[str, dict[str, Any]] = {}
        self.closed = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server._post(self)

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop; requests that were never answered are let go."""
        self.closed.set()
        self._http.shutdown()
        self._http.server_close()

    def operations(self) -> list[str]:
        """What was asked, in order."""
        return [request["operation"] for request in self.requests]

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        content = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self.answers is not None:
            self.answers -= 1
            if self.answers < 0:
                self.closed.wait(60)
                return
        given = base64.b64decode(handler.headers.get("Authorization", "Basic ").split(" ", 1)[1])
        if given.decode().partition(":")[2] not in self.keys:
            handler.send_error(401)
            return
        asked = json.loads(content)
        query, variables = asked["query"], asked.get("variables") or {}
        name = query.split("(")[0].split("{")[0].split()[-1]
        self.requests.append({"operation": name, "query": query, "variables": variables})
        body = json.dumps({"data": self._answer(query, variables)}).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        if "upsertView" in query:
            return {"upsertView": None if self.broken else self._upsert(variables)}
        if "upsertModel" in query:
            name = variables["input"]["name"]
            self.projects.add(name)
            made = {"id": "p", "name": name, "entityName": ENTITY, "description": "", "views": "{}"}
            made["access"] = "PRIVATE"
            return {"result": {"project": made, "model": made, "inserted": True}}
        if "allViews" in query:
            name = variables.get("project") or variables.get("name")
            return {"project": self._views(variables) if name in self.projects else None}
        if "internalId" in query and "project(" in query:
            known = variables["projectName"] in self.projects
            return {"project": {"id": "p", "internalId": "UHJvamVjdA=="} if known else None}
        if "models(" in query or "projects(" in query:
            return {"models": self._projects(), "projects": self._projects()}
        viewer = {"id": "u", "username": ENTITY, "entity": ENTITY, "flags": "{}", "teams": None}
        return {"viewer": viewer}

    def _projects(self) -> dict[str, Any]:
        node = {
            "id": "p",
            "entityName": ENTITY,
            "createdAt": "2026-01-01",
            "isBenchmark": False,
            "user": None,
        }
        edges = [{"cursor": "", "node": {"name": name, **node}} for name in self.projects]
        return {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}

    def _views(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Workspaces are asked for by their name, reports all together."""
        kind, name = variables.get("viewType") or "runs", variables.get("viewName")
        found = [
            view
            for view in self.views.values()
            if view["type"] == kind and (not name or view["name"] == name)
        ]
        edges = [
            {
                "cursor": "",
                "node": {
                    "id": view["id"],
                    "name": view["name"],
                    "displayName": view["displayName"],
                    "description": "",
                    "user": {"username": ENTITY, "photoUrl": "", "email": ""},
                    "spec": view["spec"],
                    "updatedAt": "2026-01-01",
                    "createdAt": "2026-01-01",
                },
            }
            for view in found
        ]
        page = {"endCursor": None, "hasNextPage": False}
        return {"id": "p", "allViews": {"edges": edges, "pageInfo": page}}

    def _upsert(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        id_ = variables.get("id") or f"view{len(self.views) + 1}"
        inserted = id_ not in self.views
        self.views[id_] = {**variables, "id": id_}
        view = {
            "id": id_,
            "type": variables["type"],
            "name": variables["name"],
            "displayName": variables["displayName"],
            "description": variables.get("description"),
            "project": {"id": "p", "name": variables["projectName"], "entityName": ENTITY},
            "spec": variables["spec"],
            "updatedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        return {"view": view, "inserted": inserted}
