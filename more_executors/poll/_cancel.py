"""Asking a service to cancel tasks: one, or many at once.

Guarantees:

* No call is made that the gate does not let through.
* Of what is not asked by the caller's own thread, at most so many calls go on at a time.
* What goes on in the background is counted until it is over, and `shutdown` waits for that: see `Owed`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from .._callables import is_async
from .._core import CANCEL_LATER, BulkCancel, log
from .._runtime.call_threads import CallThreads
from .._runtime.event_loop import is_on_a_loop
from .._runtime.loop_resource import LoopResource
from .._runtime.loop_thread import LoopClosed, LoopThread
from ..rate_limit import Throttled
from ._cancel_call import CancelCalls
from ._cancel_runs import CancelRuns, LateTasks
from ._gate import CallGate
from ._owed import Owed

__all__: list[str] = []


class Canceller:
    """Calls the functions that cancel: when the gate lets it, and on the loop if they are `async def`.

    `one`, `in_turn` and `many` are what a table calls; each is None where it is not needed. Without a rate limit, `one`
    is the user's own function, if that is no `async def`: there is no gate before the first pause. From then on it is
    `in_turn` that is called. All may be called from any thread.
    """

    def __init__(
        self,
        cancel_fn: Callable[[Any], Any] | None,
        cancel_many_fn: Callable[[list[Any]], Any] | None,
        *,
        gate: CallGate,
        batch_size: int,
        max_concurrency: int,
        loop: LoopThread,
        resource: LoopResource,
        threads: CallThreads,
        logger: logging.Logger,
    ) -> None:
        self.owed = Owed()
        self._gate = gate
        self._loop = loop
        self._threads = threads
        self._logger = logger
        in_bulk = cancel_many_fn or cancel_fn
        if in_bulk is not None:
            self._calls = CancelCalls(in_bulk, cancel_many_fn is not None, gate, loop, resource)
            self._runs = CancelRuns(
                self._calls,
                batch=batch_size if cancel_many_fn is not None else 1,
                max_concurrency=max_concurrency,
                loop=loop,
                threads=threads,
                logger=logger,
                owed=self.owed,
            )
        if cancel_fn is not None:
            self._call_one = CancelCalls(cancel_fn, False, gate, loop, resource)
        self._cancel_fn = cancel_fn
        self._cancels_many = cancel_many_fn is not None
        self._is_at_once = not (gate.may_hold_back() or is_async(cancel_fn))
        self._has_runs = cancel_many_fn is not None or (cancel_fn is not None and max_concurrency > 1)
        self._is_async = is_async(cancel_fn) or is_async(cancel_many_fn)

    # Properties, as an object that keeps methods of its own goes away only when the garbage collector comes.

    @property
    def one(self) -> Callable[[Any], object] | None:
        if self._cancel_fn is None:
            return self._one_of_many if self._cancels_many else None
        return self._cancel_fn if self._is_at_once else self._one

    @property
    def in_turn(self) -> Callable[[Any], object] | None:
        return None if self._cancel_fn is None else self._one

    @property
    def many(self) -> Callable[[BulkCancel], object] | None:
        return self._runs.run if self._has_runs else None

    def too_late(self, results: list[Any], owner: object) -> None:
        """Cancel in the background tasks that failed at their deadline. Errors are logged. Keeps `owner` alive."""
        if self.one is not None and results:
            try:
                self._runs.start(LateTasks(results), owner)
            except (RuntimeError, MemoryError) as error:
                log(self._logger, logging.ERROR, "%d late tasks are not cancelled", len(results), error=error)

    def later(self, future: Any) -> None:
        """Cancel `future` in the background, on a thread that may wait."""

        what = object()

        def cancel() -> None:
            try:
                future.cancel()
            finally:
                self.owed.end(what)

        self.owed.begin(what)
        try:
            self._threads.start(cancel)
        except BaseException as error:
            self.owed.end(what)
            if not isinstance(error, RuntimeError):
                raise
            log(self._logger, logging.ERROR, "%s is not cancelled", future, error=error)

    def fault_of(self, error: BaseException) -> BaseException | None:
        """What to log of `error`, which `one` raised: None for `Throttled`, which begins a pause and is no fault."""
        try:
            if not isinstance(error, Throttled):
                return error
            self._gate.throttled(0.0, error)
            return None
        except Exception as fault:  # the error is of a class of the user's
            return fault
        finally:
            del self, error  # see _frames

    def cannot_wait(self, future: Any) -> bool:
        """Whether the calling thread must not wait for the answer to the `cancel()` of another thread."""
        if self._is_async and self._loop.is_current():
            message = "%s is being cancelled: its loop cannot wait for that"
            log(self._logger, logging.ERROR, message, future)
            return True
        return self._gate.may_hold_back() and is_on_a_loop()

    def _one(self, result: Any) -> object:
        try:
            if self._must_not_wait(self._call_one):
                return self._in_haste(self._call_one, result)
            return self._call_one.once(result)
        except (Throttled, LoopClosed):
            return False
        finally:
            del self, result  # see _frames

    def _one_of_many(self, result: Any) -> object:
        try:
            if not self._must_not_wait(self._calls):
                return self._calls.persistently([result])[0]
            answer = self._in_haste(self._calls, [result])
            return answer if answer is CANCEL_LATER else self._calls.checked(answer, [result])[0]
        except LoopClosed:
            return False
        except Exception as error:
            log(self._logger, logging.ERROR, "Exception during cancel of %d tasks", 1, error=error)
            return False
        finally:
            del self, result

    def _must_not_wait(self, calls: CancelCalls) -> bool:
        """Whether the calling thread is that of an event loop, which is not to wait for the gate."""
        return self._gate.may_hold_back() and is_on_a_loop() and not calls.is_on_own_loop()

    def _in_haste(self, calls: CancelCalls, argument: Any) -> Any:
        """Cancel without waiting for the gate. Returns the answer, or `CANCEL_LATER` if that is not possible."""
        try:
            return calls.once(argument, taken=True) if self._gate.take_now() else CANCEL_LATER
        except Throttled:
            return CANCEL_LATER
        finally:
            del self, calls, argument
