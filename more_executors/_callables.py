"""Checks that calling a function does something, so that it is no `async def` by mistake.

An `async def` and a function with `yield` only make an object when they are called; their bodies run when somebody
awaits or iterates over that.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeVar

from ._checks import real_number, shown

__all__: list[str] = []

A = TypeVar("A")

DEFERRED: int = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
PLAIN: tuple[type[Any], ...] = (
    bool,
    int,
    float,
    str,
    bytes,
    list,
    tuple,
    dict,
    type(None),
)  # answers that need no second look


def is_plain(function: object) -> bool:
    """Whether `function` is of a type that needs no further check, which is the usual case."""
    if type(function) is FunctionType:
        marked = hasattr(function, "_is_coroutine_marker")  # by `inspect.markcoroutinefunction`
        return not function.__code__.co_flags & DEFERRED and not marked
    return type(function) is BuiltinFunctionType or type(function) is type


def is_kind(kind: Callable[[Any], bool], function: Any) -> bool:
    """Whether `function` is of a `kind` that `inspect` knows, or a partial of one, or an object whose `__call__` is."""
    while isinstance(function, partial):
        function = function.func
    return kind(function) or (callable(function) and kind(type(function).__call__))


def is_async(function: object) -> bool:
    """Whether `function` is an `async def`, or an object whose `__call__` is."""
    return is_kind(inspect.iscoroutinefunction, function)


def is_generator(function: object) -> bool:
    return is_kind(inspect.isgeneratorfunction, function)


def is_async_generator(function: object) -> bool:
    return is_kind(inspect.isasyncgenfunction, function)


def check_callable(what: str, function: object, *, awaited: bool = False, iterated: bool = False) -> None:
    """Raise TypeError unless `function` is callable, and neither async nor with a `yield`.

    Args:
        what: a str, what the message calls it.
        function: what is checked.
        awaited: whether it may be an `async def`, as its result is awaited.
        iterated: whether it may have a `yield`, as its result is iterated over.
    """
    if is_plain(function):
        return
    if not callable(function):
        raise TypeError(f"{what} must be callable, not {shown(function)}")
    if not awaited and is_async(function):
        raise TypeError(f"{what} must not be async, as nobody awaits it: write {shown(function)} without async")
    if is_async_generator(function) or (not iterated and is_generator(function)):
        raise TypeError(f"{what} must not yield, as nobody iterates over it: write {shown(function)} without yield")


def check_optional_callable(what: str, function: object, *, awaited: bool = False, iterated: bool = False) -> None:
    """As `check_callable`, but None is fine too."""
    if function is not None:
        check_callable(what, function, awaited=awaited, iterated=iterated)


def check_hook(what: str, function: object) -> None:
    """Raise TypeError unless `function` is an `async def` or None."""
    if function is not None:
        check_callable(what, function, awaited=True)
        if not is_async(function):
            raise TypeError(f"{what} must be an async def, not {shown(function)}")


def check_method(what: str, owner: object, method: str, *, iterated: bool = False) -> None:
    """As `check_callable`, for a method of `owner`, which must have it; the message calls `owner` `what`."""
    check_callable(f"{what}.{method}", getattr(owner, method), iterated=iterated)


def done_by(function: object, answer: A, *, iterated: bool = False) -> A:
    """`answer`, which `function` returned. Raises TypeError if it is a coroutine, or a generator not `iterated` over.

    A coroutine is closed first, or Python would warn that it was never awaited.
    """
    if isinstance(answer, PLAIN):
        return answer
    if isinstance(answer, Coroutine):
        answer.close()
        what = "which nobody awaits: it has to be an async def itself"
        raise TypeError(f"{shown(function)} returned a coroutine, {what}")
    if inspect.isasyncgen(answer) or (not iterated and inspect.isgenerator(answer)):
        raise TypeError(f"{shown(function)} returned a generator, which nobody iterates over: write it without yield")
    return answer


def done_at_all(function: object, answer: A) -> A:
    """As `done_by`, and raises TypeError for everything else that has to be awaited too."""
    if not isinstance(answer, PLAIN) and isinstance(done_by(function, answer), Awaitable):
        raise TypeError(f"{shown(function)} returned {shown(answer)}, which nobody awaits: it has to be an async def")
    return answer


def checked_clock(clock: Any) -> Callable[[], float]:
    """A function that returns the time of `clock` as a float. `clock` is called once to check it.

    Raises TypeError if it returns no number, and ValueError if that is NaN.
    """
    check_callable("clock", clock)
    try:
        now = done_by(clock, clock())
        as_float = real_number("clock()", now)
    except Exception as error:
        what = "callable without arguments and return a number of seconds"
        raise TypeError(f"clock must be {what}, not {shown(clock)}: {shown(error)}") from error
    if as_float != as_float:
        raise ValueError(f"clock must give a time, not {shown(now)}, as {shown(clock)} does")
    return clock if type(now) in (float, int) else partial(time_of, clock)


def time_of(clock: Callable[[], Any]) -> float:
    return real_number("clock()", clock())
