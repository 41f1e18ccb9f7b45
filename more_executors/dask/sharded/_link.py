"""One shard as its client sees it: where it is, what it was told, and what is not known yet to have come of that.

Guarantees:

* Of each generation everything is said once and in order, whatever is lost, comes late or comes twice.
* What a lost generation was told is known: what it may have begun, and what it polled.
"""

from __future__ import annotations

import pickle
from collections import deque
from enum import Enum
from threading import Event
from typing import Any

from ..._core import RemoteCall, ShardTask, ShardTasks
from ...poll.stats import PollStats
from ._grant import Grant
from ._messages import ADOPT, CANCEL, message_of
from ._meter import ShardCounts
from ._numbered import Inbox, Outbox
from ._share import Share, ShareReport

__all__: list[str] = []

TOTALS = ("done", "failed", "cancelled", "calls", "errors", "throttled")  # figures that only grow


class CancelRequest:
    """Tasks that somebody waits to have cancelled.

    Whoever takes a task out of `unanswered` has the say about it: the one who answers, or the one who waits no more. So
    there is no lock, which a signal handler that cancels could wait for.
    """

    def __init__(self, tasks: list[ShardTask]) -> None:
        self.tasks = list(dict.fromkeys(tasks))
        self._cancelled: set[ShardTask] = set()
        self.unanswered = set(tasks)
        self._is_answered = Event()

    def answer(self, task: ShardTask, is_cancelled: bool) -> bool:
        """Whether that is heard: nobody may wait any more."""
        if is_cancelled:
            self._cancelled.add(task)  # first, so that whoever waits finds it there
        is_heard = self._take(task)
        if not self.unanswered:
            self._is_answered.set()
        return is_heard

    def wait(self, seconds: float) -> set[ShardTask]:
        """The tasks that were cancelled within so many seconds; answers that come later are not heard."""
        late: set[ShardTask] = set()
        try:
            self._is_answered.wait(seconds)
        finally:
            late.update(task for task in self.tasks if self._take(task))
        return self._cancelled.copy() - late

    def _take(self, task: ShardTask) -> bool:
        try:
            self.unanswered.remove(task)
        except KeyError:
            return False
        return True


class State(Enum):
    """Of a generation of a shard."""

    NOWHERE = "waits for a worker"
    OPENING = "is being made"
    OPEN = "goes on"
    STOPPING = "was told to stop"


class Link:
    """For one thread at a time, but for `grouped`."""

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.generation = 0
        self.state = State.NOWHERE
        self.place: Any = None  # the worker, see Placement
        self.grouped: deque[RemoteCall] = deque()  # calls that are for this shard
        self.again: deque[RemoteCall] = deque()  # calls that were running here, and have not begun
        self.suspects: deque[RemoteCall] = (
            deque()
        )  # calls to be repeated, as their shard was lost: one may be the reason
        self.has_suspects = False  # among those that it may have begun
        self.starting: dict[int, RemoteCall] = {}  # calls that it may have begun
        self.tasks = ShardTasks()
        self.cancels: dict[int, tuple[CancelRequest, list[ShardTask]]] = {}
        self.figures: tuple[Any, ...] = ()  # of its poll executor, with what was counted in earlier generations
        self._past = self.figures  # the same, of those alone
        self.counts = ShardCounts()
        self._prefix = f"{name}-{index}"
        self.begin_again(0.0)

    @property
    def name(self) -> str:
        """Of this generation."""
        return f"{self._prefix}-{self.generation}"

    def begin_again(self, now: float) -> None:
        """There is to be another generation, which has been told nothing."""
        self.generation += 1
        self._past = self.figures
        self.outbox = Outbox()
        self.inbox = Inbox()
        self.dealt_with = 0  # the number of the last message of it that nothing is left to do for
        self.parts: list[tuple[Any, ...]] = []  # of the next message
        self.calls = 0
        self.held = 0  # the number of the call that waits for events
        self.fresh: tuple[int, list[int]] = (0, [])  # a call, and numbers of calls of functions that were new in it
        self.busy = 0  # that of the call that says something
        self.deadline = 0.0  # of these
        self.sent_at = self.retry_at = -1.0
        self.has_suspects = False
        self.heard_at = self.stopping_since = now
        self.grant = Grant()
        self.report: ShareReport | None = None  # the last that was heard about its share of the rate limit

    def resume(self) -> None:
        """Have a new generation do what the last one did."""
        if self.tasks:
            self.counts.adopted += len(self.tasks)
            tasks = self.tasks.all()
            self.parts.append((ADOPT, [task.number for task in tasks], [task.sent for task in tasks]))
        for number, (_, cancelled) in self.cancels.items():
            self.parts.append((CANCEL, number, [task.number for task in cancelled]))

    def load(self) -> int:
        """How many tasks it has, or is to start."""
        return len(self.tasks) + len(self.starting) + len(self.again) + len(self.suspects)

    def has_news(self) -> bool:
        """Whether there is something to say."""
        return bool(self.parts or self.outbox.has_after(0) or self.grant.is_pending)

    def request(self, hold: float, renews: bool, share: Share | None) -> tuple[int, bytes]:
        """The next call, and what it says; whether it `renews` the lease."""
        if self.parts:
            self.outbox.add(message_of(self.parts))
            self.parts = []
        self.calls += 1
        first, messages = self.outbox.after(0)
        about = (self.calls, hold, renews, self.inbox.last, self.dealt_with, first, messages, share)
        return self.calls, pickle.dumps(about)

    def take(self, reply: bytes) -> list[bytes]:
        """The messages in `reply` that are new."""
        _, has_dealt_with, first, messages, figures, self.report = pickle.loads(reply)
        self.figures = added_up(figures, self._past)
        self.outbox.forget(has_dealt_with)
        return self.inbox.new(first, messages)


def added_up(figures: tuple[Any, ...], past: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fields of a PollStats, with those of the `past` added that only grow."""
    if not (figures and past):
        return figures or past
    now, before = PollStats(*figures), PollStats(*past)
    return tuple(now._replace(**{field: getattr(now, field) + getattr(before, field) for field in TOTALS}))
