"""Shutting a delegate down once, with the arguments that its `shutdown` takes: it may be of another library."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

from .._core import log
from .delegate import Ending
from .nested_calls import shut_down_once_free

__all__: list[str] = []


class DelegateEnd:
    """Calls `shutdown` of a delegate once, whichever thread comes first. All methods may be called from any thread."""

    def __init__(self, delegate: Ending) -> None:
        self.delegate = delegate
        self.cancel_futures = False  # what the call is to say
        self.was_refused = False  # it raised an error of the delegate's
        self._calls: dict[bool, object] = {}  # whoever makes or made it: without waiting, and with it

    def may_block(self) -> bool:
        """Whether the call may block in any case, as the delegate's `shutdown` has no argument `wait`."""
        shutdown = getattr(self.delegate, "shutdown", None)
        return shutdown is not None and not takes_keyword(shutdown, "wait")

    def has_come(self) -> bool:
        """Whether the call has been made, or has begun."""
        return bool(self._calls)

    def come(self, wait: bool) -> None:
        """Call the delegate's `shutdown`, unless that has been done. If it raises, it can be done again.

        After a call without `wait`, there may be one with it, if the delegate is an `Executor`, which allows that.
        """
        if wait in self._calls or (self._calls and not (wait and isinstance(self.delegate, Executor))):
            return
        caller = object()
        try:
            if self._calls.setdefault(wait, caller) is caller:
                shut_down(self.delegate, wait, self.cancel_futures)
        except BaseException as error:
            self.was_refused = isinstance(error, Exception)
            if self._calls.get(wait) is caller:
                self._calls.pop(wait, None)
            raise


def shut_down(delegate: Ending, wait: bool, cancel_futures: bool) -> None:
    """Call `delegate.shutdown`, if there is one, with those of the arguments that it takes."""
    shutdown = getattr(delegate, "shutdown", None)
    if shutdown is None:
        return
    how: dict[str, bool] = {}
    if takes_keyword(shutdown, "wait"):
        how["wait"] = wait
    if cancel_futures and takes_keyword(shutdown, "cancel_futures"):
        how["cancel_futures"] = True
    if isinstance(delegate, (ThreadPoolExecutor, ProcessPoolExecutor)) and "wait" in how:
        shut_down_once_free(delegate, shutdown, (), how)
    else:
        shutdown(**how)


def check_shutdown(delegate: Ending) -> None:
    """Raise TypeError if `delegate` has a `shutdown` that cannot be called with `wait`, or without arguments."""
    shutdown = getattr(delegate, "shutdown", None)
    if shutdown is None:
        return
    if not callable(shutdown):
        raise TypeError(f"delegate.shutdown must be a method, not {shutdown!r}: {delegate!r}")
    if inspect.iscoroutinefunction(shutdown):
        raise TypeError(f"delegate.shutdown must not be an async def, which nobody would await: {delegate!r}")
    try:
        signature = inspect.signature(shutdown)
    except (TypeError, ValueError):
        return
    how = {"wait": True} if takes_keyword(shutdown, "wait") else {}
    try:
        signature.bind(**how)
    except TypeError as error:
        raise TypeError(f"delegate.shutdown must take `wait`, or nothing: {error}: {delegate!r}") from None


def leave_block(executor: Executor, logger: logging.Logger, error: BaseException | None) -> None:
    """Shut `executor` down at the end of a `with` block.

    `error` is the exception that left the block, or None. If there is one, an exception of `shutdown` is logged.
    """
    try:
        executor.shutdown(wait=True)
    except Exception as fault:
        if error is None:
            raise
        log(logger, logging.ERROR, "%r cannot be shut down", executor, error=fault)


def takes_keyword(function: Callable[..., object], keyword: str) -> bool:
    """Whether `function` can be called with `keyword`; True if its signature is unknown."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    found = parameters.get(keyword)
    if found is not None:
        return found.kind is not found.POSITIONAL_ONLY
    return any(p.kind is p.VAR_KEYWORD for p in parameters.values())
