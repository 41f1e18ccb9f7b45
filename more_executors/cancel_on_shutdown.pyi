"""The typed face of `cancel_on_shutdown`."""

from typing import overload

from typing_extensions import Never

from ._chaining import Chainable
from ._runtime.executor import DelegatingExecutor
from ._types import A, Anything, B, Log, Plain, Returned

__all__ = ["CancelOnShutdownExecutor"]

class CancelOnShutdownExecutor(DelegatingExecutor[A, B]):
    @overload
    def __init__(self, delegate: Chainable[A, B], logger: Log = None, name: str = "default") -> None: ...
    @overload
    def __init__(
        self: CancelOnShutdownExecutor[Anything, Returned[Never]],
        delegate: Plain,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
