"""Has shards on the workers of a cluster, and another one where one is lost.

Guarantees:

* Every call that was taken ends: by what its task becomes, or as ShardLost or ClusterLost.
* No user's function is called on the thread of this, and it waits for no answer: a slow callback, or a worker that does
  not answer, makes no other shard's lease run out.
"""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread, current_thread
from time import monotonic
from typing import Any

from ..._core import ShardCall, ShardTask, Waker, log
from ..._runtime.nested_calls import start_thread
from .._errors import ClusterLost, another
from ._deployment import Deployment
from ._exchanger import ENOUGH, Exchanger
from ._link import CancelRequest, Link, State
from ._losses import Losses
from ._messages import POLL, RELEASE
from ._placement import Placement
from ._resolver import Resolver
from ._tasks import TaskRegister
from ._transport import Transport

__all__: list[str] = []

SECONDS_BETWEEN_LOOKS = 1.0  # at which workers there are


class Coordinator:
    """`add`, `tell` and `close` may be called from any thread and from signal handlers; the rest is for the thread."""

    def __init__(
        self,
        transport: Transport,
        make: bytes,
        shards: int,
        *,
        lease: float,
        timeout: float,
        patience: float,
        waits_for_doubtful: bool,
        logger: logging.Logger,
        name: str,
        uid: str,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.links = [Link(index, uid) for index in range(shards)]
        self.register = TaskRegister()
        self.resolver = Resolver(self.register, logger, name)
        self.is_closing = False
        self.numbers = itertools.count(1)
        self._lease = lease
        self._timeout = timeout
        self.clock = clock
        self._logger = logger
        self._calls: deque[ShardCall] = deque()
        self._news: deque[tuple[Any, ...]] = deque()
        self._waker = Waker()
        self._is_waiting = True  # for any call at all
        placement = Placement()
        self._losses = Losses(self.links, self.resolver, placement, lease, patience, waits_for_doubtful, logger)
        self.deployment = Deployment(
            transport,
            self.links,
            self.resolver,
            make,
            lease=lease,
            timeout=timeout,
            losses=self._losses,
            placement=placement,
            tell=self.tell,
            take_all=self._take_all,
            stop=self._stop,
            clock=clock,
            logger=logger,
        )
        self._exchanger = Exchanger(
            transport,
            self.resolver,
            self.register,
            self.numbers,
            lease,
            clock,
            self.tell,
            self.deployment.lose,
            self.deployment.stopped,
        )
        self._thread = Thread(target=self._run, name=f"{name}-coordinator", daemon=True)

    # -- from any thread ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        start_thread(self._thread)

    def wait_until_open(self, seconds: float) -> None:
        """Return when all shards are made, or some after so many seconds. Raises why they cannot be."""
        until = monotonic() + seconds
        while any(link.state is not State.OPEN for link in self.links):
            if self.deployment.error is not None:
                raise self.deployment.error
            if not self.deployment.changed.wait(max(0.0, until - monotonic())) and monotonic() >= until:
                if any(link.state is State.OPEN for link in self.links):
                    return
                raise ClusterLost(f"no shard could be made within {seconds} s")

    def add(self, call: ShardCall, shard: int | None = None) -> None:
        """Send `call` soon. Raises ClusterLost."""
        if self.deployment.refusal is not None:
            raise another(self.deployment.refusal)
        calls = self._calls if shard is None else self.links[shard].grouped
        calls.append(call)
        if self.deployment.refusal is not None:  # since just now: whoever fails what waits may have been before this
            with suppress(ValueError):
                calls.remove(call)
                raise another(self.deployment.refusal)
        if self._is_waiting or len(calls) >= ENOUGH:
            self._waker.set()

    def tell(self, what: Callable[..., None], *details: Any) -> None:
        """Have `what(*details)` called on the thread."""
        self._news.append((what, *details))
        self._waker.set()

    def close(self) -> None:
        """End, and have the shards leave what they have. Does not wait."""
        self.is_closing = True
        self._waker.set()

    def join(self) -> None:
        """Wait for that; but not on a thread that it would wait for."""
        if not self.resolver.is_current() and current_thread() is not self._thread:
            self._thread.join()
            self.resolver.join()

    def queued(self) -> list[ShardCall]:
        """The calls that wait to be sent."""
        return [*self._calls.copy(), *(call for link in self.links for call in link.grouped.copy())]

    # -- what is asked for, on the thread -----------------------------------------------------------------------------

    def adopt(self, tasks: list[ShardTask]) -> None:
        """Have `tasks`, which are known at the service, polled by some shard."""
        if self.deployment.refusal is not None:
            self.resolver.lost(tasks, self.deployment.refusal)
            return
        for task in tasks:
            self._exchanger.adopt(min(self.links, key=Link.load), [task])

    def cancel(self, request: CancelRequest) -> None:
        """Have the tasks of `request` cancelled, by the shards that have them."""
        by_link: dict[Link, list[ShardTask]] = {}
        for task in list(request.unanswered):
            if task.link is None or task.number not in task.link.tasks or self.deployment.refusal is not None:
                request.answer(task, False)
            else:
                by_link.setdefault(task.link, []).append(task)
        for link, tasks in by_link.items():
            self._exchanger.cancel(link, request, tasks)

    def release(self, tasks: list[ShardTask]) -> None:
        """Have no shard poll `tasks` any more."""
        for task in tasks:
            self.register.remove(task)
            if task.link is not None and task.link.tasks.pop(task.number, None) is not None:
                task.link.parts.append((RELEASE, [task.number]))

    def poll(self) -> None:
        """Have all shards poll all tasks now."""
        for link in self.links:
            if link.state is State.OPEN:
                link.parts.append((POLL,))

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self.is_closing:
                try:
                    self._waker.wait(max(0.0, self.step() - self.clock()))
                except Exception as error:
                    log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
                    self._waker.wait(SECONDS_BETWEEN_LOOKS)
        finally:
            self.deployment.close()
            self.register.clear()
            self.resolver.end()

    def step(self) -> float:
        """Do what is to be done now; returns when there is more."""
        self._is_waiting = False
        while self._news:
            what, *details = self._news.popleft()
            what(*details)
        now = self.clock()
        until = self.deployment.look(now)
        until = min(until, self._losses.tell_doubtful(now))
        if self.deployment.refusal is None:
            share = -(-(sum(map(Link.load, self.links)) + len(self._calls)) // len(self.links))
            until = min([until, *(self._drive(link, now, share) for link in self.links)])
        self._is_waiting = not self._calls
        return until

    def _drive(self, link: Link, now: float, share: int) -> float:
        if link.state is State.NOWHERE:
            return self.deployment.open(link, now)
        if link.state is State.OPENING:
            if now > link.deadline:
                error = TimeoutError(f"it has not answered for {self._timeout} s")
                self.deployment.opened(link, link.generation, None, error)
            return link.deadline
        since = link.stopping_since if link.state is State.STOPPING else link.heard_at
        if now > since + 3 * self._lease:
            link.place.is_silent = True
            self.deployment.lose(link, f"it has not been heard for {now - link.heard_at:.1f} s")
            return now
        if link.place.is_leaving:
            self._exchanger.stop(link, now)
        room = max(0, share - link.load()) + len(link.again) + len(link.grouped)
        most = min(room, len(link.again) + len(link.grouped) + len(self._calls))
        return self._exchanger.talk(link, now, partial(self._next_call, link), most)

    def _stop(self, link: Link, now: float) -> None:
        self._exchanger.stop(link, now)

    def _take_all(self) -> list[ShardCall]:
        """All that wait, which are running from now on."""
        found: list[ShardCall] = []
        for link in self.links:
            found.extend(link.suspects)
            link.suspects.clear()
            while (call := self._next_call(link)) is not None:
                found.append(call)
        return found

    def _next_call(self, link: Link) -> ShardCall | None:
        try:
            if link.again:
                return link.again.popleft()
            while True:
                call = (link.grouped or self._calls).popleft()
                if call.future.set_running_or_notify_cancel():
                    return call
                self.resolver.cancelled(call)
        except IndexError:
            return None
