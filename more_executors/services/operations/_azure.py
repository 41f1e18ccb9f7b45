"""Long-running operations of Azure's clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..._callables import check_callable
from ..._checks import has_method, shown
from ..._core import PollDescriptor
from ...rate_limit import Throttled
from .._errors import ServiceAway, TaskFailed
from .._extras import needed
from .._service import Service
from ..http import check_reply, retry_after

__all__: list[str] = []

LAST = ("_status", "_pipeline_response")  # what polling methods keep of the last reply
FAILED = frozenset({"failed", "canceled", "cancelled"})


class AzureOperation:
    """An operation that an Azure client has started, and the polling method that knows how it is asked about."""

    def __init__(self, method: Any) -> None:
        self.method = method

    @property
    def status(self) -> str:
        """What Azure said last; asks nothing."""
        return str(self.method.status())

    def __repr__(self) -> str:
        return f"<AzureOperation, {self.status}>"


class AzureOperations(Service[AzureOperation, Any, Any]):
    """Operations that `begin_*` methods of Azure's clients start: many of them without a thread for each.

        operations = AzureOperations(lambda: ARMPolling())
        with Executors.for_service(operations) as executor:
            futures = [executor.submit(operations.start, client.begin_create, name) for name in names]

    A task is an `AzureOperation`, of this process only. Its future gives what `result()` of an `LROPoller` would, or
    fails with `TaskFailed`, whose `status` is the text of the last status. Azure has no cancel of operations.

    Each is asked about with one request, from up to `max_concurrency` threads, and later if the reply has a
    Retry-After. The client's own retries are left out, unless the polling method has a `retry_total`.
    """

    interval = 10.0
    max_concurrency = 16

    def __init__(self, make_method: Callable[[], Any] | None = None) -> None:
        """Make it. Nothing is asked yet.

        Args:
            make_method: a function that makes the polling method of an operation, such as
                `lambda: ARMPolling(lro_options={"final-state-via": "location"})`. By default `LROBasePolling`.

        Raises ImportError without azure-core, TypeError if it is no function.
        """
        polling: Any = needed("azure.core.polling.base_polling", "azure", self)
        self._errors: Any = needed("azure.core.exceptions", "azure", self)
        if make_method is not None:
            check_callable("make_method", make_method)
        self._make: Callable[[], Any] = make_method or polling.LROBasePolling

    def start(self, begin: Callable[..., Any], *args: Any, **kwargs: Any) -> AzureOperation:
        """Call `begin`, a `begin_*` method of a client, which must take `polling`; returns the operation.

        Raises what it raises, but `Throttled` if the service is too busy, and `ServiceAway` if it does not answer or
        cannot do so now; and TypeError if `begin` has begun no operation with that polling method.
        """
        method = self._make()
        if not has_method(method, "update_status"):
            raise TypeError(f"make_method must make a method with update_status, not {shown(method)}")
        waiting = WithoutThread(method)
        try:
            begin(*args, polling=waiting, **kwargs)
        except Exception as error:
            failure = error
        else:
            if not waiting.is_initialized:
                raise TypeError(f"begin must use the polling method that it is given, which {shown(begin)} does not")
            return AzureOperation(method)
        meant = self._meaning_of(failure, getattr(failure, "response", None))
        # A refusal says why in the client's own words.
        raise meant if isinstance(meant, (Throttled, ServiceAway)) else failure

    def fetch_one(self, task_id: AzureOperation) -> Any:
        """One request, and another one for the result if the operation has succeeded."""
        method = task_id.method
        fields: dict[str, Any] = method.__dict__
        known = {name: fields[name] for name in LAST if name in fields}
        try:
            if not method.finished():
                method.update_status()
            if method.finished() and task_id.status.lower() not in FAILED:
                method.run()  # which only gets the result, as it has finished
            return task_id
        except Exception as error:
            failure = error
        meant = self._meaning_of(failure, reply_of(method))
        fields.update(known)  # a request that fails makes a success a failure, to azure-core
        raise meant  # here, where the other one is not its context

    def resolve(self, descriptor: PollDescriptor[AzureOperation, Any], status: AzureOperation) -> None:
        method = status.method
        state = status.status
        if state.lower() in FAILED:
            descriptor.yield_exception(TaskFailed(status, state, reason_in(method) or state))
        elif method.finished():
            descriptor.yield_result(method.resource())
        else:
            reply = reply_of(method)
            body = body_of(reply)
            percent = body.get("percentComplete")
            progress = percent / 100 if isinstance(percent, (int, float)) and 0 <= percent <= 100 else None
            descriptor.report(state=state.lower(), progress=progress)
            pause = None if reply is None else retry_after(reply.headers)
            if pause is not None and pause > self.interval:
                descriptor.poll_after(pause)

    def _meaning_of(self, error: Exception, reply: Any) -> Exception:
        """What is to be raised instead of `error`; `reply` is what it is about, or None."""
        known = self._errors
        if isinstance(error, (known.ServiceRequestError, known.ServiceResponseError)):
            return ServiceAway(f"an operation of Azure: {type(error).__name__}")
        if type(error).__name__ in ("BadStatus", "HttpResponseError") and reply is not None:
            try:
                check_reply(reply)
            except Exception as meant:
                return meant
        if type(error).__name__ in ("BadResponse", "DecodeError"):
            return ServiceAway(f"an operation of Azure: {type(error).__name__}")
        return error

    def __repr__(self) -> str:
        return "<AzureOperations>"


class WithoutThread:
    """A polling method that says that it has finished, so that an `LROPoller` starts no thread for it."""

    def __init__(self, method: Any) -> None:
        self._method = method
        self.is_initialized = False

    def initialize(self, client: Any, initial_response: Any, deserialization_callback: Any) -> None:
        self._method.initialize(client, initial_response, deserialization_callback)
        options: Any = getattr(self._method, "_operation_config", None)
        if isinstance(options, dict) and makes_retries(client):
            cast("dict[str, Any]", options).setdefault("retry_total", 0)
        self.is_initialized = True

    def finished(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)


def makes_retries(client: Any) -> bool:
    """Whether a client makes requests again by itself: only such a one knows `retry_total`."""
    policies: Any = getattr(getattr(client, "_pipeline", None), "_impl_policies", ())
    return any(has_method(policy, "configure_retries") for policy in policies)


def reply_of(method: Any) -> Any:
    """The last reply that a polling method got, or None."""
    return getattr(getattr(method, "_pipeline_response", None), "http_response", None)


def body_of(reply: Any) -> dict[str, Any]:
    try:
        found: Any = reply.json()
    except Exception:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def reason_in(method: Any) -> str | None:
    """Why an operation has failed: code and message of the error in the last reply."""
    error: Any = body_of(reply_of(method)).get("error")
    if not isinstance(error, dict):
        return None
    said = cast("dict[str, Any]", error)
    return ": ".join(str(said[name]) for name in ("code", "message") if said.get(name)) or None


AzureOperation.__module__ = AzureOperations.__module__ = "more_executors.services.operations"
