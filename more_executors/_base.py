"""What all executors share: what they stand on, and what they check their arguments with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

__all__: list[str] = []

AFTER_SHUTDOWN = "cannot schedule new futures after shutdown"
AFTER_INTERPRETER_SHUTDOWN = "cannot schedule new futures after interpreter shutdown"
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
