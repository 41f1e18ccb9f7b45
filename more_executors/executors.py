"""`Executors`: make an executor, and chain others onto it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from . import _pools
from . import poll as _poll
from . import sync as _sync
from ._base import Chainable, Delegate

__all__ = ["Executors"]

A = TypeVar("A")
B = TypeVar("B")


class Executors:
    """Where executors come from.

    The first of a chain is made by `thread_pool`, `process_pool` or `sync`; each `with_*` puts another one on top. It
    is a method of every executor of this library too, so that a chain reads from left to right:

        Executors.thread_pool(max_workers=8).with_poll(poll_fn, cancel_fn)
    """

    @classmethod
    def thread_pool(cls, *args: Any, **kwargs: Any) -> _pools.ThreadPoolExecutor:
        """A `concurrent.futures.ThreadPoolExecutor`, with its arguments; `name` ends the names of the threads."""
        return _pools.ThreadPoolExecutor(*args, **kwargs)

    threadpool = thread_pool

    @classmethod
    def process_pool(cls, *args: Any, **kwargs: Any) -> _pools.ProcessPoolExecutor:
        """A `concurrent.futures.ProcessPoolExecutor`, with its arguments and `name`."""
        return _pools.ProcessPoolExecutor(*args, **kwargs)

    @classmethod
    def sync(cls, logger: logging.Logger | None = None, name: str = "default") -> _sync.SyncExecutor:
        """A `SyncExecutor`: it calls what is submitted at once, on the caller's thread."""
        return _sync.SyncExecutor(logger=logger, name=name)

    @classmethod
    def with_poll(
        cls,
        executor: Delegate,
        poll_fn: Callable[[list[_poll.PollDescriptor[A, B]]], float | None],
        cancel_fn: Callable[[A], object] | None = None,
        default_interval: float = 5.0,
        logger: logging.Logger | None = None,
        *,
        name: str | None = None,
    ) -> _poll.PollExecutor[A, B]:
        """A `PollExecutor` on top of `executor`, with the name of that unless one is given."""
        return _poll.PollExecutor(
            executor, poll_fn, cancel_fn, default_interval, logger, name=inherited(name, executor)
        )


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


for method_name in ("with_poll",):
    setattr(Chainable, method_name, chaining(method_name))
