"""The thread that writes to a journal which tasks have joined and which have ended.

Guarantees:

* It writes many events at a time, and those of one key in their order. A task that ended before it was written is never
  written.
* An event is kept until it is on record, however often writing fails.
"""

from __future__ import annotations

import logging
import reprlib
import weakref
from collections import deque
from collections.abc import Callable
from math import inf
from threading import current_thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from .._callables import done_by
from .._core import Waker, log
from .._runtime.low_memory import pause
from ._error import JournalLostError
from ._journal import JournalLike, UnrecordableError

if TYPE_CHECKING:
    from ._writer import JournalWriter

__all__: list[str] = []

SECONDS_TO_GATHER = 0.02
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
SECONDS_AFTER_ERROR = 1.0
PATIENCE = 5.0  # at the end, with a journal that cannot be written
AT_ONCE = 50_000  # in one write
NAMED_AT_ONCE = 5  # values that cannot be recorded, in the log

_MISSING = object()


class FlushMarker:
    """Stands among what was told, for somebody who waits until all before it is on record."""

    def __init__(self, is_last: bool) -> None:
        self.waker = Waker()
        self.is_last = is_last
        self.is_written = False

    def give(self, is_written: bool) -> None:
        self.is_written = is_written
        self.waker.set()


Event: TypeAlias = "tuple[int, Any] | int | FlushMarker"


class WriterThread:
    """What the thread of a recorder works on. It refers to no recorder, so that one that nobody has any more ends it.

    `told` has, in order, (key, value) of a task that joined, the key alone of one that ended, and tickets.
    """

    def __init__(self, journal: JournalLike, logger: logging.Logger) -> None:
        self.told: deque[Event] = deque()
        self.waker = Waker()
        self.hurry = Waker()
        self.over = False
        self.closing = False
        self.missed = False  # something was told too late to be written
        self.first_key = 0
        self.reference: weakref.ref[JournalWriter] | None = None  # to the recorder; its callback closes this
        self.journal = journal
        self._logger = logger
        self._joined: dict[int, Any] = {}
        self._ended: dict[int, None] = {}
        self._unrecorded: set[int] = set()  # are outstanding, and cannot be encoded
        self._tickets: list[FlushMarker] = []
        self._is_last = False
        self._is_lost = False
        self._failures = 0
        self._give_up_at = inf

    def close(self) -> None:
        """Have the thread write what it was told, and end."""
        self.closing = True
        self.hurry.set()
        self.waker.set()

    def miss(self, event: object) -> None:
        """What is told is not written."""
        self.missed = True

    def is_complete(self) -> bool:
        """Once this is `over`: whether all that it was told is on record."""
        if any(not isinstance(event, FlushMarker) for event in self.told.copy()):
            return False
        return not (self.missed or self._joined or self._ended or self._unrecorded)

    def run(self) -> None:
        """What the thread does."""
        try:
            while not self._is_last and not (self.closing and not self.told and not self._has_work()):
                try:
                    self._run_once()
                except BaseException:  # a lack of memory even to say so
                    pause(SECONDS_AFTER_ERROR)
        finally:
            release(self)
            self.over = True  # first: who comes with a ticket then looks here once more
            self._end()

    def _run_once(self) -> None:
        try:
            self.waker.wait()
            if not self.closing:
                self.hurry.wait(SECONDS_TO_GATHER)
            self._record(len(self.told))
        except BaseException as error:  # a lack of memory, or a fault of ours
            self.waker.set()
            log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
            self.hurry.wait(SECONDS_AFTER_ERROR)
            self.hurry.set()  # somebody may have been in one before that

    def _record(self, count: int) -> None:
        """Put on record the first `count` of what was told, trying for as long as that takes."""
        while not self._is_last and (count > 0 or self._has_work()):
            self._take(min(count, AT_ONCE, len(self.told)))
            count -= AT_ONCE
            while not self._written():
                if self._gives_up():
                    return
                self.hurry.wait(min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE))
                self._take(min(len(self.told), AT_ONCE))

    def _has_work(self) -> bool:
        """Whether something that was taken is not dealt with."""
        return bool(self._joined or self._ended or self._tickets)

    def _take(self, count: int) -> None:
        joined, ended, told = self._joined, self._ended, self.told
        # Of keys before that it is not known that they are not on record.
        uncertain_below = inf if self._failures else self.first_key
        for _ in range(count):
            event = told[0]  # left there until it is noted, should there be no memory for that
            if isinstance(event, tuple):
                key, value = event
                ended.pop(key, None)
                joined[key] = value
            elif isinstance(event, int):
                if joined.pop(event, _MISSING) is _MISSING or event < uncertain_below:
                    ended[event] = None
                self._unrecorded.discard(event)
            else:
                self._tickets.append(event)
                self._is_last = event.is_last
            told.popleft()
            if self._is_last:
                return

    def _written(self) -> bool:
        """Write what was taken; whether that worked."""
        try:
            if self._joined or self._ended:
                write: Callable[..., object] = self.journal.write
                done_by(write, write(list(self._joined.items()), list(self._ended)))
            elif self._tickets or self._failures:
                check(self.journal)
        except UnrecordableError as error:
            self._unrecorded.update(key for key, _, _ in error.failures)
            self._say_unrecordable(error)
        except BaseException as error:
            self._say_failed(error)
            self._is_lost = isinstance(error, JournalLostError)
            self._failures = min(self._failures + 1, 100)
            if self._is_lost:
                self._give_tickets(False)
            return False
        if self._failures:
            log(self._logger, logging.INFO, "%r is written again", self.journal)
        self._failures = 0
        self._is_lost = False
        self._joined, self._ended = {}, {}
        self._give_tickets(not self._unrecorded)
        return True

    def _say_failed(self, error: BaseException) -> None:
        if not self._failures or (isinstance(error, JournalLostError) and not self._is_lost):
            message = "%r cannot be written; it is tried again, and nothing is forgotten until then"
            log(self._logger, logging.ERROR, message, self.journal, error=error)

    def _say_unrecordable(self, errors: UnrecordableError) -> None:
        for _, value, error in errors.failures[:NAMED_AT_ONCE]:
            message = "%s cannot be put on record, and would be lost in a restart"
            log(self._logger, logging.ERROR, message, reprlib.repr(value), error=error)
        if (more := len(errors.failures) - NAMED_AT_ONCE) > 0:
            log(self._logger, logging.ERROR, "%d more values cannot be put on record", more)

    def _gives_up(self) -> bool:
        if not self.closing and not self._is_last:
            return False
        self._give_up_at = min(self._give_up_at, monotonic() + (0.0 if self._is_lost else PATIENCE))
        if monotonic() < self._give_up_at:
            return False
        if self._joined or self._ended:
            message = "%r could not be written: %d tasks are not on record, and %d are that have ended"
            log(self._logger, logging.ERROR, message, self.journal, len(self._joined), len(self._ended))
        self._is_last = True
        return True

    def _give_tickets(self, are_written: bool) -> None:
        tickets, self._tickets = self._tickets, []
        for ticket in tickets:
            ticket.give(are_written)

    def _end(self) -> None:
        """Write nothing more, and leave nobody waiting."""
        left = self.told.copy()
        if any(not isinstance(event, FlushMarker) for event in left):
            self.missed = True
        for event in left:
            self.told.popleft()
            if isinstance(event, FlushMarker):
                self._tickets.append(event)
        self._give_tickets(self.is_complete())


def check(journal: JournalLike) -> None:
    """Raise what `journal` has to say about whether what was written is still there, if it can tell."""
    if callable(method := getattr(journal, "check_file", None)):
        method()


writers: dict[int, WriterThread] = {}


def release(writer: WriterThread) -> None:
    """The journal of `writer` may have another one."""
    if writers.get(id(writer.journal)) is writer:
        writers.pop(id(writer.journal), None)
