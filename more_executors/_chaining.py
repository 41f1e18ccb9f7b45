"""What makes executors chain: each has the `with_*` methods, which put another one on top."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Generic

from ._types import A, B

__all__: list[str] = []


class Chainable(Executor, Generic[A, B]):
    """An executor with the `with_*` methods, each the one of `Executors` with this executor as first argument.

    `executors` puts them here, as it is what knows every executor.
    """

    _name: str
