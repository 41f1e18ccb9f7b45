"""The exception of many futures: each who asks gets one just like it, made without a call of what its class defines."""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures
import gc
import pickle
import sys
import traceback
import weakref
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from more_executors._core import SharedError, failed_future


def just_like(error: BaseException) -> BaseException:
    copy = failed_future(SharedError(error)).exception(0)
    assert copy is not None
    return copy


class Plain(Exception):  # noqa: N818  # as it is called
    """With a required argument."""

    def __init__(self, where: str, *, code: int) -> None:
        super().__init__(f"broken at {where}")
        self.code = code


class Choosy(Exception):  # noqa: N818
    """No usual way leads to a copy."""

    made = 0

    def __new__(cls, *, one: int) -> Any:
        cls.made += 1
        return super().__new__(cls)

    def __init__(self, *, one: int) -> None:
        self.one = one

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("no")

    def __copy__(self) -> NoReturn:
        raise TypeError("no")

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("args", "__traceback__"):
            raise AttributeError(name)
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("no")

    __hash__ = None  # type: ignore[assignment]


class Slotted(OSError):  # noqa: N818
    """Has slots, one of them not set."""

    __slots__ = ("one", "two")

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.one = [1]


class SlottedToo(Slotted, KeyError):  # noqa: N818
    """More slots, and built-in classes on both sides."""

    __slots__ = ("three",)


class NoText(UnicodeDecodeError):  # noqa: N818
    """Never given what its base needs."""

    def __init__(self) -> None:
        pass

    def __new__(cls) -> Any:
        return UnicodeDecodeError.__new__(cls)

    def __str__(self) -> str:
        return "no text"


def one_of_each() -> Iterator[BaseException]:
    yield ValueError("one", 2)
    yield KeyError("key")
    yield OSError(2, "no such file", "here", None, "there")
    yield OSError()
    yield OSError("one argument")
    yield BlockingIOError(11, "would block", 5)
    yield ConnectionResetError(104, "reset")
    yield StopIteration(42)
    yield StopAsyncIteration(1)
    yield SystemExit(3)
    yield SystemExit()
    yield ImportError("no module", name="one", path="two")
    yield ModuleNotFoundError("no module", name="one")
    yield SyntaxError("bad", ("file", 1, 2, "text", 1, 5))
    yield UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")
    yield UnicodeEncodeError("ascii", "\xff", 0, 1, "bad")
    yield UnicodeTranslateError("\xff", 0, 1, "bad")
    yield concurrent.futures.CancelledError()
    yield asyncio.TimeoutError("late")
    yield AttributeError("no", name="name", obj=5)
    yield NameError("no", name="name")
    yield MemoryError()
    yield RecursionError("deep")
    yield KeyboardInterrupt()
    yield GeneratorExit()
    yield Plain("here", code=5)
    yield Choosy(one=1)
    yield Slotted(2, "slotted", "file")
    yield SlottedToo(2, "slotted", "file")
    yield NoText()
    if sys.version_info >= (3, 11):
        group = builtins.ExceptionGroup
        yield group("group", [ValueError(1), KeyError(2)])
        yield builtins.BaseExceptionGroup("group", [ValueError(1), KeyboardInterrupt()])
        yield type("OwnGroup", (group,), {})("own", [ValueError(1)])


EACH = list(one_of_each())
each = pytest.mark.parametrize("error", EACH, ids=[f"{type(error).__name__}-{len(error.args)}" for error in EACH])

UNSET = "unset"


def state_of(error: BaseException) -> dict[str, Any]:
    """All that can be seen of it."""
    state = {"str": str(error), "repr": repr(error), "type": type(error), "dict": dict(vars(error))}
    for kind in type(error).__mro__:
        for name, member in vars(kind).items():
            if hasattr(type(member), "__set__") and name not in ("__dict__", "__weakref__", "__class__"):
                try:
                    state[name] = member.__get__(error)
                except (AttributeError, TypeError):
                    state[name] = UNSET
    return state


@each
def test_a_copy_is_like_the_first(error: BaseException) -> None:
    try:
        raise error from ValueError("cause")
    except BaseException as raised:
        raised.mark = ["mark"]  # type: ignore[attr-defined]
    expected = state_of(error)
    assert expected["args"] == error.args
    made = Choosy.made
    copy = just_like(error)
    assert copy is not error
    assert type(copy) is type(error)
    assert state_of(copy) == expected
    assert copy.__traceback__ is error.__traceback__
    assert Choosy.made == made
    assert state_of(error) == expected


@each
def test_what_is_raised_is_a_copy(error: BaseException) -> None:
    future = failed_future(SharedError(error))
    before = error.__traceback__
    for _ in range(3):
        with pytest.raises(type(error)) as raised:
            future.result(0)
        assert raised.value is not error
        assert error.__traceback__ is before
    assert type(error).__name__ in repr(future)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have no notes")
def test_a_note_stays_with_the_copy() -> None:
    error = ValueError("noted")
    error.add_note("first")
    future = failed_future(SharedError(error))
    copy = future.exception(0)
    assert copy is not None
    copy.add_note("second")
    assert error.__notes__ == future.exception(0).__notes__ == ["first"]  # type: ignore[union-attr]


def test_an_attribute_stays_with_the_copy() -> None:
    error = Plain("here", code=5)
    future = failed_future(SharedError(error))
    future.exception(0).code = 6  # type: ignore[union-attr]
    assert future.exception(0).code == error.code == 5  # type: ignore[union-attr]


def test_a_copy_can_be_pickled_if_the_first_can() -> None:
    error = OSError(2, "no such file", "here")
    assert state_of(pickle.loads(pickle.dumps(just_like(error)))) == state_of(error)


def test_a_copy_can_be_referred_to_weakly() -> None:
    copy = just_like(Plain("here", code=5))
    reference = weakref.ref(copy)
    del copy
    gc.collect()
    assert reference() is None


# -- where there can be no copy ----------------------------------------------------------------------------------------


class Ending(Exception):  # noqa: N818
    """Wants to know when it goes: that is to be once."""

    ended = 0

    def __del__(self) -> None:
        type(self).ended += 1


class Strange(type):
    """Of a class that hides what it is made of."""

    @property
    def __basicsize__(cls) -> int:  # type: ignore[override]
        raise RuntimeError("hidden")


class OfStrangeClass(Exception, metaclass=Strange):  # noqa: N818
    """Nobody can tell what is in it."""


def ask_while_handling(future: concurrent.futures.Future[Any]) -> None:
    try:
        raise IndexError
    except IndexError:
        future.result(0)


@pytest.mark.parametrize("kind", [Ending, OfStrangeClass])
def test_what_cannot_be_copied_is_set_back(kind: type[Exception]) -> None:
    Ending.ended = 0
    cause = KeyError("cause")
    error = kind("only one")
    try:
        raise error from cause
    except kind:
        pass
    future = failed_future(SharedError(error))
    first = error.__traceback__
    lengths: set[int] = set()
    for _ in range(5):
        with pytest.raises(kind) as raised:
            ask_while_handling(future)
        assert raised.value is error
        assert type(error.__context__) is IndexError
        lengths.add(len(traceback.extract_tb(error.__traceback__)))
        assert future.exception(0) is error
        assert error.__traceback__ is first
        assert error.__cause__ is cause
        assert error.__context__ is None
        assert error.__suppress_context__
    assert len(lengths) == 1
    assert not Ending.ended, "a copy has ended"


def test_an_exception_of_c_code_with_fields_of_its_own_is_not_copied() -> None:
    kind = type("Hiding", (ValueError,), {"__slots__": ("hidden",)})
    del kind.hidden  # type: ignore[attr-defined]
    error = kind("only one")
    assert just_like(error) is error


@pytest.mark.parametrize("how", ["in a handler", "from None", "from another"])
def test_what_it_was_raised_from_is_shown_as_before(how: str) -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            if how == "in a handler":
                raise ValueError("second")  # noqa: B904  # that is what it is about
            raise ValueError("second") from (None if how == "from None" else first)
    except ValueError as second:
        error = second
    copy = just_like(error)
    assert copy is not error
    assert copy.__context__ is error.__context__
    assert copy.__cause__ is error.__cause__
    assert copy.__suppress_context__ is error.__suppress_context__ is (how != "in a handler")
    shown = "".join(traceback.format_exception(copy))
    assert ("KeyError: 'first'" in shown) is (how != "from None")
