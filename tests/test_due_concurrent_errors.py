"""Calls that fail while others go on: each for itself, and all of a row with one line in the log."""

from __future__ import annotations

import logging

from paced_support import begin, end, paced, results
from support import PATIENCE, HeardLogger, Parking, SomeError, SteppedPoll


def test_errors_stay_in_their_batch() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=3, logger=HeardLogger()) as executor:
        futures = executor.adopt_many(range(3))
        calls = begin(stepped, 3)
        (bad,) = results(calls[:1])
        calls[0].end(raising=SomeError())
        assert isinstance(futures[bad].exception(PATIENCE), SomeError)
        end(calls[1:])
        assert [future.result(PATIENCE) for i, future in enumerate(futures) if i != bad] == [
            i for i in range(3) if i != bad
        ]
        calls[0].descriptors.clear()
        del futures


def test_a_row_of_failures_is_logged_once_although_calls_overlap() -> None:
    logger = HeardLogger()
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=3, logger=logger) as executor:
        futures = executor.adopt_many(range(30))
        for _ in range(10):
            for call in begin(stepped, 3):
                call.end(raising=SomeError())
                call.descriptors.clear()
        assert all(isinstance(future.exception(PATIENCE), SomeError) for future in futures)
        del futures
    assert [level for level, _, _ in logger.lines] == ["WARNING"]
    logger.lines.clear()


class ParkedLogger(HeardLogger):
    """Holds up who logs."""

    def __init__(self) -> None:
        super().__init__()
        self.parking = Parking()

    def handle(self, record: logging.LogRecord) -> None:
        super().handle(record)
        self.parking()


def test_a_failure_while_the_first_of_a_row_is_being_logged_is_not_logged() -> None:
    # 1. A call fails, and its thread is held up as it logs that. 2. Another fails: that is not logged, but goes on.
    logger = ParkedLogger()
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=2, logger=logger) as executor:
        futures = executor.adopt_many(range(2))
        first, second = begin(stepped, 2)
        (held_up,) = results([first])
        first.end(raising=SomeError())
        logger.parking.wait_for_one()
        second.end(raising=SomeError())
        assert isinstance(futures[1 - held_up].exception(PATIENCE), SomeError)
        logger.parking.let_go()
        assert isinstance(futures[held_up].exception(PATIENCE), SomeError)
        for call in (first, second):
            call.descriptors.clear()
        del futures
    assert len(logger.lines) == 1
    logger.lines.clear()
