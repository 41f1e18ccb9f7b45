"""`Executors`: make an executor, and chain others onto it."""

from __future__ import annotations

import asyncio as _asyncio_of_python
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from . import asyncio as _asyncio
from . import cancel_on_shutdown as _cancel_on_shutdown
from . import flat_map as _flat_map
from . import map as _map
from . import poll as _poll
from . import pools
from . import retry as _retry
from . import sync as _sync
from . import throttle as _throttle
from . import timeout as _timeout
from ._bound import BoundCallable
from ._chaining import Chainable
from ._runtime.delegate import Delegate

__all__ = ["Executors"]

A = TypeVar("A")


class Executors:
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
    def sync(cls, logger: logging.Logger | None = None, name: str = "default") -> _sync.SyncExecutor:
        """A `SyncExecutor`: it calls what is submitted at once, on the caller's thread."""
        return _sync.SyncExecutor(logger=logger, name=name)

    @classmethod
    def with_map(
        cls,
        executor: Delegate,
        fn: Callable[[Any], Any] | None = None,
        logger: logging.Logger | None = None,
        name: str | None = None,
        *,
        error_fn: Callable[[BaseException], Any] | None = None,
    ) -> _map.MapExecutor:
        """A `MapExecutor` on top of `executor`."""
        return _map.MapExecutor(executor, fn, logger, inherited(name, executor), error_fn=error_fn)

    @classmethod
    def with_flat_map(
        cls,
        executor: Delegate,
        fn: Callable[[Any], Any] | None = None,
        logger: logging.Logger | None = None,
        name: str | None = None,
        *,
        error_fn: Callable[[BaseException], Any] | None = None,
    ) -> _flat_map.FlatMapExecutor:
        """A `FlatMapExecutor` on top of `executor`."""
        return _flat_map.FlatMapExecutor(executor, fn, logger, inherited(name, executor), error_fn=error_fn)

    @classmethod
    def with_retry(
        cls,
        executor: Delegate,
        retry_policy: _retry.RetryPolicy | None = None,
        logger: logging.Logger | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> _retry.RetryExecutor:
        """A `RetryExecutor` on top of `executor`; `kwargs` are for an `ExceptionRetryPolicy`."""
        return _retry.RetryExecutor(executor, retry_policy, logger, inherited(name, executor), **kwargs)

    @classmethod
    def with_poll(
        cls,
        executor: Delegate,
        poll_fn: Callable[[list[_poll.PollDescriptor[Any, Any]]], Any],
        cancel_fn: Callable[[Any], Any] | None = None,
        default_interval: float = 5.0,
        logger: logging.Logger | None = None,
        name: str | None = None,
        **options: Any,
    ) -> _poll.PollExecutor[Any, Any]:
        """A `PollExecutor` on top of `executor`; `options` are its keywords for polling at high volume."""
        return _poll.PollExecutor(
            executor, poll_fn, cancel_fn, default_interval, logger, name=inherited(name, executor), **options
        )

    @classmethod
    def with_timeout(
        cls,
        executor: Delegate,
        timeout: float,
        logger: logging.Logger | None = None,
        name: str | None = None,
    ) -> _timeout.TimeoutExecutor:
        """A `TimeoutExecutor` on top of `executor`."""
        return _timeout.TimeoutExecutor(executor, timeout, logger, inherited(name, executor))

    @classmethod
    def with_throttle(
        cls,
        executor: Delegate,
        count: int | Callable[[], int | None] | None,
        logger: logging.Logger | None = None,
        name: str | None = None,
        block: bool = False,
    ) -> _throttle.ThrottleExecutor:
        """A `ThrottleExecutor` on top of `executor`."""
        return _throttle.ThrottleExecutor(executor, count, logger, inherited(name, executor), block)

    @classmethod
    def with_cancel_on_shutdown(
        cls, executor: Delegate, logger: logging.Logger | None = None, name: str | None = None
    ) -> _cancel_on_shutdown.CancelOnShutdownExecutor:
        """A `CancelOnShutdownExecutor` on top of `executor`."""
        return _cancel_on_shutdown.CancelOnShutdownExecutor(executor, logger, inherited(name, executor))

    @classmethod
    def with_asyncio(
        cls,
        executor: Delegate,
        loop: _asyncio_of_python.AbstractEventLoop | None = None,
        logger: logging.Logger | None = None,
        name: str | None = None,
    ) -> _asyncio.AsyncioExecutor:
        """An `AsyncioExecutor` on top of `executor`."""
        return _asyncio.AsyncioExecutor(executor, loop, logger, inherited(name, executor))

    @classmethod
    def bind(cls, executor: Delegate, fn: Callable[..., Any]) -> BoundCallable[..., Any]:
        """A callable that submits `fn`, with the arguments it is called with, to `executor`, and returns the future."""
        return BoundCallable(executor, fn)

    @classmethod
    def flat_bind(cls, executor: Delegate, fn: Callable[..., Any]) -> BoundCallable[..., Any]:
        """`bind` for an `fn` that returns a future: the future that is returned ends as that one does."""
        return cls.bind(cls.with_flat_map(executor, identity), fn)


def identity(future: A) -> A:
    return future


def inherited(name: str | None, executor: Delegate) -> str:
    """`name`, or if that is None the one of `executor`."""
    if name is not None:
        return name
    return executor._name if isinstance(executor, Chainable) else "default"


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


for method_name in [name for name in vars(Executors) if name.startswith("with_")]:
    setattr(Chainable, method_name, chaining(method_name))
    setattr(BoundCallable, method_name, binding(method_name))
for method_name in ("bind", "flat_bind"):
    setattr(Chainable, method_name, chaining(method_name))
