"""A function that is tied to an executor: calling it submits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import update_wrapper
from typing import Any

from ._base import check_callable

__all__: list[str] = []


class BoundCallable:
    """Calling it submits the function it was made with, and returns the future.

    It has the `with_*` methods of executors: each gives a new one, bound to the executor that that makes. It is called
    like the function and documented like it.
    """

    def __init__(self, executor: Executor, fn: Callable[..., Any]) -> None:
        check_callable("fn", fn)
        update_wrapper(self, fn)  # first: it copies the attributes of a function, those of a bound one too
        self._executor = executor
        self._fn = fn

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._executor.submit(self._fn, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self._fn!r} bound to {self._executor!r}>"
