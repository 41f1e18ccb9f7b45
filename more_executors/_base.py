"""What all executors share: a name, chaining, and what they check their arguments with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from .poll import PollDescriptor, PollExecutor

__all__: list[str] = []

A = TypeVar("A")
B = TypeVar("B")

AFTER_SHUTDOWN = "cannot schedule new futures after shutdown"
AFTER_INTERPRETER_SHUTDOWN = "cannot schedule new futures after interpreter shutdown"
AFTER_FORK = "cannot schedule new futures in a forked child: its executors are the parent's, make a new one"


class Chainable(Executor):
    """An executor with the `with_*` methods, each the one of `Executors` with this executor as first argument.

    `executors` puts them here, as it is what knows every executor.
    """

    _name: str

    def _waiting(self) -> int:
        """How many calls wait here for their turn."""
        return 0

    if TYPE_CHECKING:

        def with_poll(
            self,
            poll_fn: Callable[[list[PollDescriptor[A, B]]], float | None],
            cancel_fn: Callable[[A], object] | None = None,
            default_interval: float = 5.0,
            logger: logging.Logger | None = None,
            *,
            name: str | None = None,
        ) -> PollExecutor[A, B]: ...


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
