"""An executor whose calls are made by the workers of a cluster of Dask."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, NoReturn

from .. import metrics
from .._chaining import Chainable
from .._checks import check_name, checked_count, checked_duration, checked_flag, chosen_logger, refuse_copy_of_executor
from .._core import check_threads
from .._runtime.delegate import AFTER_FORK, AFTER_INTERPRETER_SHUTDOWN, AFTER_SHUTDOWN
from .._runtime.lifecycle import track
from .._types import A, Anything, B, P, R, Returned, T
from ._connection import ClientSource, Connection
from ._dispatcher import Dispatcher
from ._errors import ClusterLost
from .sharded import ShardedPollExecutor

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .sharded._batches import MakeShard
    from .sharded._keywords import ShardOptions

__all__ = ["DaskExecutor"]


class DaskExecutor(Chainable[Anything, Returned[NoReturn]]):
    """Has the workers of a Dask cluster make calls, a thousand of them for what one costs Dask.

        with DaskExecutor("tcp://scheduler:8786") as executor:
            futures = [executor.submit(render, frame) for frame in range(100_000)]

    Calls travel in packs, which are as large as takes some tens of milliseconds; the first of an idle cluster goes at
    once, alone. A future is pending until its call is sent, and can be cancelled until then. Calls and results are
    pickled with cloudpickle; what cannot be is an error of that call. Callbacks of futures run on one thread of this
    executor: one that waits for another future of it waits for ever.

    If a worker goes while it has calls, these fail with `WorkerLost`, unless `retries` says otherwise. If the scheduler
    goes, all that is not done fails with `ClusterLost`, and so do further calls until there is one again.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        client: ClientSource,
        *,
        retries: int = 0,
        timeout: float = 10.0,
        logger: logging.Logger | None = None,
        name: str = "default",
    ) -> None:
        """Connect, and start two threads.

        Args:
            client: a `distributed.Client`, which is left open by `shutdown`; or the address of a scheduler, or a
                function that returns a client: these make one, make another when it is lost, and close it. What the
                function takes is waited for here; later, if it is longer than `timeout`, calls fail until it returns.
            retries: how often a call is made again whose worker was lost. It may then be made so many times more, and
                some times more while it is found out which call of a pack it was: for calls that may be repeated.
            timeout: for so many seconds a scheduler may be silent before it is taken for lost, and connecting to an
                address may take.
            logger: by default the logger "DaskExecutor".
            name: the end of the names of the threads, and the label of this executor in metrics.

        Raises TypeError or ValueError if one of these cannot be used, and ClusterLost if no scheduler answers.
        """
        check_threads()
        check_name(name)
        retries = checked_count("retries", retries, least=0)
        seconds = checked_duration("timeout", timeout)
        self._name = name
        self._source = client
        self._is_shut_down = ""
        logger = chosen_logger(logger, "DaskExecutor")
        connection = Connection(client, seconds)
        try:
            self._dispatcher = Dispatcher(connection, retries, logger, f"DaskExecutor-{name}")
        except BaseException:
            connection.close()
            raise
        weakref.finalize(self, self._dispatcher.close).atexit = False
        self._meter = self._dispatcher.meter
        self._record = metrics.track(self, "dask", name, self._dispatcher.queue.counters)
        track(self)

    __reduce_ex__ = refuse_copy_of_executor

    def submit(  # type: ignore[override]  # it can do nothing else
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        """Have a worker call `fn(*args, **kwargs)`; returns a future of what that returns.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child; and ClusterLost,
        which is one, while there is no scheduler.
        """
        try:
            if self._is_shut_down:
                raise RuntimeError(self._is_shut_down)
            return self._dispatcher.submit(fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # see _frames

    def with_sharded_poll(
        self,
        make: MakeShard[A, B, T],
        *,
        logger: logging.Logger | None = None,
        name: str | None = None,
        **options: Unpack[ShardOptions],
    ) -> ShardedPollExecutor[A, B, T]:
        """Make a `ShardedPollExecutor` on the same cluster: its workers start tasks of a service, and poll them.

        `make` and `options` are what that takes. It does not submit to this executor: each is shut down by itself, and
        one that nobody refers to ends by itself.
        """
        return ShardedPollExecutor(
            self._source, make, logger=logger, name=self._name if name is None else name, **options
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls. With `wait`, return when all are done; `cancel_futures` cancels those that were not sent.

        The client is closed after the last, if it was made here.
        """
        wait = checked_flag("wait", wait)
        cancel_futures = checked_flag("cancel_futures", cancel_futures)
        self._is_shut_down = self._is_shut_down or AFTER_SHUTDOWN
        self._record.ended()
        if cancel_futures:
            self._dispatcher.cancel_waiting()
        self._dispatcher.close()
        if wait:
            self._dispatcher.join()

    def _end_with_interpreter(self) -> None:
        self._is_shut_down = AFTER_INTERPRETER_SHUTDOWN
        self._dispatcher.cancel_waiting()
        self._dispatcher.abandon(ClusterLost("the interpreter ends before the call was done"), cancels=True)

    def _end_after_fork(self) -> None:
        self._is_shut_down = AFTER_FORK
        self._dispatcher.cancel_waiting()
        self._dispatcher.abandon(ClusterLost("this is a forked child, and the call is the parent's"), cancels=False)

    def __repr__(self) -> str:
        state = " shut down" if self._is_shut_down else ""
        return f"<{type(self).__name__} {self._name!r}: {self._dispatcher.outstanding()} outstanding{state}>"
