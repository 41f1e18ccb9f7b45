"""`Executors`: make an executor, and chain others onto it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, overload

from . import pools
from . import sync as _sync
from ._bound import BoundCallable
from ._chaining import Chainable, HandingOn, Unknown
from ._runtime.delegate import Delegate
from ._types import E, FutureLike, Log, Never, P, Plain, R
from ._with_other_results import WithOtherResults
from ._with_same_results import WithSameResults

__all__ = ["Executors"]


class Executors(WithOtherResults, WithSameResults):
    """Where executors come from.

    The first of a chain is made by `thread_pool`, `process_pool` or `sync`; each `with_*` puts another one on top. It
    is a method of every executor of this library too, so that a chain reads from left to right:

        Executors.thread_pool(max_workers=8).with_retry(max_attempts=5).with_poll(poll_fn, cancel_fn)

    The one on top has the name of the one below, unless it is given one.
    """

    @classmethod
    def thread_pool(cls, *args: Any, **kwargs: Any) -> pools.ThreadPoolExecutor:
        """A `concurrent.futures.ThreadPoolExecutor`, with its arguments; `name` ends the names of the threads."""
        return pools.ThreadPoolExecutor(*args, **kwargs)

    threadpool = thread_pool

    @classmethod
    def process_pool(cls, *args: Any, **kwargs: Any) -> pools.ProcessPoolExecutor:
        """A `concurrent.futures.ProcessPoolExecutor`, with its arguments and `name`."""
        return pools.ProcessPoolExecutor(*args, **kwargs)

    @classmethod
    def sync(cls, logger: Log = None, name: str = "default") -> _sync.SyncExecutor:
        """A `SyncExecutor`: it calls what is submitted at once, on the caller's thread."""
        return _sync.SyncExecutor(logger=logger, name=name)

    @overload
    @classmethod
    def bind(cls, executor: Unknown, fn: Callable[P, Any]) -> BoundCallable[P, Any]: ...
    @overload
    @classmethod
    def bind(cls, executor: HandingOn[E], fn: Callable[P, R]) -> BoundCallable[P, R | E]: ...
    @overload
    @classmethod
    def bind(cls, executor: Chainable[E, R], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def bind(cls, executor: Plain, fn: Callable[P, R]) -> BoundCallable[P, R]: ...
    @classmethod
    def bind(cls, executor: Delegate, fn: Callable[..., Any]) -> BoundCallable[..., Any]:
        """A callable that submits `fn`, with the arguments it is called with, to `executor`, and returns the future."""
        return BoundCallable(executor, fn)

    @overload
    @classmethod
    def flat_bind(cls, executor: HandingOn[Never], fn: Callable[P, FutureLike[R]]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def flat_bind(cls, executor: Chainable[E, FutureLike[R]], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def flat_bind(cls, executor: Plain, fn: Callable[P, FutureLike[R]]) -> BoundCallable[P, R]: ...
    @classmethod
    def flat_bind(cls, executor: Delegate, fn: Callable[..., Any]) -> BoundCallable[..., Any]:
        """`bind` for an `fn` that returns a future: the future that is returned ends as that one does."""
        return cls.bind(cls.with_flat_map(executor, identity), fn)


def identity(future: R) -> R:
    return future


def chaining(name: str) -> Callable[..., Any]:
    """The method that calls `Executors.NAME` with its executor as first argument."""

    @wraps(getattr(Executors, name))
    def method(self: Chainable, *args: Any, **kwargs: Any) -> Any:
        return getattr(Executors, name)(self, *args, **kwargs)

    return method


def binding(name: str) -> Callable[..., Any]:
    """The method that binds the same function to the executor that `Executors.NAME` puts on top."""

    @wraps(getattr(Executors, name))
    def method(self: BoundCallable[..., Any], *args: Any, **kwargs: Any) -> BoundCallable[..., Any]:
        return BoundCallable(getattr(Executors, name)(self._executor, *args, **kwargs), self._fn)

    return method


for method_name in [name for name in dir(Executors) if name.startswith("with_")]:
    setattr(Chainable, method_name, chaining(method_name))
    setattr(BoundCallable, method_name, binding(method_name))
for method_name in ("bind", "flat_bind"):
    setattr(Chainable, method_name, chaining(method_name))
