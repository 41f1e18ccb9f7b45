"""An executor that cancels its pending futures when it is shut down."""

from __future__ import annotations

import logging
from typing import overload

from ._chaining import Chainable
from ._core import TaskTable
from ._runtime.bulk_cancel import cancel_in_bulk
from ._runtime.delegate import Delegate
from ._runtime.executor import DelegatingExecutor
from ._runtime.through import ALL, ThroughPoll
from ._types import A, Anything, B, Log, Never, Plain, Returned

__all__ = ["CancelOnShutdownExecutor"]


class CancelOnShutdownExecutor(DelegatingExecutor[A, B], ThroughPoll[B]):
    """At shutdown, tries to cancel every future that is not done, running ones included.

        with CancelOnShutdownExecutor(ThreadPoolExecutor()) as executor:
            ...     # at the end of the block, what has not begun is cancelled

    `shutdown` first refuses new work, then cancels, then shuts the delegate down. All methods may be called from any
    thread.
    """

    _kind = "CancelOnShutdownExecutor"
    _metric = "cancel_on_shutdown"
    _reached = ALL

    @overload
    def __init__(self, delegate: Chainable[A, B], logger: Log = None, name: str = "default") -> None: ...
    @overload
    def __init__(
        self: CancelOnShutdownExecutor[Anything, Returned[Never]],
        delegate: Plain,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    def __init__(self, delegate: Delegate, logger: logging.Logger | None = None, name: str = "default") -> None:
        """Make it.

        Args:
            delegate: the executor that runs the callables; it is shut down after this one.
            logger: a `logging.Logger`, by default the logger "CancelOnShutdownExecutor".
            name: a str, the label of this executor in metrics.

        Raises TypeError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        self._start(TaskTable(self._logger))

    def _cancel_at_shutdown(self, asked_for: bool) -> None:
        self._table.counters.count_cancels(cancel_in_bulk(self._table.futures(), self._logger))

    def _cancels_at_shutdown(self) -> bool:
        return True
