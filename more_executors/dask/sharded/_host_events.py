"""What happens in a shard, on its way into messages for the client.

Guarantees:

* Of a task it is said first that it was created, or refused, or returned unbegun; then how it ended.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any

from ..._core import Waker
from ._messages import (
    ANSWERED,
    CREATED,
    ENDED,
    REFUSED,
    RETURNED,
    STOPPED,
    message_of,
    sent,
    sent_error,
)

__all__: list[str] = []

ENOUGH = 500  # events for a message at once


class LeaseOver(RuntimeError):  # noqa: N818
    """The shard was stopped before this was begun."""


class HostEvents:
    """Events, and the futures of the shard that they are about. One thread makes messages; others may do the rest."""

    def __init__(self) -> None:
        self.waker = Waker()  # of who makes messages
        self.is_waiting = True  # for any event at all
        self.is_over = False  # the last was made
        self._futures: dict[int, Future[Any]] = {}
        self._starting: set[int] = set()  # numbers of which no task is known
        self._given_up: set[int] = set()  # numbers that the client has cancelled, or released
        self._noted: deque[tuple[int, int, Any]] = deque()

    def __len__(self) -> int:
        return len(self._noted)

    def note(self, kind: int, number: int, what: Any) -> None:
        self._noted.append((kind, number, what))
        if self.is_waiting or kind == STOPPED or len(self._noted) >= ENOUGH:
            self.waker.set()

    def starting(self, number: int) -> None:
        """A task is about to be started as `number`."""
        self._starting.add(number)

    def not_started(self, number: int, error: BaseException, is_unbegun: bool) -> None:
        self._starting.discard(number)
        self.note(*((RETURNED, number, None) if is_unbegun else (REFUSED, number, error)))

    def created(self, number: int, task: Any) -> None:
        """It is `task`."""
        self._starting.discard(number)
        self.note(CREATED, number, task)

    def keep(self, number: int, future: Future[Any]) -> None:
        """`future` stands for the task `number`."""
        self._futures[number] = future
        future.add_done_callback(partial(self._ended, number))

    def _ended(self, number: int, future: Future[Any]) -> None:
        self.note(ENDED, number, future)

    def give_up(self, numbers: list[int]) -> list[Future[Any] | None]:
        """The futures of tasks that the client wants no more; None for each that has ended."""
        self._given_up.update(number for number in numbers if number in self._futures)
        return [self._futures.get(number) for number in numbers]

    # -- messages -----------------------------------------------------------------------------------------------------

    def message(self, is_stopped: bool) -> bytes:
        """All that was noted."""
        lists: dict[int, tuple[list[int], list[Any]]] = {kind: ([], []) for kind in (CREATED, REFUSED, ENDED)}
        returned: list[int] = []
        rest: list[tuple[Any, ...]] = []
        for _ in range(len(self._noted)):
            kind, number, what = self._noted.popleft()
            if kind == ENDED:
                kind, what = self._end_of(number, what, is_stopped)
            if kind == CREATED:
                kind, what = self._sent_task(number, what)
            elif kind == REFUSED:
                what = sent_error(what)
            if kind in lists:
                numbers, values = lists[kind]
                numbers.append(number)
                values.append(what)
            elif kind == RETURNED:
                returned.append(number)
            elif kind == ANSWERED:
                rest.append((ANSWERED, number, what))
            elif kind == STOPPED:
                rest.append((STOPPED, what))
                self.is_over = True
        parts: list[tuple[Any, ...]] = [(kind, *both) for kind, both in lists.items() if both[0]]
        if returned:
            parts.append((RETURNED, returned))
        return message_of(parts + rest)

    def _sent_task(self, number: int, task: Any) -> tuple[int, Any]:
        try:
            return CREATED, sent(task)
        except Exception as error:  # nobody else could wait for it, so it is not waited for here either
            if (future := self._futures.get(number)) is not None:
                self._given_up.add(number)
                future.cancel()
            return REFUSED, sent_error(error)

    def _end_of(self, number: int, future: Future[Any], is_stopped: bool) -> tuple[int, Any]:
        """What is said of the end of `future`; the kind is 0 if that is nothing."""
        self._futures.pop(number, None)
        is_unstarted, is_given_up = number in self._starting, number in self._given_up
        self._starting.discard(number)
        self._given_up.discard(number)
        if future.cancelled():
            if is_unstarted:
                return RETURNED, None
            if is_given_up or is_stopped:
                return 0, None
            return ENDED, sent_error(CancelledError("it was cancelled where it was polled"))
        error = future.exception()
        if is_unstarted:
            if isinstance(error, LeaseOver):
                return RETURNED, None
            return REFUSED, error or RuntimeError("it has ended, but was not started")
        if error is None:
            try:
                return ENDED, sent(future.result())
            except Exception as raised:
                error = raised
        return ENDED, sent_error(error)
