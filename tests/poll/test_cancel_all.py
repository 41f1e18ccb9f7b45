"""Cancelling many at once: `cancel_all`, `shutdown(cancel_futures=True)` and cancel-on-shutdown, in bulk."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support import PATIENCE, DuckDelegate, HeardLogger, InThread, Parking, PollSleeps, SomeError, all_at_once

from more_executors import CancelOnShutdownExecutor, Executors, PollExecutor, SyncExecutor
from more_executors.poll import _cancel_call, _gate
from more_executors.rate_limit import RateLimit, Throttled

NEVER = 3600.0


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


class Service:
    """Cancels many at once, by `answer(results)`; `asked` has the lists it was given."""

    def __init__(self, answer: Callable[[list[Any]], Any] = lambda results: [True for _ in results]) -> None:
        self.asked: list[list[Any]] = []
        self._answer = answer

    def all_asked(self) -> list[Any]:
        """All that it was asked about."""
        return [result for results in self.asked for result in results]

    def __call__(self, results: list[Any]) -> Any:
        self.asked.append(results)
        return self._answer(results)


# In either way of polling; both leave it to `batch_size` how many are asked about at a time.
MODES: dict[str, dict[str, Any]] = {"whole list": {}, "what is due": {"batch_size": 100}}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def leave(futures: Iterable[Any]) -> None:
    """End what is not done."""
    for future in futures:
        if not future.done():
            future.set_result(None)


@every_mode
def test_all_are_asked_about_in_lists_no_longer_than_a_batch_in_order(mode: Any) -> None:
    service = Service()
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service, **mode) as executor:
        futures = executor.adopt_many(range(250))
        assert executor.cancel_all() == 250
        assert [len(results) for results in service.asked] == ([100, 100, 50] if mode else [250])
        assert service.all_asked() == list(range(250))
        assert all(future.cancelled() for future in futures)
        assert executor.stats()[5:8] == (250, 0, 250)  # done, failed, cancelled
        assert executor.cancel_all() == 0
        assert len(service.asked) == (3 if mode else 1)


@pytest.mark.parametrize("how", ["cancel_futures", "on shutdown"])
def test_shutting_down_cancels_in_bulk(how: str) -> None:
    service = Service()
    executor: Any = PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service, batch_size=10)
    if how == "on shutdown":
        executor = CancelOnShutdownExecutor(executor)
    futures = [executor.submit(int, n) for n in range(25)]
    executor.shutdown(cancel_futures=how == "cancel_futures")
    assert [len(results) for results in service.asked] == [10, 10, 5]
    assert all(future.cancelled() for future in futures)


ABOVE: dict[str, Callable[[Any], Any]] = {
    "map": lambda executor: executor.with_map(str),
    "flat map": lambda executor: executor.with_flat_map(lambda x: x),
    "retry": lambda executor: executor.with_retry(),
    "timeout": lambda executor: executor.with_timeout(NEVER),
    "all": lambda executor: executor.with_map(str).with_timeout(NEVER).with_retry().with_map(str),
}


class PollsLast:
    """A poll function that ends the task of 100 alone; `polled` has what it was called with last."""

    def __init__(self) -> None:
        self.polled: list[Any] = []

    def __call__(self, descriptors: list[Any]) -> float:
        self.polled[:] = descriptors
        for descriptor in descriptors:
            if descriptor.result == 100:
                descriptor.yield_result(100)
        return NEVER


def submit_some(executor: Any, count: int) -> list[Any]:
    """Submit so many, and wait until each layer has the future of the one below, and all are polled."""
    futures = [executor.submit(int, n) for n in range(count)]
    executor.submit(int, 100).exception(PATIENCE)  # layers with a thread submit one after the other
    return futures


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE)
def test_through_a_chain_above_the_poll_it_is_still_in_bulk(above: Callable[[Any], Any]) -> None:
    service = Service()
    executor = above(Executors.sync().with_poll(PollsLast(), cancel_many_fn=service)).with_cancel_on_shutdown()
    futures = submit_some(executor, 25)
    executor.shutdown()
    assert [len(results) for results in service.asked] == [25]
    assert [future.cancelled() for future in futures] == [True] * 25
    assert executor._table.counters.cancels == 25


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE)
def test_through_a_chain_a_refusal_is_one(above: Callable[[Any], Any]) -> None:
    asked, poll = Parking(), PollsLast()

    def cancel_many(results: list[Any]) -> list[bool]:
        asked()
        return [result % 2 == 1 for result in results]

    executor = above(Executors.sync().with_poll(poll, cancel_many_fn=cancel_many)).with_cancel_on_shutdown()
    futures = submit_some(executor, 10)
    shutting_down = InThread(executor.shutdown)
    asked.wait_for_one()
    for descriptor in poll.polled:
        if descriptor.result % 2 == 0:
            descriptor.yield_result()
    asked.let_go()
    shutting_down.outcome()
    assert [future.cancelled() for future in futures] == [n % 2 == 1 for n in range(10)]
    poll.polled.clear()


# -- answers -------------------------------------------------------------------------------------------------------


class NoTruth:
    def __bool__(self) -> bool:
        raise SomeError


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda results: [True], "must return 4 truth values, not 1"),
        (lambda results: [True] * 5, "must return 4 truth values, not 5"),
        (lambda results: None, "not iterable"),
        (lambda results: [True, NoTruth(), True, True], ""),
    ],
    ids=["too few", "too many", "none", "no truth"],
)
def test_an_answer_that_makes_no_sense_is_no_and_is_logged_once(answer: Callable[..., Any], words: str) -> None:
    logger, service = HeardLogger(), Service(answer)
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service, logger=logger) as executor:
        futures = executor.adopt_many(range(4))
        assert executor.cancel_all() == 0
        assert not any(future.cancelled() for future in futures)
        leave(futures)
    ((level, message, error),) = logger.lines
    assert (level, message) == ("ERROR", "Exception during cancel of 4 tasks")
    assert words in str(error)


def test_the_truth_of_an_answer_counts_and_it_may_come_bit_by_bit() -> None:
    def answer(results: list[Any]) -> Iterable[object]:
        yield from ("", "yes", 0, [None])

    service = Service(answer)
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service) as executor:
        futures = executor.adopt_many(range(4))
        assert executor.cancel_all() == 2
        assert [future.cancelled() for future in futures] == [False, True, False, True]
        leave(futures)


def test_what_it_raises_for_one_batch_changes_nothing_for_the_others() -> None:
    logger, error = HeardLogger(), SomeError()

    def answer(results: list[Any]) -> list[bool]:
        if 3 in results:
            raise error
        return [True for _ in results]

    options: dict[str, Any] = {"cancel_many_fn": Service(answer), "batch_size": 2, "logger": logger}
    with PollExecutor(SyncExecutor(), wait_for_nothing, **options) as executor:
        futures = executor.adopt_many(range(6))
        assert executor.cancel_all() == 4
        assert [future.cancelled() for future in futures] == [True, True, False, False, True, True]
        leave(futures)
    assert logger.lines == [("ERROR", "Exception during cancel of 2 tasks", error)]
    error.__traceback__ = None


@pytest.mark.parametrize("limit", [None, RateLimit(1e6)], ids=["without a limit", "with a limit"])
def test_throttled_it_is_asked_again_and_not_for_ever(limit: RateLimit | None, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(_gate, "sleep", slept.append)
    logger = HeardLogger()
    throttled = [Throttled(0), Throttled(0)]

    def answer(results: list[Any]) -> list[bool]:
        if throttled:
            raise throttled.pop()
        return [True for _ in results]

    service = Service(answer)
    options: dict[str, Any] = {"cancel_many_fn": service, "rate_limit": limit, "logger": logger}
    with PollExecutor(SyncExecutor(), wait_for_nothing, **options) as executor:
        executor.adopt_many(range(3))
        assert executor.cancel_all() == 3
        assert service.asked == [[0, 1, 2]] * 3
        assert slept == []
        assert not logger.lines
        futures = executor.adopt_many(range(3))
        throttled += [Throttled(0)] * 100
        assert executor.cancel_all() == 0
        assert 3 < len(service.asked) < 50
        assert logger.of_level("ERROR") == ["Exception during cancel of 3 tasks"]
        leave(futures)
    throttled.clear()


# -- who else has a say ------------------------------------------------------------------------------------------------


def test_what_the_delegate_has_is_for_the_delegate_to_cancel() -> None:
    service = Service()
    delegate: Any = DuckDelegate()
    with PollExecutor(delegate, wait_for_nothing, cancel_many_fn=service) as executor:
        futures = [executor.submit(int) for _ in range(3)]
        delegate.given[0].agrees_to_cancel = True
        delegate.given[1].end("polled")
        assert executor.cancel_all() == 2
        assert service.asked == [["polled"]]
        assert [future.cancelled() for future in futures] == [True, True, False]
        leave(futures)


def test_one_future_is_cancelled_by_asking_about_a_list_of_one_where_there_is_no_cancel_fn() -> None:
    service = Service()
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service) as executor:
        assert executor.adopt("key").cancel() is True
    assert service.asked == [["key"]]


def test_one_cancel_fn_is_for_one_and_the_other_for_many() -> None:
    one: Any = Service(lambda result: False)
    many = Service()
    with PollExecutor(SyncExecutor(), wait_for_nothing, one, cancel_many_fn=many) as executor:
        first, _ = executor.adopt_many(list("ab"))
        assert first.cancel() is False
        assert executor.cancel_all() == 2
    assert one.asked == ["a"]
    assert many.asked == [["a", "b"]]


def test_a_cancel_that_comes_meanwhile_shares_the_answer_and_one_that_came_before_gives_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sleeps = PollSleeps(monkeypatch)
    one, many = Parking(True), Parking([True, False])
    with PollExecutor(SyncExecutor(), wait_for_nothing, one, cancel_many_fn=many) as executor:
        futures = executor.adopt_many(list("abc"))
        before = InThread(futures[0].cancel)
        one.wait_for_one()
        all_of_them = InThread(executor.cancel_all)
        many.wait_for_one()
        assert many.calls == [(["b", "c"],)]
        meanwhile = [InThread(future.cancel) for future in futures[1:]]
        sleeps.wait_for_others(2)
        many.let_go()
        assert [thread.outcome() for thread in meanwhile] == [True, False]
        one.let_go()
        assert before.outcome() is True
        assert all_of_them.outcome() == 2
        leave(futures)
    assert one.calls == [("a",)]


def test_what_is_resolved_meanwhile_is_not_cancelled() -> None:
    many = Parking([True, True])
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=many) as executor:
        futures = executor.adopt_many(list("ab"))
        cancelling = InThread(executor.cancel_all)
        many.wait_for_one()
        futures[0].set_result("in time")
        assert InThread(futures[0].cancel).outcome() is False  # at once: the answer is known
        many.let_go()
        assert cancelling.outcome() == 1
        assert [future.cancelled() for future in futures] == [False, True]


def test_several_may_cancel_all_at_once_and_each_task_is_asked_about_by_one_of_them() -> None:
    service = Service()
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service, batch_size=7)
    futures = executor.adopt_many(range(300))
    all_at_once(executor.cancel_all, executor.shutdown, executor.cancel_all, executor.cancel_all)
    assert sorted(service.all_asked()) == list(range(300))
    assert concurrent.futures.wait(futures, PATIENCE).not_done == set()


@pytest.mark.parametrize("mode", ["bulk", "one by one"])
def test_a_pause_longer_than_a_cancel_may_take_is_not_waited_for(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that wants to be left alone for longer than a cancel may take: it is asked once, and that is all."""
    slept: list[float] = []
    monkeypatch.setattr(_gate, "sleep", slept.append)
    logger = HeardLogger()
    asked: list[Any] = []

    def throttled(argument: Any) -> Any:
        asked.append(argument)
        raise Throttled(100)

    options: dict[str, Any] = {"cancel_many_fn" if mode == "bulk" else "cancel_fn": throttled, "logger": logger}
    with PollExecutor(SyncExecutor(), wait_for_nothing, **options) as executor:
        futures = executor.adopt_many(range(2))
        assert executor.cancel_all() == 0
        assert asked == ([[0, 1]] if mode == "bulk" else [0])
        assert slept == []
        leave(futures)
    logger.lines.clear()


def test_it_is_asked_again_as_long_as_the_pauses_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of 25 s: two fit into the minute that a cancel may take."""
    now = [1000.0]
    for module in (_cancel_call, _gate):
        monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(_gate, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    asked: list[Any] = []

    def throttled(results: list[Any]) -> Any:
        asked.append(now[0])
        raise Throttled(25)

    logger = HeardLogger()
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=throttled, logger=logger) as executor:
        futures = executor.adopt_many(range(2))
        assert executor.cancel_all() == 0
        assert asked == [1000.0, 1025.0, 1050.0]
        leave(futures)
    logger.lines.clear()


def test_what_the_delegate_has_is_cancelled_newest_first() -> None:
    """Else the delegate would begin the oldest while others are cancelled."""
    cancelled: list[int] = []
    delegate: Any = DuckDelegate()
    with PollExecutor(delegate, wait_for_nothing, cancel_many_fn=Service()) as executor:
        futures = [executor.submit(int) for _ in range(5)]
        for number, given in enumerate(delegate.given):
            given.cancel = lambda number=number, cancel=given.cancel: (cancelled.append(number), cancel())[1]
        executor.cancel_all()
        assert cancelled == [4, 3, 2, 1, 0]
        leave(futures)
