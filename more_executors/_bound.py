"""A function that is tied to an executor: calling it submits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import update_wrapper
from typing import Any, Generic

from ._checks import shown
from ._runtime.delegate import Delegate, check_delegate
from ._runtime.nested_calls import guarded
from ._types import B, P

__all__: list[str] = []


class BoundCallable(Generic[P, B]):
    """Calling it submits the function it was made with, and returns the future.

    It has the `with_*` methods of executors: each gives a new one, bound to the executor that that makes. It is called
    like the function and documented like it.
    """

    def __init__(self, executor: Delegate, fn: Callable[..., Any]) -> None:
        check_delegate(executor, "executor")
        if not callable(fn):
            raise TypeError(f"fn must be callable, not {shown(fn)}")
        update_wrapper(self, fn)  # first: it copies the attributes of a function, those of a bound one too
        self._executor = executor
        self._submits_to = guarded(executor)
        self._fn = fn

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[B]:
        return self._submits_to.submit(self._fn, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self._fn!r} bound to {self._executor!r}>"
