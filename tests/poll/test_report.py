"""What poll functions report of tasks that go on: counted while a task does, whatever ends it."""

from __future__ import annotations

import enum
import gc
import random
import sys
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, in_both_modes, paced, poll_fixture
from support import HeardLogger, SomeError

from more_executors import PollExecutor

FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()

clock = clock_fixture()
poll = poll_fixture()


class Status(str, enum.Enum):
    QUEUED = "queued"


def reported(executor: PollExecutor[Any, Any]) -> list[tuple[str | None, float | None]]:
    return [(task.state, task.progress) for task in executor.outstanding()]


@in_both_modes
def test_it_is_counted_and_listed(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        executor.adopt_many(list("abcd"))
        clock.run()
        assert executor.stats().states == {}
        assert reported(executor) == [(None, None)] * 4
        poll.descriptors["c"].report("queued")
        poll.descriptors["a"].report(state="running", progress=0.4)
        poll.descriptors["b"].report(progress=1)
        assert reported(executor) == [("running", 0.4), (None, 1.0), ("queued", None), (None, None)]
        assert list(executor.stats().states.items()) == [("queued", 1), ("running", 1)]
        poll.descriptors["c"].report("running")
        assert executor.stats().states == {"running": 2}


@in_both_modes
def test_what_is_left_out_stays_as_it_was(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        executor.adopt("a")
        clock.run()
        descriptor = poll.descriptors["a"]
        descriptor.report()
        assert reported(executor) == [(None, None)]
        descriptor.report("running", 0.5)
        for report, expected in (
            ({}, ("running", 0.5)),
            ({"progress": 0.6}, ("running", 0.6)),
            ({"state": "queued"}, ("queued", 0.6)),
            ({"progress": 0}, ("queued", 0.0)),
            ({"state": None, "progress": None}, ("queued", 0.0)),
        ):
            descriptor.report(**report)
            assert reported(executor) == [expected]


Ending = Callable[[PollExecutor[Any, Any], Any, Any], object]


def agree(result: object) -> bool:
    return True


ENDINGS: dict[str, tuple[Ending, dict[str, Any]]] = {
    "resolved": (lambda executor, descriptor, future: descriptor.yield_result(), {}),
    "failed": (lambda executor, descriptor, future: descriptor.yield_exception(SomeError()), {}),
    "cancelled": (lambda executor, descriptor, future: future.cancel(), {}),
    "cancelled after a question": (lambda executor, descriptor, future: future.cancel(), {"cancel_fn": agree}),
    "cancelled with all": (lambda executor, descriptor, future: executor.cancel_all(), {"cancel_fn": agree}),
    "ended by hand": (lambda executor, descriptor, future: future.set_result(1), {}),
    "released": (lambda executor, descriptor, future: executor.release([future]), {}),
    "left": (lambda executor, descriptor, future: executor.leave(), {}),
    "cancelled by shutdown": (lambda executor, descriptor, future: executor.shutdown(cancel_futures=True), {}),
    "cancelled at the end of the program": (lambda executor, *_: executor._table.cancel_all(), {}),
}


@in_both_modes
@pytest.mark.parametrize("how", ENDINGS)
def test_what_has_ended_is_not_counted(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any], how: str) -> None:
    end, options = ENDINGS[how]
    with paced(poll, **options, **mode) as executor:
        future = executor.adopt("a")
        clock.run()
        descriptor = poll.descriptors["a"]
        descriptor.report("running", 0.5)
        assert executor.stats().states == {"running": 1}
        end(executor, descriptor, future)
        assert future.done()
        assert executor.stats().states == {}
        descriptor.report("queued", 0.6)
        assert executor.stats().states == {}


@in_both_modes
def test_nor_is_what_is_late(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, timeout=5, default_interval=1, **mode) as executor:
        future = executor.adopt("a")
        clock.run()
        clock.wait_for_calls(executor)
        poll.descriptors["a"].report("running")
        assert executor.stats().states == {"running": 1}
        for _ in range(40):  # its last look is some seconds after its deadline
            clock.run(1)
            clock.wait_for_calls(executor)
        assert isinstance(future.exception(0), TimeoutError)
        assert executor.stats().states == {}


@in_both_modes
def test_nor_what_fails_with_a_call(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    def does(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.report("running")
        raise SomeError

    poll.does = does
    with paced(poll, logger=HeardLogger(), **mode) as executor:
        future = executor.adopt("a")
        clock.run()
        assert isinstance(future.exception(0), SomeError)
        assert executor.stats().states == {}


def test_a_callback_of_its_end_finds_it_counted_no_more(clock: PacedClock, poll: NotedPoll) -> None:
    found: list[object] = []
    with paced(poll) as executor:
        future = executor.adopt("a")
        clock.run()
        poll.descriptors["a"].report("running")
        future.add_done_callback(lambda _: found.append(executor.stats().states))
        poll.finish("a")
    assert found == [{}]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"state": 3}, TypeError, "report: state must be a str or None, not 3"),
        ({"state": b"running"}, TypeError, "report: state must be a str or None, not b'running'"),
        ({"state": ""}, ValueError, "report: state must have 1 to 100 characters, not 0: ''"),
        ({"state": "x" * 101}, ValueError, "report: state must have 1 to 100 characters, not 101: 'xxx"),
        ({"state": "\udc80"}, ValueError, "report: state must be text that can be encoded in UTF-8, not '\\udc80'"),
        ({"progress": "half"}, TypeError, "report: progress must be a number, not 'half'"),
        ({"progress": 1.0001}, ValueError, "report: progress must be from 0 to 1, not 1.0001"),
        ({"progress": -0.1}, ValueError, "report: progress must be from 0 to 1, not -0.1"),
        ({"progress": 40}, ValueError, "report: progress must be from 0 to 1, not 40"),
        ({"progress": nan}, ValueError, "report: progress must be from 0 to 1, not nan"),
        ({"state": "running", "progress": inf}, ValueError, "report: progress must be from 0 to 1, not inf"),
    ],
    ids=str,
)
def test_what_cannot_be_reported_is_refused_and_changes_nothing(
    clock: PacedClock, poll: NotedPoll, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run()
        poll.descriptors["a"].report("queued", 0.5)
        with pytest.raises(error) as raised:
            poll.descriptors["a"].report(**arguments)
        assert str(raised.value).startswith(message)
        assert reported(executor) == [("queued", 0.5)]
        assert executor.stats().states == {"queued": 1}


def test_a_state_may_be_a_member_of_an_enum(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt_many(list("ab"))
        clock.run()
        poll.descriptors["a"].report(Status.QUEUED)
        poll.descriptors["b"].report("queued")
        (state,) = executor.stats().states
        assert type(state) is str
        assert executor.stats().states == {"queued": 2}


def test_states_are_told_apart_by_their_text(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt_many(range(40))
        clock.run()
        for number, descriptor in poll.descriptors.items():
            descriptor.report("".join(["läuft ", str(number % 4)]))  # a new str each time
        assert executor.stats().states == {f"läuft {number}": 10 for number in range(4)}


def test_of_too_many_states_the_last_are_one(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt_many(range(300))
        clock.run()
        poll.descriptors[0].report("other")
        for number in range(1, 300):
            poll.descriptors[number].report(f"{number} % done")
        states = executor.stats().states
        assert sum(states.values()) == 300
        assert len(states) == 254
        assert states["other"] == 300 - 253
        assert [task.state for task in executor.outstanding()][-1] == "other"
        with pytest.raises(ValueError, match="encoded"):
            poll.descriptors[299].report("\udc80")
        poll.finish(*range(254, 300))
        assert executor.stats().states["other"] == 1
        poll.finish(0)
        assert "other" not in executor.stats().states


def test_progress_has_as_many_decimal_places_as_it_was_reported_with(clock: PacedClock, poll: NotedPoll) -> None:
    numbers = random.Random(1)
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run()
        for places in (1, 2, 3, 6, 9):
            for _ in range(100):
                progress = round(numbers.random(), places)
                poll.descriptors["a"].report(progress=progress)
                assert executor.outstanding()[0].progress == progress


@pytest.mark.skipif(sys.maxsize < 2**32 or FREE_THREADED, reason="sizes of a usual 64-bit Python")
def test_it_fits_into_what_a_task_with_options_has_anyhow(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run()
        (kind,) = {type(thing) for thing in gc.get_objects() if type(thing).__name__ == "PollState"}
        assert kind.__basicsize__ == 104  # eight pointers and numbers of 8 bytes, five of 4, and four of 1
