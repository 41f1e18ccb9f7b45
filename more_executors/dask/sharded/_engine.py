"""The parts of the client's poll executor: it hands each task to the shards once, and polls nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from math import inf
from time import monotonic
from typing import cast

from ..._core import PollTable, ShardedTable, TaskRegister
from ...poll._bursts import Bursts
from ...poll._call import PollCaller
from ...poll._engine import PollEngine
from ...poll._gate import CallGate
from ...poll._options import PollOptions
from ...poll._scheduler import PollScheduler
from ._meter import ShardCounts, ShardedMeter

__all__: list[str] = []

SECONDS_BETWEEN_CALLS = 0.01  # what joins meanwhile is handed out together


class ShardedEngine(PollEngine):
    """A PollEngine with a ShardedTable. A task that is too late fails at once."""

    seconds_for_a_last_look = 0.0

    def __init__(
        self,
        register: TaskRegister,
        counts: Iterable[ShardCounts],
        options: PollOptions,
        delegate: object,
        logger: logging.Logger,
        name: str,
        debugging: bool,
    ) -> None:
        self._register = register
        self._counts = counts
        super().__init__(options, delegate, logger, name, debugging)

    def _new_meter(self) -> ShardedMeter:
        return ShardedMeter(self._counts)

    def _table_type(self, options: PollOptions) -> type[PollTable]:
        return ShardedTable

    def _new_scheduler(self, options: PollOptions, calls: PollCaller, gate: CallGate, bursts: Bursts) -> PollScheduler:
        table = cast("ShardedTable", self.table)
        table.register = self._register
        return NewTasksScheduler(table, calls)


class NewTasksScheduler:
    """Makes a call with the tasks that have joined, and that the register does not know."""

    due = 0
    in_calls = 0

    def __init__(self, table: ShardedTable, calls: PollCaller) -> None:
        self._table = table
        self._calls = calls
        self._began = -inf

    def turn(self) -> float:
        table = self._table
        table.coalescing = False  # first: who joins after this wakes us, who joined before is found below
        if not table.has_new():
            return inf
        now = monotonic()
        if now < self._began + SECONDS_BETWEEN_CALLS:
            table.coalescing = True
            return self._began + SECONDS_BETWEEN_CALLS - now
        self._began = now
        self._calls.call(table.take_new())
        return SECONDS_BETWEEN_CALLS
