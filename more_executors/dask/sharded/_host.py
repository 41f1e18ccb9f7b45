"""A shard, on its worker: a poll executor that does what a client says, and says what becomes of its tasks.

Guarantees:

* If its client has not been heard for the time of the lease, nothing more is started: that is looked at right before
  each start. What is polled is left as it is, and what has happened is kept for the client to ask for.
* With a share of a rate limit, the service is called no more then, either.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Any

from ..._callables import is_async
from ..._core import HostedTask, log
from ..._runtime.nested_calls import way_into
from .._pack import CallLoader
from ._batches import Batches, Shard, start_item
from ._host_events import HostEvents, LeaseOver
from ._looks import looks_of
from ._messages import ADOPT, ANSWERED, CANCEL, POLL, RELEASE, RETURNED, START, STOP, STOPPED, parts_of, received
from ._numbered import Inbox, Outbox
from ._share_limit import ShareLimit, await_as_start, call_as_start

__all__: list[str] = []

SECONDS_TO_GATHER = 0.1  # events, unless there are very many
SECONDS_KEPT = 600.0  # what has happened, for a client that may come back
NOT_HEARD = "its client was not heard"


class ShardHost:
    """Two threads beside those of the executor. `exchange` is for the loop of the worker alone."""

    def __init__(
        self,
        name: str,
        shard: Shard,
        lease: float,
        forget: Callable[[str], object],
        limit: ShareLimit | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`forget` is called with the name some minutes after it has stopped, if nobody has closed it by then.

        `limit` is what the executor was made with, if the client has a rate limit.
        """
        self._executor = shard.executor
        self._way_in = way_into(shard.executor)
        shard.executor._poll_table.hide_if_more(0)  # it is kept here; and there is much else on a worker of Dask
        self._forget = forget
        self._is_closed = Event()
        self._lease = lease
        self._clock = clock
        self._expires = clock() + lease
        self._why_stopped = ""
        self._outbox = Outbox()
        self._inbox = Inbox()
        self._commands: SimpleQueue[bytes | None] = SimpleQueue()
        self._events = HostEvents(clock, self._check_lease)
        self._events.log.expires = self._expires
        self._loop: asyncio.AbstractEventLoop | None = None
        self._held: asyncio.Future[bool] | None = None
        self._name = name
        self._logger = logging.getLogger("ShardHost")
        self._limit = limit
        if limit is not None:
            limit.check_lease = self._check_lease
            limit.when_throttled = self._tell_loop
        self._batches = Batches(shard.start_many_fn, shard.executor, self._events, self._check_lease, name)
        for what, target in (("commands", self._obey), ("events", self._pack)):
            self._run(what, target)

    def _run(self, what: str, target: Callable[[], None]) -> None:
        Thread(target=target, name=f"{self._name}-{what}", daemon=True).start()

    # -- on the loop of the worker ------------------------------------------------------------------------------------

    async def exchange(self, request: bytes) -> bytes:
        """Take what the client says, and answer with what there is to say; wait some seconds for that, if asked to."""
        call, hold, renews, seen, dealt_with, first, messages, share = pickle.loads(request)
        self._look_at_lease(renews)
        limit = self._limit
        if limit is not None:
            limit.apply(share)
        self._loop = asyncio.get_running_loop()
        self._outbox.forget(dealt_with)
        for message in self._inbox.new(first, messages):
            self._commands.put(message)
        self._let_go(False)
        is_current = True
        if hold and not (self._outbox.has_after(seen) or (limit is not None and limit.is_throttled)):
            is_current = await self._hold(hold)
        first, events = self._outbox.after(seen) if is_current else (0, [])
        report = None if limit is None else limit.report()
        return pickle.dumps((call, self._inbox.last, first, events, tuple(self._executor.stats()), report))

    async def _hold(self, seconds: float) -> bool:
        """Wait until there are events, for so long at most; False if another call has come meanwhile."""
        self._held = held = asyncio.get_running_loop().create_future()
        await asyncio.wait([held], timeout=seconds)
        if self._held is held:
            self._held = None
        return not held.done() or held.result()

    def _let_go(self, has_events: bool) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.set_result(has_events)

    def _look_at_lease(self, renews: bool) -> None:
        now = self._clock()
        if now > self._expires:
            self.stop(NOT_HEARD)
        elif renews:
            self._expires = self._events.log.expires = now + self._lease

    # -- from any thread ----------------------------------------------------------------------------------------------

    def stop(self, why: str) -> None:
        """Start nothing more; leave what is polled; say so when all that goes on here is over."""
        if not self._why_stopped:
            self._why_stopped = why
            self._events.log.is_stopped = True
            self._events.waker.set()
            if self._limit is not None:
                self._limit.wake_all()
            self._run("stop", self._leave)

    def look_at(self, numbers: bytes) -> bytes:
        """What there is to see of the tasks with these numbers, as lists that are pickled: see `looks_of`."""
        futures = map(self._events.future_of, pickle.loads(numbers))
        return pickle.dumps(looks_of(futures, self._executor.outstanding()), 5)

    def _leave(self) -> None:
        try:
            self._batches.end()
            self._executor.leave()
        except Exception as error:  # then it is not known what goes on, and nothing is said
            log(self._logger, logging.ERROR, "%s could not be stopped", self._name, error=error)
        else:
            self._events.note(STOPPED, 0, self._why_stopped)

    def close(self) -> None:
        """End the threads, once all has stopped."""
        self._is_closed.set()
        self._commands.put(None)

    def _check_lease(self) -> None:
        if not self._why_stopped and self._clock() > self._expires:
            self.stop(NOT_HEARD)
        if self._why_stopped:
            raise LeaseOver(self._why_stopped)

    async def _await(self, task: HostedTask, fn: Any, args: Any, kwargs: Any) -> Any:
        self._check_lease()
        known_as = await (fn(*args, **kwargs) if self._limit is None else await_as_start(fn, *args, **kwargs))
        self._events.log.created(task, known_as)
        return known_as

    # -- the thread that does what is said ----------------------------------------------------------------------------

    def _obey(self) -> None:
        while (message := self._commands.get()) is not None:
            for kind, *details in parts_of(message):
                try:
                    self._do(kind, details)
                except Exception as error:  # a lack of memory
                    log(self._logger, logging.ERROR, "%s goes on after an error", self._name, error=error)

    def _do(self, kind: int, details: list[Any]) -> None:
        if kind == STOP:
            self.stop("it was told to")
        elif not self._why_stopped:
            COMMANDS[kind](self, *details)
        elif kind == START:
            for number in details[0]:
                self._events.note(RETURNED, number, None)

    def _start_all(self, numbers: list[int], calls: bytes) -> None:
        loader = CallLoader(calls)
        batch: list[tuple[HostedTask, Any]] = []
        submit, starting = self._executor.submit, self._events.starting
        known: Any = None  # the function that was called last, and whether it
        is_awaited = False
        place = 0
        while place < len(numbers):
            if not is_awaited and self._limit is None and known is not None and loader.shared() is known:
                place += self._events.start_run(self._way_in, known, loader.entries, numbers, place, self._not_started)
                continue
            task = starting(numbers[place])
            place += 1
            try:
                fn, args, kwargs = loader.next()
                if fn is start_item:
                    batch.append((task, *args))
                    continue
                if fn is not known:
                    known, is_awaited = fn, is_async(fn)
                if is_awaited:
                    task.keep(submit(self._await, task, fn, args, kwargs))
                    continue
                if kwargs:
                    fn = partial(fn, **kwargs)
                if self._limit is None:
                    task.to_call(fn, args)
                else:
                    task.to_call(call_as_start, (fn, *args))
                task.keep(submit(task))
            except BaseException as error:
                self._not_started(task, error)
            finally:
                fn = args = kwargs = None  # type: ignore[assignment]
        if batch:
            self._batches.start(batch)

    def _not_started(self, task: HostedTask, error: BaseException) -> None:
        self._events.not_started(task, error, is_unbegun=bool(self._why_stopped))

    def _adopt_all(self, numbers: list[int], tasks: list[Any]) -> None:
        for number, known_as in zip(numbers, tasks, strict=True):
            task = self._events.adopted(number)
            try:
                task.keep(self._executor.adopt(received(known_as)))
            except BaseException as error:
                if self._why_stopped:
                    self._events.forget(task)
                else:
                    self._events.not_started(task, error, is_unbegun=False)

    def _cancel_all(self, request: int, numbers: list[int]) -> None:
        futures = self._events.give_up(numbers)

        def cancel() -> None:
            try:
                self._executor.cancel_many(future for future in futures if future is not None)
            finally:
                answers = [future is not None and future.cancelled() for future in futures]
                self._events.note(ANSWERED, request, answers)

        self._run("cancel", cancel)  # as the service may take its time

    def _release_all(self, numbers: list[int]) -> None:
        futures = self._events.give_up(numbers)
        self._executor.release(future for future in futures if future is not None)

    def _poll_all(self) -> None:
        self._executor.notify()

    # -- the thread that makes messages of what has happened ----------------------------------------------------------

    def _pack(self) -> None:
        events = self._events
        while not events.is_over:
            events.log.is_waiting = True
            if not events:
                events.waker.wait(None if self._why_stopped else max(self._expires - self._clock(), 0.01))
                if not self._why_stopped and self._clock() > self._expires:
                    self.stop(NOT_HEARD)
            events.log.is_waiting = False
            if events:
                self._outbox.add(events.message(bool(self._why_stopped)))
                self._tell_loop()
                if not events.is_over:
                    events.waker.wait(SECONDS_TO_GATHER)
        events.end()
        if not self._is_closed.wait(SECONDS_KEPT):
            self._forget(self._name)
            self.close()

    def _tell_loop(self) -> None:
        if (loop := self._loop) is not None:
            try:
                loop.call_soon_threadsafe(self._let_go, True)
            except RuntimeError:  # it is closed, as the worker ends
                self._events.is_over = True


COMMANDS: dict[int, Callable[..., None]] = {
    START: ShardHost._start_all,
    ADOPT: ShardHost._adopt_all,
    CANCEL: ShardHost._cancel_all,
    RELEASE: ShardHost._release_all,
    POLL: ShardHost._poll_all,
}
