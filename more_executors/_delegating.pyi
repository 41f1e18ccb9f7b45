"""The typed face of `_delegating`."""

from logging import Logger
from typing import ClassVar

from ._base import Delegate
from ._chaining import Chainable
from ._core import TaskTable
from ._types import A, B, Log
from ._worker import Worker

__all__: list[str] = []

class DelegatingExecutor(Chainable[A, B]):
    _kind: ClassVar[str]
    _metric: ClassVar[str]
    _delegate: Delegate
    _logger: Logger
    _table: TaskTable

    def __init__(self, delegate: Delegate, logger: Log, name: str) -> None: ...
    def _start(self, table: TaskTable) -> None: ...
    def _cancel_at_shutdown(self, asked_for: bool) -> None: ...
    def _drained(self) -> bool: ...

class WorkingExecutor(DelegatingExecutor[A, B]):
    _worker: Worker

class SubmittingExecutor(WorkingExecutor[A, B]): ...

def shut_down(delegate: Delegate, wait: bool, cancel_futures: bool) -> None: ...
