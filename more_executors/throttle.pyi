"""The typed face of `throttle`."""

from typing import overload

from typing_extensions import Never

from ._chaining import Chainable
from ._runtime.executor import DeferringExecutor
from ._types import A, Anything, B, Count, Log, Plain, Returned

__all__ = ["ThrottleExecutor"]

class ThrottleExecutor(DeferringExecutor[A, B]):
    @overload
    def __init__(
        self,
        delegate: Chainable[A, B],
        count: Count,
        logger: Log = None,
        name: str = "default",
        block: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: ThrottleExecutor[Anything, Returned[Never]],
        delegate: Plain,
        count: Count,
        logger: Log = None,
        name: str = "default",
        block: bool = False,
    ) -> None: ...
