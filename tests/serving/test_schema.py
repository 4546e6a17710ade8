"""The service against its own OpenAPI schema: what doesn't fit is refused, nothing breaks it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsweep.serving import served

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi.testclient import TestClient
from service import Here, model

from recsweep.serving.app import Entry, make_app

VALID: dict[str, dict[str, Any]] = {
    "/v1/recommend": {
        "learner": "x",
        "events": [{"course": "c1", "time": "2024-05-01T12:00:00Z", "type": "browse"}],
        "k": 3,
        "allow": ["c1", "c2"],
    },
    "/v1/purchase": {
        "learner": "x",
        "events": [{"course": "c1", "time": 8_000_000}],
        "courses": ["c1", "c2"],
    },
}
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 1e308, float("nan"), float("-inf"), "", "\x00", "\ud800", "a" * 300,
    "../../etc/passwd", "' OR 1=1 --", "<script>", "{{7*7}}", "9999-99-99T99:99:99Z", "1e999",
    [], {}, [[]], [None], {"": None}, {"$ref": "#"}, {"__proto__": {}},
)  # fmt: skip
HEADERS = (
    {"Content-Type": "application/json"},
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    {"Content-Type": "text/plain"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "application/json; charset=utf-16"},
)


@pytest.fixture(scope="module")
def client(bundles: dict[str, served.ServedBundle]) -> Iterator[TestClient]:
    entries = [Entry(model(task, task), Here(bundle)) for task, bundle in bundles.items()]
    with TestClient(make_app(lambda: entries, None), raise_server_exceptions=False) as client:
        yield client


def fits(client: TestClient, path: str, body: object) -> bool:
    """By the schema that the service gives of itself; formats of strings are not looked at."""
    schema = client.get("/openapi.json").json()
    content = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    found = jsonschema.Draft202012Validator({**content, "components": schema["components"]})
    return bool(found.is_valid(body))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body."""
    yield path
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, Any]:
    """A path, and its valid body with one to three things wrong, or odd."""
    path = draw(st.sampled_from(sorted(VALID)))
    body: Any = {"body": copy.deepcopy(VALID[path])}
    for _ in range(draw(st.integers(1, 3))):
        *outer, last = draw(st.sampled_from([p for p in places(body) if p]))
        holder = body
        for key in outer:
            holder = holder[key]
        what = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        if what == "remove" and outer:
            del holder[last]
        elif what == "add" and isinstance(holder[last], dict):
            holder[last][draw(st.text(max_size=5))] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
        else:
            odd = draw(st.sampled_from(HOSTILE) | st.text(max_size=5) | st.integers())
            holder[last] = copy.deepcopy(odd)
    return path, body["body"]


@pytest.mark.long
@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(asked=spoilt())
def test_what_does_not_fit_the_schema_is_refused(
    client: TestClient, asked: tuple[str, Any]
) -> None:
    path, body = asked
    headers = {"Content-Type": "application/json"}
    answer = client.post(path, content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code in (200, 422), answer.text
    if not fits(client, path, body):
        assert answer.status_code == 422, (body, answer.text)
    assert "Traceback" not in answer.text


@pytest.mark.long
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from([*VALID, "/v1/models", "/health", "/docs", "/v1/%00", "//"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"]),
    headers=st.sampled_from(HEADERS),
    cut=st.integers(0, 60),
    noise=st.binary(max_size=40),
)
def test_damaged_bodies_wrong_types_and_methods_never_bring_it_down(
    client: TestClient, path: str, method: str, headers: dict[str, str], cut: int, noise: bytes
) -> None:
    content = json.dumps(VALID["/v1/recommend"]).encode()[:cut] + noise
    answer = client.request(method, path, content=content, headers=headers)
    assert answer.status_code < 500, answer.text
    if method == "POST":
        assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text


@pytest.mark.long
def test_schemathesis_finds_no_failure(client: TestClient) -> None:
    """Its own generator, its own checks: no server error, answers as documented, and what violates
    the schema rejected.
    """
    schemathesis = pytest.importorskip("schemathesis", reason="pip install schemathesis")
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    for operation in schema.include(method="POST").get_all_operations():
        for mode in schemathesis.GenerationMode:

            @settings(max_examples=60, suppress_health_check=list(HealthCheck))
            @given(case=operation.ok().as_strategy(generation_mode=mode))
            def holds(case: Any) -> None:
                case.call_and_validate()

            holds()
