"""Asking a service which tasks it knows of those whose start is in doubt."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Hashable, Mapping
from time import monotonic
from typing import Any, TypeAlias, cast

from .._core import Waker, log
from .._runtime.call_threads import CallThreads
from ..journal._key_errors import StartInDoubt
from ..journal._keys import key_of_text, text_of_key
from ..journal._start import Start
from ..journal._start_book import StartBook
from ._cancel_call import CancelCalls

__all__: list[str] = []

SECONDS_TO_GATHER = 0.05
KEYS_AT_ONCE = 1_000  # unless `batch_size` is less

# Gets a start; what it is known by and True, or False if it is not known; and what asking raised, or None.
Answered: TypeAlias = "Callable[[Start, Any, bool, BaseException | None], object]"
RetryDelay: TypeAlias = "Callable[[int, BaseException], float | None]"


class Finder:
    """Calls `find_fn` on a thread of its own: the first time for all keys in doubt, in batches.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        calls: CancelCalls,
        book: StartBook,
        threads: CallThreads,
        *,
        batch_size: int,
        retry_delay: RetryDelay,
        logger: logging.Logger,
    ) -> None:
        """`retry_delay(failures, error)` says in how many seconds to ask again after an error, None for not at all."""
        self._calls = calls
        self._book = book
        self._threads = threads
        self._batch_size = min(batch_size, KEYS_AT_ONCE)
        self._retry_delay = retry_delay
        self._logger = logger
        self._waiting: dict[str, tuple[Start, Answered]] = {}
        self._answers: dict[str, tuple[Any, bool]] = {}  # about keys that nobody has submitted yet
        self._has_asked_for_all = False
        self._is_scheduled = False
        self._is_closed = False
        self._failures = 0  # in a row
        self._pause = Waker()
        self._not_before = 0.0

    def ask_later(self, seconds: float) -> None:
        """Ask nothing for so many seconds if keys are in doubt now: who was to start them may do so until then."""
        if self._book.keys_in_doubt():
            self._not_before = monotonic() + seconds

    def ask(self, start: Start, answered: Answered) -> None:
        """Find out about `start` in the background, and call `answered`.

        Raises RuntimeError if no thread can be had for that, and what `answered` raises.
        """
        self._waiting[start.text] = start, answered  # first: an answer that comes meanwhile is seen here, or this there
        if start.text in self._answers:
            self._answer(start.text)
        elif not self._is_scheduled:
            try:
                self._is_scheduled = True  # until it begins to look at those that wait
                self._threads.start(self._run)
            except BaseException:
                self._is_scheduled = False
                if self._waiting.pop(start.text, None) is not None:
                    raise

    def close(self) -> None:
        """Ask nothing more: nobody waits any longer."""
        self._is_closed = True
        self._pause.set()

    def _run(self) -> None:
        try:
            # Doubts come one by one, and one call is for many.
            self._pause.wait(max(SECONDS_TO_GATHER, self._not_before - monotonic()))
            self._is_scheduled = False
            while texts := self._wanted():
                for first in range(0, len(texts), self._batch_size):
                    for batch in apart(texts[first : first + self._batch_size]):
                        if self._is_closed:
                            return
                        self._ask_about(batch)
        finally:
            del self  # see _frames

    def _wanted(self) -> list[str]:
        """The keys to ask about: of those that wait, and when that is asked first, of all in doubt."""
        for text, (start, _) in self._waiting.copy().items():
            if start.future.done():  # it was cancelled
                self._waiting.pop(text, None)
        # In this order: one that is just being answered by `ask` is in the answers, or does not wait any more.
        texts = [text for text in self._waiting.copy() if text not in self._answers and text in self._waiting]
        if texts and not self._has_asked_for_all:
            self._has_asked_for_all = True
            others = (text for text in self._book.keys_in_doubt() if text not in self._answers)
            texts = list(dict.fromkeys([*texts, *others]))
        return texts

    def _ask_about(self, batch: dict[Hashable, str]) -> None:
        try:
            found = self._found_among(batch)
        except BaseException as error:
            self._failed(list(batch.values()), error)
        else:
            self._failures = 0
            for text in batch.values():
                if isinstance(found.get(text), StartInDoubt):  # for the next who wants to know, it is asked again
                    self._give_up([text], found[text])
                    continue
                self._answers[text] = found.get(text), text in found
                with contextlib.suppress(BaseException):  # out of a start: its future has that
                    self._answer(text)
        finally:
            del self

    def _found_among(self, batch: dict[Hashable, str]) -> dict[str, Any]:
        try:
            answer = self._calls.once(list(batch))
        finally:
            del self
        if not isinstance(answer, Mapping):
            kind = type(answer).__name__  # nothing of the answer: this is logged
            raise TypeError(f"find_fn must return a mapping of keys to what was started, not a {kind}")
        known: Mapping[Any, Any] = cast("Any", answer)
        found = {text_of_key(key): value for key, value in known.items()}
        if strangers := found.keys() - set(batch.values()):
            raise ValueError(f"find_fn must return keys that it was asked for, not {sorted(strangers)[0]}")
        return found

    def _failed(self, texts: list[str], error: BaseException) -> None:
        """Ask again later, or give up those that wait."""
        self._failures += 1
        self._has_asked_for_all = False
        seconds = self._retry_delay(self._failures, error)
        if seconds is not None:
            self._pause.wait(seconds)
            return
        message = "find_fn failed, and the starts of %d keys stay in doubt"
        log(self._logger, logging.ERROR, message, len(texts), error=error)
        self._give_up(texts, error)

    def _give_up(self, texts: list[str], error: BaseException) -> None:
        for text in texts:
            if (waiting := self._waiting.pop(text, None)) is not None:
                start, answered = waiting
                with contextlib.suppress(BaseException):
                    answered(start, None, False, error)

    def _answer(self, text: str) -> None:
        """Hand the answer about `text` on to who waits for it, if anybody does."""
        if (waiting := self._waiting.pop(text, None)) is not None:
            value, is_known = self._answers.pop(text)
            start, answered = waiting
            answered(start, value, is_known, None)


def apart(texts: list[str]) -> list[dict[Hashable, str]]:
    """The keys of `texts`, and these, in as few dicts as possible: 1, 1.0 and True are equal."""
    batches: list[dict[Hashable, str]] = [{}]
    for text in texts:
        key = key_of_text(text)
        batch = next((batch for batch in batches if key not in batch), None)
        if batch is None:
            batches.append(batch := {})
        batch[key] = text
    return batches
