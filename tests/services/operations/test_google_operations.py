"""`Operations` against a real gRPC server on the loopback that implements `google.longrunning.Operations`."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("grpc")
pytest.importorskip("google.api_core")

import grpc
from google.api_core import operation, operations_v1
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import any_pb2, struct_pb2, wrappers_pb2
from google.rpc import code_pb2
from support import PATIENCE

from more_executors import Executors, Throttled
from more_executors.services import ServiceAway, TaskFailed, UnexpectedReply
from more_executors.services.operations import Operations
from more_executors.services.operations._google import progress_in
from more_executors.services.testing import ServiceTests


def packed(message: Any) -> any_pb2.Any:
    found = any_pb2.Any()
    found.Pack(message)
    return found


class Server(operations_pb2_grpc.OperationsServicer):
    """The service: operations that are done when they are told to be."""

    def __init__(self) -> None:
        self.operations: dict[str, operations_pb2.Operation] = {}
        self.requests: list[tuple[str, str]] = []
        self.code: grpc.StatusCode | None = None
        self.left_out: set[str] = set()
        self.can_cancel = True
        self.answers = threading.Event()
        self.answers.set()

    def begin(self) -> operations_pb2.Operation:
        name = f"operations/{len(self.operations)}"
        self.operations[name] = operations_pb2.Operation(name=name)
        return self.operations[name]

    def GetOperation(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.requests.append(("get", request.name))
        if self.code is not None:
            context.abort(self.code, "as it was told")
        found = self.operations.get(request.name)
        if found is None or request.name in self.left_out:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such operation")
        known = operations_pb2.Operation()
        known.CopyFrom(found)
        self.answers.wait(60)
        return known

    def CancelOperation(self, request: Any, context: Any) -> Any:  # noqa: N802
        from google.protobuf import empty_pb2

        self.requests.append(("cancel", request.name))
        if not self.can_cancel:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no")
        found = self.operations[request.name]
        if not found.done:
            found.done = True
            found.error.code = code_pb2.CANCELLED
            found.error.message = "cancelled"
        return empty_pb2.Empty()


class Loopback:
    def __init__(self) -> None:
        self.server = Server()
        self._pool = ThreadPoolExecutor(40)
        self._grpc = grpc.server(self._pool)
        operations_pb2_grpc.add_OperationsServicer_to_server(self.server, self._grpc)
        port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.client = operations_v1.OperationsClient(self._channel)

    def begin(self) -> operation.Operation:
        """As a method of a generated client does."""
        return operation.from_gapic(self.server.begin(), self.client, wrappers_pb2.StringValue)

    def service(self, **options: Any) -> Operations:
        service = Operations(self.client, **options)
        service.interval = 0.01
        service.missing_after = 0.2
        return service

    def close(self) -> None:
        self._channel.close()
        self._grpc.stop(None).wait()
        self._pool.shutdown()


@pytest.fixture(scope="module")
def a_loopback() -> Iterator[Loopback]:
    loopback = Loopback()
    loopback_threads(loopback)
    yield loopback
    loopback.close()


def loopback_threads(loopback: Loopback) -> None:
    """Have all threads of the server and of the channel begin before the first test."""
    name = loopback.server.begin().name
    loopback.server.answers.clear()
    calls = [threading.Thread(target=loopback.client.get_operation, args=(name,)) for _ in range(40)]
    for call in calls:
        call.start()
    while len(loopback.server.requests) < 40:
        assert any(call.is_alive() for call in calls)
    loopback.server.answers.set()
    for call in calls:
        call.join()
    loopback.server.requests.clear()
    loopback.server.operations.clear()


@pytest.fixture
def loopback(a_loopback: Loopback) -> Iterator[Loopback]:
    yield a_loopback
    server = a_loopback.server
    server.operations.clear()
    server.requests.clear()
    server.left_out.clear()
    server.code = None
    server.can_cancel = True


class TestOperations(ServiceTests):
    failure = TaskFailed

    @pytest.fixture(autouse=True)
    def stand(self, loopback: Loopback) -> None:
        self.loopback = loopback
        self.server = loopback.server

    def make_service(self) -> Operations:
        return self.loopback.service()

    def start(self, service: Any, tag: str | None = None) -> str:
        task: str = service.start(self.loopback.begin)
        return task

    def finish(self, task: str) -> Any:
        value = wrappers_pb2.StringValue(value=task)
        self.server.operations[task].response.CopyFrom(packed(value))
        self.server.operations[task].done = True
        return value

    def fail(self, task: str) -> None:
        self.server.operations[task].error.code = code_pb2.ABORTED
        self.server.operations[task].done = True

    def forget(self, task: str) -> None:
        del self.server.operations[task]

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        self.server.left_out.add(task)
        yield
        self.server.left_out.clear()

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.server.code = grpc.StatusCode.UNAVAILABLE
        yield
        self.server.code = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        self.server.answers.clear()
        yield
        self.server.answers.set()

    def is_cancelled(self, task: str) -> bool:
        return bool(self.server.operations[task].error.code == code_pb2.CANCELLED)

    def test_an_id_that_is_used_again_is_another_task(self) -> None:
        pytest.skip("a name is given once")


def test_fifty_operations_have_no_thread_each(loopback: Loopback) -> None:
    service = loopback.service()
    service.max_concurrency = 4
    with Executors.sync().with_poll(service) as executor:
        before = threading.active_count()
        futures = executor.adopt_many([loopback.begin() for _ in range(50)])
        while executor.stats().calls < 50:
            assert threading.active_count() <= before + 8
        for name, one in loopback.server.operations.items():
            one.response.CopyFrom(packed(wrappers_pb2.StringValue(value=name)))
            one.done = True
        assert {future.result(PATIENCE).value for future in futures} == set(loopback.server.operations)


def test_nobody_is_asked_but_by_polls(loopback: Loopback) -> None:
    service = loopback.service()
    with Executors.sync().with_poll(service, default_interval=3600) as executor:
        future = executor.adopt(service.start(loopback.begin))
        while not loopback.server.requests:
            assert not future.done()
        for _ in range(5):
            repr(future), future.running(), future.done(), repr(executor.outstanding()), repr(service)
        assert len(loopback.server.requests) == 1
        executor.leave()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAVAILABLE", ServiceAway),
        ("DEADLINE_EXCEEDED", ServiceAway),
        ("INTERNAL", ServiceAway),
        ("UNKNOWN", ServiceAway),
        ("ABORTED", ServiceAway),
        ("CANCELLED", ServiceAway),
        ("UNAUTHENTICATED", ServiceAway),
        ("RESOURCE_EXHAUSTED", Throttled),
        ("PERMISSION_DENIED", UnexpectedReply),
        ("UNIMPLEMENTED", UnexpectedReply),
        ("NOT_FOUND", LookupError),
    ],
)
def test_errors_are_told_apart(loopback: Loopback, code: str, kind: type[Exception]) -> None:
    loopback.server.code = grpc.StatusCode[code]
    with pytest.raises(kind) as told:
        loopback.service().fetch_one("operations/1")
    assert len(loopback.server.requests) == 1  # the client itself tries nothing again
    assert told.value.__context__ is None
    if kind is not Throttled:
        assert str(told.value) == f"get_operation of operations/1: {code}: as it was told"


def test_one_that_fails_as_it_is_to_be_cancelled_was_not_cancelled(loopback: Loopback) -> None:
    service = loopback.service()
    task = service.start(loopback.begin)
    loopback.server.operations[task].error.code = code_pb2.ABORTED
    loopback.server.operations[task].done = True
    assert not service.cancel(task)


def test_a_failed_operation_says_why(loopback: Loopback) -> None:
    service = loopback.service()
    task = service.start(loopback.begin)
    loopback.server.operations[task].error.code = code_pb2.ABORTED
    loopback.server.operations[task].error.message = "no room"
    loopback.server.operations[task].done = True
    empty = service.start(loopback.begin)
    loopback.server.operations[empty].done = True
    with Executors.sync().with_poll(service) as executor:
        failed, nothing = (executor.adopt(one).exception(PATIENCE) for one in (task, empty))
    assert isinstance(failed, TaskFailed)
    assert failed.status == {"name": task, "code": 10, "reason": "ABORTED", "message": "no room"}
    assert str(failed) == f"task {task!r} has failed: ABORTED: no room"
    assert "without a response and without an error" in str(nothing)
    assert pickle.loads(pickle.dumps(failed)).status == failed.status


def test_the_type_of_a_response_is_known_or_found(loopback: Loopback) -> None:
    known, found, unknown = (loopback.begin() for _ in range(3))
    for one in (known, found):
        loopback.server.operations[one.operation.name].response.CopyFrom(packed(wrappers_pb2.StringValue(value="a")))
    odd = loopback.server.operations[unknown.operation.name].response
    odd.type_url = "type.googleapis.com/more.Unknown"
    for one in loopback.server.operations.values():
        one.done = True
    with Executors.sync().with_poll(loopback.service()) as executor:
        assert executor.adopt(known).result(PATIENCE).value == "a"
        assert executor.adopt(found.operation.name).result(PATIENCE).value == "a"
        assert executor.adopt(unknown.operation.name).result(PATIENCE).type_url == odd.type_url
    wrong = loopback.service(result_type=struct_pb2.Struct)
    with Executors.sync().with_poll(wrong) as executor:
        assert isinstance(executor.adopt(found.operation.name).exception(PATIENCE), TypeError)


def test_metadata_are_progress(loopback: Loopback) -> None:
    def read(metadata: Any) -> tuple[str | None, float | None]:
        return metadata["state"], metadata["part"]

    service = loopback.service(progress=read)
    task = service.start(loopback.begin)
    metadata = struct_pb2.Struct()
    metadata.update({"state": "copying", "part": 0.25})
    loopback.server.operations[task].metadata.CopyFrom(packed(metadata))
    with Executors.sync().with_poll(service) as executor:
        future = executor.adopt(task)
        while executor.stats().states != {"copying": 1}:
            assert not future.done()
        (one,) = executor.outstanding()
        assert (one.state, one.progress) == ("copying", 0.25)
        executor.leave()


def test_usual_fields_are_progress() -> None:
    assert progress_in(SimpleNamespace(progress_percent=40)) == (None, 0.4)
    assert progress_in(SimpleNamespace(progress_percentage=140.0)) == (None, 1.0)
    assert progress_in(SimpleNamespace(progress_percent="40")) == (None, None)
    assert progress_in(object()) == (None, None)


def test_a_service_that_cannot_cancel_has_not_cancelled(loopback: Loopback) -> None:
    service = loopback.service()
    task = service.start(loopback.begin)
    loopback.server.can_cancel = False
    assert not service.cancel(task)
    loopback.server.can_cancel = True
    assert service.cancel(task)
    assert loopback.server.requests[-1] == ("get", task)
    assert not service._types


def test_a_start_that_is_refused_says_so(loopback: Loopback) -> None:
    from google.api_core import exceptions

    def begin(error: Exception) -> Callable[[], Any]:
        def create() -> Any:
            raise error

        return create

    service = loopback.service()
    with pytest.raises(Throttled):
        service.start(begin(exceptions.ResourceExhausted("too many")))
    with pytest.raises(UnexpectedReply, match="create: PERMISSION_DENIED: no"):
        service.start(begin(exceptions.PermissionDenied("no")))
    with pytest.raises(KeyError):
        service.start(begin(KeyError("ours")))
    with pytest.raises(TypeError, match="a task must be an Operation or the name of one, not 7"):
        service.start(lambda: 7)


def test_what_is_no_client_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="client must have get_operation and cancel_operation, not 7"):
        Operations(7)
    monkeypatch.setitem(__import__("sys").modules, "google.api_core.operation", None)
    with pytest.raises(ImportError, match=r"Operations needs google: pip install 'more-executors\[google\]'"):
        Operations(operations_v1.OperationsClient)
