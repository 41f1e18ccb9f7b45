"""What executors share: chaining, and standing on a delegate."""

from __future__ import annotations

import inspect
import logging
import os
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from . import _lifecycle
from ._core import TaskTable, log
from ._worker import Worker

if TYPE_CHECKING:
    from .poll import PollDescriptor, PollExecutor

__all__: list[str] = []

A = TypeVar("A")
B = TypeVar("B")

AFTER_SHUTDOWN = "cannot schedule new futures after shutdown"
AFTER_INTERPRETER_SHUTDOWN = "cannot schedule new futures after interpreter shutdown"
AFTER_FORK = "cannot schedule new futures in a forked child: its executors are the parent's, make a new one"


class Chainable(Executor):
    """An executor with the `with_*` methods, each the one of `Executors` with this executor as first argument.

    `executors` puts them here, as it is what knows every executor.
    """

    _name: str

    if TYPE_CHECKING:

        def with_poll(
            self,
            poll_fn: Callable[[list[PollDescriptor[A, B]]], float | None],
            cancel_fn: Callable[[A], object] | None = None,
            default_interval: float = 5.0,
            logger: logging.Logger | None = None,
            *,
            name: str | None = None,
        ) -> PollExecutor[A, B]: ...


class Delegate(Protocol):
    """What an executor can stand on: `concurrent.futures.Executor`, or anything that does as much."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...

    def shutdown(self, wait: bool = True) -> None: ...


def check_callable(what: str, value: object) -> None:
    """Raise TypeError unless `value` is callable."""
    if not callable(value):
        raise TypeError(f"{what} must be callable, not {value!r}")


def check_name(name: object) -> None:
    """Raise TypeError unless `name` is a string."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {name!r}")


class DelegatingExecutor(Chainable):
    """An executor that gives its callables to another one, and whose futures outlive what that makes of them.

    A subclass

    1. sets `_kind`, which names its logger and its thread;
    2. gives `_start` the table its futures are in, last in its `__init__`: turns may come from then on;
    3. does in `_turn`, on the executor's own thread, what there is to do, and returns None once `_drained`.

    All methods may be called from any thread.
    """

    _kind: ClassVar[str]

    def __init__(self, delegate: Delegate, logger: logging.Logger | None, name: str) -> None:
        if not callable(getattr(delegate, "submit", None)):
            raise TypeError(f"delegate must be an executor, with a submit method, not {delegate!r}")
        if logger is not None and not callable(getattr(logger, "log", None)):
            raise TypeError(f"logger must be a logging.Logger or None, not {logger!r}")
        check_name(name)
        self._delegate = delegate
        self._name = name
        self._logger = logging.getLogger(self._kind) if logger is None else logger
        self._debugging = os.environ.get("MORE_EXECUTORS_DEBUG") == "1"

    def _start(self, table: TaskTable) -> None:
        self._table = table
        _lifecycle.track(self)
        self._worker = Worker(self, table.waker, f"{self._kind}-{self._name}")

    @abstractmethod
    def _turn(self) -> float | None:
        """Do what is due; returns the seconds until there is more to do, or None when there never will be."""

    def _is_at_work_here(self) -> bool:
        """Whether futures of this executor wait for the thread that asks."""
        if self._worker.is_current() or self._table.is_submitting():
            return True
        return isinstance(self._delegate, DelegatingExecutor) and self._delegate._is_at_work_here()

    def _drained(self) -> bool:
        """Whether no future is outstanding and none will be."""
        return self._table.closed is not None and not len(self._table)

    def _debug(self, message: str, *args: object) -> None:
        if self._debugging:
            log(self._logger, logging.DEBUG, message, *args)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns a future of what this executor makes of it.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child, and whatever the
        delegate's `submit` raises.
        """
        try:
            return self._table.submit(self, self._delegate, fn, args, kwargs)
        finally:
            # An exception out of a delegate that calls `fn` right here keeps this frame: not what is in it.
            del self, fn, args, kwargs

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, see what there is through, and shut the delegate down as well.

        With `wait` it returns when all futures are done; without, at once, and they are seen through in the
        background. `cancel_futures` first tries to cancel every future. A second call does nothing. Where waiting would
        be for ever, as it is this thread that has to go on, it does not wait: on the executor's own thread, that is in
        its poll function or in a callback there, and in a callable that a delegate calls in `submit`.
        """
        if not self._table.close(AFTER_SHUTDOWN):
            return
        self._worker.pin(self)
        wait = wait and not self._is_at_work_here()
        try:
            if cancel_futures:
                for future in self._table.futures():
                    future.cancel()
        except BaseException:
            shut_down(self._delegate, wait=False, cancel_futures=cancel_futures)
            raise
        shut_down(self._delegate, wait, cancel_futures)
        if wait:
            self._worker.join()

    def _end_with_interpreter(self) -> None:
        self._table.close(AFTER_INTERPRETER_SHUTDOWN)
        self._table.cancel_all()

    def _end_after_fork(self) -> None:
        self._table.close(AFTER_FORK)
        self._table.abandon_after_fork()

    def __repr__(self) -> str:
        state = "" if self._table.closed is None else " shut down"
        return f"<{type(self).__name__} {self._name!r}: {len(self._table)} outstanding{state}>"


def shut_down(delegate: Delegate, wait: bool, cancel_futures: bool) -> None:
    """Call `delegate.shutdown`, with `cancel_futures` only if it is asked for and known there."""
    if cancel_futures and takes_keyword(delegate.shutdown, "cancel_futures"):
        delegate.shutdown(wait=wait, cancel_futures=True)  # type: ignore[call-arg]
    else:
        delegate.shutdown(wait=wait)


def takes_keyword(function: Callable[..., object], keyword: str) -> bool:
    """Whether `function` can be called with `keyword`; True where that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    return keyword in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
