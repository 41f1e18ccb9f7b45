"""Everything public: what a copy, a deep copy and a pickle of it are, and what it makes of the largest numbers."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import operator
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, SomeError

from more_executors import (
    Backoff,
    EachStatus,
    ExceptionRetryPolicy,
    Executors,
    Keys,
    OutcomeNotRecorded,
    OutstandingTask,
    PollExecutor,
    PollStats,
    RecordedError,
    RetryPolicy,
    StartInDoubt,
    StatusPoll,
    SyncExecutor,
    TaskMissing,
    TaskUnknown,
    Throttled,
    f_return,
    f_return_error,
    f_zip,
)
from more_executors.journal import JSON, JournalError, Unreadable, UnrecordableError
from more_executors.services import ServiceAway, Slurm, TaskFailed, UnexpectedReply
from more_executors.services.slurm import (
    CommandResult,
    JobForgotten,
    JobRecord,
    JobRefused,
    SlurmError,
    SlurmUnavailable,
    SubmissionInDoubt,
)


class OwnBackoff(Backoff):
    """One with an attribute and arguments of its own."""

    def __init__(self, note: str) -> None:
        super().__init__(1.5)
        self.note = note


class OwnPolicy(RetryPolicy):
    def __init__(self) -> None:
        self.note = "own"


class OwnStatusPoll(StatusPoll[Any, Any]):
    note = ""


def fetch(ids: list[Any]) -> dict[Any, Any]:
    return {key: f"status of {key}" for key in ids}


def fetch_one(key: Any) -> str:
    return f"status of {key}"


def resolve(descriptor: Any, status: Any) -> None:
    descriptor.yield_result(status)


def own_status_poll() -> Any:
    poll: Any = OwnStatusPoll(fetch, None, resolve)
    poll.note = "own"
    return poll


class OwnKeys(Keys):
    note = ""


def own_keys() -> Any:
    keys = OwnKeys("own")
    keys.note = "own"
    return keys


def said_of_keys(keys: Keys) -> Any:
    return [getattr(keys, name) for name in ("find_fn", "in_doubt", "keep_results", "namespace", "retry_failed")]


FAILED = f_return_error(SomeError())
COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]
COPIES += [lambda value, p=p: pickle.loads(pickle.dumps(value, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]  # type: ignore[misc]
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)


def said_of(error: Any) -> Any:
    told = {
        name: getattr(error, name) for name in ("retry_after", "task_id", "since", "seconds") if hasattr(error, name)
    }
    return type(error), str(error), repr(error.args), told, repr(getattr(error, "failures", None))


# What there is, and what is the same about a copy.
VALUES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "Backoff": (lambda: Backoff(1, 3.0, 60, 0), lambda b: (repr(b), [b.delay(polls) for polls in (0, 1, 2, 9)])),
    "OwnBackoff": (lambda: OwnBackoff("own"), lambda b: (type(b), repr(b), b.note)),
    "RetryPolicy": (RetryPolicy, lambda p: p.should_retry(1, FAILED)),
    "OwnPolicy": (OwnPolicy, vars),
    "ExceptionRetryPolicy": (
        lambda: ExceptionRetryPolicy(max_attempts=5, sleep=2, exception_base=[SomeError, OSError]),
        lambda p: [(p.should_retry(attempt, FAILED), p.sleep_time(attempt, FAILED)) for attempt in range(1, 9)],
    ),
    "Keys": (Keys, lambda k: (repr(k), said_of_keys(k))),
    "Keys('night')": (
        lambda: Keys("night", in_doubt="start", retry_failed=False, keep_results=False),
        lambda k: said_of_keys(k),
    ),
    "Keys with a function": (lambda: Keys(find_fn=fetch), lambda k: said_of_keys(k)),
    "OwnKeys": (own_keys, lambda k: (type(k), said_of_keys(k), k.note)),
    "StartInDoubt": (lambda: StartInDoubt("a"), said_of),
    "OutcomeNotRecorded": (lambda: OutcomeNotRecorded("a", "b"), said_of),
    "RecordedError": (lambda: RecordedError("a", "b"), said_of),
    "Throttled": (lambda: Throttled(7.5), said_of),
    "Throttled()": (Throttled, said_of),
    "TaskMissing": (lambda: TaskMissing("job-1", NOW, 7.25), said_of),
    "JournalError": (lambda: JournalError("the journal 'x' is closed"), said_of),
    "UnrecordableError": (lambda: UnrecordableError([(1, "a", ValueError("b")), (2, "c", OSError(3))]), said_of),
    "Unreadable": (lambda: Unreadable("x", ValueError("y")), repr),
    "JSON": (lambda: JSON, repr),
    "PollStats": (lambda: PollStats(**dict.fromkeys(PollStats._fields, 3)), lambda s: (s._asdict(), s)),
    "OutstandingTask": (
        lambda: OutstandingTask(**dict.fromkeys(OutstandingTask._fields, 3)),
        lambda t: (t._asdict(), t),
    ),
    "EachStatus": (lambda: EachStatus(fetch_one, resolve, missing_after=5), repr),
    "TaskUnknown": (lambda: TaskUnknown("job-1"), said_of),
    "TaskFailed": (lambda: TaskFailed("job-1", {"exit": 3}, "exit code 3"), said_of),
    "TaskFailed without a reason": (lambda: TaskFailed("job-1", {"exit": 3}), said_of),
    "Slurm": (lambda: Slurm("one", interval=7), lambda slurm: (slurm.cluster, slurm.interval, slurm.group_of("7"))),
    "CommandResult": (lambda: CommandResult(1, "a", "b"), tuple),
    "JobRecord": (lambda: JobRecord("7", None, None, "FAILED", 3), lambda record: (record, record.why())),
    "JobForgotten": (lambda: JobForgotten("7_3", NOW, 60.0), said_of),
    "SlurmError": (lambda: SlurmError("sacct", None, "a row that is none"), said_of),
    "SlurmUnavailable": (lambda: SlurmUnavailable("sacct", 1, "away"), said_of),
    "JobRefused": (lambda: JobRefused("sbatch", 1, "no"), said_of),
    "SubmissionInDoubt": (lambda: SubmissionInDoubt("sample-1", "timed out"), said_of),
    "ServiceAway": (lambda: ServiceAway("away"), said_of),
    "UnexpectedReply": (lambda: UnexpectedReply("GET / answered 403", 403), said_of),
    "StatusPoll": (lambda: StatusPoll(fetch, None, resolve, missing_after=5), repr),
    "OwnStatusPoll": (own_status_poll, lambda p: (type(p), repr(p), p.note)),
    **{
        f"ZipTuple{count}": (lambda count=count: f_zip(*map(f_return, range(count))).result(), lambda z: (z, repr(z)))  # type: ignore[misc]
        for count in (0, 1, 19, 20)
    },
}


@pytest.mark.parametrize("how", range(len(COPIES)))
@pytest.mark.parametrize("what", VALUES)
def test_a_copy_says_and_does_the_same(what: str, how: int) -> None:
    make, said = VALUES[what]
    value = make()
    made = COPIES[how](value)
    assert type(made) is type(value)
    assert said(made) == said(value)


@dataclasses.dataclass
class Settings:
    """As a program may have them."""

    value: Any


@pytest.mark.parametrize("what", VALUES)
def test_it_may_be_in_a_dataclass(what: str) -> None:
    make, said = VALUES[what]
    value = make()
    assert said(dataclasses.asdict(Settings(value))["value"]) == said(value)
    assert said(copy.deepcopy(Settings(value)).value) == said(value)


@pytest.mark.parametrize(
    "make", [lambda **o: StatusPoll(fetch, None, resolve, **o), lambda **o: EachStatus(fetch_one, resolve, **o)]
)
def test_a_copy_of_a_status_poll_polls_and_remembers_nothing(make: Any) -> None:
    poll: Any = make(missing_after=0, id=str)
    for copied in (copy.copy(poll), pickle.loads(pickle.dumps(poll))):
        with PollExecutor(SyncExecutor(), copied) as executor:
            assert executor.adopt(5).result(PATIENCE) == "status of 5"
        assert copied._missing is not poll._missing


def test_a_tuple_of_results_is_unpickled_where_none_was_made(tmp_path: Path) -> None:
    pickled = pickle.dumps(f_zip(f_return(1), f_return(2), f_return(3)).result())
    program = f"import pickle; z = pickle.loads({pickled!r}); print(z, z.f2)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "ZipTuple3(f0=1, f1=2, f2=3) 3\n"


# -- extremes ---------------------------------------------------------------------------------------------------------

EXTREMES = (0, 1e-300, 0.5, 1, 2, 1e300, 10**400, inf)


def float_of(number: float) -> float:
    return inf if number == 10**400 else float(number)


@pytest.mark.parametrize("sleep", EXTREMES)
@pytest.mark.parametrize("exponent", EXTREMES)
@pytest.mark.parametrize("max_sleep", EXTREMES)
def test_the_pauses_of_a_policy_are_times_whatever_the_numbers(exponent: Any, sleep: Any, max_sleep: Any) -> None:
    policy = ExceptionRetryPolicy(sleep=sleep, exponent=exponent, max_sleep=max_sleep)
    pauses = [policy.sleep_time(attempt, FAILED) for attempt in (1, 2, 3, 1024, 1025, 5000, 10**6)]
    assert all(0 <= pause <= float_of(max_sleep) for pause in pauses)
    assert pauses[0] == min(float_of(sleep), float_of(max_sleep))
    if sleep == 0:
        assert pauses == [0] * 7
    assert pauses == sorted(pauses, reverse=exponent < 1)


@pytest.mark.parametrize("attempt", [1025, 10**6])
def test_no_pause_stays_none(attempt: int) -> None:
    assert ExceptionRetryPolicy(sleep=0).sleep_time(attempt, FAILED) == 0
    assert ExceptionRetryPolicy(sleep=0, exponent=inf).sleep_time(attempt, FAILED) == 0
    assert ExceptionRetryPolicy(sleep=1).sleep_time(attempt, FAILED) == 120


@pytest.mark.parametrize("batch_size", [sys.maxsize, 2**63, 2**64, 10**400])
@pytest.mark.parametrize("max_concurrency", [1, 2**63])
def test_however_large_a_batch_may_be_it_is_polled(batch_size: int, max_concurrency: int) -> None:
    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)

    options: Any = {"batch_size": batch_size, "max_concurrency": max_concurrency}
    with PollExecutor(SyncExecutor(), poll, **options) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(3))] == [0, 1, 2]


@pytest.mark.parametrize("polls", [0, 1, 2**32, 2**64, 10**400])
def test_a_schedule_ends_at_its_maximum(polls: int) -> None:
    delay = Backoff(1, factor=1.5, maximum=60, jitter=0).delay(polls)
    assert delay == (min(60.0, 1.5**polls) if polls < 2 else 60.0)


def test_a_schedule_of_ones_own_may_give_any_number() -> None:
    logger = HeardLogger()

    class Own(Backoff):
        delays: Any = iter([Decimal("0.001"), 10**400])

        def delay(self, polls: int) -> Any:
            return next(self.delays)

    polled: list[Any] = []
    seen: Future[Any] = Future()

    def poll(descriptors: list[Any]) -> None:
        polled.extend(descriptors)
        if len(polled) == 2:
            seen.set_result(None)

    with PollExecutor(SyncExecutor(), poll, schedule=Own(1), logger=logger, default_interval=0) as executor:
        future = executor.adopt(1)
        seen.result(PATIENCE)
        assert executor.stats().outstanding == 1
        future.cancel()
    assert logger.lines == []
    assert len(polled) == 2  # the second delay has no end


@pytest.mark.parametrize("timeout", [10**400, inf, sys.maxsize])
def test_a_time_out_too_large_for_a_float_is_for_ever(timeout: Any) -> None:
    assert f_return(5).result(timeout) == 5
    pool = Executors.thread_pool(1)
    with pool.with_timeout(timeout) as executor:
        assert executor.submit(operator.neg, 5).result(timeout) == -5
        assert list(executor.map(operator.neg, [1, 2], timeout=timeout)) == [-1, -2]
