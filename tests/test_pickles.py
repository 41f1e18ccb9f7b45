"""What is sent to another process: each public thing works there, or says what to send instead."""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.util
import inspect
import pickle
import pkgutil
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import PATIENCE

import more_executors
from more_executors import AsyncioExecutor, EventLoopExecutor, Executors, Journal, PollExecutor, RateLimit, SyncExecutor
from more_executors.completions import Completions
from more_executors.futures import f_map, f_proxy, f_return, f_zip
from more_executors.partial_failure import PartialFailure
from more_executors.promise import Promise

COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]
COPIES += [functools.partial(pickle.dumps, protocol=protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]


def public_things() -> Iterator[tuple[str, Any]]:
    """Each public name of each public module, and what that is."""
    modules = [name for _, name, _ in pkgutil.walk_packages(more_executors.__path__, "more_executors.")]
    for name in ["more_executors", *modules]:
        if name == "more_executors.dask" and importlib.util.find_spec("distributed") is None:
            continue
        if not any(part.startswith("_") for part in name.split(".")):
            module = importlib.import_module(name)
            yield from ((f"{name}.{each}", getattr(module, each)) for each in module.__all__)


THINGS = {name: thing for name, thing in public_things() if not isinstance(thing, ModuleType)}
THINGS.pop("more_executors.journal.JSON")  # an object: tests/test_copies.py has it
CLASSES = {thing for thing in THINGS.values() if inspect.isclass(thing) and not getattr(thing, "_is_protocol", False)}


@pytest.mark.parametrize("name", THINGS)
def test_classes_and_functions_are_themselves_in_another_process(name: str) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(THINGS[name], protocol)) == THINGS[name]


# -- what an object of each class does ---------------------------------------------------------------------------------

# Those that can be copied: tests/test_copies.py has what their copies do.
COPIED = {
    *("Backoff", "RetryPolicy", "ExceptionRetryPolicy", "StatusPoll", "Keys", "PollStats", "OutstandingTask"),
    *("Throttled", "TaskMissing", "JournalError", "UnrecordableError", "Unreadable"),
    *("OutcomeNotRecorded", "RecordedError", "StartInDoubt"),
    *("Slurm", "CommandResult", "JobForgotten", "JobRecord", "JobRefused", "SlurmError", "SlurmUnavailable"),
    "SubmissionInDoubt",
    *("EachStatus", "TaskUnknown", "TaskFailed", "ServiceAway", "UnexpectedReply"),
}
OF_DASK = {  # tests/dask has what they do
    *("ClusterLost", "DaskExecutor", "RemoteError", "WorkerLost"),
    *("Shard", "ShardLost", "ShardStats", "ShardedPollExecutor"),
}
OF_QUEUES = {  # tests/services/queues has what they do
    *("CeleryTasks", "NothingHeard", "RemoteTraceback"),
    *("DramatiqMessages", "HueyTasks", "RqJobs", "RqRecord"),
}
OF_AWS = {"AwsBatch", "AwsError", "GlueJobs", "StepFunctions"}  # tests/services/aws has what they do
OF_OPERATIONS = {"AzureOperation", "AzureOperations", "Operations"}  # tests/services/operations has what they do
NOT_MADE = {"Executors", "Service", "ServiceTests"}  # nobody has an object of these


def poll(descriptors: list[Any]) -> float:
    return 3600.0


@contextmanager
def shut_down(executor: Any) -> Iterator[Any]:
    try:
        yield executor
    finally:
        executor.shutdown()


@contextmanager
def a_descriptor() -> Iterator[Any]:
    told: Future[Any] = Future()

    def poll_once(descriptors: list[Any]) -> None:
        if descriptors and not told.done():
            told.set_result(descriptors[0])

    with PollExecutor(SyncExecutor(), poll_once) as executor:
        executor.adopt("job")
        descriptor = told.result(PATIENCE)
        yield descriptor
        descriptor.yield_result(1)


@contextmanager
def a_future() -> Iterator[Any]:
    with PollExecutor(SyncExecutor(), poll) as executor:
        future = executor.adopt("job")
        yield future
        future.cancel()


@contextmanager
def just(thing: Any) -> Iterator[Any]:
    yield thing


EXECUTOR = "share it, or make another one; send another process a function that makes it"
FUTURE = "share it, or wait for it, and send its result to another process"
BOUND = "send another process the function, to bind it to an executor there"
SYNC = Executors.sync
REFUSING: dict[str, tuple[Callable[[Path], Any], str]] = {
    "MapExecutor": (lambda _: SYNC().with_map(), EXECUTOR),
    "FlatMapExecutor": (lambda _: SYNC().with_flat_map(), EXECUTOR),
    "RetryExecutor": (lambda _: SYNC().with_retry(), EXECUTOR),
    "TimeoutExecutor": (lambda _: SYNC().with_timeout(60), EXECUTOR),
    "ThrottleExecutor": (lambda _: SYNC().with_throttle(2), EXECUTOR),
    "CancelOnShutdownExecutor": (lambda _: SYNC().with_cancel_on_shutdown(), EXECUTOR),
    "PollExecutor": (lambda _: SYNC().with_poll(poll), EXECUTOR),
    "SyncExecutor": (lambda _: SYNC(), EXECUTOR),
    "AsyncioExecutor": (lambda _: shut_down(AsyncioExecutor(SyncExecutor())), EXECUTOR),
    "EventLoopExecutor": (lambda _: EventLoopExecutor(), EXECUTOR),
    "ThreadPoolExecutor": (lambda _: Executors.thread_pool(), EXECUTOR),
    "ProcessPoolExecutor": (lambda _: Executors.process_pool(), EXECUTOR),
    "RateLimit": (
        lambda _: just(RateLimit(5)),
        "share it, or send another process a function that makes one for its share of the calls",
    ),
    "Journal": (
        lambda folder: Journal(folder / "tasks.db"),
        "share it, or close it, and send another process the path, to open it there",
    ),
    "PollDescriptor": (lambda _: a_descriptor(), "share it, or send another process its `result`"),
    "PartialFailure": (lambda _: just(PartialFailure({})), "it is for the executor whose descriptors it has"),
    "Completions": (lambda _: just(Completions()), "share it, or send results of futures"),
    "Promise": (lambda _: just(Promise()), "share it, and send its result from another process"),
    "Future": (lambda _: a_future(), FUTURE),
    "Future of f_map": (lambda _: just(f_map(f_return(1), str)), FUTURE),
    "Future of f_zip": (lambda _: just(f_zip(f_return(1))), FUTURE),
    "ProxyFuture": (lambda _: just(f_proxy(f_return(1))), FUTURE),
}


def test_each_public_class_is_here() -> None:
    names = {each.__name__ for each in CLASSES}
    assert names - COPIED - REFUSING.keys() - OF_DASK - OF_QUEUES - OF_AWS - OF_OPERATIONS - NOT_MADE == set()
    assert names >= {*COPIED, *NOT_MADE, "PollExecutor", "RateLimit", "Journal", "PollDescriptor"}


@pytest.mark.parametrize("how", range(len(COPIES)))
@pytest.mark.parametrize("kind", REFUSING)
def test_what_cannot_be_copied_says_what_to_do_instead(kind: str, how: int, tmp_path: Path) -> None:
    make, instead = REFUSING[kind]
    with make(tmp_path) as thing:
        said = re.escape(f"a {kind.partition(' ')[0]} cannot be copied or pickled: {instead}")
        with pytest.raises(TypeError, match=f"^{said}$"):
            COPIES[how](thing)
        with pytest.raises(TypeError, match=said):  # in something else as well
            COPIES[how if how else 1]([thing])


# -- bound callables ---------------------------------------------------------------------------------------------------

BINDINGS: dict[str, Callable[[], Any]] = {
    "bind": lambda: SYNC().bind(len),
    "bind and a layer": lambda: SYNC().bind(len).with_map(str),
    "flat_bind": lambda: SYNC().flat_bind(f_return),
    "of a lambda": lambda: SYNC().bind(lambda text: len(text)),
}


@pytest.mark.parametrize("how", range(1, len(COPIES)))
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_bound_callable_says_what_to_send(binding: str, how: int) -> None:
    with pytest.raises(TypeError, match=f"^a BoundCallable cannot be copied or pickled: {BOUND}$"):
        COPIES[how](BINDINGS[binding]())


def test_a_shallow_copy_of_a_bound_callable_is_another_one_of_the_same_executor() -> None:
    bound = SYNC().bind(len)
    copied = copy.copy(bound)
    assert copied is not bound
    assert type(copied) is type(bound)
    assert copied("abc").result() == bound("abc").result() == 3
    assert (copied.__name__, repr(copied)) == (bound.__name__, repr(bound))  # type: ignore[attr-defined]


# -- in the reports of tasks -------------------------------------------------------------------------------------------


def test_a_task_that_is_waited_for_is_sent_without_its_future() -> None:
    with PollExecutor(SyncExecutor(), poll) as executor:
        executor.adopt("job")
        (task,) = executor.outstanding()
        executor.cancel_all()  # first: what fails here is not to wait for it
        with pytest.raises(TypeError, match=f"^a Future cannot be copied or pickled: {FUTURE}"):  # Python may add to it
            pickle.dumps(task)
        assert pickle.loads(pickle.dumps(task._replace(future=None))).result == "job"
