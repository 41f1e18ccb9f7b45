"""RQ: what futures of jobs give, by an RQ on a Redis in memory; workers are a stand-in, or run in the test."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from queue_stand import StoreTests, polled, polling
from support import PATIENCE

from more_executors.journal import StartInDoubt
from more_executors.services import Service, TaskFailed, tag_of
from more_executors.services.queues import NothingHeard, RemoteTraceback, RqJobs

rq = pytest.importorskip("rq", reason="needs the extra `rq`")
fakeredis = pytest.importorskip("fakeredis", reason="needs the extra `queues`")
pytest.importorskip("lupa", reason="needs the extra `queues`")
Job = pytest.importorskip("rq.job").Job
Result = pytest.importorskip("rq.results").Result


def add(first: int, second: int) -> int:
    return first + second


def give_none() -> None:
    return None


def give_a_lock() -> Any:
    return threading.Lock()


def fail() -> None:
    raise KeyError("the key")


class StandIn:
    """A Redis in memory, which can be away, and a worker that does what it is told."""

    def __init__(self) -> None:
        self.server = fakeredis.FakeServer()
        self.client = fakeredis.FakeStrictRedis(server=self.server)
        self.mine = fakeredis.FakeStrictRedis(server=self.server)
        self.queue = rq.Queue(connection=self.client)
        self.answers = threading.Event()
        self.answers.set()
        self.round_trips = 0
        pipeline = self.client.pipeline

        def counted(*args: Any, **options: Any) -> Any:
            pipe = pipeline(*args, **options)
            execute = pipe.execute

            def executed(*given: Any, **also: Any) -> Any:
                reply = execute(*given, **also)
                self.round_trips += 1
                assert self.answers.wait(PATIENCE)
                return reply

            pipe.execute = executed
            return pipe

        self.client.pipeline = counted

    def job(self, task: str) -> Any:
        return Job.fetch(task, connection=self.mine)

    def end(self, task: str, status: str, kind: Any, **outcome: Any) -> None:
        job = self.job(task)
        Result.create(job, kind, 600, **outcome)
        job.set_status(status)

    def put(self, task: str, **fields: str) -> None:
        self.mine.hset(Job.key_for(task), mapping=fields)

    def work(self) -> None:
        worker = rq.SimpleWorker([rq.Queue(connection=self.mine)], connection=self.mine)
        worker._install_signal_handlers = lambda: None  # they would stay
        worker.subscribe = lambda: None  # by a thread that stays if it is told to end before it has begun
        worker.work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    made = StandIn()
    yield made
    made.client.close()
    made.mine.close()


@pytest.fixture
def jobs(stand_in: StandIn) -> RqJobs:
    made = RqJobs(stand_in.queue)
    made.interval = 0.01
    return made


class TestTheKit(StoreTests):
    states_that_go_on = ("queued", "started", "scheduled", "deferred", "rate_limited")
    failure = TaskFailed
    stand_in: StandIn

    def make_service(self) -> RqJobs:
        self.stand_in = StandIn()
        made = RqJobs(self.stand_in.queue, silent_after=math.inf)
        made.interval = 0.005
        made.missing_after = 0.1
        return made

    def start(self, service: Service[Any, Any, Any], tag: str | None = None) -> str:
        task: str = service.start(add, 1, 2, tag=tag)
        return task

    def finish(self, task: str) -> str:
        self.stand_in.end(task, "finished", Result.Type.SUCCESSFUL, return_value=f"the result of {task}")
        self.stand_in.mine.lrem(self.stand_in.queue.key, 0, task)
        return f"the result of {task}"

    def fail(self, task: str) -> None:
        self.stand_in.end(task, "failed", Result.Type.FAILED, exc_string="Traceback …\nValueError: no")

    def forget(self, task: str) -> None:
        self.stand_in.job(task).delete()

    def go_on(self, task: str, state: str) -> None:
        self.stand_in.put(task, status=state)

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        self.stand_in.mine.rename(Job.key_for(task), "elsewhere")
        yield
        self.stand_in.mine.rename("elsewhere", Job.key_for(task))

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.stand_in.server.connected = False
        yield
        self.stand_in.server.connected = True

    def is_cancelled(self, task: str) -> bool:
        return bool(self.stand_in.job(task).get_status() == "canceled")

    def reuse(self, task: str) -> str:
        self.stand_in.job(task).delete()
        return str(rq.Queue(connection=self.stand_in.mine).enqueue(add, 1, 2, job_id=task).id)


def test_jobs_that_a_worker_runs_end_as_they_ended(jobs: RqJobs, stand_in: StandIn) -> None:
    tasks = [
        jobs.start(add, 1, second=2),
        jobs.start(give_none),
        jobs.start(f"{__name__}.fail"),
        jobs.start(give_a_lock),
    ]
    stand_in.work()
    with polling(jobs) as executor:
        added, none, failed, lock = executor.adopt_many(tasks)
        assert added.result(PATIENCE) == 3
        assert none.result(PATIENCE) is None
        error = failed.exception(PATIENCE)
        assert isinstance(error, TaskFailed)
        assert error.why == "KeyError: 'the key'"
        assert error.status.status == "failed"
        assert isinstance(error.__cause__, RemoteTraceback)
        assert "raise KeyError" in str(error.__cause__)
        assert "could not serialize" in str(lock.exception(PATIENCE))


def test_a_job_can_be_adopted_as_one(jobs: RqJobs, stand_in: StandIn) -> None:
    job = stand_in.queue.enqueue(add, 2, 3)
    stand_in.work()
    with polling(jobs) as executor:
        assert executor.adopt(job).result(PATIENCE) == 5


def test_a_result_that_is_not_kept_is_no_success(jobs: RqJobs, stand_in: StandIn) -> None:
    task = jobs.start(add, 1, 2)
    stand_in.work()
    stand_in.mine.delete(Result.get_key(task))
    with polling(jobs) as executor:
        assert "not kept" in str(executor.adopt(task).exception(PATIENCE))


def test_results_are_kept_for_a_day_or_as_one_says(jobs: RqJobs, stand_in: StandIn) -> None:
    day, short = jobs.start(add, 1, 2), jobs.start(add, 1, 2, enqueue={"result_ttl": 60, "description": "short"})
    assert stand_in.job(day).result_ttl == 86_400
    assert stand_in.job(short).result_ttl == 60
    assert stand_in.job(short).description == "short"


def test_the_same_tag_is_the_same_job(jobs: RqJobs, stand_in: StandIn) -> None:
    assert jobs.start(add, 1, 2, tag="night-1") == "night-1"
    assert jobs.start(add, 3, 4, tag="night-1") == "night-1"
    assert stand_in.queue.job_ids == ["night-1"]
    dotted = jobs.start(add, 1, 2, tag="night.1")
    assert dotted != "night-1"
    assert jobs.find(["night.1", "night-1", "night-2"]) == {"night.1": dotted, "night-1": "night-1"}
    assert tag_of("night.1") == "night.1"
    nested = jobs.start(add, 1, 2, tag=tag_of(["a", ["b", 1]]))
    assert jobs.find([["a", ["b", 1]]]) == {("a", ("b", 1)): nested}


def test_a_redis_that_is_lost_leaves_a_start_in_doubt(jobs: RqJobs, stand_in: StandIn) -> None:
    stand_in.server.connected = False
    with pytest.raises(StartInDoubt, match="the-tag"):
        jobs.start(add, 1, 2, tag="the-tag")


def test_a_job_that_runs_without_a_heartbeat_is_lost_in_time(stand_in: StandIn) -> None:
    now = [0.0]
    jobs = RqJobs(stand_in.queue, silent_after=100.0, clock=lambda: now[0])
    jobs.interval = 0.01
    silent, alive, waits = (jobs.start(add, 1, 2) for _ in range(3))
    gone = jobs.start(add, 1, 2)
    for task in (silent, alive):
        stand_in.put(task, status="started", last_heartbeat="2026-11-30T10:00:00Z")
    stand_in.mine.lrem(stand_in.queue.key, 0, gone)
    lpos, asked = stand_in.client.lpos, list[str]()
    stand_in.client.lpos = lambda key, job_id: (asked.append(job_id), lpos(key, job_id))[1]
    with polling(jobs) as executor:
        futures = dict(
            zip((silent, alive, waits, gone), executor.adopt_many([silent, alive, waits, gone]), strict=True)
        )
        polled(executor)
        assert asked == []  # that costs the length of the queue
        now[0] = 60.0
        stand_in.put(alive, last_heartbeat="2026-11-30T10:01:00Z")
        polled(executor)
        assert not any(future.done() for future in futures.values())
        now[0] = 100.0
        error = futures[silent].exception(PATIENCE)
        assert isinstance(error, NothingHeard)
        assert "started" in str(error)
        assert "no queue" in str(futures[gone].exception(PATIENCE))
        polled(executor)
        assert not futures[alive].done()
        assert not futures[waits].done()
        for task in (alive, waits):
            stand_in.end(task, "finished", Result.Type.SUCCESSFUL, return_value=1)
        assert futures[alive].result(PATIENCE) == futures[waits].result(PATIENCE) == 1
    assert len(jobs._unchanged) == 0


def test_one_that_is_canceled_while_it_runs_ends_as_it_ends(jobs: RqJobs, stand_in: StandIn) -> None:
    task = jobs.start(add, 1, 2)
    stand_in.put(task, status="canceled", started_at="2026-11-30T15:56:10Z", ended_at="")
    with polling(jobs) as executor:
        future = executor.adopt(task)
        polled(executor)
        assert not future.done()
        stand_in.end(task, "finished", Result.Type.SUCCESSFUL, return_value="slept")
        assert future.result(PATIENCE) == "slept"


def test_one_that_is_canceled_before_fails(jobs: RqJobs, stand_in: StandIn) -> None:
    task = jobs.start(add, 1, 2)
    stand_in.job(task).cancel()
    with polling(jobs) as executor:
        assert "canceled" in str(executor.adopt(task).exception(PATIENCE))


def test_one_that_waits_for_a_time_or_for_another_job_is_cancelled(jobs: RqJobs, stand_in: StandIn) -> None:
    later = stand_in.queue.enqueue_in(timedelta(hours=1), add, 1, 2)
    first = stand_in.queue.enqueue(add, 3, 4)
    second = stand_in.queue.enqueue(add, 5, 6, depends_on=first)
    with polling(jobs) as executor:
        for job, status in ((later, "scheduled"), (second, "deferred")):
            assert job.get_status() == status
            future = executor.adopt(job.id)
            assert future.cancel()
            assert future.cancelled()
            assert job.get_status() == "canceled"
    stand_in.work()
    assert first.get_status() == "finished"
    assert later.id not in stand_in.queue.scheduled_job_registry
    assert second.get_status() == "canceled"


@pytest.mark.parametrize("status", ["scheduled", "deferred"])
def test_one_that_is_queued_between_the_question_and_the_cancel_is_left_alone(
    jobs: RqJobs, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    task = jobs.start(add, 1, 2)
    stand_in.put(task, status=status)
    cancel = Job.cancel

    def queued_meanwhile(*args: Any, **kwargs: Any) -> Any:
        stand_in.put(task, status="queued")
        return cancel(*args, **kwargs)

    monkeypatch.setattr(Job, "cancel", queued_meanwhile)
    assert not jobs.cancel(task)
    assert jobs.fetch([task])[task].status == "queued"


def test_one_that_a_worker_has_just_taken_is_not_cancelled(jobs: RqJobs, stand_in: StandIn) -> None:
    task = jobs.start(add, 1, 2)
    stand_in.mine.lrem(stand_in.queue.key, 0, task)  # it is not STARTED yet
    assert not jobs.cancel(task)
    stand_in.put(task, status="started", started_at="2026-11-30T15:56:10Z")
    assert not jobs.cancel(task)
    stand_in.end(task, "finished", Result.Type.SUCCESSFUL, return_value=3)
    assert not jobs.cancel(task)
    assert not jobs.cancel("unknown")


def test_one_that_a_worker_takes_between_the_question_and_the_cancel_is_left_alone(
    jobs: RqJobs, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = jobs.start(add, 1, 2)
    fetch = Job.fetch

    def taken_meanwhile(*args: Any, **kwargs: Any) -> Any:
        job = fetch(*args, **kwargs)
        stand_in.put(task, status="started", started_at="2026-11-30T15:56:10Z")
        return job

    monkeypatch.setattr(Job, "fetch", taken_meanwhile)
    assert not jobs.cancel(task)
    assert jobs.fetch([task])[task].status == "started"


def test_stopping_waits_for_the_worker(stand_in: StandIn) -> None:
    jobs = RqJobs(stand_in.queue, stop=True, cancel_patience=PATIENCE)
    task = jobs.start(add, 1, 2)
    assert not RqJobs(stand_in.queue).cancel("unknown")
    stand_in.put(task, status="started", started_at="2026-11-30T15:56:10Z", worker_name="worker")
    published: list[tuple[str, str]] = []

    def publish(channel: str, text: str) -> None:
        published.append((channel, text))
        stand_in.put(task, status="stopped")

    stand_in.client.publish = publish
    assert jobs.cancel(task)
    assert [(channel, "stop-job" in text) for channel, text in published] == [("rq:pubsub:worker", True)]


def test_a_worker_that_does_not_stop_a_job_has_not_cancelled_it(stand_in: StandIn) -> None:
    jobs = RqJobs(stand_in.queue, stop=True, cancel_patience=0.02)
    task = jobs.start(add, 1, 2)
    stand_in.put(task, status="started", started_at="2026-11-30T15:56:10Z", worker_name="worker")
    assert not jobs.cancel(task)


def test_thousands_are_asked_about_in_two_round_trips_for_a_thousand(stand_in: StandIn) -> None:
    jobs = RqJobs(stand_in.queue)
    jobs.interval = 3600.0
    tasks = [jobs.start(add, 1, number) for number in range(2000)]
    for task in tasks:
        stand_in.put(task, status="finished")
        Result(task, Result.Type.SUCCESSFUL, stand_in.mine, return_value=task).save(600)
    stand_in.round_trips = 0
    threads = threading.active_count()
    with polling(jobs) as executor:
        futures = executor.adopt_many(tasks)
        assert threading.active_count() <= threads + 2
        assert [future.result(PATIENCE) for future in futures] == tasks
    assert stand_in.round_trips <= 6


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"silent_after": -1}, ValueError),
        ({"result_ttl": "1"}, TypeError),
        ({"cancel_patience": math.nan}, ValueError),
        ({"clock": 1}, TypeError),
    ],
)
def test_options_are_checked(stand_in: StandIn, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        RqJobs(stand_in.queue, **options)
    with pytest.raises(TypeError, match="queue"):
        RqJobs("queue")
