"""What is submitted in the place of a function that starts a task with a key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from .._callables import is_async, is_plain
from ._key_errors import StartInDoubt

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ._start_book import StartBook

__all__: list[str] = []


class Start:
    """A task with a key, until its future is done and the end is on record.

    Calling it calls `fn`, once it is on record that this is meant. It may be called again, by a layer that retries.
    """

    __slots__ = (
        *("_book", "_calls", "fn", "future", "is_doubtful", "is_meant", "is_on_record", "is_started", "key"),
        *("number", "outcome", "result", "text", "token", "was_called"),
    )

    future: Future[Any]  # set by the table
    fn: Callable[[], Any]

    def __init__(self, book: StartBook, key: Any, text: str) -> None:
        self._book = book
        self._calls: list[None] = []  # one for each that goes on: appending and popping are atomic
        self.key = key
        self.text = text
        self.number = 0  # on record
        self.token: str | None = None
        self.is_meant = False  # that is to be put on record
        self.is_on_record = False  # that has been, or more
        self.was_called = False
        self.is_doubtful = False  # a call did not say that nothing was started
        self.is_started = False  # its task is being polled, or was
        self.result: Any = None  # by which it is
        self.outcome: tuple[str, Any] | None = None  # what is, or will be, on record: a state, and its value

    def use_token(self, token: str) -> None:
        """Have `fn` called with it."""
        self.token = token
        self.fn = partial(cast("Callable[..., Any]", self.fn), token=token)

    def __call__(self) -> Any:
        try:
            self._book.mean(self)
            self._begin()
            try:
                result = self.fn()
            except BaseException as error:
                self._end(error)
                raise
            self._end()
            return result
        finally:
            del self  # see _frames

    def _begin(self) -> None:
        self._calls.append(None)  # first: from here on, who ends the future leaves the task in doubt
        try:
            if self.future.done():
                raise CancelledError
            if not self.was_called:
                self._book.mark_begun(self)
                self.was_called = True
        except BaseException:
            self._calls.pop()
            raise

    def _end(self, error: BaseException | None = None) -> None:
        if error is None or not is_refusal(error):
            self.is_doubtful = True  # first: there is no moment in which it seems that nothing was started
        elif self.token is not None:
            self.is_doubtful = False  # a service that knew the token would not have refused
        self._calls.pop()

    def may_have_started(self) -> bool:
        """Whether the service may have accepted what is not being polled."""
        return self.is_doubtful or bool(self._calls)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a task with a key cannot be started in another process, where its record is not")

    def __repr__(self) -> str:
        return f"<start of {self.text}>"


class AsyncStart(Start):
    """The same of an `async def`."""

    __slots__ = ()

    async def __call__(self) -> Any:
        try:
            await self._book.mean_on_loop(self)
            self._begin()
            try:
                result = await self.fn()
            except BaseException as error:
                self._end(error)
                raise
            self._end()
            return result
        finally:
            del self


def is_refusal(error: BaseException) -> bool:
    """Whether `error`, out of a function that starts a task, says that none was started.

    What interrupts a function, as a coroutine is by being cancelled, says nothing about that.
    """
    return isinstance(error, Exception) and not isinstance(error, StartInDoubt)


def kind_of_start(fn: object) -> type[Start]:
    return AsyncStart if not is_plain(fn) and is_async(fn) else Start
