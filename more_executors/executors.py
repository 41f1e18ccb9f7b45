"""`Executors` makes executors, and puts others on top of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, overload

from . import event_loop as _event_loop
from . import pools
from . import sync as _sync
from ._bound import BoundCallable
from ._chaining import Awaiting, Chainable, HandingOn, Unknown
from ._runtime.delegate import Delegate
from ._types import Async, C, D, E, FutureLike, Hook, Log, Never, P, Plain, R
from ._with_other_results import WithOtherResults
from ._with_same_results import WithSameResults
from .poll import PollExecutor
from .services import Service
from .services._chain import chain_for

if TYPE_CHECKING:
    from .dask import DaskExecutor
else:
    DaskExecutor = Chainable  # it is one, and Dask may not be there

__all__ = ["Executors"]


class Executors(WithOtherResults, WithSameResults):
    """Makes executors.

    `thread_pool`, `process_pool`, `event_loop`, `dask` and `sync` make the first executor of a chain. Each `with_*`
    method makes an executor that submits to another one, its delegate. All executors of this library have these methods
    too, so that a chain reads from left to right:

        Executors.thread_pool(max_workers=8).with_retry(max_attempts=5).with_poll(poll_fn, cancel_fn)

    An executor has the name of its delegate, unless it is given another. All methods may be called from any thread.
    """

    @classmethod
    def thread_pool(cls, *args: Any, **kwargs: Any) -> pools.ThreadPoolExecutor:
        """Make a `concurrent.futures.ThreadPoolExecutor` that has the `with_*` methods.

        It takes the same arguments, and `name`, a str: the label of the pool in metrics, and how the names of its
        threads end.
        """
        return pools.ThreadPoolExecutor(*args, **kwargs)

    threadpool = thread_pool

    @classmethod
    def process_pool(cls, *args: Any, **kwargs: Any) -> pools.ProcessPoolExecutor:
        """Make a `concurrent.futures.ProcessPoolExecutor` that has the `with_*` methods.

        It takes the same arguments, and `name`, a str.
        """
        return pools.ProcessPoolExecutor(*args, **kwargs)

    @classmethod
    def event_loop(
        cls,
        max_concurrency: int = 1000,
        logger: Log = None,
        name: str = "default",
        *,
        open_fn: Hook = None,
        close_fn: Hook = None,
    ) -> _event_loop.EventLoopExecutor:
        """Make an `EventLoopExecutor`: `submit` runs an `async def` on an event loop, on a thread of its own."""
        return _event_loop.EventLoopExecutor(max_concurrency, logger, name, open_fn=open_fn, close_fn=close_fn)

    @classmethod
    def dask(
        cls, client: Any, *, retries: int = 0, timeout: float = 10.0, logger: Log = None, name: str = "default"
    ) -> DaskExecutor:
        """Make a `DaskExecutor`: workers of a Dask cluster make the calls. Needs the extra `dask`.

        `client` is a `distributed.Client`, the address of a scheduler, or a function that returns a client.
        """
        from .dask import DaskExecutor

        return DaskExecutor(client, retries=retries, timeout=timeout, logger=logger, name=name)

    @classmethod
    def for_service(
        cls,
        service: Service[C, Any, D],
        *,
        delegate: Delegate | None = None,
        logger: Log = None,
        name: str = "default",
        **options: Any,
    ) -> PollExecutor[C, D, C]:
        """Make the whole chain for a service: one that starts tasks, one that tries again, and a `PollExecutor`.

            slurm = Slurm()
            with Executors.for_service(slurm) as executor:
                future = executor.submit(slurm.start, "align.sh")

        Args:
            service: a `Service`, such as one of `more_executors.services`.
            delegate: the executor that calls `service.start`. By default a thread pool of `start_concurrency` threads,
                or an event loop if `start` is an `async def`; starts for which there was no room are made again then.
            logger: by default those called "PollExecutor" and the like.
            name: the label in metrics, and how the names of threads end.
            options: `default_interval` and the keyword-only arguments of a `PollExecutor`, instead of those that the
                service brings; None is none, whatever the service says. With a `journal`, its `submit_once` has the
                service look for starts in doubt, if it can.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        return chain_for(cls, service, delegate, logger, name, options)

    @classmethod
    def sync(cls, logger: Log = None, name: str = "default") -> _sync.SyncExecutor:
        """Make a `SyncExecutor`: `submit` calls the callable itself, on the caller's thread."""
        return _sync.SyncExecutor(logger=logger, name=name)

    @overload
    @classmethod
    def bind(cls, executor: Unknown, fn: Callable[P, Any]) -> BoundCallable[P, Any]: ...
    @overload
    @classmethod
    def bind(cls, executor: HandingOn[E], fn: Callable[P, R]) -> BoundCallable[P, R | E]: ...
    @overload
    @classmethod
    def bind(cls, executor: Awaiting[E], fn: Async[P, R]) -> BoundCallable[P, R | E]: ...
    @overload
    @classmethod
    def bind(cls, executor: Chainable[E, R], fn: Callable[P, E]) -> BoundCallable[P, R]: ...
    @overload
    @classmethod
    def bind(cls, executor: Plain, fn: Callable[P, R]) -> BoundCallable[P, R]: ...
    @classmethod
    def bind(cls, executor: Delegate, fn: Callable[..., Any]) -> BoundCallable[..., Any]:
        """A callable that submits `fn` to `executor` with the arguments that it gets, and returns the future.

        It has the `with_*` methods too. Raises TypeError if an argument cannot be used.
        """
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
        """As `bind`, for an `fn` that returns a future: the callable returns a future of the result of that future."""
        return cls.bind(cls.with_flat_map(executor, identity), fn)


def identity(future: R) -> R:
    return future


def chaining(name: str) -> Callable[..., Any]:
    """A method that calls `Executors.NAME` with its executor as the first argument."""

    @wraps(getattr(Executors, name))
    def method(self: Chainable, *args: Any, **kwargs: Any) -> Any:
        return getattr(Executors, name)(self, *args, **kwargs)

    return method


def binding(name: str) -> Callable[..., Any]:
    """A method that has `Executors.NAME` make an executor, and binds the same function to that."""

    @wraps(getattr(Executors, name))
    def method(self: BoundCallable[..., Any], *args: Any, **kwargs: Any) -> BoundCallable[..., Any]:
        return BoundCallable(getattr(Executors, name)(self._executor, *args, **kwargs), self._fn)

    return method


for method_name in [name for name in dir(Executors) if name.startswith("with_")]:
    setattr(Chainable, method_name, chaining(method_name))
    setattr(BoundCallable, method_name, binding(method_name))
for method_name in ("bind", "flat_bind"):
    setattr(Chainable, method_name, chaining(method_name))
