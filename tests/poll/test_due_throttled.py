"""Throttled, out of a call: nothing is lost, no failure is counted, and the executor slows down."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from paced_support import (
    NotedPolicy,
    NotedPoll,
    PacedClock,
    clock_fixture,
    failing,
    in_both_modes,
    paced,
    poll_fixture,
)
from support import HeardLogger, SomeError, SteppedPoll

from more_executors.poll._gate import CallGate
from more_executors.rate_limit import RateLimit, Throttled

clock = clock_fixture()
poll = poll_fixture()


@pytest.mark.parametrize(("retry_after", "pause"), [(None, 1), (2.5, 2.5), (60, 60)])
@in_both_modes
def test_throttled_loses_nothing_and_pauses(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any], retry_after: float | None, pause: float
) -> None:
    policy = NotedPolicy()
    with paced(poll, retry_policy=policy, **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: Throttled(retry_after))
        futures = executor.adopt_many(range(3))
        clock.run(pause)
        executor.adopt("late")
        clock.run()
        assert all(set(poll.times(i)) <= {0, pause} for i in range(3))
        assert poll.times("late") == [pause]
        stats = executor.stats()
        assert (stats.errors, stats.throttled, stats.outstanding) == (0, 1, 4)
        assert policy.asked == []
        assert not any(future.done() for future in futures)


@in_both_modes
def test_notify_does_not_end_a_pause(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: Throttled(10))
        executor.adopt("a")
        clock.run(4)
        executor.notify()
        clock.run(6)
        assert poll.times("a") == [0, 10]


def test_a_rate_limit_says_when_to_go_on(clock: PacedClock, poll: NotedPoll) -> None:
    limit = RateLimit(4, clock=lambda: clock.now)
    failing(poll, 3, error=lambda: Throttled(10))
    with paced(poll, batch_size=1, rate_limit=limit, default_interval=inf) as executor:
        executor.adopt_many(range(8))
        clock.run(10)
        times = [when for when, _ in poll.calls]
        assert times[:3] == [0, 0.25, 0.5]
        assert not [when for when in times if 0.5 < when < 10.5]
        assert executor.stats().rate < 4
        clock.run(20)
        assert all(poll.times(i) for i in range(8))
        assert len(poll.calls) == 9


@pytest.mark.parametrize("error", [Throttled(1), SomeError()], ids=["is throttled", "fails"])
@in_both_modes
def test_poll_after_holds_although_the_call(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any], error: Exception
) -> None:
    errors = [error]

    def does(descriptors: list[Any]) -> None:
        if len(descriptors) == 2 and errors:
            poll.descriptors["a"].poll_after(30)
            raise errors.pop()

    with paced(poll, default_interval=2, retry_policy=NotedPolicy(seconds=1), logger=HeardLogger(), **mode) as executor:
        executor.adopt_many(list("ab"))
        clock.run(1)
        poll.does = does
        clock.run(30)
        assert max(poll.times("a")) == 2
        assert 3 in poll.times("b")
        clock.run(1)
        assert max(poll.times("a")) == 32
    error.__traceback__ = None


@in_both_modes
def test_what_was_asked_for_while_a_call_fails_is_polled_right_after_it(mode: dict[str, Any]) -> None:
    # 1. A call goes on. 2. notify. 3. The call fails, with a long time to the next try. 4. All is polled at once.
    stepped, policy = SteppedPoll(), NotedPolicy(seconds=3600)
    with paced(stepped, retry_policy=policy, logger=HeardLogger(), default_interval=inf, **mode) as executor:
        future = executor.adopt("a")
        while not (call := stepped.next()).descriptors:
            call.end()
        executor.notify()
        call.end(raising=SomeError())
        again = stepped.next()
        assert [descriptor.result for descriptor in again.descriptors] == ["a"]
        again.descriptors[0].yield_result("done")
        again.end()
        assert future.result(0) == "done"
    for end in (call, again):
        end.descriptors.clear()


def test_of_two_pauses_the_longer_holds() -> None:
    gate = CallGate(None)
    gate.throttled(0.0, Throttled(60.0))
    long = gate.pause.until
    gate.throttled(0.0, Throttled(1.0))
    assert gate.pause.until == long
    gate.throttled(0.0, Throttled(3600.0))
    assert gate.pause.until > long
