"""What all executors need of a delegate, and the messages of a `submit` that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .._checks import has_method, shown

__all__: list[str] = []

AFTER_SHUTDOWN = "cannot schedule new futures after shutdown"
AFTER_INTERPRETER_SHUTDOWN = "cannot schedule new futures after interpreter shutdown"
NOT_MADE = "cannot schedule new futures in an executor that could not be made"
AFTER_FORK = "cannot schedule new futures in a forked child: its executors are the parent's, make a new one"


class Submits(Protocol):
    """Anything with a `submit` method."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...


class Ending(Protocol):
    """Anything with a `shutdown` method."""

    def shutdown(self, wait: bool = True) -> None: ...


class Delegate(Submits, Ending, Protocol):
    """What an executor can submit to: a `concurrent.futures.Executor`, or anything with these methods."""


def check_delegate(delegate: object, what: str = "delegate") -> None:
    """Raise TypeError unless `delegate` is an executor."""
    if not has_method(delegate, "submit"):
        raise TypeError(f"{what} must be an executor, with a submit method, not {shown(delegate)}")
