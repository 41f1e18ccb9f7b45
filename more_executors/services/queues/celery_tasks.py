"""Celery: tasks and their results, asked about by one request for a thousand of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..._checks import checked_flag, checked_seconds, shown
from ..._core import PollDescriptor
from ...journal._key_errors import StartInDoubt
from .._errors import TaskFailed
from .._tags import tag_of
from ._errors import with_traceback_text
from ._queue_service import DAY, QueueService, imported

__all__: list[str] = []

FINAL = ("SUCCESS", "FAILURE", "REVOKED")
LONGEST_LOOK = 0.25  # seconds between two looks at what became of a revoke


class CeleryTasks(QueueService[Any, Any]):
    """Tasks of a Celery app as futures, without a thread or a subscription each.

        tasks = CeleryTasks(app)
        with Executors.for_service(tasks) as executor:
            future = executor.submit(tasks.start, add, 2, 3)
            futures = executor.adopt_many([result.id for result in results])

    A task is known by its id; an `AsyncResult` can be adopted too. A future gives what the task returned, or raises
    what it raised: with its class, if this process has imported that, and the traceback of the worker as `__cause__`.

    Celery answers PENDING for a task that waits, that runs (unless `task_track_started` is set), that was lost, that
    was never sent, and of which the result has expired. A task of which nothing new is heard for `silent_after` fails
    with `NothingHeard`, also if it is STARTED all the time: its worker may have been killed.

    Results are read in bulk from Redis, Memcached and other stores of keys and values, and one by one from others. May
    be used from any thread.
    """

    unheard = (
        "there is no result of it. It waits in its queue, runs, was lost with its worker, was never sent, ignores its "
        "result, or that has expired: Celery does not say which"
    )

    def __init__(
        self,
        app: Any,
        *,
        silent_after: float | None = None,
        terminate: bool = False,
        cancel_patience: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Args:
            app: a `celery.Celery` with a result backend.
            silent_after: a float, the seconds after which a task fails of which nothing new is heard; by default as
                long as results are kept, `result_expires` of the app, or a day if they are for ever. `math.inf` is
                never.
            terminate: a bool, whether cancelling stops tasks that run: their process is killed.
            cancel_patience: a float, how many seconds `cancel` waits for a worker to say that a task is revoked.
                Without that answer nothing is cancelled as far as anybody knows, and the future goes on.
            clock: a function that returns the time in seconds.

        Raises ImportError if Celery is not installed, TypeError or ValueError if an argument cannot be used: results
        must be kept, and by a backend from which anybody may read them; `rpc://` hands each to one reader, once.
        """
        celery = imported("celery", "celery")
        if not isinstance(app, celery.Celery):
            raise TypeError(f"app must be a celery.Celery, not {shown(app)}")
        backend = app.backend
        kind = type(backend).__name__
        if kind in ("DisabledBackend", "RPCBackend"):
            raise ValueError(f"app must have a result backend that anybody may read from, such as Redis, not a {kind}")
        expires = app.conf.result_expires
        kept = getattr(expires, "total_seconds", lambda: expires)() or DAY
        super().__init__(float(kept) if silent_after is None else silent_after, clock)
        self._terminate = checked_flag("terminate", terminate)
        self._cancel_patience = checked_seconds("cancel_patience", cancel_patience)
        self._app = app
        self._backend = backend
        self._is_keyed = hasattr(backend, "get_key_for_task") and overrides(backend, "mget")
        errors = tuple(getattr(backend, "connection_errors", ()))
        self._broker_error: type[BaseException] = imported("kombu.exceptions", "celery").OperationalError
        self.outage_errors = (*type(self).outage_errors, self._broker_error, *errors)
        if not self._is_keyed:
            self.batch_size = 50

    def start(self, task: Any, /, *args: Any, tag: str | None = None, **kwargs: Any) -> str:
        """Send a task; returns its id.

        Args:
            task: a task of the app, its name, or a signature: `add.s(2, 3).set(queue="slow")` has options of its own.
                A chain and a chord have the result of their last task.
            args: the arguments of the task, and so are `kwargs`.
            tag: a str, the id for the task, by which `find` finds it; by default a random one. It does not make sending
                idempotent: two messages with one id are two runs.

        Raises TypeError or ValueError if that cannot be sent, or would have no result to wait for. Raises
        `StartInDoubt` if the broker was lost while it was sent.
        """
        signature = self._signature(task, args, kwargs)
        options = {} if tag is None else {"task_id": tag}
        try:
            task_id: str = signature.apply_async(**options).id
        except self._broker_error as error:
            raise StartInDoubt(tag) from error
        return task_id

    def find(self, keys: list[Any]) -> dict[Any, Any]:
        """The tasks that were sent with `tag_of` one of `keys`, as far as there is a record of them.

        One of which there is none may wait in its queue, or may never have been sent: a `StartInDoubt` says so.
        """
        return self.in_doubt_unless(keys, self.fetch([tag_of(key) for key in keys]))

    def fetch(self, ids: list[Any]) -> Mapping[Any, Any]:
        """The records of the tasks of which there are any, as the backend has them."""
        backend = self._backend
        if not self._is_keyed:
            metas = {task_id: backend.get_task_meta(task_id, cache=False) for task_id in ids}
            return {task_id: meta for task_id, meta in metas.items() if meta["status"] != "PENDING"}
        keys = [backend.get_key_for_task(task_id) for task_id in ids]
        found = backend.mget(keys)
        records = map(found.get, keys) if hasattr(found, "items") else found
        return {task_id: record for task_id, record in zip(ids, records, strict=True) if record is not None}

    def resolve(self, descriptor: PollDescriptor[Any, Any], status: Any) -> None:
        meta = self._read(status)
        state = meta["status"]
        if state == "SUCCESS":
            self.succeeded(descriptor, meta["result"])
        elif state in FINAL:
            error = meta["result"]
            if not isinstance(error, BaseException):
                error = TaskFailed(self.id_of(descriptor.result), meta, state)
            self.failed(descriptor, with_traceback_text(error, meta.get("traceback")))
        else:
            told = meta["result"]
            descriptor.report(state=state.lower(), progress=share_done(told))
            lost = f"it is {state} all the time. It still runs, or was lost with its worker"
            self.go_on(descriptor, (state, str(told)), lost)

    def cancel(self, task: Any) -> bool:
        """Revoke a task; whether a worker has said within `cancel_patience` that it is revoked."""
        return self.cancel_many([task])[0]

    def cancel_many(self, tasks: list[Any]) -> list[bool]:
        """Revoke tasks, by one message; whether a worker has said so of each, within `cancel_patience`."""
        ids = [self.id_of(task) for task in tasks]
        states = self._states(ids)
        to_revoke = [task_id for task_id in ids if states.get(task_id) not in FINAL]
        if to_revoke:
            self._app.control.revoke(to_revoke, terminate=self._terminate)
        until = time.monotonic() + self._cancel_patience
        pause = 0.01
        while True:
            asked = [task_id for task_id in to_revoke if states.get(task_id) not in FINAL]
            left = until - time.monotonic()
            if not asked or left <= 0.0:
                return [task_id in to_revoke and states.get(task_id) == "REVOKED" for task_id in ids]
            time.sleep(min(pause, left))
            pause = min(2.0 * pause, LONGEST_LOOK)
            states |= self._states(asked)

    def _states(self, ids: list[Any]) -> dict[Any, str]:
        states: dict[Any, str] = {}
        for task_id, record in self.fetch(ids).items():
            try:
                states[task_id] = self._read(record)["status"]
            except Exception:  # its future says so
                states[task_id] = "FAILURE"
        return states

    def _read(self, record: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", record if isinstance(record, dict) else self._backend.decode_result(record))

    def _signature(self, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        canvas = imported("celery.canvas", "celery")
        if isinstance(task, canvas.group):
            raise TypeError(f"task must have one result, not those of {shown(task)}: start each, or a chord")
        if isinstance(task, canvas.Signature):
            signature = task.clone(args, kwargs) if args or kwargs else task
            name = task.task
        elif isinstance(task, str):
            signature, name = self._app.signature(task, args=args, kwargs=kwargs), task
        elif hasattr(task, "apply_async") and hasattr(task, "name"):
            signature, name = task.signature(args, kwargs), task.name
        else:
            raise TypeError(f"task must be a task of Celery, its name or a signature, not {shown(task)}")
        known = self._app.tasks.get(name)
        ignored = signature.options.get("ignore_result", getattr(known, "ignore_result", False))
        if ignored:
            raise ValueError(f"task must not ignore its result: {name} does, so nothing would be heard of it")
        conf = self._app.conf
        if conf.task_always_eager and not conf.task_store_eager_result:
            raise ValueError("task_always_eager must not be set without task_store_eager_result: no result is stored")
        return signature


def share_done(told: Any) -> float | None:
    """How much of a task is done, if its `meta` has "current" and "total", as in Celery's guide."""
    try:
        current, total = told["current"], told["total"]
    except (TypeError, LookupError):
        return None
    if not isinstance(current, (int, float)) or not isinstance(total, (int, float)) or not total > 0:
        return None
    return min(1.0, max(0.0, current / total))


def overrides(backend: Any, method: str) -> bool:
    base: Any = imported("celery.backends.base", "celery").BaseKeyValueStoreBackend
    return getattr(backend.__class__, method) is not getattr(base, method)


CeleryTasks.__module__ = "more_executors.services.queues"  # where everybody has it from
