"""Where the shards are: each is made on a worker, and made anew elsewhere when it is lost, or its worker is to leave.

Guarantees:

* No call is waited for: what comes of it is told later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from math import inf
from time import monotonic
from typing import Any

from ..._core import RemoteCall, RemoteCalls, Waker, log
from ..._version import __version__
from .._errors import ClusterLost
from .._outcomes import error_of
from ._link import Link, State
from ._losses import Losses
from ._on_worker import close_shard, open_shard
from ._placement import Place, Placement
from ._resolver import Resolver
from ._shares import Shares
from ._transport import Transport

__all__: list[str] = []

SECONDS_BETWEEN_LOOKS = 1.0  # at which workers there are


class Deployment:
    """For one thread, that of the coordinator."""

    def __init__(
        self,
        transport: Transport,
        links: list[Link],
        resolver: Resolver,
        make: bytes,
        *,
        lease: float,
        timeout: float,
        losses: Losses,
        placement: Placement,
        shares: Shares,
        tell: Callable[..., None],
        take_all: Callable[[], list[RemoteCall]],
        calls: RemoteCalls,
        stop: Callable[[Link, float], None],
        clock: Callable[[], float],
        logger: logging.Logger,
    ) -> None:
        """`take_all` gives all calls that wait, to be given up; `stop` has a shard stop."""
        self.refusal: ClusterLost | None = None  # why there will be no shards, for now; then `calls` is closed
        self.error: BaseException | None = None  # why one could not be made
        self.changed = Waker()  # set when one was made, or could not be
        self._silent: set[str] = set()  # addresses of workers that were asked for a shard, and have not answered
        self._transport = transport
        self._links = links
        self._resolver = resolver
        self._make = make
        self._lease = lease
        self._timeout = timeout
        self._losses = losses
        self._placement = placement
        self._shares = shares
        self._tell = tell
        self._take_all = take_all
        self._calls = calls
        self._stop = stop
        self._clock = clock
        self._logger = logger
        self._look_at = self._look_deadline = clock()
        self._is_looking = False
        self._silent_since: float | None = None

    # -- workers ------------------------------------------------------------------------------------------------------

    def look(self, now: float) -> float:
        """See which workers there are, once in a while."""
        if self._is_looking and now > self._look_deadline:
            self._found(None, TimeoutError("the scheduler does not answer"))
        if not self._is_looking and now >= self._look_at and self._transport.connection.is_making():
            self._found(None, ConnectionError("another client is being made"))
        elif not self._is_looking and now >= self._look_at:
            self._is_looking = True
            self._look_deadline = now + self._timeout
            self._transport.look(self._timeout, partial(self._tell, self._found))
        return self._look_deadline if self._is_looking else self._look_at

    def _found(self, workers: Any, error: BaseException | None) -> None:
        now = self._clock()
        self._is_looking = False
        self._look_at = now + SECONDS_BETWEEN_LOOKS
        if error is None:
            self._silent_since = None
            self._transport.connection.heard()
            for place in self._placement.update(workers):
                self._lose_place(place, f"the worker {place.address} is gone")
            self._give_one_away(now)
        else:
            self._silent_since = now if self._silent_since is None else self._silent_since
            if now >= self._silent_since + self._timeout or self._transport.connection.is_closed():
                for place in self._placement.clear():
                    self._lose_place(place, "the scheduler is gone")
                if self._transport.connection.made_again(waits=False):
                    self._silent_since, self._look_at = None, now
        self.refusal = self._losses.refusal(now, self._transport.connection.is_closed())
        self._calls.is_closed = self.refusal is not None
        if self.refusal is not None:
            self.error = self.error or self.refusal
            self._losses.give_up(self.refusal, self._take_all())
            self.changed.set()

    def _give_one_away(self, now: float) -> None:
        place = self._placement.overloaded()
        if place is not None and not any(link.state is State.STOPPING for link in self._links):
            link = next(link for link in self._links if link.place is place)
            self._stop(link, now)

    def drain(self, address: str, answer: Callable[[Place | None], None]) -> None:
        """Have no shards on the worker there; `answer` gets that, None if there is none."""
        answer(self._placement.drain(address))

    # -- shards -------------------------------------------------------------------------------------------------------

    def open(self, link: Link, now: float) -> float:
        """Make `link` on some worker, if there is one; returns when to look again."""
        place = self._placement.choose()
        if place is None or now < link.retry_at:
            return max(link.retry_at, now + SECONDS_BETWEEN_LOOKS)
        link.state = State.OPENING
        link.place = place
        place.shards += 1
        link.deadline = now + self._timeout
        self._silent.add(place.address)
        then = partial(self._tell, self.opened, link, link.generation)
        shard = (link.name, __version__, self._lease, self._make, self._shares.are_limited)
        self._transport.call(place.address, open_shard, *shard, seconds=self._timeout, then=then)
        return link.deadline

    def opened(self, link: Link, generation: int, answer: bytes | None, error: BaseException | None) -> None:
        """The worker has answered, or has not."""
        if link.generation != generation or link.state is not State.OPENING:
            return
        if not isinstance(error, TimeoutError):
            self._silent.discard(link.place.address)
        if answer is not None:
            error = error_of(answer)
        if error is not None and not isinstance(error, OSError | TimeoutError):  # which may pass
            link.place.why_unfit = error
            self.error = self.error or error
        link.place.is_silent = isinstance(error, TimeoutError)
        if error is None:
            link.state = State.OPEN
            link.counts.made += 1
            link.heard_at = self._clock()
            link.resume()
            self._shares.change()
        else:
            log(self._logger, logging.ERROR, "%s cannot have shard %d", link.place.address, link.index, error=error)
            self._leave(link)
            link.retry_at = self._clock() + SECONDS_BETWEEN_LOOKS
        self.changed.set()

    def why_none(self) -> str:
        """Why there is no shard yet. May be called from any thread."""
        if not self._placement:
            return "there is no worker"
        if silent := sorted(self._silent.copy()):
            return f"make has not returned, or the worker does not answer, at {', '.join(silent)}"
        return "no worker can be reached"

    def stopped(self, link: Link) -> None:
        """It has stopped, and nothing of it is in doubt."""
        link.again.extend(link.starting.values())
        link.starting.clear()
        done = partial(self._transport.call, link.place.address, close_shard, link.name)
        self._resolver.after_all(partial(done, seconds=self._timeout, then=nothing), True)
        self._leave(link)

    def _lose_place(self, place: Place, why: str) -> None:
        for link in self._links:
            if link.place is place:
                self.lose(link, why)

    def lose(self, link: Link, why: str) -> None:
        """The shard is lost."""
        self._losses.lose(link, why, self._clock())
        self._shares.lose(link)
        self._leave(link)

    def _leave(self, link: Link) -> None:
        link.place.shards -= 1
        link.place = None
        link.state = State.NOWHERE
        link.begin_again(self._clock())
        self._shares.change()

    # -- the end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Have all shards leave what they have, wait until their workers say so, and fail what waits here."""
        answers = Waker()
        pending = {link for link in self._links if link.place is not None}

        def done(link: Link, *_: Any) -> None:
            pending.discard(link)
            answers.set()

        for link in pending.copy():
            then = partial(done, link)
            self._transport.call(link.place.address, close_shard, link.name, seconds=self._timeout, then=then)
        until = monotonic() + self._timeout
        while pending and monotonic() < until:
            answers.wait(max(0.0, until - monotonic()))
        self.refusal = ClusterLost("the executor has ended")
        self._calls.is_closed = True
        self._losses.tell_doubtful(inf)
        self._losses.give_up(self.refusal, self._take_all())
        self._transport.connection.close()


def nothing(answer: object, error: BaseException | None) -> None:
    """It is the same what came of it."""
