"""What is submitted in the place of a function that starts a task with a key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from .._callables import is_async, is_plain
from ._key_errors import StartInDoubt
from ._start_records import IN_DOUBT, MEANT

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ._start_book import StartBook

__all__: list[str] = []


class Start:
    """A task with a key, until its future is done and the end is on record.

    Calling it calls `fn`, once it is on record that this is meant. It may be called again, by a layer that retries:
    that raises StartInDoubt if a call before may have started the task, unless there is a token.
    """

    __slots__ = (
        *("_book", "_calls", "fn", "future", "has_place", "is_doubtful", "is_meant", "is_on_record", "is_started"),
        *("key", "next_done", "number", "outcome", "result", "text", "token", "was_asked_about", "was_called"),
    )

    future: Future[Any]  # set by the table
    next_done: Start | None  # of those that are to be let go of together
    fn: Callable[[], Any]

    def __init__(self, book: StartBook, key: Any, text: str) -> None:
        self._book = book
        self._calls: list[object] = []  # those that go on, the first first: appending and removing are atomic
        self.key = key
        self.text = text
        self.number = 0  # on record
        self.token: str | None = None
        self.has_place = False  # among the marks of what was begun: it is in doubt only when it is there
        self.is_meant = False  # that is to be put on record
        self.is_on_record = False  # that has been, or more
        self.was_called = False  # `fn`
        self.was_asked_about = False  # and begun again, as the service did not know it
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
            call = self.begin_call()
            try:
                result = self.fn()
            except BaseException as error:
                self.conclude_call(call, error)
                raise
            self.conclude_call(call)
            return result
        finally:
            del self  # see _frames

    def begin_call(self) -> object:
        """`fn` is about to be called, here or elsewhere: returns when that is on record, what `conclude_call` takes.

        Raises what calling this does if it must not be.
        """
        try:
            self._book.mean(self)
            return self._begin()
        finally:
            del self

    def _begin(self) -> object:
        call = object()
        self._calls.append(call)  # first: from here on, who ends the future leaves the task in doubt
        try:
            is_alone = self._calls[0] is call  # before `is_doubtful`, which is set before a call is removed
            if self.future.done():
                raise CancelledError
            if self.token is None and (self.is_doubtful or not is_alone):
                raise StartInDoubt(self.key)
            if not self.was_called:
                self._book.mark_begun(self)
                self.was_called = True
        except BaseException:
            self._calls.remove(call)
            raise
        finally:
            del self  # see _frames
        return call

    def conclude_call(self, call: object, error: BaseException | None = None) -> None:
        """`fn` has returned, or has raised `error`."""
        # What is in doubt stays so: a later request may be refused for reasons of its own, as without a network.
        if error is None or not is_refusal(error):
            self.is_doubtful = True  # first: there is no moment in which it seems that nothing was started
        self._calls.remove(call)

    def is_being_called(self) -> bool:
        """Whether a call of it goes on."""
        return bool(self._calls)

    def may_have_started(self) -> bool:
        """Whether the service may have accepted what is not being polled."""
        return self.is_doubtful or self.is_being_called()

    def state_when_meant(self) -> str:
        """What is on record of it from before it is called."""
        return MEANT if self.has_place else IN_DOUBT

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
            call = self._begin()
            try:
                result = await self.fn()
            except BaseException as error:
                self.conclude_call(call, error)
                raise
            self.conclude_call(call)
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
