"""RQ: jobs and their results, asked about in two round trips for a thousand of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from ..._checks import checked_flag, checked_seconds, shown
from ..._core import PollDescriptor
from ...journal import StartInDoubt
from .._errors import TaskFailed
from .._keys import hashable
from .._tags import tag_of
from ._errors import with_traceback_text
from ._queue_service import DAY, QueueService, imported

__all__: list[str] = []

FIELDS = ("status", "origin", "worker_name", "started_at", "ended_at", "last_heartbeat", "enqueued_at")
ID = re.compile(r"[A-Za-z0-9_-]+")
NOT_QUEUED = ("scheduled", "deferred")  # they wait for a time or for another job
ENDED = ("finished", "failed", "stopped", "canceled")


class RqRecord(NamedTuple):
    """What Redis has of a job: `status` as RQ calls it, the queue it came from, its worker, times as text, its result.

    `result` is what RQ stored last as a result of it, as stored, or None.
    """

    status: str
    origin: str
    worker_name: str
    started_at: str
    ended_at: str
    last_heartbeat: str
    enqueued_at: str
    result: tuple[bytes, dict[bytes, bytes]] | None


class RqJobs(QueueService[Any, RqRecord]):
    """Jobs of RQ as futures, without a thread each.

        jobs = RqJobs(Queue(connection=Redis()))
        with Executors.for_service(jobs) as executor:
            future = executor.submit(jobs.start, count_words, "http://...")
            futures = executor.adopt_many(queue.job_ids)

    A job is known by its id; a `Job` can be adopted too. Jobs of all queues of that Redis can. A future gives what the
    function returned. RQ keeps errors as text only: they come as `TaskFailed`, with the traceback as `__cause__`.

    A job that RQ does not know (any more) fails after `missing_after` seconds. One that runs and has had no heartbeat
    for `silent_after` fails with `NothingHeard`, as does one that should wait in its queue, but does not. May be used
    from any thread.
    """

    unheard = (
        "RQ does not know it (any more): its result has expired (see `result_ttl`), it was deleted, or it never existed"
    )

    def __init__(
        self,
        queue: Any,
        *,
        silent_after: float = 3600.0,
        result_ttl: float = DAY,
        stop: bool = False,
        cancel_patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Args:
            queue: an `rq.Queue`, on which jobs are started.
            silent_after: a float, the seconds without news after which a job that runs is taken as lost. Workers give
                news of it every 30 s; a `SimpleWorker` only when it begins.
            result_ttl: a float, how many seconds results are kept of jobs that are started here: RQ keeps them for 500
                s.
            stop: a bool, whether cancelling stops jobs that run.
            cancel_patience: a float, how many seconds `cancel` waits for a worker to have stopped a job.
            clock: a function that returns the time in seconds.

        Raises ImportError if RQ is not installed, TypeError or ValueError if an argument cannot be used.
        """
        rq = imported("rq", "rq")
        if not isinstance(queue, rq.Queue):
            raise TypeError(f"queue must be an rq.Queue, not {shown(queue)}")
        super().__init__(silent_after, clock)
        self.missing_after = min(60.0, self.silent_after)
        self._rq = rq
        self._queue: Any = queue
        self._connection: Any = queue.connection
        self._result_ttl = int(checked_seconds("result_ttl", result_ttl))
        self._stop = checked_flag("stop", stop)
        self._cancel_patience = checked_seconds("cancel_patience", cancel_patience)
        errors = imported("redis.exceptions", "rq")
        self._redis_errors: tuple[type[BaseException], ...] = (errors.ConnectionError, errors.TimeoutError)
        self.outage_errors = (*type(self).outage_errors, *self._redis_errors)

    def start(
        self, fn: Any, /, *args: Any, tag: str | None = None, enqueue: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str:
        """Put a call of `fn` into the queue; returns the id of the job.

        Args:
            fn: the function, or its name with its module.
            args, kwargs: its arguments.
            tag: a str, the id for the job, or of which one is made if RQ does not allow it; by default a random one. If
                RQ knows a job with that id, nothing is started, and that is the job.
            enqueue: more for `rq.Queue.enqueue_call`, such as `{"timeout": 600, "retry": Retry(max=3)}`.

        Raises `StartInDoubt` if Redis was lost meanwhile.
        """
        job_id: str
        options: dict[str, Any] = {"result_ttl": self._result_ttl, **({} if enqueue is None else enqueue)}
        if tag is not None:
            options |= {"job_id": id_of_tag(tag), "unique": True}
        try:
            job_id = self._queue.enqueue_call(fn, args, kwargs, **options).id
        except self._rq.exceptions.DuplicateJobError:
            job_id = options["job_id"]
        except self._redis_errors as error:
            raise StartInDoubt(tag) from error
        return job_id

    def find(self, keys: list[Any]) -> dict[Any, str]:
        """The jobs that were started with `tag_of` one of `keys`, as far as RQ knows them still."""
        ids = {id_of_tag(tag_of(key)): hashable(key) for key in keys}
        return {ids[job_id]: job_id for job_id in self.fetch(list(ids))}

    def fetch(self, ids: list[Any]) -> Mapping[Any, RqRecord]:
        job, result = self._rq.job.Job, self._rq.results.Result
        with self._connection.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hmget(job.key_for(job_id), FIELDS)
            rows = {job_id: row for job_id, row in zip(ids, pipe.execute(), strict=True) if row[0] is not None}
            with_results = [job_id for job_id, row in rows.items() if row[0] in (b"finished", b"failed", b"stopped")]
            for job_id in with_results:
                pipe.xrevrange(result.get_key(job_id), "+", "-", count=1)
            results = dict(zip(with_results, pipe.execute(), strict=True))
        return {
            job_id: RqRecord._make([*map(text_of, row), next(iter(results.get(job_id, ())), None)])
            for job_id, row in rows.items()
        }

    def resolve(self, descriptor: PollDescriptor[Any, Any], status: RqRecord) -> None:
        job_id = self.id_of(descriptor.result)
        state = status.status
        if state == "finished":
            self._finished(descriptor, job_id, status)
        elif state in ("failed", "stopped"):
            text = self._result_of(job_id, status).exc_string if status.result is not None else None
            why = last_line(text) if state == "failed" else "stopped"
            self.failed(descriptor, with_traceback_text(TaskFailed(descriptor.result, status, why), text))
        elif state == "canceled" and not (status.started_at and not status.ended_at):
            self.failed(descriptor, TaskFailed(descriptor.result, status, "canceled"))
        else:  # one that is canceled while it runs goes on, and its end counts
            descriptor.report(state=state)
            self._goes_on(descriptor, job_id, status)

    def cancel(self, task: Any) -> bool:
        """Cancel a job; whether it will not run, or has been stopped within `cancel_patience`.

        It will not if it was taken out of its queue, or waited for a time or for another job.
        """
        job_id = self.id_of(task)
        record = self.fetch([job_id]).get(job_id)
        if record is None or record.status in ENDED:
            return False
        if record.status == "started":
            return self._stop and self._stopped(job_id)
        return self._taken_out(job_id, record)

    def _finished(self, descriptor: PollDescriptor[Any, Any], job_id: str, status: RqRecord) -> None:
        if status.result is None:
            why = "it is finished, but its result is not kept, or has expired"
            self.failed(descriptor, TaskFailed(descriptor.result, status, why))
            return
        value = self._result_of(job_id, status).return_value
        if value == self._rq.defaults.UNSERIALIZABLE_RETURN_VALUE_PAYLOAD:
            why = "it is finished, but RQ could not serialize what it returned (or it returned that very text)"
            self.failed(descriptor, TaskFailed(descriptor.result, status, why))
        else:
            self.succeeded(descriptor, value)

    def _result_of(self, job_id: str, status: RqRecord) -> Any:
        assert status.result is not None
        entry, payload = status.result
        kind = self._rq.results.Result
        return kind.restore(job_id, entry.decode(), payload, self._connection, serializer=self._queue.serializer)

    def _goes_on(self, descriptor: PollDescriptor[Any, Any], job_id: str, status: RqRecord) -> None:
        heard = (status.status, status.last_heartbeat, status.enqueued_at)
        if status.status == "queued":
            silent = self._unchanged.seconds(descriptor, heard) >= self.silent_after
            if silent and self._is_in_queue(job_id, status.origin):
                self._unchanged.forget(descriptor)  # it waits, and is looked for again after as long
                return
            self.go_on(descriptor, heard, "it is queued, but in no queue: it was lost with the worker that took it")
        elif status.status in ("started", "canceled"):
            lost = f"it is {status.status}, and no worker gives news of it. It still runs, or was lost with its worker"
            self.go_on(descriptor, heard, lost)
        else:
            self._unchanged.forget(descriptor)  # it waits for a time, for another job, or for room

    def _is_in_queue(self, job_id: str, origin: str) -> bool:
        """Whether it is; true also if Redis does not say."""
        try:
            return self._connection.lpos(self._named_queue(origin).key, job_id) is not None
        except self.outage_errors:
            return True

    def _named_queue(self, name: str) -> Any:
        return self._rq.Queue(name, connection=self._connection, serializer=self._queue.serializer)

    def _taken_out(self, job_id: str, record: RqRecord) -> bool:
        """Cancel a job that waits. If a worker has taken it meanwhile, it may run all the same."""
        job = self._rq.job.Job.fetch(job_id, connection=self._connection, serializer=self._queue.serializer)
        queue = self._named_queue(record.origin)
        try:
            with self._connection.pipeline() as pipe:
                pipe.watch(job.key)
                if text_of(pipe.hget(job.key, "status")) != record.status:
                    return False
                pipe.multi()
                pipe.lrem(queue.key, 0, job_id)
                job.cancel(pipeline=pipe)
                return bool(pipe.execute()[0]) or record.status in NOT_QUEUED
        except (self._rq.job.WatchError, self._rq.exceptions.InvalidJobOperation):
            return False

    def _stopped(self, job_id: str) -> bool:
        try:
            self._rq.command.send_stop_job_command(self._connection, job_id, serializer=self._queue.serializer)
        except (self._rq.exceptions.InvalidJobOperation, self._rq.exceptions.NoSuchJobError):
            return False
        until = time.monotonic() + self._cancel_patience
        pause = 0.01
        while True:
            record = self.fetch([job_id]).get(job_id)
            left = until - time.monotonic()
            if record is None or record.status in ENDED or left <= 0.0:
                return record is not None and record.status == "stopped"
            time.sleep(min(pause, left))
            pause = min(2.0 * pause, 0.25)


def id_of_tag(tag: str) -> str:
    """A job's id for a tag: RQ allows letters, digits, underscores and dashes in one, so a dot makes a hash of it."""
    return tag if ID.fullmatch(tag) else f"tag-{sha256(tag.encode()).hexdigest()[:48]}"


def text_of(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else ""


def last_line(text: str | None) -> str:
    lines = (text or "").strip().splitlines()
    return lines[-1] if lines else "failed"


for public in (RqJobs, RqRecord):
    public.__module__ = "more_executors.services.queues"  # where everybody has them from
