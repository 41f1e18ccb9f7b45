"""The delay between polls: the number of seconds the poll function returned, else the default interval."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan
from unittest import mock

import pytest
from support import (
    FOREVER,
    HeardLogger,
    PollSleeps,
    returning,
)

from more_executors import PollExecutor, SyncExecutor


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> PollSleeps:
    return PollSleeps(monkeypatch)


@pytest.mark.parametrize(
    ("returned", "seconds"),
    [(3, 3.0), (0.25, 0.25), (Decimal("1.5"), 1.5), (True, 1.0), (inf, FOREVER), (10**400, FOREVER), (1e300, FOREVER)],
)
def test_the_delay_is_the_number_the_poll_function_returned(
    sleeps: PollSleeps, returned: object, seconds: float
) -> None:
    with PollExecutor(SyncExecutor(), returning(returned), default_interval=7.0):
        assert sleeps.next() == seconds


def test_a_delay_of_zero_is_no_delay(sleeps: PollSleeps) -> None:
    poll = returning(0, 0.0, -0.0, False)
    calls = []
    with PollExecutor(SyncExecutor(), lambda descriptors: (calls.append(1), poll(descriptors))[1]):
        assert sleeps.next() == FOREVER
        assert len(calls) == 5


@pytest.mark.parametrize(
    "returned",
    [None, "3", b"3", 3 + 0j, [3], object(), int, mock.Mock(spec=int)],
    ids=lambda value: type(value).__name__,
)
def test_without_a_number_the_delay_is_the_default_interval(sleeps: PollSleeps, returned: object) -> None:
    with PollExecutor(SyncExecutor(), returning(returned, returned), default_interval=7.0) as executor:
        assert sleeps.next() == 7.0
        executor.notify()
        assert sleeps.next() == 7.0


def test_the_default_interval_is_5_s_by_default(sleeps: PollSleeps) -> None:
    with PollExecutor(SyncExecutor(), returning(None)):
        assert sleeps.next() == 5.0


@pytest.mark.parametrize("returned", [nan, -nan, -1, -0.001, -inf, -(10**400)], ids=lambda value: str(value)[:8])
def test_a_nan_or_negative_delay_is_read_as_the_default_interval_and_logged_once(
    sleeps: PollSleeps, returned: float
) -> None:
    logger = HeardLogger()
    with PollExecutor(SyncExecutor(), returning(*[returned, -2] * 3), None, 7.0, logger) as executor:
        for _ in range(6):
            assert sleeps.next() == 7.0
            executor.notify()
        assert sleeps.next() == FOREVER
    (line,) = logger.lines
    assert line[0] == "WARNING"
    assert repr(returned) in line[1]
