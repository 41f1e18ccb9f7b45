"""Operations of Google's services, or of any that implements `google.longrunning.Operations`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from ..._checks import has_method, shown
from ..._core import PollDescriptor
from ...status_poll import TaskUnknown
from .._errors import TaskFailed, UnexpectedReply
from .._extras import needed
from .._service import Service
from ._google_errors import meaning_of

__all__: list[str] = []

CANCELLED = 1  # the code of an operation that was cancelled
PERCENT = ("progress_percent", "progress_percentage", "percent_complete")


class OperationError(TypedDict):
    """What a failed operation says: a code of `google.rpc.Code`, its name and the message."""

    name: str
    code: int
    reason: str
    message: str


class Operations(Service[Any, Any, Any]):
    """Operations that `google.api_core` clients start: many of them without a thread for each.

        operations = Operations(client.transport.operations_client)
        with Executors.for_service(operations) as executor:
            futures = [executor.submit(operations.start, client.create_index, request) for request in requests]

    A task is the name of an operation, a text; the client's `Operation` may be adopted as well. Its future gives the
    response as the client's `result()` would, or fails with `TaskFailed` whose `status` is an `OperationError`.

    Each is asked about with one GetOperation, from up to `max_concurrency` threads. Nothing else makes a request: not
    `running()`, and not the `repr` of a future. May be used from several threads at a time.
    """

    interval = 10.0
    max_concurrency = 16

    def __init__(
        self,
        client: Any,
        *,
        result_type: Any = None,
        progress: Callable[[Any], tuple[str | None, float | None]] | None = None,
        request_timeout: float = 30.0,
    ) -> None:
        """Make it. Nothing is asked yet.

        Args:
            client: an `operations_v1.OperationsClient`, such as the `transport.operations_client` of a client.
            result_type: the class of the response, for operations that were started elsewhere. Of those that `start`
                has started, it is known.
            progress: a function that gets the metadata of an operation that goes on, and returns its state, a str, and
                its progress, 0 to 1; either may be None. By default, progress is read from a field
                `progress_percent`, `progress_percentage` or `percent_complete`.
            request_timeout: a number, the seconds that a request may take.

        Raises ImportError without google-api-core, TypeError if the client is none.
        """
        needed("google.api_core.operation", "google", self)
        if not (has_method(client, "get_operation") and has_method(client, "cancel_operation")):
            raise TypeError(f"client must have get_operation and cancel_operation, not {shown(client)}")
        self._client = client
        self._result_type = result_type
        self._progress = progress or progress_in
        self._timeout = request_timeout
        self._types: dict[str, Any] = {}  # by name, of operations that were started here

    def start(self, begin: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        """Call `begin`, a method of a client that returns an `Operation`; returns the name of that.

        Raises what it raises, `Throttled` if the service is too busy, and TypeError if it returns something else.
        """
        problem: Exception
        try:
            started = begin(*args, **kwargs)
        except Exception as error:
            problem = meaning_of(error, getattr(begin, "__name__", "start"))
            if problem is error:
                raise
        else:
            name = self.id_of(started)
            self._types[name] = getattr(started, "_result_type", None)
            return name
        raise problem

    def id_of(self, task: Any) -> str:
        name = task if isinstance(task, str) else getattr(getattr(task, "operation", None), "name", None)
        if not isinstance(name, str) or not name:
            raise TypeError(f"a task must be an Operation or the name of one, not {shown(task)}")
        return name

    def fetch_one(self, task_id: str) -> Any:
        return self._call("get_operation", task_id)

    def resolve(self, descriptor: PollDescriptor[Any, Any], status: Any) -> None:
        if not status.done:
            if status.HasField("metadata"):
                state, progress = self._progress(message_in(status.metadata))
                descriptor.report(state=state, progress=progress)
            return
        task = descriptor.result
        kind = self._types.pop(status.name, None) or getattr(task, "_result_type", None) or self._result_type
        if status.HasField("response"):
            descriptor.yield_result(message_in(status.response, kind))
            return
        record = error_in(status)
        descriptor.yield_exception(TaskFailed(self.id_of(task), record, f"{record['reason']}: {record['message']}"))

    def cancel(self, task: Any) -> bool:
        """Ask the service to cancel an operation; True if it says then that it was cancelled.

        A service may take its time, or not know how to: then it is False, and the future gives what comes of it.
        """
        name = self.id_of(task)
        try:
            self._call("cancel_operation", name)
            after = self._call("get_operation", name)
        except (TaskUnknown, UnexpectedReply):
            return False
        is_cancelled = bool(after.done and after.HasField("error") and after.error.code == CANCELLED)
        if is_cancelled:
            self._types.pop(name, None)
        return is_cancelled

    def _call(self, method: str, name: str) -> Any:
        """Make one request; the client's own retries, which go on for minutes, are left out."""
        problem: Exception
        try:
            return getattr(self._client, method)(name, retry=None, timeout=self._timeout)
        except Exception as error:
            problem = meaning_of(error, f"{method} of {name}")
            if problem is error:
                raise
        raise problem

    def __repr__(self) -> str:
        return f"<Operations of {type(self._client).__name__}>"


def message_in(packed: Any, kind: Any = None) -> Any:
    """The message in an `Any`: as one of `kind`, else of the class of that name, else the `Any` itself."""
    helpers = needed("google.api_core.protobuf_helpers", "google", packed)
    if kind is not None:
        return helpers.from_any_pb(kind, packed)
    factory = needed("google.protobuf.message_factory", "google", packed)
    pool = needed("google.protobuf.descriptor_pool", "google", packed).Default()
    try:
        found = pool.FindMessageTypeByName(packed.TypeName())
    except KeyError:
        return packed
    message = factory.GetMessageClass(found)()
    packed.Unpack(message)
    return message


def progress_in(metadata: Any) -> tuple[str | None, float | None]:
    """The progress that metadata have in a field of a usual name."""
    for name in PERCENT:
        percent = getattr(metadata, name, None)
        if isinstance(percent, (int, float)):
            return None, min(1.0, max(0.0, percent / 100))
    return None, None


def error_in(operation: Any) -> OperationError:
    """What a failed operation says, also if it says nothing."""
    if not operation.HasField("error"):
        text = "it is done, without a response and without an error"
        return {"name": operation.name, "code": 0, "reason": "NOTHING", "message": text}
    code = int(operation.error.code)
    names = needed("google.rpc.code_pb2", "google", operation).Code
    reason = names.Name(code) if code in names.values() else str(code)
    return {"name": operation.name, "code": code, "reason": reason, "message": operation.error.message}


Operations.__module__ = "more_executors.services.operations"
