"""What all executors share: what they stand on, and what they check their arguments with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf
from typing import Any, Protocol

__all__: list[str] = []

AFTER_SHUTDOWN = "cannot schedule new futures after shutdown"
AFTER_INTERPRETER_SHUTDOWN = "cannot schedule new futures after interpreter shutdown"
NOT_MADE = "cannot schedule new futures in an executor that could not be made"
AFTER_FORK = "cannot schedule new futures in a forked child: its executors are the parent's, make a new one"


class Delegate(Protocol):
    """What an executor can stand on: `concurrent.futures.Executor`, or anything that does as much."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...

    def shutdown(self, wait: bool = True) -> None: ...


def check_callable(what: str, value: object) -> None:
    """Raise TypeError unless `value` is callable."""
    if not callable(value):
        raise TypeError(f"{what} must be callable, not {value!r}")


def check_name(name: object) -> None:
    """Raise TypeError unless `name` is a string."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {name!r}")


def check_optional_callable(what: str, value: object) -> None:
    """Raise TypeError unless `value` is callable or None."""
    if value is not None:
        check_callable(what, value)


def checked_number(what: str, number: object, unit: str = "") -> float:
    """`number` as a float, maybe infinite. TypeError if it is no number, ValueError if it is negative or NaN."""
    if not isinstance(number, (int, float)):
        raise TypeError(f"{what} must be a number{unit and ' of seconds'}, not {number!r}")
    if not number >= 0:
        raise ValueError(f"{what} must be 0{unit} or more, not {number!r}")
    try:
        return float(number)
    except OverflowError:
        return inf


def checked_seconds(what: str, seconds: object) -> float:
    """The same of a number of seconds."""
    return checked_number(what, seconds, " s")


def checked_count(what: str, count: object) -> int:
    """`count`. Raises TypeError if it is no int, ValueError if it is less than 1."""
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"{what} must be an int, not {count!r}")
    if count < 1:
        raise ValueError(f"{what} must be 1 or more, not {count!r}")
    return count


def check_delegate(delegate: object) -> None:
    """Raise TypeError unless `delegate` is an executor."""
    if not callable(getattr(delegate, "submit", None)):
        raise TypeError(f"delegate must be an executor, with a submit method, not {delegate!r}")


def chosen_logger(logger: logging.Logger | None, kind: str) -> logging.Logger:
    """`logger`, or the one called `kind` if that is None. Raises TypeError if it is neither."""
    if logger is None:
        return logging.getLogger(kind)
    if not callable(getattr(logger, "log", None)):
        raise TypeError(f"logger must be a logging.Logger or None, not {logger!r}")
    return logger
