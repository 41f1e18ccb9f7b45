"""The `with_*` methods of `Executors` that make executors with the same results."""

from __future__ import annotations

import asyncio
from typing import Any, overload

from . import asyncio as _asyncio  # not the classes: programs may patch those in their modules
from . import cancel_on_shutdown as _cancel_on_shutdown
from . import retry as _retry
from . import throttle as _throttle
from . import timeout as _timeout
from ._chaining import Chainable, inherited
from ._runtime.delegate import Delegate
from ._types import Anything, Count, D, E, Log, Name, Never, Plain, Returned

__all__: list[str] = []


class WithSameResults:
    """These make executors whose futures have the results of the futures of `executor`, or are cancelled."""

    @overload
    @classmethod
    def with_retry(
        cls,
        executor: Chainable[E, D],
        retry_policy: _retry.RetryPolicy | None = None,
        logger: Log = None,
        name: Name = None,
        **kwargs: Any,
    ) -> _retry.RetryExecutor[E, D]: ...
    @overload
    @classmethod
    def with_retry(
        cls,
        executor: Plain,
        retry_policy: _retry.RetryPolicy | None = None,
        logger: Log = None,
        name: Name = None,
        **kwargs: Any,
    ) -> _retry.RetryExecutor[Anything, Returned[Never]]: ...
    @classmethod
    def with_retry(
        cls,
        executor: Delegate,
        retry_policy: _retry.RetryPolicy | None = None,
        logger: Log = None,
        name: Name = None,
        **kwargs: Any,
    ) -> _retry.RetryExecutor:
        """Make a `RetryExecutor` that submits to `executor`; `kwargs` make an `ExceptionRetryPolicy`."""
        return _retry.RetryExecutor(executor, retry_policy, logger, inherited(name, executor), **kwargs)

    @overload
    @classmethod
    def with_timeout(
        cls, executor: Chainable[E, D], timeout: float, logger: Log = None, name: Name = None
    ) -> _timeout.TimeoutExecutor[E, D]: ...
    @overload
    @classmethod
    def with_timeout(
        cls, executor: Plain, timeout: float, logger: Log = None, name: Name = None
    ) -> _timeout.TimeoutExecutor[Anything, Returned[Never]]: ...
    @classmethod
    def with_timeout(
        cls,
        executor: Delegate,
        timeout: float,
        logger: Log = None,
        name: Name = None,
    ) -> _timeout.TimeoutExecutor:
        """Make a `TimeoutExecutor` that submits to `executor`."""
        return _timeout.TimeoutExecutor(executor, timeout, logger, inherited(name, executor))

    @overload
    @classmethod
    def with_throttle(
        cls, executor: Chainable[E, D], count: Count, logger: Log = None, name: Name = None, block: bool = False
    ) -> _throttle.ThrottleExecutor[E, D]: ...
    @overload
    @classmethod
    def with_throttle(
        cls, executor: Plain, count: Count, logger: Log = None, name: Name = None, block: bool = False
    ) -> _throttle.ThrottleExecutor[Anything, Returned[Never]]: ...
    @classmethod
    def with_throttle(
        cls,
        executor: Delegate,
        count: Count,
        logger: Log = None,
        name: Name = None,
        block: bool = False,
    ) -> _throttle.ThrottleExecutor:
        """Make a `ThrottleExecutor` that submits to `executor`."""
        return _throttle.ThrottleExecutor(executor, count, logger, inherited(name, executor), block)

    @overload
    @classmethod
    def with_cancel_on_shutdown(
        cls, executor: Chainable[E, D], logger: Log = None, name: Name = None
    ) -> _cancel_on_shutdown.CancelOnShutdownExecutor[E, D]: ...
    @overload
    @classmethod
    def with_cancel_on_shutdown(
        cls, executor: Plain, logger: Log = None, name: Name = None
    ) -> _cancel_on_shutdown.CancelOnShutdownExecutor[Anything, Returned[Never]]: ...
    @classmethod
    def with_cancel_on_shutdown(
        cls, executor: Delegate, logger: Log = None, name: Name = None
    ) -> _cancel_on_shutdown.CancelOnShutdownExecutor:
        """Make a `CancelOnShutdownExecutor` that submits to `executor`."""
        return _cancel_on_shutdown.CancelOnShutdownExecutor(executor, logger, inherited(name, executor))

    @overload
    @classmethod
    def with_asyncio(
        cls,
        executor: Chainable[E, D],
        loop: asyncio.AbstractEventLoop | None = None,
        logger: Log = None,
        name: Name = None,
    ) -> _asyncio.AsyncioExecutor[E, D]: ...
    @overload
    @classmethod
    def with_asyncio(
        cls, executor: Plain, loop: asyncio.AbstractEventLoop | None = None, logger: Log = None, name: Name = None
    ) -> _asyncio.AsyncioExecutor[Anything, Returned[Never]]: ...
    @classmethod
    def with_asyncio(
        cls,
        executor: Delegate,
        loop: asyncio.AbstractEventLoop | None = None,
        logger: Log = None,
        name: Name = None,
    ) -> _asyncio.AsyncioExecutor:
        """Make an `AsyncioExecutor` that submits to `executor`."""
        return _asyncio.AsyncioExecutor(executor, loop, logger, inherited(name, executor))
