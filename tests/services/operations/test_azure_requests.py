"""What becomes of a request of an Azure client that is refused, or answered at a bad time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("azure.core")
pytest.importorskip("azure.mgmt.core")
pytest.importorskip("requests")

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import RetryPolicy
from azure.core.polling.base_polling import LROBasePolling
from azure.mgmt.core.polling.arm_polling import ARMPolling
from azure_stand import Client, Resources, made, serving
from support import PATIENCE

from more_executors import Executors, Throttled
from more_executors.services import ServiceAway


@pytest.fixture
def server() -> Iterator[Resources]:
    with serving() as server:
        yield server


@pytest.fixture
def client(server: Resources) -> Iterator[Client]:
    client = Client(server.url)
    yield client
    client.close()


@pytest.mark.parametrize(("code", "kind"), [(503, ServiceAway), (429, Throttled)])
@pytest.mark.parametrize("make_method", [LROBasePolling, ARMPolling])
def test_a_client_that_would_try_again_by_itself_is_not_let(
    server: Resources, code: int, kind: Any, make_method: Any
) -> None:
    client = Client(server.url, RetryPolicy(retry_backoff_factor=0.0))
    service = made(make_method)
    task = service.start(client.begin_create)
    server.code = code
    with pytest.raises(kind):
        service.fetch_one(task)
    assert len(server.requests) == 1
    server.code = 200
    as_told = made(lambda: make_method(retry_total=2))
    task = as_told.start(client.begin_create)
    server.code = code
    server.requests.clear()
    with pytest.raises(kind):
        as_told.fetch_one(task)
    assert len(server.requests) == 3
    client.close()


@pytest.mark.parametrize(
    ("code", "headers", "kind"),
    [(503, {}, ServiceAway), (500, {}, ServiceAway), (429, {"Retry-After": "7"}, Throttled), (429, {}, Throttled)],
)
def test_a_start_that_comes_at_a_bad_time_says_so(
    server: Resources, client: Client, code: int, headers: Any, kind: Any
) -> None:
    server.code, server.headers = code, headers
    with pytest.raises(kind) as told:
        made().start(client.begin_create)
    assert told.value.__context__ is None
    assert "planted" not in repr(told.value)
    if isinstance(told.value, Throttled):
        assert told.value.retry_after == (7 if headers else None)
    assert not server.things


def test_a_start_that_nobody_answers_says_so() -> None:
    nobody = Client("http://127.0.0.1:1/?sig=planted")
    with pytest.raises(ServiceAway, match="ServiceRequestError") as told:
        made().start(nobody.begin_create)
    assert told.value.__context__ is None
    assert "planted" not in repr(told.value)
    nobody.close()


def test_a_start_that_is_refused_raises_what_the_client_does(server: Resources, client: Client) -> None:
    server.code = 403
    with pytest.raises(HttpResponseError, match="told") as told:
        made().start(client.begin_create)
    assert told.value.status_code == 403


def test_a_start_is_made_again_when_there_is_room(server: Resources, client: Client) -> None:
    service = made()
    server.code, server.headers = 429, {"Retry-After": "0"}

    def begin(**options: Any) -> Any:
        try:
            return client.begin_create(**options)
        finally:
            server.code, server.headers = 200, {}

    with Executors.for_service(service) as executor:
        future = executor.submit(service.start, begin)
        while not server.things:
            assert not future.done()
        server.things["1"].status = "Succeeded"
        assert future.result(PATIENCE)["name"] == "1"
