"""Functions that check arguments, here and in the core. This module imports no other one of the package.

Guarantees:

* What cannot be used is refused by a TypeError or a ValueError that names the argument and shows the value.
* One rule for numbers: what `float()` takes of a real number is one, too large for a float is infinite.
* No value gets in the way, whatever it raises when it is asked, and however long it is when it is shown.
"""

from __future__ import annotations

import inspect
import logging
import operator
import os
import reprlib
import sys
from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NoReturn, cast

__all__: list[str] = []

LONGEST = 500  # characters of a value in a message
NUMERIC_KINDS = ("b", "i", "u", "f")  # of what `dtype.kind` of an array's scalar may be: no times, no complex numbers
NO_NUMBERS = (str, bytes, bytearray, complex)


def shown(value: object) -> str:
    """`repr(value)` for messages: shortened if it is long, and replaced if it raises."""
    try:
        text = _shortened.repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) <= 2 * LONGEST else f"{text[:LONGEST]}...{text[-LONGEST:]}"


_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxlong = _shortened.maxother = LONGEST


# -- numbers ----------------------------------------------------------------------------------------------------------


def is_real(value: object) -> bool:
    """Whether `value` is a real number: of Python, its standard library or numpy, or something with `__float__`.

    No text is, and nothing that has a unit.
    """
    if isinstance(value, NO_NUMBERS) or getattr(value, "ndim", 0) != 0:
        return False
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    return kind in NUMERIC_KINDS and (hasattr(type(value), "__float__") or hasattr(type(value), "__index__"))


def real_number(what: str, value: Any, unit: str = "") -> float:
    """`value` as a float, maybe infinite or NaN. Raises TypeError if it is no real number."""
    if type(value) is float:
        return value
    try:
        if type(value) is int or is_real(value):
            try:
                return float(value)
            except OverflowError:
                return inf if value > 0 else -inf
        reason = None
    except MemoryError:
        raise
    except Exception as error:
        reason = error
    raise TypeError(f"{what} must be a number{unit and ' of seconds'}, not {shown(value)}") from reason


def checked_number(what: str, value: object, unit: str = "") -> float:
    """As `real_number`, and raises ValueError if it is negative or NaN."""
    number = real_number(what, value, unit)
    if not number >= 0:
        raise ValueError(f"{what} must be 0{unit} or more, not {shown(value)}")
    return number


def checked_seconds(what: str, value: object) -> float:
    """As `checked_number`, for a number of seconds."""
    return checked_number(what, value, " s")


def checked_pause(what: str, value: object) -> float:
    """As `checked_seconds`, and raises ValueError if it is infinite."""
    seconds = checked_seconds(what, value)
    if seconds == inf:
        raise ValueError(f"{what} must be finite, not {shown(value)}")
    return seconds


def checked_duration(what: str, value: object) -> float:
    """As `checked_pause`, and raises ValueError if it is 0."""
    seconds = checked_pause(what, value)
    if seconds == 0:
        raise ValueError(f"{what} must be more than 0 s, not {shown(value)}")
    return seconds


def checked_timeout(what: str, value: object) -> float:
    """`value` as a float, in seconds; it may be negative. TypeError if it is no number, ValueError if it is NaN."""
    seconds = real_number(what, value, " s")
    if seconds != seconds:
        raise ValueError(f"{what} must be a number of seconds, not {shown(value)}")
    return seconds


def checked_count(what: str, value: object, least: int = 1) -> int:
    """`value` as an int of at most `sys.maxsize`.

    Raises TypeError if it is no int, and ValueError if it is less than `least`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        count = operator.index(value)  # type: ignore[arg-type]  # it says so by a TypeError
    except MemoryError:
        raise
    except Exception as error:
        raise TypeError(f"{what} must be an int, not {shown(value)}") from (error if error.args else None)
    if count < least:
        raise ValueError(f"{what} must be {least} or more, not {shown(value)}")
    return min(count, sys.maxsize)


# -- everything else --------------------------------------------------------------------------------------------------


def checked_flag(what: str, value: object) -> bool:
    """`bool(value)`. Raises TypeError if that raises."""
    try:
        return bool(value)
    except MemoryError:
        raise
    except Exception as error:
        raise TypeError(f"{what} must be True or False, not {shown(value)}") from error


def check_name(name: object) -> None:
    """Raise TypeError unless `name` is a str, ValueError unless it can be encoded in UTF-8, as metrics are."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {shown(name)}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"name must be text that UTF-8 can write, not {shown(name)}") from error


def checked_path(path: Any) -> str:
    """`path` as a str. Raises TypeError if it is no path, and ValueError if no file can have that name."""
    try:
        text = cast("object", os.fspath(path))
    except MemoryError:
        raise
    except Exception as error:
        raise TypeError(f"path must be a str or a path, not {shown(path)}") from error
    if not isinstance(text, str):
        raise TypeError(f"path must be a str or a path, not {shown(path)}")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError as error:
        raise ValueError(f"path must be a name that files can have, not {shown(path)}") from error
    if b"\0" in encoded:
        raise ValueError(f"path must have no NUL in it, not {shown(path)}")
    return text


def iterated(what: str, value: Any, of: str) -> Iterator[Any]:
    """An iterator over `value`, an iterable `of` something. Raises TypeError if it is no iterable, or is text."""
    try:
        if not isinstance(value, (str, bytes, bytearray)):
            return iter(value)
        reason = None
    except MemoryError:
        raise
    except Exception as error:
        reason = error
    raise TypeError(f"{what} must be an iterable of {of}, not {shown(value)}") from reason


def has_method(value: Any, method: str) -> bool:
    """Whether `value.method(...)` can be called. If `value` is a class, the method must be a static or class method."""
    try:
        found = getattr(value, method, None)
        if not callable(found) or not isinstance(value, type):
            return callable(found)
        of_its_own = isinstance(inspect.getattr_static(value, method), staticmethod)
        return of_its_own or getattr(found, "__self__", None) is value
    except MemoryError:
        raise
    except Exception:
        return False


def chosen_logger(logger: Any, kind: str) -> logging.Logger:
    """`logger`, or the logger named `kind` if it is None. Raises TypeError if it is anything else."""
    if logger is None:
        return logging.getLogger(kind)
    if not has_method(logger, "log"):
        raise TypeError(f"logger must be a logging.Logger or None, not {shown(logger)}")
    return cast("logging.Logger", logger)


def check_optional(what: str, value: object, kind: type) -> None:
    """Raise TypeError unless `value` is a `kind` or None."""
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{what} must be a {kind.__name__} or None, not {shown(value)}")


def refuse_copy(instead: str) -> Callable[[object, object], NoReturn]:
    """A `__reduce_ex__` for what cannot be copied: it raises a TypeError that says what to do `instead`."""

    def __reduce_ex__(self: object, protocol: object, /) -> NoReturn:  # noqa: N807
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: {instead}")

    return __reduce_ex__


refuse_copy_of_executor = refuse_copy("share it, or make another one; send another process a function that makes it")
