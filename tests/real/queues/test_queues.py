"""Futures of jobs that real workers run, over a real Redis; and of those whose worker was killed."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import pytest
from support import CHILD_PATIENCE

from more_executors.services import TaskFailed
from more_executors.services.queues import CeleryTasks, DramatiqMessages, HueyTasks, NothingHeard, RqJobs
from more_executors.services.testing import ServiceTests

KIT = ServiceTests()
KIT.seconds = CHILD_PATIENCE


def polling(service: Any) -> Any:
    service.interval = 0.05
    return KIT.executor(service)


def state_of(executor: Any, task: str) -> str | None:
    return next((one.state for one in executor.outstanding() if one.result == task), None)


def result_of(future: Future[Any]) -> Any:
    return future.result(CHILD_PATIENCE)


def test_celery(queue_app: Any, workers: Any) -> None:
    tasks, fns = CeleryTasks(queue_app.app, cancel_patience=10.0), queue_app.in_celery
    with workers("celery") as kill, polling(tasks) as executor:
        threads = threading.active_count()
        many = [executor.submit(tasks.start, fns["add"], number, 1) for number in range(200)]
        assert threading.active_count() <= threads + 1
        none, failed, dead = (executor.submit(tasks.start, fns[name]) for name in ("none", "fail", "die"))
        assert [result_of(future) for future in many] == list(range(1, 201))
        assert result_of(none) is None
        assert isinstance(failed.exception(CHILD_PATIENCE), KeyError)
        assert type(dead.exception(CHILD_PATIENCE)).__name__ == "WorkerLostError"

        running = tasks.start(fns["sleep"], 2)
        future = executor.adopt(running)
        KIT.until(lambda: state_of(executor, running) == "started")
        assert not future.cancel()  # it was not waited for long enough, or has ended all the same
        assert result_of(future) == "slept"

        terminating = CeleryTasks(queue_app.app, terminate=True, cancel_patience=CHILD_PATIENCE)
        running = tasks.start(fns["sleep"], 600)
        future = executor.adopt(running)
        KIT.until(lambda: state_of(executor, running) == "started")
        assert terminating.cancel(running)
        assert type(future.exception(CHILD_PATIENCE)).__name__ == "TaskRevokedError"

        lost = tasks.start(fns["sleep"], 600)
        executor.adopt(lost)
        KIT.until(lambda: state_of(executor, lost) == "started")
        kill()
    assert not CeleryTasks(queue_app.app, cancel_patience=0.1).cancel(lost)
    with workers("celery"), polling(CeleryTasks(queue_app.app, silent_after=1.0)) as executor:
        error = executor.adopt(lost).exception(CHILD_PATIENCE)
        assert isinstance(error, NothingHeard)
        assert "STARTED" in str(error)


def test_rq(url: str, queue_app: Any, workers: Any) -> None:
    import redis
    import rq

    connection = redis.Redis.from_url(url)
    jobs = RqJobs(rq.Queue(connection=connection), stop=True, cancel_patience=CHILD_PATIENCE)
    with workers("rq") as kill, polling(jobs) as executor:
        many = [executor.submit(jobs.start, queue_app.add, number, 1) for number in range(20)]
        names = ("none", "fail", "die", "lock")
        none, failed, dead, lock = (executor.submit(jobs.start, getattr(queue_app, name)) for name in names)
        assert [result_of(future) for future in many] == list(range(1, 21))
        assert result_of(none) is None
        assert "KeyError" in str(failed.exception(CHILD_PATIENCE))
        assert "terminated unexpectedly" in str(dead.exception(CHILD_PATIENCE))
        assert "could not serialize" in str(lock.exception(CHILD_PATIENCE))

        running, waiting = jobs.start(queue_app.sleep, 600), jobs.start(queue_app.add, 1, 2)
        futures = executor.adopt_many([running, waiting])
        KIT.until(lambda: state_of(executor, running) == "started")
        assert jobs.cancel(waiting)
        assert futures[1].exception(CHILD_PATIENCE) is not None
        assert not RqJobs(rq.Queue(connection=connection)).cancel(running)
        assert jobs.cancel(running)
        assert isinstance(futures[0].exception(CHILD_PATIENCE), TaskFailed)

        lost = jobs.start(queue_app.sleep, 600)
        executor.adopt(lost)
        KIT.until(lambda: state_of(executor, lost) == "started")
        kill()
    with workers("rq"), polling(RqJobs(rq.Queue(connection=connection), silent_after=1.0)) as executor:
        error = executor.adopt(lost).exception(CHILD_PATIENCE)
        assert isinstance(error, NothingHeard)
        assert "started" in str(error)
    connection.close()


def test_huey(queue_app: Any, workers: Any) -> None:
    tasks, fns = HueyTasks(queue_app.a_huey), queue_app.in_huey
    with workers("huey") as kill, polling(tasks) as executor:
        many = [executor.submit(tasks.start, fns["add"], number, 1) for number in range(100)]
        none, failed, again = (executor.submit(tasks.start, fns[name]) for name in ("none", "fail", "fail_once"))
        assert [result_of(future) for future in many] == list(range(1, 101))
        assert result_of(none) is None
        assert "KeyError('the key')" in str(failed.exception(CHILD_PATIENCE))
        assert result_of(again) == "at last"
        kill()
        waits = executor.submit(tasks.start, fns["add"], 1, 2)
        assert waits.cancel()
    with workers("huey") as kill, polling(tasks) as executor:
        running = executor.submit(tasks.start, fns["sleep"], 2)
        KIT.until(lambda: not queue_app.a_huey.pending())
        assert not running.cancel()  # it has begun
        assert result_of(running) == "slept"
        lost = tasks.start(fns["sleep"], 600)
        KIT.until(lambda: not queue_app.a_huey.pending())
        kill()
    with workers("huey"), polling(HueyTasks(queue_app.a_huey, silent_after=1.0)) as executor:
        for future in executor.adopt_many(["unknown", lost]):
            assert isinstance(future.exception(CHILD_PATIENCE), NothingHeard)
    queue_app.a_huey.storage.conn.close()


@pytest.mark.parametrize("times", [100])
def test_dramatiq(queue_app: Any, workers: Any, times: int) -> None:
    messages, actors = DramatiqMessages(queue_app.broker), queue_app.in_dramatiq
    with workers("dramatiq") as kill, polling(messages) as executor:
        many = [executor.submit(messages.start, actors["add"], number, 1) for number in range(times)]
        none, failed = (executor.submit(messages.start, actors[name]) for name in ("none", "fail"))
        assert [result_of(future) for future in many] == list(range(1, times + 1))
        assert result_of(none) is None
        assert "KeyError" in str(failed.exception(CHILD_PATIENCE))
        lock = messages.start(actors["lock"])
        result_of(executor.submit(messages.start, actors["sleep"], 1))  # and so the other one was processed
        killed = messages.start(actors["sleep"], 3)
        KIT.until(lambda: not queue_app.broker.client.llen("dramatiq:default"))  # a worker has it
        kill()
    with polling(DramatiqMessages(queue_app.broker, silent_after=0.5)) as executor:
        assert isinstance(executor.adopt(killed).exception(CHILD_PATIENCE), NothingHeard)
    with workers("dramatiq"), polling(messages) as executor:  # which sends what a worker has left to another one
        assert result_of(executor.adopt(killed)) == "slept"
    with polling(DramatiqMessages(queue_app.broker, silent_after=0.5)) as executor:
        assert "could not be encoded" in str(executor.adopt(lock).exception(CHILD_PATIENCE))
