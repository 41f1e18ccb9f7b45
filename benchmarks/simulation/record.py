"""What is noted of a simulated day: calls, ids, and how late each task was found to be done."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field

from .day import Day

SLOT = 600.0  # seconds that a point of the plot is for


@dataclass
class SlotArray:
    """Sums by time of day."""

    sums: list[float] = field(default_factory=list)

    def add(self, at: float, amount: float) -> None:
        slot = int(at / SLOT)
        self.sums += [0.0] * (slot + 1 - len(self.sums))
        self.sums[slot] += amount


class Record:
    """Fails if a task is found before it is done, or twice."""

    def __init__(self, day: Day) -> None:
        self.calls = 0
        self.ids = 0
        self.throttled = 0
        self.most_ids = 0  # in a call
        self.most_in_a_second = 0  # of calls, in any second, wherever it begins
        self.delays = array("d")
        self.shares = array("d")  # of the delays in how long the tasks ran
        self.calls_by_time = SlotArray()
        self.found_by_time = SlotArray()
        self.delays_by_time = SlotArray()
        self._starts, self._ends = day.starts, day.ends
        self._found = bytearray(len(day))
        self._last_second: deque[float] = deque()

    def note_call(self, at: float, ids: int) -> None:
        """A call is made, which may be throttled yet."""
        self.calls += 1
        self.ids += ids
        self.most_ids = max(self.most_ids, ids)
        self.calls_by_time.add(at, 1)
        recent = self._last_second
        recent.append(at)
        while recent[0] <= at - 1 + 1e-9:
            recent.popleft()
        self.most_in_a_second = max(self.most_in_a_second, len(recent))

    def note_found(self, task: int, at: float) -> None:
        """At that time it is known that `task` is done."""
        delay = at - self._ends[task]
        assert delay >= 0, f"task {task} was found {-delay} s too early"
        assert not self._found[task], f"task {task} was found twice"
        self._found[task] = True
        self.delays.append(delay)
        self.shares.append(delay / (self._ends[task] - self._starts[task]))
        self.found_by_time.add(at, 1)
        self.delays_by_time.add(at, delay)

    @property
    def mean_delay(self) -> float:
        return sum(self.delays) / len(self.delays)

    def delay_of(self, share: float) -> float:
        """The delay that no more than this share of the tasks exceeds."""
        return sorted(self.delays)[min(len(self.delays) - 1, int((1 - share) * len(self.delays)))]
