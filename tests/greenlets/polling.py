"""Poll executors and what belongs to them, among greenlets."""

from __future__ import annotations

import concurrent.futures
import io
import logging
import tempfile
import time
from pathlib import Path
from threading import Event
from typing import Any

from green import PATIENCE, Gate, Greenlet, let_others_run, outcomes, poll

from more_executors import Executors, PollExecutor
from more_executors.backoff import Backoff
from more_executors.journal import Journal
from more_executors.rate_limit import RateLimit, Throttled
from more_executors.retry import ExceptionRetryPolicy
from more_executors.status_poll import StatusPoll

quiet_logger = logging.getLogger("quiet")
quiet_logger.setLevel(logging.CRITICAL)


def a_poll_function_that_blocks_holds_up_nobody() -> None:
    gate = Gate()

    def slow(descriptors: list[Any]) -> None:
        if descriptors:
            gate()
        poll(descriptors)

    with Executors.sync().with_poll(slow) as executor, Executors.sync().with_poll(poll) as other:
        future = executor.submit(str, "slow")
        gate.arrived()
        assert [other.submit(str, number).result(PATIENCE) for number in range(20)] == [str(n) for n in range(20)]
        waiting = executor.submit(str, "cancelled meanwhile")
        assert waiting.cancel()
        try:
            future.result(0.01)
            raise AssertionError("done")
        except concurrent.futures.TimeoutError:
            pass
        gate.open()
        assert future.result(PATIENCE) == "slow"


def calls_go_on_at_the_same_time() -> None:
    begun: list[Any] = []
    all_are_there = Event()

    def meet(descriptors: list[Any]) -> None:
        begun.extend(descriptors)
        if len(begun) == 4:
            all_are_there.set()
        assert all_are_there.wait(PATIENCE)
        poll(descriptors)

    with Executors.sync().with_poll(meet, max_concurrency=4, batch_size=1) as executor:
        futures = [executor.submit(int, number) for number in range(4)]
        assert [future.result(PATIENCE) for future in futures] == [0, 1, 2, 3]


def everything_at_once() -> None:
    """Batches, groups, a schedule, a rate limit that is throttled, retries and deadlines."""
    calls = 0

    def flaky(descriptors: list[Any]) -> None:
        nonlocal calls
        calls += 1
        time.sleep(0)
        if calls % 7 == 3:
            raise Throttled(0.001)
        if calls % 7 == 5:
            raise OSError("for the moment")
        poll(descriptors[: len(descriptors) // 2 + 1])

    executor = Executors.sync().with_poll(
        flaky,
        default_interval=0.001,
        batch_size=10,
        group_by=lambda number: number % 3,
        max_concurrency=3,
        rate_limit=RateLimit(5000, burst=10),
        retry_policy=ExceptionRetryPolicy(max_attempts=1000, sleep=0.001, max_sleep=0.001),
        schedule=Backoff(0.001, maximum=0.002),
        timeout=60,
        logger=quiet_logger,
    )
    with executor:
        futures = executor.adopt_many(range(300))
    assert [future.result(0) for future in futures] == [*range(300)]


def late_tasks_fail_and_are_cancelled() -> None:
    cancelled: list[Any] = []
    gate = Gate()

    def cancel(result: Any) -> bool:
        cancelled.append(gate(result))
        return True

    with Executors.sync().with_poll(lambda _: 60.0, cancel, timeout=0.01) as executor:
        futures = executor.adopt_many(range(3))
        gate.arrived()
        assert all(isinstance(future.exception(PATIENCE), TimeoutError) for future in futures)
        gate.open()
    assert cancelled == [0, 1, 2]


def a_cancel_that_blocks_is_shared() -> None:
    gate = Gate()
    with Executors.sync().with_poll(lambda _: 60.0, lambda _: gate(True)) as executor:
        future = executor.submit(str, "task")
        first = Greenlet(future.cancel)
        gate.arrived()
        others = [Greenlet(future.cancel) for _ in range(3)]
        let_others_run()
        assert not any(other.is_over() for other in others), "they do not wait for the answer"
        gate.open()
        assert outcomes([first, *others]) == [True] * 4
        assert gate.passed == 1


def a_cancel_function_that_cancels_its_own_task_gets_no() -> None:
    answers: list[bool] = []
    futures: list[Any] = []

    def cancel(_: Any) -> bool:
        answers.append(futures[0].cancel())
        return True

    with Executors.sync().with_poll(lambda _: 60.0, cancel) as executor:
        futures.append(executor.submit(str, "task"))
        assert futures[0].cancel()
    assert answers == [False]


def many_are_cancelled_in_bulk() -> None:
    def cancel_many(results: list[Any]) -> list[bool]:
        time.sleep(0)
        return [result % 2 == 0 for result in results]

    executor = Executors.sync().with_poll(lambda _: 60.0, cancel_many_fn=cancel_many, batch_size=7)
    futures = executor.adopt_many(range(50))
    cancelling = [Greenlet(executor.cancel_all) for _ in range(3)]
    assert max(outcomes(cancelling)) == 25
    assert [future.cancelled() for future in futures] == [number % 2 == 0 for number in range(50)]
    executor._table.cancel_all()


def a_rate_limit_serves_greenlets_in_order() -> None:
    limit, served = RateLimit(200), []
    greenlets = [Greenlet(lambda number=number: (limit.take(), served.append(number))) for number in range(10)]
    let_others_run()
    assert limit.take(0) is False
    outcomes(greenlets)
    assert served == [*range(10)]


def a_rate_limit_holds_back_polls_and_cancels() -> None:
    limit = RateLimit(500)
    with Executors.sync().with_poll(poll, lambda _: True, default_interval=0.001, rate_limit=limit) as executor:
        futures = executor.adopt_many(range(50))
        cancelled = outcomes([Greenlet(future.cancel) for future in futures[::10]])
    assert all(future.done() for future in futures)
    assert cancelled == [future.cancelled() for future in futures[::10]]


def a_journal_keeps_what_is_outstanding() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks"
        with Journal(path) as journal:
            executor = PollExecutor(Executors.sync(), lambda _: 60.0, journal=journal)
            futures = executor.adopt_many(range(20))
            flushing = [Greenlet(executor.flush_journal) for _ in range(3)]
            assert outcomes(flushing) == [True] * 3
            assert [future.cancel() for future in futures[:5]] == [True] * 5
            assert executor.flush_journal(PATIENCE)
            executor._engine.stop_recording()
            executor._table.cancel_all()
            executor.shutdown()
        with Journal(path) as journal:
            with PollExecutor(Executors.sync(), poll, journal=journal) as executor:
                resumed = executor.resume()
                assert [result for result, _ in resumed] == [*range(5, 20)]
            assert [future.result(0) for _, future in resumed] == [*range(5, 20)]
        with Journal(path) as journal:
            assert [*journal.outstanding()] == []


def statuses_are_fetched() -> None:
    def fetch(ids: list[Any]) -> dict[Any, str]:
        time.sleep(0)
        return dict.fromkeys(ids, "done")

    def resolve(descriptor: Any, status: str) -> None:
        descriptor.yield_result(status)

    statuses = StatusPoll(fetch, None, resolve)
    with Executors.thread_pool(max_workers=4).with_poll(statuses, batch_size=10, max_concurrency=2) as executor:
        futures = [executor.submit(str, number) for number in range(40)]
    assert [future.result(0) for future in futures] == ["done"] * 40


def there_is_no_executor_with_an_event_loop() -> None:
    try:
        Executors.event_loop()
    except RuntimeError as error:
        assert "greenlets of threads" in str(error)
    else:
        raise AssertionError("made")


def an_async_def_is_refused_at_once() -> None:
    async def asynchronous(_: Any) -> None:
        raise AssertionError("called")

    for functions in (
        {"poll_fn": asynchronous},
        {"poll_fn": poll, "cancel_fn": asynchronous},
        {"poll_fn": poll, "cancel_many_fn": asynchronous},
    ):
        try:
            PollExecutor(Executors.sync(), **functions)
        except RuntimeError as error:
            assert "greenlets" in str(error)
            assert [*functions][-1] in str(error)
        else:
            raise AssertionError("not refused")


def progress_is_shown_by_another_greenlet() -> None:
    from more_executors.progress import progress

    with Executors.sync().with_poll(poll) as executor:
        futures = [executor.submit(str, number) for number in range(10)]
        with progress(futures, disable=False, file=io.StringIO()) as bar:
            assert [future.result(PATIENCE) for future in futures] == [str(number) for number in range(10)]
        assert bar.n == 10


def metrics_are_scraped_meanwhile() -> None:
    from prometheus_client import REGISTRY, generate_latest

    gate = Gate()

    def slow(descriptors: list[Any]) -> None:
        if descriptors:
            gate()
        poll(descriptors)

    with Executors.sync().with_poll(slow, name="scraped") as executor:
        future = executor.submit(str, "task")
        gate.arrived()
        for text in outcomes([Greenlet(generate_latest, REGISTRY) for _ in range(5)]):
            assert b'more_executors_poll_outstanding{executor="scraped"} 1.0' in text
        gate.open()
        assert future.result(PATIENCE) == "task"
