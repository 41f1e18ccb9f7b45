"""Submitting by key: what was done is not done again, what goes on is waited for, what was never started is started."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from time import sleep
from typing import Any

from .._callables import check_callable
from .._core import PollTable
from ..journal._error import JournalError
from ..journal._key_errors import OutcomeNotRecorded, StartInDoubt
from ..journal._keys import check_takes_token, key_of_text, text_of_key
from ..journal._start import Start, kind_of_start
from ..journal._start_book import Known, StartBook
from ..journal._start_records import DONE, DONE_WITHOUT, FAILED, STARTED, UNRECORDED
from ._finder import Finder
from ._given import CalledLater, Given

__all__: list[str] = []

KEYS_WITHOUT_REST = 64  # some milliseconds
SECONDS_OF_REST = 5e-5


class KeyedSubmits:
    """What `submit_once` of a poll executor does. Has no locks of its own; may be used from any thread."""

    def __init__(self, table: PollTable, book: StartBook, delegate: object, finder: Finder | None) -> None:
        self._table = table
        self._book = book
        self._delegate = delegate  # or the way into it
        self._finder = finder
        if finder is not None:
            book.take_doubtful = partial(ask_if_there, weakref.WeakMethod(self._ask))

    def submit(self, executor: object, key: Any, fn: Callable[..., Any], args: Any, kwargs: Any) -> Future[Any]:
        """See `submit_once`."""
        text = text_of_key(key)
        self._check(fn)
        return self._submitted(executor, key, text, fn, args, kwargs)

    def submit_many(self, executor: object, fn: Callable[[Any], Any], keys: Sequence[Any]) -> list[Future[Any]]:
        """See `submit_many_once`."""
        texts = [text_of_key(key) for key in keys]
        self._check(fn)
        ahead = self._book.ended.read(texts)
        try:
            futures: list[Future[Any]] = []
            for key, text in zip(keys, texts, strict=True):
                futures.append(self._submitted(executor, key, text, fn, (key,), {}))
                if not len(futures) % KEYS_WITHOUT_REST:
                    sleep(SECONDS_OF_REST)  # else threads that start tasks wait for the GIL, 5 ms for each request
            return futures
        finally:
            self._book.ended.forget(ahead)

    def adopt_many(self, executor: object, keys: Sequence[Any], results: Sequence[Any]) -> list[Future[Any]]:
        """See `adopt_many`."""
        texts = [text_of_key(key) for key in keys]
        ahead = self._book.ended.read(texts)
        given = CalledLater()
        try:
            each = zip(keys, texts, results, strict=True)
            return [self._submitted(executor, key, text, Given(result), (), {}, given) for key, text, result in each]
        finally:
            self._book.ended.forget(ahead)
            given.call_all()

    def resume(self, executor: object) -> dict[Any, Future[Any]]:
        """See `resume_keys`."""
        texts = self._book.started_keys()
        keys = [key_of_text(text) for text in texts]
        return {
            key: self._submitted(executor, key, text, not_started, (), {})
            for key, text in zip(keys, texts, strict=True)
        }

    def _check(self, fn: object) -> None:
        check_callable("fn", fn, awaited=True)
        self._table.check_startable(fn)
        if self._book.keys.in_doubt == "start":
            check_takes_token(fn)

    def _submitted(
        self,
        executor: object,
        key: Any,
        text: str,
        fn: Callable[..., Any],
        args: Any,
        kwargs: Any,
        given: CalledLater | None = None,
    ) -> Future[Any]:
        book, table = self._book, self._table
        if (future := book.futures.get(text)) is not None:
            return future
        start = kind_of_start(fn)(book, key, text)
        start.fn = partial(fn, *args, **kwargs)
        try:
            table.reserve(executor, start)
            future = book.futures.claim(text, start.future)
            if future is not start.future:  # another thread's, which came first
                table.retract_reserved(start.future)
                return future
            self._decide(start, book.known(text), given)
            return future
        except BaseException as error:
            if hasattr(start, "future"):  # others may have it
                table.fail_reserved(start.future, error)
            raise
        finally:
            del self, executor, start, fn, args, kwargs, given  # see _frames

    def _decide(self, start: Start, known: Known | None, given: CalledLater | None) -> None:
        """Have the future of `start` end, wait for what goes on, or begin; with what is `given`, if something is."""
        table, keys = self._table, self._book.keys
        if known is None or (known.state == FAILED and keys.retry_failed and not known.is_of_this_run):
            self._book.begin(start)
            self._begin(start, known, given)
        elif known.error is not None:
            error = JournalError(f"what is on record of the key {start.text} cannot be decoded")
            error.__cause__ = known.error
            table.end_reserved(start.future, error, True)
        elif known.state in (DONE, DONE_WITHOUT):
            table.end_reserved(start.future, known.value)
        elif known.state in (FAILED, UNRECORDED):
            table.end_reserved(start.future, failure_of(start, known), True)
        elif known.state == STARTED:
            self._book.adopt(start, known)
            self._poll(start, known, known.value, True)
        elif given is not None:  # then there is no doubt any more
            self._book.begin_again(start, known)
            self._begin(start, known, given)
        elif self._finder is not None:
            self._ask(start)
        elif keys.in_doubt == "start":
            self._book.begin_again(start, known)
            self._begin(start, known)
        else:
            table.end_reserved(start.future, StartInDoubt(start.key), True)

    def _begin(self, start: Start, known: Known | None, given: CalledLater | None = None) -> None:
        if not self._table.begin_reserved(start.future, start.number, given or self._delegate, start):
            self._book.take_back(start, known)

    def _poll(self, start: Start, known: Known, result: Any, on_record: bool) -> None:
        if not self._table.adopt_reserved(start.future, start.number, result, on_record):
            self._book.take_back(start, known)

    def _ask(self, start: Start) -> None:
        assert self._finder is not None
        self._finder.ask(start, self._answered)

    def _answered(self, start: Start, value: Any, is_known: bool, error: BaseException | None) -> None:
        """The service knows `start` by `value`, or not at all; or asking it raised `error`."""
        try:
            known = self._book.known_in_doubt(start)
            if error is not None:  # the service may have said itself that it cannot know
                raise StartInDoubt(start.key) from None if isinstance(error, StartInDoubt) else error
            # A call that goes on the service may not have seen yet. And it is begun again once: one that is lost each
            # time would be begun for ever.
            if not is_known and (start.is_being_called() or start.was_asked_about):
                raise StartInDoubt(start.key)
            start.was_asked_about = True
            start.is_doubtful = is_known
            self._book.begin_again(start, known)
            if is_known:
                self._poll(start, known, value, False)
            else:
                self._begin(start, known)
        except BaseException as raised:
            self._table.fail_reserved(start.future, raised)
            if not isinstance(raised, Exception):
                raise


def not_started() -> None:
    """In the place of a function that would start a task which is known to go on."""
    raise LookupError("the task has ended meanwhile")


def ask_if_there(ask: weakref.WeakMethod[Callable[[Start], None]], start: Start) -> bool:
    found = ask()
    if found is not None:
        found(start)
    return found is not None


def failure_of(start: Start, known: Known) -> BaseException:
    """What the future of a task fails with that failed in an earlier run, or in this one."""
    if known.state == FAILED and known.value is not None:
        error: BaseException = known.value
        return error
    what = "its error could not be encoded" if known.state == FAILED else f"encoding it raised {known.value}"
    return OutcomeNotRecorded(start.key, what)
