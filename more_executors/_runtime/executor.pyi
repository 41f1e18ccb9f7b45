"""The typed face of `executor`."""

from logging import Logger
from typing import Any, ClassVar

from .._chaining import Chainable
from .._core import TaskTable
from .._types import A, B, Log
from .delegate import Delegate
from .executor_thread import ExecutorThread

__all__: list[str] = []

class DelegatingExecutor(Chainable[A, B]):
    _kind: ClassVar[str]
    _metric: ClassVar[str]
    _delegate: Delegate
    _submits_to: Any
    _name: str
    _logger: Logger
    _debugging: bool
    _table: TaskTable

    def __init__(self, delegate: Delegate, logger: Log, name: str) -> None: ...
    def _start(self, table: TaskTable) -> None: ...
    def _cancel_at_shutdown(self, asked_for: bool) -> None: ...
    def _cancels_at_shutdown(self) -> bool: ...
    def _wait_until_drained(self) -> None: ...
    def _drained(self) -> bool: ...
    def _would_wait_for_itself(self) -> bool: ...
    def _end_with_interpreter(self) -> None: ...
    def _end_after_fork(self) -> None: ...

class ThreadedExecutor(DelegatingExecutor[A, B]):
    _worker: ExecutorThread

class DeferringExecutor(ThreadedExecutor[A, B]): ...
