"""Asking a service to cancel tasks: one, or many at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic, sleep
from typing import Any

from ._callables import done_by, is_async
from ._core import log
from ._daemon_threads import DaemonThreads
from ._event_loop import LoopThread
from .rate_limit import RateLimit, Throttled

__all__: list[str] = []

TRIES = 10  # for a request that nobody waits for, or that is for many, if it is throttled
SECONDS_TO_WAIT = 60.0  # for the rate limit to let a call go, and for a service to stop throttling
SECONDS_WHEN_THROTTLED = 1.0


class Cancels:
    """Calls the functions that cancel: with the rate limit kept, and on the loop if they are `async def`.

    `one` and `many` are what a table calls; each is None without the function. They may be called from any thread.
    """

    one: Callable[[Any], object] | None
    many: Callable[[list[Any]], Iterator[bool]] | None

    def __init__(
        self,
        cancel_fn: Callable[[Any], Any] | None,
        cancel_many_fn: Callable[[list[Any]], Any] | None,
        *,
        rate_limit: RateLimit | None,
        batch_size: int,
        loop: LoopThread,
        threads: DaemonThreads,
        logger: logging.Logger,
    ) -> None:
        self._cancel_fn = cancel_fn
        self._cancel_many_fn = cancel_many_fn
        self._rate_limit = rate_limit
        self._batch_size = batch_size
        self._loop = loop
        self._threads = threads
        self._logger = logger
        plain = rate_limit is None and not is_async(cancel_fn)
        self.one = cancel_fn if plain else self._one
        if cancel_fn is None:
            self.one = None if cancel_many_fn is None else self._one_of_many
        self.many = None if cancel_many_fn is None else self._many

    def too_late(self, results: list[Any]) -> None:
        """Have tasks cancelled whose futures are done: in the background, whatever comes of it."""
        if self.one is not None and results:
            try:
                self._threads.start(lambda: self._cancel_late(results))
            except RuntimeError as error:
                log(self._logger, logging.ERROR, "%d late tasks are not cancelled", len(results), error=error)

    def _cancel_late(self, results: list[Any]) -> None:
        if self.many is not None:
            self._log_errors(lambda results: list(self._many(results)), results)
            return
        for result in results:
            self._log_errors(partial(self._tried, self._cancel_fn), result)

    def _log_errors(self, function: Callable[[Any], object], argument: Any) -> None:
        try:
            function(argument)
        except BaseException as error:
            log(self._logger, logging.ERROR, "Exception during cancel on %s, which was late", argument, error=error)

    def _one(self, result: Any) -> object:
        try:
            return self._call(self._cancel_fn, result)
        except Throttled:
            return False

    def _one_of_many(self, result: Any) -> object:
        return next(self._many([result]))

    def _many(self, results: list[Any]) -> Iterator[bool]:
        """The answers, as they come: of what raises no Exception, such as a Ctrl-C, those before it count."""
        for start in range(0, len(results), self._batch_size):
            some = results[start : start + self._batch_size]
            try:
                found = [bool(answer) for answer in self._tried(self._cancel_many_fn, some)]
                if len(found) != len(some):
                    raise ValueError(f"cancel_many_fn must return {len(some)} truth values, not {len(found)}")
            except Exception as error:
                log(self._logger, logging.ERROR, "Exception during cancel of %d tasks", len(some), error=error)
                found = [False] * len(some)
            yield from found

    def _tried(self, function: Callable[[Any], Any] | None, argument: Any) -> Any:
        """What `function` answers: it is asked again while it is throttled, but not for ever."""
        deadline = monotonic() + SECONDS_TO_WAIT
        for tries_left in reversed(range(TRIES)):
            try:
                return self._call(function, argument)
            except Throttled as throttled:
                pause = SECONDS_WHEN_THROTTLED if throttled.retry_after is None else throttled.retry_after
                if not tries_left or monotonic() + pause > deadline:
                    raise
                if self._rate_limit is None:
                    sleep(pause)
        raise AssertionError

    def _answer(self, function: Callable[[Any], Any], argument: Any) -> Any:
        if is_async(function):
            return self._loop.wait_for(lambda: function(argument))
        return done_by(function, function(argument), iterated=function is self._cancel_many_fn)

    def _call(self, function: Callable[[Any], Any] | None, argument: Any) -> Any:
        assert function is not None
        began = 0.0
        if self._rate_limit is not None:
            if not self._rate_limit.take(SECONDS_TO_WAIT):
                raise TimeoutError(f"not asked: the rate limit allows no call for {SECONDS_TO_WAIT:g} s")
            began = self._rate_limit.clock()
        try:
            answer = self._answer(function, argument)
        except Throttled as throttled:
            if self._rate_limit is not None:
                self._rate_limit.throttled(began, throttled.retry_after)
            raise
        if self._rate_limit is not None:
            self._rate_limit.succeeded(began)
        return answer
