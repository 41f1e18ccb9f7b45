"""StatusPoll: what it can be made of."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from status_poll_support import FakeDescriptor, Service, key, outcomes, resolve, status

from more_executors.status_poll import StatusPoll


@pytest.mark.parametrize("missing_after", ["soon", object(), 1j])
def test_a_time_that_is_no_number_is_refused(missing_after: Any) -> None:
    with pytest.raises(TypeError, match="missing_after"):
        StatusPoll(Service().fetch, key, resolve, missing_after=missing_after)


@pytest.mark.parametrize("missing_after", [-1, float("nan"), -float("inf")])
def test_a_time_that_is_negative_is_refused(missing_after: float) -> None:
    with pytest.raises(ValueError, match=f"missing_after .*{missing_after}"):
        StatusPoll(Service().fetch, key, resolve, missing_after=missing_after)


@pytest.mark.parametrize("what", ["fetch", "key", "resolve", "id", "clock", "logger"])
def test_what_cannot_be_called_is_refused(what: str) -> None:
    functions: dict[str, Any] = {"fetch": Service().fetch, "key": key, "resolve": resolve, what: "nonsense"}
    with pytest.raises(TypeError, match=f"{what} must be .*'nonsense'"):
        StatusPoll(**functions)


def test_it_says_what_it_is() -> None:
    assert repr(StatusPoll(gc.collect, key, resolve)) == "<StatusPoll of <built-in function collect>>"


def test_it_can_be_subclassed() -> None:
    class Counting(StatusPoll[Any, Any]):
        calls = 0

        def __call__(self, descriptors: list[Any]) -> None:
            self.calls += 1
            super().__call__(descriptors)

    poll = Counting(Service([status(1)]).fetch, key, resolve)
    tasks = [FakeDescriptor(1)]
    poll(tasks)  # type: ignore[arg-type]
    assert (poll.calls, outcomes(tasks)) == (1, [("result", 1)])
