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
from math import inf
from threading import current_thread, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from .._callables import done_by
from .._core import StartChange, Waker, log
from .._runtime.pauses import SECONDS_AFTER_ERROR, pause
from ._error import JournalLostError
from ._journal import JournalLike, UnrecordableError
from ._journals_in_use import check, release
from ._start_events import Meant, MeantOnLoop, StartEvent, StartEvents
from ._start_records import STARTED

if TYPE_CHECKING:
    from ._start import Start
    from ._start_book import StartBook
    from ._writer import JournalWriter

__all__: list[str] = []

SECONDS_TO_GATHER = 0.02
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
PATIENCE = 5.0  # at the end, with a journal that cannot be written
AT_ONCE = 50_000  # in one write
NAMED_AT_ONCE = 5  # values that cannot be recorded, in the log

_MISSING = object()


class FlushMarker:
    """An event that a thread waits for in `flush`: it is reached when all events before it are on record."""

    def __init__(self, is_last: bool) -> None:
        self.waker = Waker()
        self.is_last = is_last
        self.is_written = False

    def resolve(self, is_written: bool) -> None:
        self.is_written = is_written
        self.waker.set()


Event: TypeAlias = "tuple[int, Any] | int | FlushMarker | StartEvent"


class WriterThread:
    """The loop of a thread that writes to a journal, and its state.

    It does not refer to its JournalWriter: so that can be dropped, and then the thread ends. `events` has, in order,
    (key, value) of each task that joined, the key alone of each that ended, what there is about tasks with keys of the
    user's, and flush markers.
    """

    def __init__(self, journal: JournalLike, logger: logging.Logger, book: StartBook | None = None) -> None:
        self.events: deque[Event] = deque()
        self.waker = Waker()
        self.hurry = Waker()
        self.over = False
        self.closing = False
        self.missed = False  # there was an event after the last that could be written
        self.first_key = 0
        self.reference: weakref.ref[JournalWriter] | None = None  # to the recorder; its callback closes this
        self.journal = journal
        self._logger = logger
        self._joined: dict[int, Any] = {}
        self._ended: dict[int, None] = {}
        self._unrecorded: set[int] = set()  # are outstanding, and cannot be encoded
        self._starts = StartEvents(book, logger)
        self._markers: list[FlushMarker] = []
        self._is_last = False
        self._is_lost = False
        self._failures = 0
        self._give_up_at = inf
        self._ident = 0
        self._behind_since: float | None = None

    def seconds_behind(self) -> float:
        """For how many seconds what is being written has been waiting for that; 0 if nothing is."""
        since = self._behind_since
        return 0.0 if since is None else monotonic() - since

    def close(self) -> None:
        """Have the thread write all events that there are, and end. Does not wait."""
        self.closing = True
        self.hurry.set()
        self.waker.set()

    def miss(self, event: object) -> None:
        """Note that `event` is not written."""
        self.missed = True

    def demand(self, event: Meant | MeantOnLoop) -> bool:
        """Have `event` written at once. Returns False if nobody can wait: the thread has ended, or is this one."""
        if self.over or get_ident() == self._ident:  # in a codec, or a destructor of what had been submitted
            return False
        self.events.append(event)
        if self.over:  # it may have looked for events before that
            return False
        if not self._failures:  # else there is a pause, which all wait for together
            self.hurry.set()
        self.waker.set()
        return True

    def tell(self, event: StartChange | Start) -> None:
        """Have `event` written soon."""
        self.events.append(event)
        self.waker.set()

    def is_complete(self) -> bool:
        """Whether all events are on record; to be called when the thread is `over`."""
        if any(not isinstance(event, FlushMarker) for event in self.events.copy()):
            return False
        return not (self.missed or self._joined or self._ended or self._starts or self._unrecorded)

    def run(self) -> None:
        """Write events until there are none left after `close`, or until a last flush marker. Runs on the thread."""
        self._ident = get_ident()
        try:
            while not self._is_last and not (self.closing and not self.events and not self._has_work()):
                try:
                    self._run_once()
                except BaseException:  # a lack of memory even to say so
                    pause(SECONDS_AFTER_ERROR)
        finally:
            release(self)
            self.over = True  # first: who appends a marker after that looks here once more
            self._end()
            del self  # see _frames

    def _run_once(self) -> None:
        try:
            self.waker.wait()
            if self._behind_since is None:
                self._behind_since = monotonic()
            if not self.closing:
                self.hurry.wait(SECONDS_TO_GATHER)
            self._record(len(self.events))
            self._behind_since = None
        except BaseException as error:  # a lack of memory, or a fault of ours
            self.waker.set()
            log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
            self.hurry.wait(SECONDS_AFTER_ERROR)
            self.hurry.set()  # somebody may have been in one before that
        finally:
            del self

    def _record(self, count: int) -> None:
        """Write the first `count` events; try again until that works, or until it is time to give up."""
        try:
            while not self._is_last and (count > 0 or self._has_work()):
                self._take(min(count, AT_ONCE, len(self.events)))
                count -= AT_ONCE
                while not self._written():
                    if self._gives_up():
                        return
                    self.hurry.wait(min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE))
                    self._take(min(len(self.events), AT_ONCE))
        finally:
            del self

    def _has_work(self) -> bool:
        """Whether something was taken from the events and is not written yet."""
        return bool(self._joined or self._ended or self._starts or self._markers)

    def _take(self, count: int) -> None:
        joined, ended, events, changes = self._joined, self._ended, self.events, self._starts.changes
        # Of keys before that it is not known that they are not on record.
        uncertain_below = inf if self._failures else self.first_key
        for _ in range(count):
            event = events[0]  # removed below, when it is noted: there may be no memory for that
            if isinstance(event, StartChange):
                changes[event.number] = event
                if event.state != STARTED:
                    self._unrecorded.discard(event.number)
            elif isinstance(event, tuple):
                key, value = event
                ended.pop(key, None)
                joined[key] = value
            elif isinstance(event, int):
                if joined.pop(event, _MISSING) is _MISSING or event < uncertain_below:
                    ended[event] = None
                self._unrecorded.discard(event)
            elif isinstance(event, FlushMarker):
                self._markers.append(event)
                self._is_last = event.is_last
            else:
                self._starts.take(event)
            events.popleft()
            if self._is_last:
                return

    def _written(self) -> bool:
        """Write what was taken. Returns False if that failed."""
        try:
            self._write()
        except UnrecordableError as error:
            self._unrecorded.update(key for key, _, _ in error.failures)
            self._say_unrecordable(error)
        except BaseException as error:
            self._say_failed(error)
            self._is_lost = isinstance(error, JournalLostError)
            self._failures = min(self._failures + 1, 100)
            self._starts.refuse(error)
            if self._is_lost:
                self._resolve_markers(False)
            del self
            return False
        if self._failures:
            log(self._logger, logging.INFO, "%r is written again", self.journal)
        self._failures = 0
        self._is_lost = False
        self._joined, self._ended = {}, {}
        self._resolve_markers(not self._unrecorded)
        del self
        return True

    def _write(self) -> None:
        journal: Any = self.journal
        joined, ended = list(self._joined.items()), list(self._ended)
        is_checked = bool(self._markers or self._failures)
        starts, unrecorded = self._starts, self._unrecorded
        del self
        try:
            if joined or ended:
                done_by(journal.write, journal.write(joined, ended))
            elif is_checked and not starts:
                check(journal)
            if starts:
                unrecorded.update(starts.write())
        finally:
            del journal, joined, ended

    def _say_failed(self, error: BaseException) -> None:
        if not self._failures or (isinstance(error, JournalLostError) and not self._is_lost):
            message = "%r cannot be written; it is tried again, and nothing is forgotten until then"
            log(self._logger, logging.ERROR, message, self.journal, error=error)

    def _say_unrecordable(self, errors: UnrecordableError) -> None:
        """Log it without the values, which may be secret, above DEBUG."""
        for key, value, error in errors.failures[:NAMED_AT_ONCE]:
            message = "task %d cannot be put on record, and would be lost in a restart: %s, as its result is encoded"
            log(self._logger, logging.ERROR, message, key, type(error).__name__)
            log(self._logger, logging.DEBUG, "the result of task %d is %s", key, reprlib.repr(value), error=error)
        if (more := len(errors.failures) - NAMED_AT_ONCE) > 0:
            log(self._logger, logging.ERROR, "%d more tasks cannot be put on record", more)

    def _gives_up(self) -> bool:
        if not self.closing and not self._is_last:
            return False
        self._give_up_at = min(self._give_up_at, monotonic() + (0.0 if self._is_lost else PATIENCE))
        if monotonic() < self._give_up_at:
            return False
        if self._joined or self._ended:
            message = "%r could not be written: %d tasks are not on record, and %d are that have ended"
            log(self._logger, logging.ERROR, message, self.journal, len(self._joined), len(self._ended))
        if self._starts:
            message = "%r could not be written: what became of %d tasks with keys is not on record"
            log(self._logger, logging.ERROR, message, self.journal, len(self._starts.changes))
        self._is_last = True
        return True

    def _resolve_markers(self, are_written: bool) -> None:
        markers, self._markers = self._markers, []
        for marker in markers:
            marker.resolve(are_written)

    def _end(self) -> None:
        """Write nothing more, and resolve all flush markers, so that no thread waits for one."""
        left = self.events.copy()
        if any(not isinstance(event, FlushMarker) for event in left):
            self.missed = True
        for event in left:
            self.events.popleft()
            if isinstance(event, FlushMarker):
                self._markers.append(event)
            elif isinstance(event, (Meant, MeantOnLoop)):
                self._starts.take(event)
        self._starts.refuse(None)
        self._resolve_markers(self.is_complete())
