"""The first of many futures that decides."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from .._core import check_futures, chosen
from .._types import FutureLike
from ._sources import future_source

__all__ = ["f_and", "f_or"]

_or = future_source("or")
_and = future_source("and")


def f_or(f: Any, *fs: FutureLike[Any]) -> Future[Any]:
    """A future of the first true result to arrive; if there is none, it ends as the last future does.

    What is not needed any more is cancelled, and all when the future is that this returns. With one argument, that is
    returned. A result whose truth cannot be told, because asking raises, counts as failed with that. Raises TypeError
    if one is no future.
    """
    check_futures(f_or.__name__, (f, *fs))
    return chosen(_or, [f, *fs], True) if fs else f


def f_and(f: Any, *fs: FutureLike[Any]) -> Future[Any]:
    """A future that ends as the first one to arrive that is false, failed or cancelled; if there is none, as the last.

    What is not needed any more is cancelled; and else as `f_or`.
    """
    check_futures(f_and.__name__, (f, *fs))
    return chosen(_and, [f, *fs], False) if fs else f
