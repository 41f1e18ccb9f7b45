"""The event loop of an executor, on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import nullcontext
from contextvars import Context, copy_context
from functools import partial
from threading import RLock, Thread, current_thread
from typing import Any, TypeAlias, TypeVar

from .._core import Future as PlainFuture
from .._core import log
from .event_loop import run_loop
from .nested_calls import start_thread
from .pauses import SECONDS_WITHOUT_MEMORY, pause
from .watched import BlockingReports

__all__: list[str] = []

A = TypeVar("A")

MakesCoroutine: TypeAlias = Callable[[], Coroutine[Any, Any, object]]

_of_parents: list[LoopThread] = []


class LoopClosed(RuntimeError):  # noqa: N818
    """Raised when a coroutine is to be started after `close`."""


def too_late() -> LoopClosed:
    return LoopClosed("cannot start a coroutine after shutdown")


class LoopThread:
    """A daemon thread with an event loop. It starts with the first coroutine.

    A coroutine that blocks the loop is reported, by name, at WARNING, and so is a task that one made. All methods may
    be called from any thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.after_lack: Callable[[], object] = bool  # called on the loop's thread after memory has been lacking there
        self._reports = BlockingReports(name)
        self.watched = self._reports.watched
        self.report = self._reports.report
        self.report_to = self._reports.report_to
        self._pid = os.getpid()
        self._to_start: deque[Callable[[], object]] = deque()
        # Guards what follows. A signal handler or a garbage collection inside may call anything, and wait for the loop:
        # on its thread this is not taken.
        self._lock = RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._made: dict[None, asyncio.AbstractEventLoop] = {}  # the first that was made
        self._threads: list[Thread] = []
        self._closed = False
        self._is_cancelled = False  # all of it was
        self._last: MakesCoroutine | None = None  # what runs when all else is over
        self._is_finishing = False  # the loop knows
        self._rounds = 0  # in which what is in `_to_start` was started; of the loop's thread alone
        self._woken_at = -1  # this many rounds: another one will come
        self._tasks: set[asyncio.Task[object]] = set()  # of the loop's thread alone

    def start(self, make: MakesCoroutine, context: Context | None = None) -> None:
        """Run the coroutine that `make()` returns, in a copy of `context`, by default the caller's.

        One wake-up of the loop serves all that come before it.

        Raises RuntimeError after `close`, and whatever keeps the loop or its thread from being made.
        """
        context = copy_context() if context is None else context  # a task copies the context it is made in
        self.have_called(lambda: context.run(self._start_one, partial(self._run, make)))

    def wait_for(self, make: Callable[[], Coroutine[Any, Any, A]]) -> A:
        """Run the coroutine that `make()` returns; returns its result, or raises its exception.

        Raises RuntimeError on the loop's own thread, after `close`, and if the loop ends first.
        """
        if self.is_current():
            raise RuntimeError("this waits for the event loop of the executor: not from its own thread")
        answer: Future[A] = PlainFuture()  # who is interrupted while waiting for it holds no lock of it

        async def answered() -> None:
            try:
                answer.set_result(await make())
            except BaseException as error:
                answer.set_exception(error)

        context = copy_context()
        self.have_called(lambda: context.run(self._start_one, answered, answer.cancel))
        try:
            return answer.result()
        except (CancelledError, asyncio.CancelledError):
            raise RuntimeError("the call was cancelled") from None

    def have_called(self, start: Callable[[], object]) -> None:
        """Have the loop's thread call `start()`: once more if that raises MemoryError. Raises as `start` does."""
        with nullcontext() if self.is_current() else self._lock:
            if self._closed:
                raise too_late()
            self._to_start.append(start)  # first: whoever ends the loop from here on starts it before
            try:
                loop = self._running_loop()
                rounds = self._rounds
                if self._woken_at != rounds:
                    loop.call_soon_threadsafe(self._start_all)
                    self._woken_at = rounds
            except BaseException:
                try:
                    self._to_start.remove(start)
                except (ValueError, MemoryError):  # it is not there: it has been started, with those before it
                    return
                raise

    def close(self, last: MakesCoroutine | None = None) -> None:
        """Have the thread end when all coroutines have ended. Does not wait.

        Before it ends, the coroutine that `last()` returns runs; not if there is no thread.
        """
        self._call(self._finish, is_end=True, last=last)

    def cancel_all(self) -> None:
        """Cancel the coroutines that run."""
        self._is_cancelled = True
        self._call(self._cancel_all)

    def has_cancelled(self, error: BaseException) -> bool:
        """Whether `error`, out of a coroutine, is from `cancel_all`: else users' code has raised it."""
        return self._is_cancelled and isinstance(error, asyncio.CancelledError)

    def _call(self, function: Callable[[], object], is_end: bool = False, last: MakesCoroutine | None = None) -> None:
        if os.getpid() != self._pid:  # a forked child: it shares with its parent what wakes the loop
            return
        with self._lock:
            loop = None if self._closed and is_end else self._loop
            if loop is not None:
                if is_end:
                    self._last = last
                with contextlib.suppress(RuntimeError):  # it has ended
                    self._is_finishing = self._is_finishing or is_end
                    loop.call_soon_threadsafe(function)
            self._closed = self._closed or is_end

    def join(self, timeout: float | None = None) -> None:
        """After `close`: wait until the thread has ended, for `timeout` seconds at most."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)

    def is_current(self) -> bool:
        """Whether the caller is on the loop's thread."""
        return current_thread() in self._threads

    def forget(self) -> None:
        """Call this in a forked child: it keeps the parent's coroutines for good, as dropping them would run them."""
        _of_parents.append(self)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._make_loop()
        if self._closed or self._loop is None:  # by a call that interrupted this one
            raise too_late()
        return self._loop

    def _make_loop(self) -> None:
        thread = None
        loop = asyncio.new_event_loop()
        try:
            loop.set_task_factory(self._reports.make_task)
            loop.set_exception_handler(self._note_error)
            thread = Thread(target=run_loop, args=(loop, self._call_again), name=self._name, daemon=True)
            self._threads.append(thread)  # first: what it does may ask whether it `is_current`
            start_thread(thread)
            self._made_loop(loop)
        except BaseException:  # maybe a Ctrl-C, after it has begun
            if thread is None or thread.ident is None:
                if thread in self._threads:
                    self._threads.remove(thread)
                loop.close()
            else:
                self._made_loop(loop)
            raise

    def _made_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use `loop`, which runs, unless a call that interrupted the making of it has made another."""
        self._loop = self._made.setdefault(None, loop)
        with contextlib.suppress(RuntimeError):  # it has ended
            if self._loop is not loop:
                loop.call_soon_threadsafe(loop.stop)
            elif self._closed and not self._is_finishing:
                self._is_finishing = True
                loop.call_soon_threadsafe(self._finish)

    # -- on the loop's thread ------------------------------------------------------------------------------------------

    def _start_all(self) -> None:
        start, is_counted = None, False
        while True:
            try:
                if not is_counted:
                    self._rounds += 1  # first: who comes from here on wakes the loop
                    is_counted = True
                if start is None and (start := self._next()) is None:
                    return
                start()
                start = None
            except MemoryError:
                pause(SECONDS_WITHOUT_MEMORY)
                self._to_start.append(self.after_lack)

    def _next(self) -> Callable[[], object] | None:
        try:
            return self._to_start.popleft()
        except IndexError:
            return None

    def _start_one(self, make: MakesCoroutine, when_ended: Callable[[], object] = bool) -> None:
        coroutine = make()
        try:
            task = asyncio.Task(coroutine, loop=self._loop)  # past the factory: its steps are watched already
        except BaseException:
            coroutine.close()
            raise
        with contextlib.suppress(MemoryError):  # it runs anyway
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: when_ended())

    async def _run(self, make: MakesCoroutine) -> None:
        coroutine = None
        while coroutine is None:
            try:
                coroutine = make()
            except MemoryError:
                pause(SECONDS_WITHOUT_MEMORY)
        del make  # what it is for: an exception may keep this frame, see `_frames`
        try:
            await coroutine
        except GeneratorExit:
            raise
        except BaseException as error:  # it deals with what user code raises: this is a fault, or the end
            if not isinstance(error, asyncio.CancelledError):
                log(logging.getLogger(__name__), logging.ERROR, "%s goes on after an error", self._name, error=error)

    def _cancel_all(self) -> None:
        for task in self._tasks.copy():
            task.cancel()

    def _note_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The exception handler of the loop: a callback could not be called, maybe one of this class."""
        self._call_again()
        loop.default_exception_handler(context)

    def _call_again(self) -> None:
        while True:
            try:
                if self._loop is not None:
                    self._to_start.append(self.after_lack)
                    self._loop.call_soon(self._finish if self._closed else self._start_all)
                return
            except MemoryError:
                pause(SECONDS_WITHOUT_MEMORY)

    def _finish(self) -> None:
        while True:
            try:
                self._start_all()
                self._stop_when_all_is_over()
                return
            except MemoryError:
                pause(SECONDS_WITHOUT_MEMORY)

    def _stop_when_all_is_over(self) -> None:
        assert self._loop is not None
        self._tasks.difference_update([task for task in self._tasks if task.done()])
        if self._tasks:
            ended = asyncio.gather(*self._tasks, return_exceptions=True)
            ended.add_done_callback(lambda _: self._finish())
        elif self._last is not None:
            self._start_one(partial(self._run, self._last))
            self._last = None
            self._stop_when_all_is_over()
        else:
            self._loop.stop()
