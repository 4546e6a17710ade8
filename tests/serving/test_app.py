"""The service answers as `recommend` does, and refuses what it should."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsweep.serving import served

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi.testclient import TestClient
from service import Here, model

from recsweep.serving.app import MOST_BYTES, Entry, chosen, make_app


@pytest.fixture
def client(bundles: dict[str, served.ServedBundle]) -> Iterator[TestClient]:
    entries = [Entry(model(task, task), Here(bundle)) for task, bundle in bundles.items()]
    with TestClient(make_app(lambda: entries, None)) as client:
        yield client


EVENTS = [{"course": f"c{n}", "time": 8_000_000 + n, "type": "browse"} for n in (1, 3, 2, 5)]


def test_probabilities_come_in_the_order_of_the_courses(client: TestClient) -> None:
    bought = [*EVENTS, {"course": "c7", "time": "2020-01-01T00:00:00Z", "type": "purchase"}]
    courses = ["c4", "unheard", "c7", "c0"]
    body = {"learner": "x", "events": bought, "courses": courses}
    answer = client.post("/v1/purchase", json=body).json()["courses"]
    assert [entry["course"] for entry in answer] == courses
    assert [entry["probability"] is None for entry in answer] == [False, True, True, False]
    alone = client.post("/v1/purchase", json={**body, "courses": ["c0"]}).json()["courses"]
    assert alone[0] == answer[3]


def test_a_learner_is_always_answered_by_the_same_bundle_and_shares_hold() -> None:
    entries = [Entry(model("a", share=0.8), None), Entry(model("b", share=0.2), None)]  # type: ignore[arg-type]
    names = [chosen(entries, "next_item", f"learner {n}").model.model for n in range(2000)]
    again = [chosen(entries, "next_item", f"learner {n}").model.model for n in range(2000)]
    assert names == again
    assert names.count("b") / 2000 == pytest.approx(0.2, abs=0.03)


def test_a_token_is_asked_for_where_one_is_set(bundles: dict[str, served.ServedBundle]) -> None:
    entries = [Entry(model("a"), Here(bundles["next_item"]))]
    with TestClient(make_app(lambda: entries, "secret")) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/v1/models").status_code == 401
        wrong = {"Authorization": "Bearer wrong"}
        assert client.get("/v1/models", headers=wrong).status_code == 401
        right = {"Authorization": "Bearer secret"}
        assert client.get("/v1/models", headers=right).json()[0]["model"] == "a"


def test_a_busy_bundle_says_when_to_come_again(bundles: dict[str, served.ServedBundle]) -> None:
    entries = [Entry(model("a"), Here(bundles["next_item"], busy=True))]
    with TestClient(make_app(lambda: entries, None)) as client:
        answer = client.post("/v1/recommend", json={"learner": "x", "events": []})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


HOSTILE: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 422),
    (b"null", 422),
    (b"[" * 50_000, 400),
    (b'{"learner": "\\ud800", "events": []}', 422),
    (b'{"learner": "x", "events": [], "k": 1e400}', 422),
    (b'{"learner": "x", "events": [], "k": NaN}', 422),
    (b'{"learner": "x", "events": [], "k": 0}', 422),
    (b'{"learner": "x", "events": [], "unknown": 1}', 422),
    (b'{"learner": "x", "events": [{"course": "c1", "time": 1e30}]}', 422),
    (b'{"learner": "x", "events": [{"course": "c1", "time": -1}]}', 422),
    (b'{"learner": "x", "events": [{"course": "", "time": 1}]}', 422),
    (b'{"learner": "' + b"x" * MOST_BYTES + b'"}', 413),
    (b"\xff\xfe", 422),
]


@pytest.mark.parametrize(("body", "status"), HOSTILE)
def test_hostile_bodies_are_refused_without_a_crash(
    client: TestClient, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/recommend", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(["learner", "events", "k", "allow", "courses", "other"])
EVENT = st.fixed_dictionaries({}, optional={"course": ANY, "time": ANY, "type": ANY})
BODIES = st.dictionaries(KEYS, ANY | st.lists(EVENT, max_size=3)) | ANY


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(["/v1/recommend", "/v1/purchase"]))
def test_no_json_brings_the_service_down(client: TestClient, body: object, path: str) -> None:
    content = json.dumps(body).encode()
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 422), answer.text


def test_too_many_events_and_unknown_paths_are_refused(client: TestClient) -> None:
    many: dict[str, Any] = {"learner": "x", "events": EVENTS * 600}
    assert client.post("/v1/recommend", json=many).status_code == 422
    assert client.get("/v1/nothing").status_code == 404
    assert client.get("/v1/recommend").status_code == 405
    assert client.get("/docs").status_code == 200
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) == {"/health", "/v1/models", "/v1/recommend", "/v1/purchase"}
    assert json.dumps(schema)
