"""Where a ShardedPollExecutor submits to: has tasks started by its shards."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any

from ..._core import Future as PlainFuture
from ..._core import RemoteCall, WayIn
from ..._runtime.delegate import AFTER_FORK, AFTER_INTERPRETER_SHUTDOWN, Submits
from ..._runtime.lifecycle import track
from ..._runtime.nested_calls import start_thread
from ...journal._start import Start
from .._errors import ClusterLost
from ._coordinator import Coordinator

__all__: list[str] = []


class ShardDelegate(Executor):
    """All methods may be called from any thread."""

    def __init__(self, coordinator: Coordinator, group_by: Callable[..., Any] | None, name: str) -> None:
        self._coordinator = coordinator
        self._refusal = ""
        self._starts: SimpleQueue[tuple[Start, Future[Any]] | None] = SimpleQueue()
        shard_of = partial(shard_of_group, group_by, len(coordinator.links))
        send = partial(send_on_record, self._starts, coordinator, shard_of)
        start_thread(Thread(target=send, name=f"{name}-starts", daemon=True))
        self._shard_of = shard_of
        self._is_shared_out = group_by is None
        weakref.finalize(self, end, coordinator, self._starts).atexit = False
        track(self)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a shard call `fn(*args, **kwargs)`. Raises ClusterLost if there is no cluster any more."""
        try:
            if self._refusal:
                raise RuntimeError(self._refusal)
            future: Future[Any] = PlainFuture()
            if isinstance(fn, Start):
                self._starts.put((fn, future))
            else:
                shard = None if self._is_shared_out else self._shard_of(args, kwargs)
                self._coordinator.add(RemoteCall(future, fn, args, kwargs), shard)
            return future
        finally:
            del self, fn, args, kwargs  # see _frames

    def _way_in(self) -> Submits:
        return WayIn(self, SUBMIT, self._coordinator.calls, Start) if self._is_shared_out else self

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Have the shards end. Called when no future is pending."""
        self._starts.put(None)
        self._coordinator.close()
        if wait:
            self._coordinator.join()

    def _end_with_interpreter(self) -> None:
        self._refuse(AFTER_INTERPRETER_SHUTDOWN)
        self._fail(ClusterLost("the interpreter ends before the task was started"))

    def _end_after_fork(self) -> None:
        self._refuse(AFTER_FORK)
        self._fail(ClusterLost("this is a forked child, and the call is the parent's"))

    def _refuse(self, why: str) -> None:
        self._refusal = why
        self._coordinator.calls.is_closed = True

    def _fail(self, error: ClusterLost) -> None:
        calls = self._coordinator.queued() + [
            c for link in self._coordinator.links for c in link.starting.copy().values()
        ]
        for call in calls:
            if not call.future.cancel():
                with suppress(InvalidStateError):
                    call.future.set_exception(error)


SUBMIT = ShardDelegate.submit


def shard_of_group(group_by: Callable[..., Any] | None, shards: int, args: Any, kwargs: Any) -> int | None:
    """The number of the shard that gets a call with these arguments; None is any."""
    return None if group_by is None else hash(group_by(*args, **kwargs)) % shards


def send_on_record(
    starts: SimpleQueue[tuple[Start, Future[Any]] | None],
    coordinator: Coordinator,
    shard_of: Callable[[Any, Any], int | None],
) -> None:
    """Send each start once it is on record that it is meant: what the thread for tasks with keys does."""
    while (item := starts.get()) is not None:
        start, future = item
        try:
            begun = start.begin_call()
            call: Any = start.fn  # made by `KeyedSubmits`: a partial
            try:
                kwargs = {name: value for name, value in call.keywords.items() if name != "token"}
                coordinator.add(
                    RemoteCall(future, call.func, call.args, call.keywords, start, begun), shard_of(call.args, kwargs)
                )
            except BaseException as error:
                start.conclude_call(begun, error)
                raise
        except BaseException as error:
            with suppress(InvalidStateError):
                future.set_exception(error)
        finally:
            item = start = future = call = begun = None  # type: ignore[assignment]


def end(coordinator: Coordinator, starts: SimpleQueue[Any]) -> None:
    starts.put(None)
    coordinator.close()
