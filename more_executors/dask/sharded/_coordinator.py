"""Has shards on the workers of a cluster, and another one where one is lost.

Guarantees:

* Every call that was taken ends: by what its task becomes, or as ShardLost or ClusterLost.
* No user's function is called on the thread of this, and it waits for no answer: a slow callback, or a worker that does
  not answer, makes no other shard's lease run out.
"""

from __future__ import annotations

import itertools
import logging
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread, current_thread
from time import monotonic
from typing import Any

from ..._core import RemoteCall, RemoteCalls, ShardTask, TaskRegister, Waker, log
from ..._runtime.nested_calls import start_thread
from ...rate_limit import RateLimit
from .._errors import ClusterLost, another
from .._outcomes import PLAIN
from ._deployment import Deployment
from ._exchanger import ENOUGH, SECONDS_TO_GATHER, Exchanger
from ._link import CancelRequest, Link, State
from ._losses import Losses
from ._messages import POLL
from ._placement import Placement
from ._present_clock import PresentClock
from ._resolver import Resolver
from ._shares import Shares
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
        rate_limit: RateLimit | None,
        logger: logging.Logger,
        name: str,
        uid: str,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.links = [Link(index, uid) for index in range(shards)]
        self.register = TaskRegister(PLAIN)
        self.resolver = Resolver(self.register, logger, name)
        self.is_closing = False
        self.numbers = itertools.count(1)
        self.transport = transport
        self._lease = lease
        self._timeout = timeout
        self._most_sleep = min(lease, timeout) / 4
        self.clock = present = PresentClock(clock, 2 * self._most_sleep)  # a shard is lost only if it was asked in vain
        self._logger = logger
        self._news: deque[tuple[Any, ...]] = deque()
        self._waker = Waker()
        self.calls = RemoteCalls(logger, self._waker, ENOUGH, self._take_back)  # that any shard may make
        placement = Placement()
        self.shares = Shares(rate_limit, self.links, lease)
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
            shares=self.shares,
            tell=self.tell,
            take_all=self._take_all,
            calls=self.calls,
            stop=self._stop,
            clock=present,
            logger=logger,
        )
        self._exchanger = Exchanger(
            transport,
            self.resolver,
            self.register,
            self.calls,
            self.numbers,
            lease,
            present,
            self.tell,
            self.deployment.lose,
            self.deployment.stopped,
            self.shares,
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
                raise ClusterLost(f"no shard could be made within {seconds} s: {self.deployment.why_none()}")

    def add(self, call: RemoteCall, shard: int | None = None) -> None:
        """Send `call` soon. Raises ClusterLost."""
        if self.deployment.refusal is not None:
            raise another(self.deployment.refusal)
        if shard is None:
            self.calls.put(call)
            return
        calls = self.links[shard].grouped
        calls.append(call)
        if self.calls.is_closed:  # since just now: whoever fails what waits may have been before this
            self._take_back(call, calls)
        if self.calls.is_waiting or len(calls) >= ENOUGH:
            self._waker.set()

    def _take_back(self, call: RemoteCall, calls: deque[RemoteCall] | None = None) -> None:
        with suppress(ValueError):
            (self.calls.waiting if calls is None else calls).remove(call)
            raise another(self.deployment.refusal or ClusterLost("there is no cluster"))

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

    def queued(self) -> list[RemoteCall]:
        """The calls that wait to be sent."""
        return [*self.calls.waiting.copy(), *(call for link in self.links for call in link.grouped.copy())]

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
        for task in request.tasks:
            if task.link is None or task.number not in task.link.tasks or self.deployment.refusal is not None:
                request.answer(task, False)
            else:
                by_link.setdefault(task.link, []).append(task)
        for link, tasks in by_link.items():
            self._exchanger.cancel(link, request, tasks)

    def release(self, tasks: list[ShardTask]) -> None:
        """Have no shard poll `tasks` any more."""
        self._exchanger.release(tasks)

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
                    self._waker.wait(min(max(0.0, self.step() - self.clock()), self._most_sleep))
                except Exception as error:
                    log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
                    self._waker.wait(min(SECONDS_BETWEEN_LOOKS, self._most_sleep))
        finally:
            self.deployment.close()
            self.register.clear()
            self.resolver.end()

    def step(self) -> float:
        """Do what is to be done now; returns when there is more."""
        self.calls.is_waiting = False
        are_enough = len(self.calls.waiting) >= ENOUGH
        self.calls.enough = sys.maxsize if are_enough else ENOUGH  # what cannot be sent now waits for an answer
        while self._news:
            what, *details = self._news.popleft()
            what(*details)
        now = self.clock()
        until = self.deployment.look(now)
        until = min(until, self._losses.tell_doubtful(now), self.shares.step(now))
        if self.deployment.refusal is None:
            share = -(-(sum(map(Link.load, self.links)) + len(self.calls.waiting)) // len(self.links))
            until = min([until, *(self._drive(link, now, share) for link in self.links)])
        if len(self.calls.waiting) < ENOUGH:
            self.calls.enough = ENOUGH
        self.calls.is_waiting = not self.calls.waiting
        return min(until, now + SECONDS_TO_GATHER) if are_enough else until

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
        most = min(room, len(link.again) + len(link.grouped) + len(self.calls.waiting))
        return self._exchanger.talk(link, now, partial(self._next_call, link), most)

    def _stop(self, link: Link, now: float) -> None:
        self._exchanger.stop(link, now)

    def _take_all(self) -> list[RemoteCall]:
        """All that wait, which are running from now on."""
        found: list[RemoteCall] = []
        for link in self.links:
            found.extend(link.suspects)
            link.suspects.clear()
            while (call := self._next_call(link)) is not None:
                found.append(call)
        return found

    def _next_call(self, link: Link) -> RemoteCall | None:
        try:
            if link.again:
                return link.again.popleft()
            while True:
                call = (link.grouped or self.calls.waiting).popleft()
                if call.begin():
                    return call
                self.resolver.cancelled(call)
        except IndexError:
            return None
