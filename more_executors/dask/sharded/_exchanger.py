"""What is said to a shard, and done with its answers.

Guarantees:

* What is not answered is said again before the lease runs out.
* A call renews the lease only if there was an answer within the last one. So what was said later, or comes late, keeps
  no shard alive that is not heard: after three leases without an answer it has ended, as no call is on its way for
  longer than one.
* Tasks that may have been started stay known until it is known that they were, or were not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from functools import partial
from itertools import islice
from typing import Any

from ..._core import RemoteCall, RemoteCalls, ShardTask, TaskRegister
from .._pack import packed
from ._link import CancelRequest, Link, State
from ._messages import (
    ADOPT,
    ANSWERED,
    CANCEL,
    CREATED,
    ENDED,
    REFUSED,
    RELEASE,
    RETURNED,
    START,
    STOP,
    STOPPED,
    parts_of,
    sent_error,
)
from ._on_worker import GONE, exchange
from ._resolver import Resolver
from ._shares import Shares
from ._transport import Transport

__all__: list[str] = []

MOST_STARTING = 2_000  # calls that a shard may have begun: so many are in doubt when it is lost
ENOUGH = 500  # calls for a message at once
SECONDS_TO_GATHER = 0.1  # fewer
SUSPECTS = {1: 64, 2: 8}  # at a time, by how often they were lost


class Exchanger:
    """For one thread, that of the coordinator."""

    def __init__(
        self,
        transport: Transport,
        resolver: Resolver,
        register: TaskRegister,
        calls: RemoteCalls,
        numbers: Iterator[int],
        lease: float,
        clock: Callable[[], float],
        tell: Callable[..., None],
        lose: Callable[[Link, str], None],
        stopped: Callable[[Link], None],
        shares: Shares,
    ) -> None:
        """`tell` has something called on the thread; `lose` is for a shard that is not there, `stopped` one that is."""
        self._transport = transport
        self._resolver = resolver
        self._register = register
        self._waiting = calls
        self._numbers = numbers
        self._lease = lease
        self._clock = clock
        self._tell = tell
        self._lose = lose
        self._stopped = stopped
        self._shares = shares

    # -- to the shard -------------------------------------------------------------------------------------------------

    def talk(self, link: Link, now: float, take: Callable[[], RemoteCall | None], most: int) -> float:
        """Say what there is to say, with at most so many calls from `take`; returns when to look again."""
        if (link.held or link.busy) and now > link.deadline:
            link.held = link.busy = 0
        if link.busy:
            return link.deadline
        if now < link.retry_at:
            return link.retry_at
        if link.suspects or link.has_suspects:
            take, most = self._suspects(link)
        most = min(most, MOST_STARTING - len(link.starting)) if link.state is State.OPEN else 0
        has_news = most > 0 or link.has_news()
        if has_news and most < ENOUGH and now < link.sent_at + SECONDS_TO_GATHER:
            return link.sent_at + SECONDS_TO_GATHER
        fresh = self._add_starts(link, take, most) if most > 0 else []
        if link.has_news():
            link.sent_at = now
            link.deadline = now + self._lease / 4
            link.busy = self._call(link, 0.0)
            link.fresh = link.busy, fresh
        elif not link.held:
            link.deadline = now + self._lease / 2
            link.held = self._call(link, self._lease / 4)
        return link.deadline

    def _call(self, link: Link, hold: float) -> int:
        now = self._clock()
        call, request = link.request(hold, now < link.heard_at + self._lease, self._shares.share_of(link, now))
        then = partial(self._tell, self._answered, link, link.generation, call)
        self._transport.call(link.place.address, exchange, link.name, request, seconds=self._lease, then=then)
        return call

    def _add_starts(self, link: Link, take: Callable[[], RemoteCall | None], most: int) -> list[int]:
        of_any = None if link.again or link.grouped or link.suspects or link.has_suspects else self._waiting.pack
        cancelled: list[RemoteCall] = []
        calls, encoded, failed = packed(take, most, of_any, cancelled)
        if failed:
            self._resolver.failed(failed)
        for call in cancelled:
            self._resolver.cancelled(call)
        numbers = list(islice(self._numbers, len(calls)))
        if calls:
            link.starting.update(zip(numbers, calls, strict=True))
            link.parts.append((START, numbers, encoded))
        return numbers

    def _suspects(self, link: Link) -> tuple[Callable[[], RemoteCall | None], int]:
        """The next calls to be repeated, of which one may have killed the worker: they have the shard for themselves.

        The more often they were lost, the fewer go at a time, down to one. So it is found, and takes no others with it.
        """
        if link.starting:
            return link.suspects.popleft, 0
        link.has_suspects = bool(link.suspects)
        most = min(len(link.suspects), SUSPECTS.get(link.suspects[0].losses, 1)) if link.suspects else 0
        return link.suspects.popleft, most

    def adopt(self, link: Link, tasks: list[ShardTask]) -> None:
        """Have `tasks` polled there."""
        for task in tasks:
            task.link = link
            link.tasks.put(task)
        if link.state is State.OPEN:  # else they are with those that it resumes
            link.parts.append((ADOPT, [task.number for task in tasks], [task.sent for task in tasks]))

    def cancel(self, link: Link, request: CancelRequest, tasks: list[ShardTask]) -> None:
        """Have `tasks` cancelled there."""
        number = next(self._numbers)
        link.cancels[number] = request, tasks
        if link.state is State.OPEN:
            link.parts.append((CANCEL, number, [task.number for task in tasks]))

    def release(self, tasks: list[ShardTask]) -> None:
        """Have no shard poll `tasks` any more."""
        for task in tasks:
            self._register.remove(task)
            if task.link is not None and task.link.tasks.pop(task.number) is not None:
                task.link.parts.append((RELEASE, [task.number]))

    def stop(self, link: Link, now: float) -> None:
        """Have the shard start nothing more, and leave its tasks."""
        if link.state is State.OPEN:
            link.state = State.STOPPING
            link.stopping_since = now
            link.parts.append((STOP,))

    # -- from the shard -----------------------------------------------------------------------------------------------

    def _answered(self, link: Link, generation: int, call: int, reply: Any, error: BaseException | None) -> None:
        if link.generation != generation or call not in (link.held, link.busy):
            return
        if call == link.busy:
            link.busy = 0
        else:
            link.held = 0
        if error is not None:
            link.retry_at = self._clock() + self._lease / 10
            return
        link.heard_at = self._clock()
        if reply == GONE:
            if link.fresh[0] == call:  # nobody was there to begin what was said for the first time
                self._returned(link, link.fresh[1])
            self._lose(link, "it is not there any more")
            return
        messages = link.take(reply)
        self._shares.heard(link, link.report, link.heard_at)
        has_created = False
        is_stopped = False
        for message in messages:
            for kind, *details in parts_of(message):
                has_created |= kind == CREATED
                if kind == STOPPED:
                    is_stopped = True
                else:
                    EVENTS[kind](self, link, *details)
        if messages:
            done = partial(self._tell, self._dealt_with, link, generation, link.inbox.last)
            self._resolver.after_all(done, has_created)
        if is_stopped:
            self._stopped(link)

    def _dealt_with(self, link: Link, generation: int, last: int) -> None:
        if link.generation == generation:
            link.dealt_with = max(link.dealt_with, last)

    def _created(self, link: Link, numbers: list[int], tasks: list[Any]) -> None:
        calls, created = link.tasks.create_all(link.starting, link, numbers, tasks)
        self._resolver.created(calls, created)

    def _refused(self, link: Link, numbers: list[int], errors: list[Any]) -> None:
        tasks: list[tuple[ShardTask, Any]] = []
        failed: list[tuple[RemoteCall, Any]] = []
        for number, error in zip(numbers, errors, strict=True):
            if (call := link.starting.pop(number, None)) is not None:
                failed.append((call, error))
            elif (task := link.tasks.pop(number)) is not None:
                tasks.append((task, error))
        self._resolver.failed(failed)
        self._resolver.ended([task for task, _ in tasks], [error for _, error in tasks])

    def _returned(self, link: Link, numbers: list[int]) -> None:
        link.again.extend(link.starting.pop(number) for number in numbers if number in link.starting)

    def _ended(self, link: Link, numbers: list[int], outcomes: list[Any]) -> None:
        self._resolver.ended(link.tasks.pop_all(numbers), outcomes)

    def _cancelled(self, link: Link, number: int, answers: list[bool]) -> None:
        if number not in link.cancels:
            return
        request, tasks = link.cancels.pop(number)
        for task, is_cancelled in zip(tasks, answers, strict=True):
            if is_cancelled:
                link.tasks.pop(task.number)
            if not request.answer(task, is_cancelled) and is_cancelled:  # who asked was told no, as it took too long
                self._resolver.ended([task], [sent_error(CancelledError("it was cancelled where it was polled"))])
            elif is_cancelled:
                self._register.remove(task)
            elif task.descriptor is not None and task.descriptor.done:  # it was late, so nobody waits for it
                self.release([task])


EVENTS: dict[int, Callable[..., None]] = {
    CREATED: Exchanger._created,
    REFUSED: Exchanger._refused,
    RETURNED: Exchanger._returned,
    ENDED: Exchanger._ended,
    ANSWERED: Exchanger._cancelled,
}
