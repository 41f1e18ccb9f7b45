"""What is known of a call of the poll function while it goes on, and what once it is over."""

from __future__ import annotations

from math import inf
from typing import Any

from paced_support import new_table
from support import PATIENCE, SteppedPoll

from more_executors import PollExecutor, SyncExecutor
from more_executors._core import FullListTable, PollCall
from more_executors.poll._meter import PollMeter


def test_the_last_lag_is_that_of_the_call_that_began_last() -> None:
    call = PollCall(list, new_table(FullListTable))
    assert call.last_lag == 0.0
    call.begin([], 3.5)
    call.begin([], 0.5)
    assert call.last_lag == 0.5


def test_a_call_that_begins_is_told_only_if_that_is_asked_for() -> None:
    class Told(PollCall):
        def _before(self, tasks: list[Any]) -> str:
            return f"{len(tasks)} tasks"

    call = Told(list, new_table(FullListTable))
    assert call.begin([], 0.5)[1:] == (0.5, 0, 0.0)
    call.is_told = True
    assert call.begin([], 0.5)[1:] == (0.5, 0, "0 tasks")


def test_a_call_that_begins_knows_how_many_have_ended() -> None:
    table = new_table(FullListTable)
    call = PollCall(list, table)
    done, failed, cancelled, outstanding = table.adopt_many(None, list(range(4)))
    descriptors = table.take_all()
    descriptors[0].yield_result()
    descriptors[1].yield_exception(KeyError())
    assert cancelled.cancel()
    assert (done.done(), failed.done(), outstanding.done()) == (True, True, False)
    assert call.begin([], 0.0)[2] == 3
    assert outstanding.cancel()


def test_a_call_is_counted_when_it_is_over() -> None:
    def observations() -> set[int]:
        return {histogram.snapshot().observations for _, histogram in meter.histograms()}

    poll = SteppedPoll()
    with PollExecutor(SyncExecutor(), poll, default_interval=inf) as executor:
        meter: PollMeter = executor._meter
        poll.next().end()
        future = executor.submit(int)
        call = poll.next()
        assert observations() == {1}
        assert executor.stats().in_calls == 1
        call.descriptors[0].yield_result("done")
        assert future.result(PATIENCE) == "done"
        call.end()
        executor.notify()
        call = poll.next()
        assert observations() == {2}
        call.end()


def test_what_had_ended_when_a_call_began_is_noted_for_that_time() -> None:
    now = 1000.0
    meter = PollMeter(lambda: now)
    now += 20.0
    meter.note_done(50, 10.0)
    assert meter.seconds_left(outstanding=50, done=100) == 10.0, "100 in 20 s"
    now += 60.0
    assert meter.seconds_left(outstanding=10, done=120) == 10.0, "70 since then, in 70 s"
