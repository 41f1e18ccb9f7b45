"""What a poll executor has, for the executors on top of it: `adopt`, `submit_once`, `cancel_all`, `stats` and so on.

An executor has these as attributes if its delegate does. What gives a future gives one of the executor that is asked,
as its `submit` would: mapped, with a timeout, of asyncio. Where each future stands for a callable that may be called
again, as with retries, there is no `adopt`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from .._types import B

if TYPE_CHECKING:
    from ..poll.stats import OutstandingTask, PollStats

__all__: list[str] = []


class Through:
    """Submits by a call of `submit`, which is a method of a delegate that is called otherwise."""

    __slots__ = ("submit",)

    def __init__(self, method: Callable[..., Any]) -> None:
        self.submit = method


class Reached:
    """A method that executors have if it makes sense for their class, and if their delegate has it.

    A `__getattr__` would do, but slow down every other attribute of an executor.
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __get__(self, executor: ReachesThrough | None, kind: type[ReachesThrough]) -> Any:
        name = self._method.__name__
        theirs = getattr(super(ReachesThrough, kind if executor is None else executor), name, None)
        if theirs is not None:  # of a base that comes later
            return theirs
        if executor is not None and name in kind._reached and hasattr(executor._delegate_below(), name):
            return MethodType(self._method, executor)
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")


class ReachesThrough:
    """A base of executors. They have a `_delegate_below`, and make a future by `_future_through`.

    `_reached` are the names of those methods that make sense for the class.
    """

    _reached: ClassVar[frozenset[str]]

    def _delegate_below(self) -> Any:
        raise NotImplementedError

    def _future_through(self, through: Through, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A future of this executor, made of what `through.submit(fn, *args, **kwargs)` returns."""
        raise NotImplementedError

    def _cancel_in_bulk(self, futures: Iterable[Any] | None) -> int:
        """Try to cancel `futures`, or all of this executor; returns how many are cancelled then."""
        raise NotImplementedError


class ThroughPoll(Generic[B]):
    """For type checkers: the methods of an executor that hands on all that a poll executor below it has."""

    if TYPE_CHECKING:

        def adopt(self, result: Any, *, timeout: float | None = None) -> Future[B]: ...
        def adopt_many(self, results: Iterable[Any], *, timeout: float | None = None) -> list[Future[B]]: ...
        def submit_once(self, key: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[B]: ...
        def submit_many_once(self, fn: Callable[[Any], Any], keys: Iterable[Any]) -> list[Future[B]]: ...
        def cancel_all(self) -> int: ...
        def cancel_many(self, futures: Iterable[Any]) -> int: ...
        def notify(self) -> None: ...
        def outstanding(self) -> list[OutstandingTask]: ...
        def stats(self) -> PollStats: ...


def adopt(self: ReachesThrough, result: Any, *, timeout: float | None = None) -> Any:
    """`PollExecutor.adopt` of the poll executor below; returns a future of this executor."""
    try:
        return self._future_through(Through(self._delegate_below().adopt), result, (), {"timeout": timeout})
    finally:
        del self, result  # see _frames


def adopt_many(self: ReachesThrough, results: Iterable[Any], *, timeout: float | None = None) -> list[Any]:
    """`PollExecutor.adopt_many` of the poll executor below; returns futures of this executor."""
    return made_of(self, self._delegate_below().adopt_many(results, timeout=timeout))


def submit_once(self: ReachesThrough, key: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`PollExecutor.submit_once` of the poll executor below; returns a future of this executor."""
    try:
        return self._future_through(Through(self._delegate_below().submit_once), key, (fn, *args), kwargs)
    finally:
        del self, key, fn, args, kwargs


def submit_many_once(self: ReachesThrough, fn: Callable[[Any], Any], keys: Iterable[Any]) -> list[Any]:
    """`PollExecutor.submit_many_once` of the poll executor below; returns futures of this executor."""
    return made_of(self, self._delegate_below().submit_many_once(fn, keys))


def made_of(executor: ReachesThrough, futures: list[Any]) -> list[Any]:
    """A future of `executor` for each of `futures`."""
    given = Through(itself)
    return [executor._future_through(given, future, (), {}) for future in futures]


def itself(future: Any) -> Any:
    return future


def notify(self: ReachesThrough) -> None:
    """`PollExecutor.notify` of the poll executor below."""
    self._delegate_below().notify()


def outstanding(self: ReachesThrough) -> Any:
    """`PollExecutor.outstanding` of the poll executor below."""
    return self._delegate_below().outstanding()


def stats(self: ReachesThrough) -> Any:
    """`PollExecutor.stats` of the poll executor below."""
    return self._delegate_below().stats()


def cancel_all(self: ReachesThrough) -> int:
    """Try to cancel every future of this executor that is not done; returns how many are cancelled then."""
    return self._cancel_in_bulk(None)


def cancel_many(self: ReachesThrough, futures: Iterable[Any]) -> int:
    """`cancel_all` for some futures, of this executor or made from them; returns how many are cancelled then."""
    return self._cancel_in_bulk(futures)


OF_TASKS = (adopt, adopt_many, submit_once, submit_many_once)
OF_ALL_TASKS = (cancel_all, cancel_many, notify, outstanding, stats)

ABOUT_ALL_TASKS = frozenset(method.__name__ for method in OF_ALL_TASKS)
ALL = ABOUT_ALL_TASKS.union(method.__name__ for method in OF_TASKS)

for reached in (*OF_TASKS, *OF_ALL_TASKS):  # not in the class: type checkers would think that all executors have them
    setattr(ReachesThrough, reached.__name__, Reached(reached))
