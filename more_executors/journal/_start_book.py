"""What is known of tasks with keys in this process: those that go on, and those on record from before.

Guarantees:

* That a start is meant is on disk before its function is called.
* What a key stands for is found here for as long as the record does not say it yet. Of a task that has ended, and
  whose end is on record, a byte or two are kept.
"""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core import KeyedFutures, StartChange, remove_item
from ._begun_marks import BegunMarks
from ._ended_records import EndedRecords
from ._error import JournalError
from ._keys import Keys
from ._start_events import Meant, MeantOnLoop
from ._start_records import (
    DONE,
    DONE_WITHOUT,
    DOUBTFUL,
    FAILED,
    FORGOTTEN,
    MEANT,
    STARTED,
    StartRecord,
    StartRecords,
)

if TYPE_CHECKING:
    from ._start import Start

__all__: list[str] = []

AHEAD = 500  # starts that are on record as meant before their turn, at most


class Known(NamedTuple):
    """What a key stands for, and the value of that, decoded; or the `error` that decoding it raised."""

    state: str
    value: Any
    number: int
    token: str | None = None
    is_of_this_run: bool = True
    error: Exception | None = None


class StartBook:
    """All methods may be called from any thread; `written`, from that of the journal alone."""

    def __init__(self, records: StartRecords, keys: Keys, cancels: bool) -> None:
        """Read the record. `cancels` says that a task whose future is cancelled is cancelled itself."""
        self.records = records
        self.keys = keys
        self.futures = KeyedFutures()
        self.take_doubtful: Callable[[Start], bool] = lambda start: False  # whether somebody finds out about it
        self._tell: Callable[[StartChange | Start], object] = print
        self._demand: Callable[[Meant | MeantOnLoop], bool] = bool
        self._cancels = cancels
        self._numbers = itertools.count(records.first_free)
        self._starts: dict[int, Start] = {}  # that go on
        self._unwritten: dict[str, Start] = {}  # that have ended
        self._earlier: dict[str, StartRecord | Known] = {record.key: record for record in records.unfinished()}
        self._marks: BegunMarks | None = None
        self._has_marks = False  # or there cannot be any
        self._line: deque[int] = deque()  # numbers of those that are not meant yet
        self._meant_ahead: dict[int, None] = {}  # numbers of those that are, and were not called
        self.ended = EndedRecords(records)

    def report_to(
        self, tell: Callable[[StartChange | Start], object], demand: Callable[[Meant | MeantOnLoop], bool]
    ) -> None:
        """Have events recorded by `tell`; by `demand` at once, which returns False if that cannot be."""
        self._tell = tell
        self._demand = demand

    # -- what a key stands for ----------------------------------------------------------------------------------------

    def known(self, text: str) -> Known | None:
        """What the key stands for, unless nothing is known of it. Its future, if there is one, is not looked at."""
        ended = self._unwritten.get(text)
        if ended is not None and ended.outcome is not None:
            state, value = ended.outcome
            return None if state == FORGOTTEN else Known(state, value, ended.number)
        found = self._earlier.get(text)
        if found is None:
            found = self.ended.find(text)
        return self._decoded(found) if isinstance(found, StartRecord) else found

    def _decoded(self, record: StartRecord) -> Known:
        value, error = None, None
        try:
            value = self.records.decoded(record)
        except MemoryError:
            raise
        except Exception as raised:
            error = raised
        return Known(record.state, value, record.number, record.token, record.run == self.records.run, error)

    def started_keys(self) -> list[str]:
        """Those of tasks that go on, as far as is known, and are not waited for."""
        return [key for key, found in self._earlier.copy().items() if found.state == STARTED]

    def keys_in_doubt(self) -> list[str]:
        """Those that were so when the program began, and are: of others, a call may go on yet."""
        earlier = self._earlier.copy().items()
        return [key for key, found in earlier if isinstance(found, StartRecord) and found.state in DOUBTFUL]

    # -- what becomes of it -------------------------------------------------------------------------------------------

    def begin(self, start: Start) -> None:
        """`start` is a new one."""
        start.number = next(self._numbers)
        if self.keys.in_doubt == "start":
            start.use_token(secrets.token_hex(16))
        if not self._has_marks:
            with suppress(JournalError):  # then each is written, and waited for, in its turn
                self._marks = self.records.begun_marks()
            self._has_marks = True
        start.has_place = self._marks is not None and not start.is_doubtful
        self._take_on(start)
        if start.has_place:
            self._line.append(start.number)
            self._mean_ahead()

    def _mean_ahead(self) -> None:
        """Have it written of those that are next that they are meant, so that they need not wait for that."""
        while self._line and len(self._meant_ahead) < AHEAD:
            try:
                start = self._starts.get(self._line.popleft())
            except IndexError:
                break
            if start is not None and not start.is_meant:
                self._meant_ahead[start.number] = None
                start.is_meant = True
                self._tell(start)

    def begin_again(self, start: Start, known: Known) -> None:
        """`start` was meant before, with the same number and token."""
        if self.keys.in_doubt == "start" and known.token is None:  # it was without, then
            start.is_doubtful = True
            self.begin(start)
            return
        start.number = known.number
        if known.token is not None and self.keys.in_doubt == "start":
            start.use_token(known.token)
            start.is_doubtful = True
        start.is_meant = start.is_on_record = True
        self._take_on(start)

    def adopt(self, start: Start, known: Known) -> None:
        """`start` was started before, and is being polled from now on."""
        start.number, start.result = known.number, known.value
        start.is_meant = start.is_on_record = start.is_started = True
        self._take_on(start)

    def known_in_doubt(self, start: Start) -> Known:
        """What is on record of `start`, which is in doubt since this run, or since one before."""
        if start.number:
            return Known(MEANT, None, start.number, start.token)
        return self.known(start.text) or Known(MEANT, None, next(self._numbers))

    def take_back(self, start: Start, known: Known | None) -> None:
        """`start` was not begun, nor adopted, after all: its future was done."""
        self._starts.pop(start.number, None)
        if known is not None:
            self._earlier[start.text] = known

    def _take_on(self, start: Start) -> None:
        self._starts[start.number] = start
        self._earlier.pop(start.text, None)

    def mean(self, start: Start) -> None:
        """Return when it is on disk that `start` is meant. Raises JournalError if it cannot be put there."""
        event = None
        try:
            self._called(start)
            if not start.is_on_record:
                event = Meant(start)
                start.is_meant = True
                if self._demand(event):
                    event.waker.wait()
                self._check(event)
        finally:
            del start, event  # see _frames

    async def mean_on_loop(self, start: Start) -> None:
        """The same, for a coroutine."""
        event = None
        try:
            self._called(start)
            if not start.is_on_record:
                event = MeantOnLoop(start)
                start.is_meant = True
                if self._demand(event):
                    await event.answer
                self._check(event)
        finally:
            del start, event

    def _called(self, start: Start) -> None:
        if self._meant_ahead.pop(start.number, self) is None:
            self._mean_ahead()

    def mark_begun(self, start: Start) -> None:
        """Note that `start` begins, in what a killed process leaves."""
        if self._marks is not None:
            self._marks.mark(start.number)

    def _check(self, event: Meant | MeantOnLoop) -> None:
        try:
            if not event.is_written:
                message = (
                    f"nothing is started for the key {event.start.text}, as that could not be put on record before"
                )
                raise JournalError(message) from event.error
            event.start.is_on_record = True
        finally:
            del event

    def started(self, number: int, result: Any) -> None:
        """The task `number` is polled from now on."""
        if (start := self._starts.get(number)) is not None:
            start.result = result
            start.is_started = True
            self._tell(StartChange(number, start.text, STARTED, start.token, result))

    def doubtful(self, number: int) -> bool:
        """The function of the task `number` cannot know whether it was started. Returns whether that is found out."""
        start = self._starts.get(number)
        return start is not None and self.take_doubtful(start)

    def concluded(self, number: int, succeeded: bool, cancelled: bool, outcome: Any, goes_on: bool) -> Start | None:
        """The future of the task `number` is done. It `goes_on` if it is not the task that has failed.

        Returns what may refer to objects of the user's, and is not needed here any more.
        """
        if (start := self._starts.get(number)) is None:
            return None
        ended = None if goes_on and not (succeeded or cancelled) else self._end_of(start, succeeded, cancelled, outcome)
        if ended is not None:
            start.outcome = ended
            self._unwritten[start.text] = start
            state, value = ended
            self._tell(StartChange(number, start.text, state, None, value))
        elif start.is_meant:  # it is on record as it was
            state = STARTED if start.is_started else MEANT
            self._earlier[start.text] = Known(state, start.result, number, start.token)
            self.futures.give_up(start.text, start.future)
        self._called(start)
        del self._starts[number]  # last: if there was no memory for something, this is called again
        return start

    def _end_of(self, start: Start, succeeded: bool, cancelled: bool, outcome: Any) -> tuple[str, Any] | None:
        """The state and the value that it has on record from now on; None for those that it has."""
        if start.is_started and cancelled:
            return (FORGOTTEN, None) if self._cancels else None
        if not start.is_meant:
            return None
        if succeeded:  # or somebody says so
            return (DONE, outcome) if self.keys.keep_results else (DONE_WITHOUT, None)
        if start.is_started:
            return FAILED, outcome
        if start.may_have_started():
            return None
        return (FAILED, outcome) if start.was_called and not cancelled else (FORGOTTEN, None)

    def written(self, changes: Collection[StartChange]) -> None:
        """All of `changes` is on record."""
        self.ended.written(changes)
        starts, unwritten = self._starts, self._unwritten
        for change in changes:
            state, key = change.state, change.key
            if state in DOUBTFUL:
                if (start := starts.get(change.number)) is not None:
                    start.is_on_record = True
            elif state != STARTED:
                ended = unwritten.get(key)
                if ended is not None and ended.number == change.number:
                    remove_item(unwritten, key, ended)
