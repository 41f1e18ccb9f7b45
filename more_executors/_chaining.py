"""What makes executors chain: each has the `with_*` methods, which put another one on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from threading import TIMEOUT_MAX
from typing import Any, Generic

from ._checks import checked_timeout
from ._types import A, B, R

__all__: list[str] = []


class Chainable(Executor, Generic[A, B]):
    """An executor with the `with_*` methods, each the one of `Executors` with this executor as first argument.

    `executors` puts them here, as it is what knows every executor.
    """

    _name: str

    def map(
        self,
        fn: Callable[..., R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **options: Any,
    ) -> Iterator[R]:
        """As `concurrent.futures.Executor.map`, with all of its keywords; `timeout` is in seconds, for ever if inf.

        Raises TypeError or ValueError if that cannot be used.
        """
        seconds = None if timeout is None else min(checked_timeout("timeout", timeout), TIMEOUT_MAX / 2)
        return super().map(fn, *iterables, timeout=seconds, chunksize=chunksize, **options)
