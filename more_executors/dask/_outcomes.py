"""Results and errors of calls, as bytes that another process makes the same of.

Guarantees:

* What is sent was loaded again, if it is an error: what arrives can be raised.
* An error keeps its type, arguments and attributes, whatever its constructor takes; its causes; and as text, where it
  was raised. If it cannot be made again it arrives as a RemoteError that says what it was.
"""

from __future__ import annotations

import builtins
import pickle
import traceback
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import cloudpickle  # type: ignore[import-untyped]

__all__ = ["RemoteError"]

pickled: Callable[[object], bytes] = cloudpickle.dumps  # pyright: ignore

PLAIN = frozenset({int, float, bool, str, bytes, type(None)})  # cannot be changed, and are made again by any pickle

MOST_CAUSES = 20
GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())  # from Python 3.11 on


class RemoteError(Exception):
    """An error of a call that cannot be made again here: `type_name` says what it was, and `args[0]` what it said."""

    type_name: str

    def __init__(self, text: str, type_name: str) -> None:
        super().__init__(text, type_name)
        self.type_name = type_name

    def __str__(self) -> str:
        return f"{self.type_name}: {self.args[0]}"


class RemoteTraceback(Exception):  # noqa: N818
    """Where an error was raised, in another process: the cause of the last of its causes."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def error_bytes(error: BaseException) -> bytes:
    """`error`, its causes, and where they were raised, for `error_of`. Raises nothing but what memory lacks."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    chain: list[bytes] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(chain) < MOST_CAUSES:
        seen.add(id(one))
        chain.append(one_error_bytes(one))
        one = one.__cause__
    return pickle.dumps((chain, text))


def one_error_bytes(error: BaseException) -> bytes:
    """`error` without its causes, so that it can be loaded: as its class says, or by parts, or as a RemoteError."""
    text, notes = text_of(error), list(getattr(error, "__notes__", ()))
    ways = (as_its_class_says, in_parts)
    for take_apart in (by_members, *ways) if isinstance(error, GROUP) else ways:
        try:
            encoded: bytes = pickled(take_apart(error))
            loaded = put_together(*pickle.loads(encoded))
            if type(loaded) is type(error) and text_of(loaded) == text:
                return pickle.dumps((encoded, notes))
        except Exception:
            continue
    kind = type(error)
    remote = RemoteError(text, f"{kind.__module__}.{kind.__qualname__}")
    return pickle.dumps((pickle.dumps(as_its_class_says(remote)), notes))


Apart: TypeAlias = "tuple[Any, Any, Any]"  # a callable, its arguments, and attributes


def as_its_class_says(error: BaseException) -> Apart:
    # Not by pickling it: Dask has that replaced, for tracebacks, and then a constructor is not called.
    apart = error.__reduce_ex__(2)
    assert isinstance(apart, tuple)
    return apart[0], apart[1], kept(apart[2] if len(apart) > 2 else None)


def in_parts(error: BaseException) -> Apart:
    """For an error whose constructor takes other arguments than it keeps: that is not called."""
    return new_error, (type(error), error.args), kept(vars(error))


def by_members(group: Any) -> Apart:
    """For an ExceptionGroup: each of its errors keeps what it would keep alone."""
    attributes = cast("dict[str, Any]", vars(group))
    return new_group, (type(group), group.message, [error_bytes(each) for each in group.exceptions]), kept(attributes)


def kept(attributes: dict[str, Any] | None) -> dict[str, Any]:
    """Those that can be sent."""
    return {name: value for name, value in (attributes or {}).items() if name != "__notes__" and can_be_sent(value)}


def can_be_sent(value: object) -> bool:
    try:
        pickle.loads(pickled(value))
    except Exception:
        return False
    return True


def new_error(kind: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


def new_group(kind: Any, message: str, members: list[bytes]) -> BaseException:
    group: BaseException = kind(message, [error_of(each) for each in members])
    return group


def put_together(make: Callable[..., Any], args: tuple[Any, ...], attributes: dict[str, Any]) -> BaseException:
    error: BaseException = make(*args)
    vars(error).update(attributes)
    return error


def error_of(encoded: bytes) -> BaseException:
    """The error that `error_bytes` got, as far as it can be made here."""
    chain, text = pickle.loads(encoded)
    errors = [one_error(each) for each in chain]
    for error, cause in zip(errors, [*errors[1:], RemoteTraceback(text)], strict=True):
        error.__cause__ = cause
    return errors[0]


def one_error(encoded: bytes) -> BaseException:
    inner, notes = pickle.loads(encoded)
    try:
        error = put_together(*pickle.loads(inner))
    except Exception as raised:
        error = RemoteError(f"an error that cannot be made here: {raised}", type(raised).__name__)
    if notes:
        vars(error)["__notes__"] = notes  # what `add_note` would do, where there is one
    return error


def without_frames(error: BaseException) -> BaseException:
    """`error`, and what led to it, without tracebacks: a frame keeps those that called it, with all that is in them."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            left += [one.__cause__, one.__context__]
    return error


def text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as raised:
        return f"its text raised {type(raised).__name__}"
