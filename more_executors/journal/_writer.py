"""Putting on record what an executor waits for, without waiting for the disk.

Guarantees:

* `joined` and `ended` take no lock, wait for nothing and call no code of the user's: a thread writes later.
* After `detach`, and in a forked child, nothing more is recorded.
* `flush` returns True only if everything before it is on disk.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable
from threading import Thread, current_thread

from .._checks import has_method, shown
from .._runtime.nested_calls import start_thread
from . import _writer_thread
from ._journal import Journal, JournalLike
from ._journals_in_use import hold, release
from ._key_errors import StartInDoubt
from ._keys import Keys
from ._recovery import Recovery, entries_of, readable
from ._start_book import StartBook
from ._writer_thread import Event, FlushMarker, WriterThread

__all__: list[str] = []


def _nothing() -> None:
    pass


def _refused(event: object) -> bool:
    return False


class JournalWriter:
    """Keeps a journal for an executor, on a daemon thread `NAME-journal`.

    `first_key` is the first key to use: those before it may be on record from an earlier time. All methods may be
    called from any thread, `joined` and `ended` from a garbage collection, too. The thread ends after `close`, after
    `detach`, or when nobody refers to this any more. Before that it writes all events; if writing fails, it tries again
    for `PATIENCE` seconds.
    """

    def __init__(
        self,
        journal: JournalLike,
        logger: logging.Logger,
        name: str,
        keys: Keys | None = None,
        cancels: bool = False,
    ) -> None:
        """Read the journal and start the thread. For `keys` and `cancels` see `StartBook`.

        Raises TypeError if it is no journal, ValueError if another executor uses it, and what reading it raises.
        """
        if not has_method(journal, "write") or not has_method(journal, "outstanding"):
            raise TypeError(f"journal must have the methods write and outstanding, not {shown(journal)}")
        self.book = book = None
        if keys is not None and isinstance(journal, Journal):
            self.book = book = StartBook(journal.start_records(keys.namespace), keys, cancels)
        self._writer = writer = WriterThread(journal, logger, book)
        if book is not None:
            book.report_to(writer.tell, writer.demand)
            self.started, self.concluded = book.started, book.concluded
        self._process = os.getpid()
        self._tell: Callable[[Event], object] = writer.events.append
        self._wake: Callable[[], object] = writer.waker.set
        try:
            if not hold(writer, name):
                raise ValueError(f"journal is in use by another executor: {shown(journal)}")
            on_record = entries_of(journal)
            self.first_key = writer.first_key = 1 + max((key for key, _ in on_record), default=0)
            self.recovery = Recovery(readable(on_record, journal, logger))
            writer.reference = weakref.ref(self, lambda _: writer.close())
            self._thread = Thread(target=writer.run, name=f"{name}-journal", daemon=True)
            start_thread(self._thread)
        except BaseException:
            writer.close()  # for a thread that was started, but not waited for until it was
            release(writer)
            raise

    def joined(self, key: int, value: object) -> None:
        """The task `key`, to be found again by `value`, is outstanding from now on."""
        self._tell((key, value))
        self._wake()

    def ended(self, key: int) -> None:
        """The task `key` is outstanding no more. Once is enough, and more does no harm."""
        self._tell(key)
        self._wake()

    def take_doubtful(self, number: int, error: BaseException) -> bool:
        """What starts the task `number` has failed. Returns whether somebody finds out about it."""
        return self.book is not None and isinstance(error, StartInDoubt) and self.book.doubtful(number)

    def miss(self) -> None:
        """Note that an event is lost, for a lack of memory that did not pass: `flush` returns False from now on."""
        self._writer.missed = True

    def seconds_behind(self) -> float:
        """For how many seconds what is being written has been waiting for that; 0 if nothing is. Takes no lock."""
        return self._writer.seconds_behind()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all events before this call are on disk. Returns True if they are.

        `timeout` is in seconds, None waits for ever. It is False when the time is up; and, without waiting, if a value
        could not be encoded, if there were events after `detach`, if the thread ended before it wrote all, and if the
        journal's file is not in its place. On the writer's own thread, and in a forked child, it does not wait.
        """
        return self._flush(timeout, is_last=False)

    def close(self, wait: bool) -> None:
        """Have the thread write all events and end. With `wait`, wait for that."""
        if self._process != os.getpid():
            return
        self._writer.close()
        if wait and current_thread() is not self._thread:
            self._thread.join()

    def detach(self) -> None:
        """Record nothing more. Waits until all events so far are on disk, for `PATIENCE` seconds at most."""
        self._tell = self._writer.miss
        self._wake = _nothing
        if self.book is not None:
            self.book.report_to(self._writer.miss, _refused)
        if self._process == os.getpid():
            self._flush(_writer_thread.PATIENCE, is_last=True)
        else:  # a forked child, where the thread is not, and anybody may have had any lock
            release(self._writer)

    def _flush(self, timeout: float | None, is_last: bool) -> bool:
        if self._process != os.getpid() or current_thread() is self._thread:
            return False
        writer, marker = self._writer, FlushMarker(is_last)
        if not writer.over:
            writer.events.append(marker)
            if not writer.over:  # else it may have looked for markers before that
                writer.hurry.set()
                writer.waker.set()
                marker.waker.wait(timeout)
                return marker.is_written
        return writer.is_complete()
