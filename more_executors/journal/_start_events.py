"""What a journal's thread is to write about tasks with keys, and who waits until it is written.

Guarantees:

* Whoever waits hears once: that it is on record, or the error for which it is not. Then nothing was started, and the
  record, if there came to be one after all, is taken back.
* Of one task, what was told last is on record last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from typing import TYPE_CHECKING, TypeAlias

from .._core import StartChange, Waker, log
from ._start import Start
from ._start_records import DOUBTFUL, FORGOTTEN, STARTED

if TYPE_CHECKING:
    from ._start_book import StartBook

__all__: list[str] = []

NAMED_AT_ONCE = 5  # tasks that cannot be recorded, in the log


class Meant:
    """That a start is meant; a thread waits until it is on record."""

    __slots__ = ("error", "is_written", "start", "waker")

    def __init__(self, start: Start) -> None:
        self.start = start
        self.is_written = False
        self.error: BaseException | None = None
        self.waker = Waker()

    def wake(self, by_loop: LoopWaiters) -> None:
        self.waker.set()


class MeantOnLoop:
    """The same; a coroutine waits for `answer`, a future of its loop."""

    __slots__ = ("answer", "error", "is_written", "start")

    def __init__(self, start: Start) -> None:
        self.start = start
        self.is_written = False
        self.error: BaseException | None = None
        self.answer = asyncio.get_running_loop().create_future()

    def wake(self, by_loop: LoopWaiters) -> None:
        by_loop.setdefault(self.answer.get_loop(), []).append(self.answer)


LoopWaiters: TypeAlias = "dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]]"
StartEvent: TypeAlias = "Meant | MeantOnLoop | Start | StartChange"


class StartEvents:
    """What was taken from the events, and is not written yet. Of the journal's thread alone."""

    def __init__(self, book: StartBook | None, logger: logging.Logger) -> None:
        # The book leads to the executor, which is not to be there for the sake of this thread.
        self._records = None if book is None else book.records
        self._book = None if book is None else weakref.ref(book)
        self._logger = logger
        self.changes: dict[int, StartChange] = {}
        self._waiters: list[Meant | MeantOnLoop] = []

    def __bool__(self) -> bool:
        return bool(self.changes or self._waiters)

    def take(self, event: Meant | MeantOnLoop | Start) -> None:
        """Have it written that a start is meant. It is told for itself where nobody waits for that."""
        start = event if isinstance(event, Start) else event.start
        if not start.is_started and start.outcome is None:  # else this comes late, and there is more on record
            self.changes[start.number] = StartChange(start.number, start.text, start.state_when_meant(), start.token)
        if not isinstance(event, Start):
            self._waiters.append(event)

    def write(self) -> set[int]:
        """Write all of it, and let those know who wait. Returns the numbers of tasks whose result is not on record."""
        unrecorded = set[int]()
        assert self._records is not None, "who reports such tasks has a book"
        assert self._book is not None
        failures = self._records.write(self.changes.values()) if self.changes else []
        for change, error in failures[:NAMED_AT_ONCE]:
            what = "be found again after" if change.state == STARTED else "have its outcome known in"
            message = "the task of the key %s cannot %s a restart: %s, as its value is encoded"
            log(self._logger, logging.ERROR, message, change.key, what, type(error).__name__)
            log(self._logger, logging.DEBUG, "the task of the key %s", change.key, error=error)
        if (more := len(failures) - NAMED_AT_ONCE) > 0:
            log(self._logger, logging.ERROR, "%d more tasks with keys have values that cannot be encoded", more)
        unrecorded.update(change.number for change, _ in failures if change.state == STARTED)
        if (book := self._book()) is not None:
            book.written(self.changes.values())
        del book
        self.changes.clear()
        self._resolve(True, None)
        return unrecorded

    def refuse(self, error: BaseException | None) -> None:
        """It could not be written: nobody is to wait for that any longer."""
        for waiter in self._waiters:
            number = waiter.start.number
            if (change := self.changes.get(number)) is not None and change.state in DOUBTFUL:
                self.changes[number] = StartChange(number, change.key, FORGOTTEN)
        self._resolve(False, error)

    def _resolve(self, is_written: bool, error: BaseException | None) -> None:
        by_loop: LoopWaiters = {}
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.is_written, waiter.error = is_written, error
            waiter.wake(by_loop)
        for loop, answers in by_loop.items():
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(wake_all, answers)


def wake_all(answers: list[asyncio.Future[None]]) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_result(None)
