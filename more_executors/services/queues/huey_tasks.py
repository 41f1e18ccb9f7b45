"""Huey: tasks and their results, read without taking them away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..._checks import shown
from ..._core import PollDescriptor
from ...journal import StartInDoubt
from .._tags import tag_of
from ._errors import with_traceback_text
from ._queue_service import DAY, QueueService, imported

__all__: list[str] = []


class HueyTasks(QueueService[Any, Any]):
    """Tasks of Huey as futures, without a thread each.

        tasks = HueyTasks(huey)
        with Executors.for_service(tasks) as executor:
            future = executor.submit(tasks.start, count_words, "http://...")

    A task is known by its id; a `Result` can be adopted too. A future gives what the task returned; Huey keeps errors
    as text only: they come as its `TaskException`, with the traceback as `__cause__`. An error of a task that is tried
    again ends nothing.

    Results are read and left where they are, for others who ask, and until `forget`. Huey says nothing of a task but
    its result: one of which there is none for `silent_after` seconds fails with `NothingHeard`. May be used from any
    thread.
    """

    unheard = (
        "there is no result of it. It waits, runs, was revoked, has expired or was lost with its worker, or somebody "
        "else has read its result, which takes it away: Huey does not say which"
    )

    def __init__(self, huey: Any, *, silent_after: float = DAY, clock: Callable[[], float] = time.monotonic) -> None:
        """Make it.

        Args:
            huey: a `huey.Huey`, such as a `RedisHuey`, that stores results, and None as well (`store_none=True`): else
                a task that has returned None looks like one that waits, for ever.
            silent_after: a float, the seconds after which a task fails of which nothing new is heard; `math.inf` is
                never.
            clock: a function that returns the time in seconds.

        Raises ImportError if Huey is not installed, TypeError or ValueError if an argument cannot be used.
        """
        package = imported("huey", "huey")
        if not isinstance(huey, package.api.Huey):
            raise TypeError(f"huey must be a huey.Huey, not {shown(huey)}")
        if not huey.results or not huey.store_none:
            raise ValueError("huey must be made with results=True and store_none=True: else None is never heard of")
        super().__init__(silent_after, clock)
        self._api = package.api
        self._exceptions = imported("huey.exceptions", "huey")
        self._error_type = imported("huey.utils", "huey").Error
        self._huey: Any = huey
        if hasattr(huey.storage, "conn"):
            errors = imported("redis.exceptions", "huey")
            self.outage_errors = (*type(self).outage_errors, errors.ConnectionError, errors.TimeoutError)

    def start(self, task: Any, /, *args: Any, tag: str | None = None, **kwargs: Any) -> str:
        """Put a task into the queue; returns its id, or that of the last task of a pipeline.

        Args:
            task: a function that is a task of this Huey, or what its `s()` returns.
            args, kwargs: its arguments.
            tag: a str, the id for the task, or for the last one of a pipeline, by which `find` finds it; by default a
                random one. It does not make starting idempotent: two tasks with one id are two runs, with one result.

        Raises `StartInDoubt` if the queue was lost meanwhile.
        """
        made = self._made(task, args, kwargs)
        last = last_of(made)
        if tag is not None:
            last.id = tag
        try:
            self._huey.enqueue(made)
        except self.outage_errors as error:
            raise StartInDoubt(tag) from error
        task_id: str = last.id
        return task_id

    def find(self, keys: list[Any]) -> dict[Any, Any]:
        """The tasks that were started with `tag_of` one of `keys`, and have a result, or are in the queue.

        One that is neither may run, or may never have been started: a `StartInDoubt` says so.
        """
        waiting = {last_of(one).id for one in self._waiting()}  # first: who leaves it meanwhile may have a result then
        return self.in_doubt_unless(keys, waiting | self.fetch([tag_of(key) for key in keys]).keys())

    def fetch(self, ids: list[Any]) -> Mapping[Any, Any]:
        """The results that there are, as they are stored."""
        found: dict[Any, Any] = self._huey.storage.peek_many(ids)
        return found

    def resolve(self, descriptor: PollDescriptor[Any, Any], status: Any) -> None:
        value = self._huey.serializer.deserialize(status)
        if not isinstance(value, self._error_type):
            self.succeeded(descriptor, value)
            return
        told: dict[str, Any] = value.metadata
        if told.get("retries"):
            descriptor.report(state="retrying")
            self.go_on(descriptor, told["retries"], "it has failed, was to be tried again, and nothing came of that")
        else:
            error = self._exceptions.TaskException(told)
            self.failed(descriptor, with_traceback_text(error, told.get("traceback")))

    def cancel(self, task: Any) -> bool:
        """Revoke a task; whether it was still in the queue, and so will not run."""
        return self.cancel_many([task])[0]

    def cancel_many(self, tasks: list[Any]) -> list[bool]:
        """Revoke tasks; of each, whether it was still in the queue. Reads the queue once, which costs its length.

        Those that were not are as much revoked as they were before.
        """
        ids = [self.id_of(task) for task in tasks]
        ended = {task_id for task_id, record in self.fetch(ids).items() if self._is_final(record)}
        revoked = {task_id for task_id in ids if task_id not in ended}
        if revoked:
            before = self._revoke(revoked)
            waiting = {one.id for one in self._waiting()}
            for task_id in before.keys() - waiting:  # it runs: else it would not be tried again
                if before[task_id] is None:
                    self._huey.restore_by_id(task_id)
                else:
                    self._huey.put(self._revoke_id(task_id), before[task_id])
            revoked &= waiting
        return [task_id in revoked for task_id in ids]

    def forget(self, tasks: list[Any]) -> None:
        """Take the results of tasks away, which Huey keeps for ever otherwise, unless its storage lets them expire."""
        for task in tasks:
            self._huey.delete(self.id_of(task))

    def _revoke(self, ids: Iterable[Any]) -> dict[Any, Any]:
        """Revoke tasks but those that are revoked for good; of each what it was revoked for before, or None."""
        keys = {task_id: self._revoke_id(task_id) for task_id in ids}
        stored = self.fetch(list(keys.values()))
        known = {key: self._huey.serializer.deserialize(record) for key, record in stored.items()}
        before = {task_id: known.get(key) for task_id, key in keys.items()}
        mine = {task_id: revoked for task_id, revoked in before.items() if revoked is None or revoked[0] is not None}
        for task_id in mine:
            self._huey.revoke_by_id(task_id, revoke_once=True)
        return mine

    def _revoke_id(self, task_id: Any) -> Any:
        return self._api.Task(id=task_id).revoke_id

    def _waiting(self) -> list[Any]:
        return [*self._huey.pending(), *self._huey.scheduled()]

    def _is_final(self, record: Any) -> bool:
        value = self._huey.serializer.deserialize(record)
        return not isinstance(value, self._error_type) or not value.metadata.get("retries")

    def _made(self, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if isinstance(task, self._api.Task):
            if args or kwargs:
                raise TypeError(f"args must be none with {shown(task)}, which has its own")
            return task
        if isinstance(task, self._api.TaskWrapper) and task.huey is self._huey:
            return task.s(*args, **kwargs)
        raise TypeError(f"task must be a task of {self._huey!r}, not {shown(task)}")


def last_of(task: Any) -> Any:
    """The last task of a pipeline, whose result is that of all."""
    while task.on_complete:
        task = task.on_complete
    return task


HueyTasks.__module__ = "more_executors.services.queues"  # where everybody has it from
