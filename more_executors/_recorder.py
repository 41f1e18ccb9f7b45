"""Putting on record what an executor waits for, off its threads.

Guarantees:

* Telling takes no lock, waits for nothing and calls nobody: a thread of the recorder's own writes what it was told, a
  lot at a time, in the order of each key. A task that was over before it was written is never written.
* What was told stays in mind until it is on record, however often writing fails.
* After `detach`, and in a forked child, nothing more is recorded: futures that end because the program does are still
  outstanding for the next one.
"""

from __future__ import annotations

import logging
import os
import reprlib
import weakref
from collections import deque
from collections.abc import Callable
from math import inf
from threading import Lock, Thread, current_thread
from time import monotonic
from typing import Any

from ._core import Waker, log
from .journal import JournalLike, Unreadable, UnrecordableError

__all__: list[str] = []

SECONDS_TO_GATHER = 0.02
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
SECONDS_AFTER_ERROR = 1.0
PATIENCE = 5.0  # at the end, with a journal that cannot be written
AT_ONCE = 50_000  # in one write
NAMED_AT_ONCE = 5  # values that cannot be recorded, in the log

_MISSING = object()


class Ticket:
    """Stands among what was told, for somebody who waits until all before it is on record."""

    def __init__(self, is_last: bool) -> None:
        self.waker = Waker()
        self.is_last = is_last
        self.is_written = False

    def give(self, is_written: bool) -> None:
        self.is_written = is_written
        self.waker.set()


class Writer:
    """What the thread of a recorder works on. It refers to no recorder, so that one that nobody has any more ends it.

    `told` has, in order, (key, value) of a task that joined, the key alone of one that ended, and tickets.
    """

    def __init__(self, journal: JournalLike, logger: logging.Logger) -> None:
        self.told: deque[Any] = deque()
        self.waker = Waker()
        self.hurry = Waker()
        self.lock = Lock()  # guards `over`, and that no ticket comes after it
        self.over = False
        self.closing = False
        self.first_key = 0
        self.reference: weakref.ref[Recorder] | None = None  # to the recorder; its callback closes this
        self.journal = journal
        self._logger = logger
        self._joined: dict[int, Any] = {}
        self._ended: dict[int, None] = {}
        self._tickets: list[Ticket] = []
        self._is_last = False
        self._failures = 0
        self._give_up_at = inf

    def close(self) -> None:
        """Have the thread write what it was told, and end."""
        self.closing = True
        self.hurry.set()
        self.waker.set()

    def run(self) -> None:
        """What the thread does."""
        try:
            while not self._is_last and not (self.closing and not self.told):
                self._turn()
        finally:
            _writers.pop(id(self.journal), None)
            with self.lock:
                self.over = True
            self._give_tickets(not self._joined and not self._ended)

    def _turn(self) -> None:
        try:
            self.waker.wait()
            if not self.closing:
                self.hurry.wait(SECONDS_TO_GATHER)
            self._record(len(self.told))
        except BaseException as error:  # a lack of memory, or a fault of ours
            log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
            self.waker.set()
            self.hurry.wait(SECONDS_AFTER_ERROR)

    def _record(self, count: int) -> None:
        """Put on record the first `count` of what was told, trying for as long as that takes."""
        while count > 0 and not self._is_last:
            self._take(min(count, AT_ONCE, len(self.told)))
            count -= AT_ONCE
            while not self._written():
                if self._gives_up():
                    return
                self.hurry.wait(min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE))
                self._take(min(len(self.told), AT_ONCE))

    def _take(self, count: int) -> None:
        joined, ended, told = self._joined, self._ended, self.told
        # Of these it is not known that they are not on record.
        uncertain_below = inf if self._failures else self.first_key
        for _ in range(count):
            event = told.popleft()
            if type(event) is tuple:
                key, value = event
                ended.pop(key, None)
                joined[key] = value
            elif type(event) is int:
                if joined.pop(event, _MISSING) is _MISSING or event < uncertain_below:
                    ended[event] = None
            else:
                self._tickets.append(event)
                if event.is_last:
                    self._is_last = True
                    return

    def _written(self) -> bool:
        """Write what was taken; whether that worked."""
        try:
            if self._joined or self._ended:
                self.journal.write(list(self._joined.items()), list(self._ended))
        except UnrecordableError as error:
            self._say_unrecordable(error)
        except BaseException as error:
            if not self._failures:
                message = "%r cannot be written; it is tried again, and nothing is forgotten until then"
                log(self._logger, logging.ERROR, message, self.journal, error=error)
            self._failures = min(self._failures + 1, 100)
            return False
        if self._failures:
            log(self._logger, logging.INFO, "%r is written again", self.journal)
        self._failures = 0
        self._joined, self._ended = {}, {}
        self._give_tickets(True)
        return True

    def _say_unrecordable(self, errors: UnrecordableError) -> None:
        for _, value, error in errors.failures[:NAMED_AT_ONCE]:
            message = "%s cannot be put on record, and would be lost in a restart"
            log(self._logger, logging.ERROR, message, reprlib.repr(value), error=error)
        if (more := len(errors.failures) - NAMED_AT_ONCE) > 0:
            log(self._logger, logging.ERROR, "%d more values cannot be put on record", more)

    def _gives_up(self) -> bool:
        if not self.closing and not self._is_last:
            return False
        self._give_up_at = min(self._give_up_at, monotonic() + PATIENCE)
        if monotonic() < self._give_up_at:
            return False
        message = "%r could not be written: %d tasks are not on record, and %d are that have ended"
        log(self._logger, logging.ERROR, message, self.journal, len(self._joined), len(self._ended))
        self._is_last = True
        return True

    def _give_tickets(self, are_written: bool) -> None:
        if self.over:
            self._tickets += [event for event in self.told if isinstance(event, Ticket)]
            self.told.clear()
        for ticket in self._tickets:
            ticket.give(are_written)
        self._tickets = []


_writers: dict[int, Writer] = {}


def _nothing(event: object = None) -> None:
    pass


class Recorder:
    """Keeps a journal for an executor, on a daemon thread `NAME-journal`.

    `first_key` is the first key to use: those before it may be on record from an earlier time. All methods may be
    called from any thread, `joined` and `ended` from a garbage collection, too. The thread ends with `close`, with
    `detach`, or when nobody refers to the recorder any more; first it writes what it was told, and gives up on a
    journal that fails for `PATIENCE` more seconds.
    """

    def __init__(self, journal: JournalLike, logger: logging.Logger, name: str) -> None:
        """Read the journal and start the thread.

        Raises TypeError if it is no journal, ValueError if another recorder uses it, and what reading it raises.
        """
        if not callable(getattr(journal, "write", None)) or not callable(getattr(journal, "outstanding", None)):
            raise TypeError(f"journal must have the methods write and outstanding, not {journal!r}")
        self._writer = writer = Writer(journal, logger)
        if _writers.setdefault(id(journal), writer) is not writer:
            raise ValueError(f"journal is in use by another executor: {journal!r}")
        try:
            on_record = list(journal.outstanding())
            self.first_key = writer.first_key = 1 + max((key for key, _ in on_record), default=0)
            self._recovered = [readable(on_record, journal, logger)]
            writer.reference = weakref.ref(self, lambda _: writer.close())
            self._thread = Thread(target=writer.run, name=f"{name}-journal", daemon=True)
            self._thread.start()
        except BaseException:
            _writers.pop(id(journal), None)
            raise
        self._process = os.getpid()
        self._tell: Callable[[object], object] = writer.told.append
        self._wake: Callable[[], object] = writer.waker.set

    def joined(self, key: int, value: object) -> None:
        """The task `key`, to be found again by `value`, is outstanding from now on."""
        self._tell((key, value))
        self._wake()

    def ended(self, key: int) -> None:
        """The task `key` is outstanding no more. Once is enough, and more does no harm."""
        self._tell(key)
        self._wake()

    def recovered(self) -> list[tuple[int, Any]]:
        """The keys and values that were on record when this was made, by key; nothing the second time."""
        try:
            return self._recovered.pop()
        except IndexError:
            return []

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was told before is on disk.

        Returns False if it is not after `timeout` seconds, or if the thread has ended with something not written. On
        the recorder's own thread, and in a forked child, it does not wait.
        """
        return self._flush(timeout, is_last=False)

    def close(self, wait: bool) -> None:
        """Have what was told written, and the thread end; with `wait`, wait for that."""
        if self._process != os.getpid():
            return
        self._writer.close()
        if wait and current_thread() is not self._thread:
            self._thread.join()

    def detach(self) -> None:
        """Record nothing more; wait, for `PATIENCE` seconds at most, until what was told before is on disk."""
        self._tell = self._wake = _nothing
        if self._process == os.getpid():
            self._flush(PATIENCE, is_last=True)
        else:  # a forked child, where the thread is not, and anybody may have had any lock
            _writers.pop(id(self._writer.journal), None)

    def _flush(self, timeout: float | None, is_last: bool) -> bool:
        if self._process != os.getpid() or current_thread() is self._thread:
            return False
        writer, ticket = self._writer, Ticket(is_last)
        with writer.lock:
            over = writer.over
            if not over:
                writer.told.append(ticket)
        if over:
            return not writer._joined and not writer._ended
        writer.hurry.set()
        writer.waker.set()
        ticket.waker.wait(timeout)
        return ticket.is_written


def readable(on_record: list[tuple[int, Any]], journal: object, logger: logging.Logger) -> list[tuple[int, Any]]:
    """What of `on_record` could be decoded; of the rest one is logged, and how many there are."""
    found = [entry for entry in on_record if not isinstance(entry[1], Unreadable)]
    if count := len(on_record) - len(found):
        key, unreadable = next(entry for entry in on_record if isinstance(entry[1], Unreadable))
        message = "%d values in %r cannot be decoded, and stay there; the first is %s, of key %d"
        encoded = reprlib.repr(unreadable.encoded)
        log(logger, logging.ERROR, message, count, journal, encoded, key, error=unreadable.error)
    return found
