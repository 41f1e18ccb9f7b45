"""An executor that starts tasks from `async def` functions, on an event loop of its own.

Guarantees:

* Every future ends exactly once: as its coroutine ends, or cancelled.
* At most `max_concurrency` coroutines go on at a time; the others wait, in order.
* Nobody's thread is needed by a coroutine, and no lock is held while one runs.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from ._callables import check_hook, is_async
from ._checks import check_name, checked_count, refuse_copy_of_executor, shown
from ._core import LoopCallTable, WayIn, check_threads, threads_are_greenlets
from ._runtime.delegate import AFTER_INTERPRETER_SHUTDOWN, Submits
from ._runtime.executor import LastingExecutor
from ._runtime.shared_loop import ClosedWhenDropped, SharedLoop, new_loop
from ._types import Anything, Awaited, Hook, Log, Never, P, R

__all__ = ["EventLoopExecutor"]


class EventLoopExecutor(LastingExecutor[Anything, Awaited[Never]]):
    """Runs coroutines on an event loop, on a thread of its own, and gives ordinary futures of what they return.

        async def start(job):
            async with session.post(url, json=job) as response:
                return (await response.json())["id"]

        with EventLoopExecutor() as executor:
            task_ids = [future.result() for future in [executor.submit(start, job) for job in jobs]]

    So many requests go on at a time without a thread for each. If a `PollExecutor` stands on this one, maybe with other
    executors in between, its `async def` functions run on the same loop.

    `future.cancel()` of a call that waits for its turn succeeds. Of a coroutine that goes on, it has the coroutine
    cancelled, waits until it has ended, and says whether it ended so; on the thread of any event loop it does not wait,
    but says False for now. A coroutine that blocks the loop is reported in the log.

    All methods may be called from any thread.
    """

    _kind = "EventLoopExecutor"
    _metric = "event_loop"

    def __init__(
        self,
        max_concurrency: int = 1000,
        logger: Log = None,
        name: str = "default",
        *,
        open_fn: Hook = None,
        close_fn: Hook = None,
    ) -> None:
        """Make it. The thread starts with the first call.

        Args:
            max_concurrency: how many coroutines may go on at a time.
            logger: a `logging.Logger`, by default the logger "EventLoopExecutor".
            name: a str, the end of the name of the thread, and the label of this executor in metrics.
            open_fn: an `async def` without arguments, awaited on the loop before the first call there: to open what
                calls share, such as a client session. If it raises, so does that call, and the next one begins with
                `open_fn` again.
            close_fn: the same after the last call. `shutdown` waits for it. What it raises is logged, at ERROR. Not
                awaited if `open_fn` has not succeeded, or nothing was called.

        Raises TypeError or ValueError if one of these cannot be used, and RuntimeError where threads are greenlets.
        """
        check_threads()
        check_no_greenlets()
        most = checked_count("max_concurrency", max_concurrency)
        check_name(name)
        for what, hook in (("open_fn", open_fn), ("close_fn", close_fn)):
            check_hook(what, hook)
        called = f"{self._kind}-{name}"
        self._loop_use = new_loop(called, open_fn, close_fn, logger or logging.getLogger(self._kind))
        self._loop_closer = ClosedWhenDropped(self._loop_use)
        self._stand_on(self._loop_use, logger, name)
        shared = self._loop_use.shared
        shared.thread.report_to(self._logger)
        self._calls = LoopCallTable(
            self._logger,
            most,
            shared.thread.have_called,
            asyncio.Task,
            sys.version_info >= (3, 11),
            asyncio.CancelledError,
            shared.resource,
            shared.thread.report,
            check_async,
            asyncio._get_running_loop,
        )
        calls = weakref.ref(self._calls)  # what the thread keeps is not to lead to functions of the user's
        shared.thread.after_lack = lambda: look_for_lost(calls())
        self._start(self._calls)

    __reduce_ex__ = refuse_copy_of_executor

    def submit(  # type: ignore[override]  # of Chainable's overloads, one
        self, fn: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        """Have `fn(*args, **kwargs)` awaited on the loop, in a copy of this context; returns a future of its result.

        Raises TypeError if `fn` is no `async def`, RuntimeError after `shutdown`, at the end of the interpreter and in
        a forked child.
        """
        try:
            return self._calls.submit_call(self, fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # see _frames

    def _way_in(self) -> Submits:
        return WayIn(self, SUBMIT, self._calls, None)

    def _shared_loop(self) -> SharedLoop:
        return self._loop_use.shared

    def _drained(self) -> bool:
        return super()._drained() and not self._calls.running

    def _would_wait_for_itself(self) -> bool:
        return self._loop_use.shared.thread.is_current() or super()._would_wait_for_itself()

    def _end_with_interpreter(self) -> None:
        self._calls.close(AFTER_INTERPRETER_SHUTDOWN)
        self._calls.cancel_running()
        super()._end_with_interpreter()

    def _forget_threads(self) -> None:
        self._loop_use.shared.forget()
        self._calls.forget_running()


SUBMIT = EventLoopExecutor.submit


def look_for_lost(calls: LoopCallTable | None) -> None:
    if calls is not None:
        calls.look_for_lost()


def check_async(fn: Any) -> None:
    """Raise TypeError unless `fn` is an `async def`."""
    if not is_async(fn):
        what = "so it would block the event loop: submit it to Executors.thread_pool(), or write it with async"
        raise TypeError(f"submit: fn must be an async def, and {shown(fn)} is none, {what}")


def check_no_greenlets() -> None:
    """Raise RuntimeError where threads are greenlets."""
    library = threads_are_greenlets()
    if library is not None:
        raise RuntimeError(
            f"there can be no event loop here: {library} makes greenlets of threads, and only one could run it. "
            "Submit plain functions to Executors.thread_pool(): where they wait, other greenlets go on"
        )
