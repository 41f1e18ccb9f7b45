"""The standard library's pools, with a name and the `with_*` methods."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Any

from ._base import Chainable, check_name

__all__: list[str] = []


class ThreadPoolExecutor(futures.ThreadPoolExecutor, Chainable):
    """`concurrent.futures.ThreadPoolExecutor` with `name`: it ends the names of the threads.

    Takes the arguments of that; `thread_name_prefix` wins over `name`.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        name: str = "default",
        **kwargs: Any,
    ) -> None:
        check_name(name)
        if name != "default" and not thread_name_prefix:
            thread_name_prefix = f"ThreadPoolExecutor-{name}"
        super().__init__(max_workers, thread_name_prefix, initializer, initargs, **kwargs)
        self._name = name


class ProcessPoolExecutor(futures.ProcessPoolExecutor, Chainable):
    """`concurrent.futures.ProcessPoolExecutor` with `name`; takes the arguments of that."""

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_name(name)
        super().__init__(*args, **kwargs)
        self._name = name
