"""`AzureOperations` with azure-core's own polling methods, against an HTTP server on the loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("azure.core")
pytest.importorskip("azure.mgmt.core")
pytest.importorskip("requests")

from azure.core.polling.base_polling import LROBasePolling
from azure.mgmt.core.polling.arm_polling import ARMPolling
from azure_stand import Client, Resources, Thing, made, name_of, serving
from support import PATIENCE

from more_executors import Executors, Throttled
from more_executors.services import ServiceAway, TaskFailed, UnexpectedReply
from more_executors.services.operations import AzureOperation, AzureOperations
from more_executors.services.testing import ServiceTests
from more_executors.status_poll import TaskUnknown


@pytest.fixture(scope="module")
def a_server() -> Iterator[Resources]:
    with serving() as server:
        yield server


@pytest.fixture
def server(a_server: Resources) -> Iterator[Resources]:
    yield a_server
    a_server.things.clear()
    a_server.requests.clear()
    a_server.headers = {}
    a_server.code = 200


@pytest.fixture
def client(server: Resources) -> Iterator[Client]:
    client = Client(server.url)
    yield client
    client.close()


class TestAzureOperations(ServiceTests):
    failure = TaskFailed
    states_that_go_on = ("InProgress", "Running", "Accepted", "AStateToCome")
    make_method: Any = None

    @pytest.fixture(autouse=True)
    def stand(self, server: Resources, client: Client) -> None:
        self.server = server
        self.client = client

    def make_service(self) -> AzureOperations:
        return made(type(self).make_method)

    def start(self, service: Any, tag: str | None = None) -> AzureOperation:
        task: AzureOperation = service.start(self.client.begin_create)
        return task

    def thing(self, task: AzureOperation) -> Thing:
        return self.server.things[name_of(task)]

    def finish(self, task: AzureOperation) -> Any:
        self.thing(task).status = "Succeeded"
        return {"name": name_of(task), "properties": {"provisioningState": "Succeeded"}}

    def fail(self, task: AzureOperation) -> None:
        self.thing(task).status = "Failed"

    def forget(self, task: AzureOperation) -> None:
        self.thing(task).is_known = False

    @contextmanager
    def leave_out(self, task: AzureOperation) -> Iterator[None]:
        self.thing(task).is_known = False
        yield
        self.thing(task).is_known = True

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.server.code = 503
        yield
        self.server.code = 200

    @contextmanager
    def hold(self) -> Iterator[None]:
        self.server.answers.clear()
        yield
        self.server.answers.set()

    def go_on(self, task: AzureOperation, state: str) -> None:
        self.thing(task).status = state

    def test_an_id_that_is_used_again_is_another_task(self) -> None:
        pytest.skip("an operation is an object")

    def test_a_task_survives_a_journal(self) -> None:
        pytest.skip("an operation is of one process")


class TestArmOperations(TestAzureOperations):
    make_method = ARMPolling


@pytest.mark.parametrize("make_method", [LROBasePolling, ARMPolling])
def test_an_operation_says_why_it_has_failed(server: Resources, client: Client, make_method: Any) -> None:
    service = made(make_method)
    tasks = [service.start(client.begin_create) for _ in range(2)]
    for task, state in zip(tasks, ("Failed", "Canceled"), strict=True):
        thing = server.things[name_of(task)]
        thing.status = state
        thing.body = {"error": {"code": "Quota", "message": "no room"}} if state == "Failed" else {}
    with Executors.sync().with_poll(service) as executor:
        failed, cancelled = (future.exception(PATIENCE) for future in executor.adopt_many(tasks))
    assert isinstance(failed, TaskFailed)
    assert isinstance(cancelled, TaskFailed)
    assert (failed.why, failed.status) == ("Quota: no room", "Failed")
    assert cancelled.why == "Canceled"


def test_no_operation_has_a_thread(client: Client) -> None:
    service = made()
    before = set(threading.enumerate())
    tasks = [service.start(client.begin_create) for _ in range(10)]
    started = [thread for thread in threading.enumerate() if thread not in before]
    assert [thread for thread in started if thread.name.startswith("LROPoller")] == []
    assert {repr(task) for task in tasks} == {"<AzureOperation, InProgress>"}


def test_nobody_is_asked_but_by_polls(server: Resources, client: Client) -> None:
    service = made()
    with Executors.sync().with_poll(service, default_interval=3600) as executor:
        future = executor.adopt(service.start(client.begin_create))
        while not server.requests:
            assert not future.done()
        for _ in range(5):
            repr(future), future.running(), future.done(), repr(executor.outstanding())
        assert len(server.requests) == 1
        executor.leave()


@pytest.mark.parametrize(
    ("code", "headers", "kind"),
    [
        (503, {}, ServiceAway),
        (500, {}, ServiceAway),
        (429, {"Retry-After": "7"}, Throttled),
        (404, {}, TaskUnknown),
        (403, {}, UnexpectedReply),
    ],
)
def test_errors_are_told_apart(server: Resources, client: Client, code: int, headers: Any, kind: Any) -> None:
    service = made()
    task = service.start(client.begin_create)
    server.code = code
    server.headers = headers
    with pytest.raises(kind) as told:
        service.fetch_one(task)
    assert told.value.__context__ is None
    assert "planted" not in repr(told.value)
    if isinstance(told.value, Throttled):
        assert told.value.retry_after == 7
    server.code = 200
    server.things[name_of(task)].status = "Succeeded"
    assert service.fetch_one(task).status == "Succeeded"


def test_an_outage_at_the_last_request_is_lived_through(server: Resources, client: Client) -> None:
    """1. The operation has succeeded. 2. The request for its result fails. 3. It is made again."""
    service = made(ARMPolling)
    task = service.start(client.begin_create)
    server.things[name_of(task)].status = "Succeeded"
    task.method.update_status()
    server.code = 503
    with pytest.raises(ServiceAway):
        service.fetch_one(task)
    server.code = 200
    with Executors.sync().with_poll(service) as executor:
        assert executor.adopt(task).result(PATIENCE)["name"] == name_of(task)


def test_percent_and_state_are_reported(server: Resources, client: Client) -> None:
    service = made()
    task = service.start(client.begin_create)
    server.things[name_of(task)].body = {"percentComplete": 40}
    with Executors.sync().with_poll(service) as executor:
        future = executor.adopt(task)
        while executor.stats().states != {"inprogress": 1}:
            assert not future.done()
        (one,) = executor.outstanding()
        assert one.progress == 0.4
        executor.leave()


def test_a_retry_after_is_waited_for(server: Resources, client: Client) -> None:
    service = made()
    tasks = [service.start(client.begin_create) for _ in range(2)]
    server.headers = {"Retry-After": "3600"}
    with Executors.sync().with_poll(service) as executor:
        executor.adopt(tasks[0])
        while not server.requests:
            pass
        calls = executor.stats().calls
        server.headers = {}
        server.things[name_of(tasks[1])].status = "Succeeded"
        executor.adopt(tasks[1]).result(PATIENCE)
        assert server.requests.count(f"operations/{name_of(tasks[0])}") == 1
        assert calls <= 1
        executor.leave()


def test_a_server_that_is_gone_is_an_outage(client: Client, server: Resources) -> None:
    service = made()
    task = service.start(client.begin_create)
    gone = "http://127.0.0.1:1/operations/1?sig=planted"
    task.method._operation.get_polling_url = lambda: gone
    with pytest.raises(ServiceAway, match="ServiceRequestError") as told:
        service.fetch_one(task)
    assert "planted" not in str(told.value)


def test_what_cannot_be_used_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="make_method"):
        AzureOperations(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="make_method must make a method with update_status, not <object"):
        AzureOperations(object).start(client.begin_create)
    with pytest.raises(TypeError, match="begin must use the polling method that it is given"):
        AzureOperations().start(lambda polling: None)
    monkeypatch.setitem(__import__("sys").modules, "azure.core.polling.base_polling", None)
    with pytest.raises(ImportError, match=r"AzureOperations needs azure: pip install 'more-executors\[azure\]'"):
        AzureOperations()
