"""Calls that the workers of a Dask cluster make."""

from __future__ import annotations

import builtins
import copy
import gc
import os
import pickle
import sys
import threading
import traceback
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, as_completed, wait
from functools import partial
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("distributed")

import dask_support
from dask_support import OddError, echo, wait_until
from support import PATIENCE

from more_executors import Executors
from more_executors.dask import ClusterLost, DaskExecutor, RemoteError, WorkerLost, _resolver


@pytest.fixture
def executor(client: Any) -> Iterator[DaskExecutor]:
    with DaskExecutor(client) as executor:
        yield executor


def test_calls_are_made_by_workers(executor: DaskExecutor) -> None:
    assert isinstance(executor, Executor)
    assert executor.submit(dask_support.process_id).result(PATIENCE) != os.getpid()


def test_very_many(executor: DaskExecutor) -> None:
    futures = [executor.submit(echo, number) for number in range(20_000)]
    assert [future.result(PATIENCE) for future in futures] == list(range(20_000))
    assert "0 outstanding" in repr(executor)


def test_every_keyword_is_the_functions(executor: DaskExecutor) -> None:
    keywords = {name: name for name in ("key", "workers", "retries", "priority", "pure", "actor", "fn", "self")}
    assert executor.submit(echo, **keywords).result(PATIENCE) == [keywords]


def test_equal_calls_are_all_made(executor: DaskExecutor) -> None:
    futures = [executor.submit(dask_support.process_id, 1) for _ in range(10)]
    assert len(set(map(id, futures))) == 10
    assert len([future.result(PATIENCE) for future in futures]) == 10


@pytest.mark.parametrize("value", [None, 1.5, "text", b"bytes", [1, [2]], {"a": (1, 2)}, {1, 2}, range(3), print])
def test_values_come_back_as_they_went(executor: DaskExecutor, value: Any) -> None:
    got = executor.submit(echo, value).result(PATIENCE)
    assert (type(got), got) == (type(value), value)


def test_functions_that_no_worker_can_import(executor: DaskExecutor) -> None:
    offset = 3
    assert executor.submit(lambda x: x + offset, 1).result(PATIENCE) == 4
    assert list(executor.map(lambda x, y: x * y, [1, 2], [3, 4], timeout=PATIENCE)) == [3, 8]


def test_calls_share_no_arguments(executor: DaskExecutor) -> None:
    shared: list[int] = []
    executor.submit(echo).result(PATIENCE)
    futures = [executor.submit(dask_support.append, shared, number) for number in range(50)]
    assert [future.result(PATIENCE) for future in futures] == [[number] for number in range(50)]


def test_calls_share_no_state_of_a_callable(executor: DaskExecutor) -> None:
    seen: list[int] = []

    def note(number: int) -> list[int]:
        seen.append(number)
        return seen

    futures = [executor.submit(note, number) for number in range(50)]
    assert [future.result(PATIENCE) for future in futures] == [[number] for number in range(50)]


# -- errors ------------------------------------------------------------------------------------------------------------


def test_nothing_keeps_a_result(executor: DaskExecutor) -> None:
    def is_gone(gone: weakref.ref[Any]) -> bool:
        gc.collect()  # without a GIL, nothing else frees what a thread made that waits
        return gone() is None

    for result in executor.map(deque[str], ["ab"] * 10):
        gone = weakref.ref(result)
        del result
        wait_until(partial(is_gone, gone))


def test_an_error_keeps_type_attributes_cause_and_where_it_was_raised(executor: DaskExecutor) -> None:
    error = executor.submit(dask_support.raise_from, 7).exception(PATIENCE)
    assert isinstance(error, OddError)
    assert (error.args, error.number) == (("odd 7",), 7)
    assert isinstance(error.__cause__, KeyError)
    assert error.__cause__.args == (7,)
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert 'raise OddError("odd", number) from error' in text


@pytest.mark.parametrize(
    "error", [OSError(2, "no such file", "name"), UnicodeDecodeError("utf-8", b"x", 0, 1, "why"), StopIteration(3)]
)
def test_errors_of_the_language_come_whole(executor: DaskExecutor, error: Any) -> None:
    given = ("name",) if isinstance(error, OSError) else ()
    got = executor.submit(dask_support.raise_new, type(error), *error.args, *given).exception(PATIENCE)
    assert type(got) is type(error)
    assert got.args == error.args  # type: ignore[union-attr]
    assert str(got) == str(error)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups before 3.11")
def test_errors_of_a_group_come_whole(executor: DaskExecutor) -> None:
    group_of: Any = getattr(builtins, "ExceptionGroup")  # noqa: B009

    def raise_group() -> None:
        try:
            dask_support.raise_from(7)
        except OddError as error:
            inner = group_of("inner", [error])
            inner.reason = "why"
            raise group_of("outer", [inner, ValueError("plain")]) from None

    group: Any = executor.submit(raise_group).exception(PATIENCE)
    assert (type(group), group.message) == (group_of, "outer")
    inner, plain = group.exceptions
    assert (type(inner), inner.message, inner.reason) == (group_of, "inner", "why")
    assert (type(plain), plain.args) == (ValueError, ("plain",))
    (odd,) = inner.exceptions
    assert (type(odd), odd.number, type(odd.__cause__)) == (OddError, 7, KeyError)


def test_what_an_error_has_that_cannot_be_sent_is_left_out(executor: DaskExecutor) -> None:
    def raise_with_a_lock() -> None:
        error = OddError("odd", 1)
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        error.reason = "why"  # type: ignore[attr-defined]
        raise error

    error = executor.submit(raise_with_a_lock).exception(PATIENCE)
    assert type(error) is OddError
    assert vars(error) == {"number": 1, "reason": "why"}


def test_what_would_end_a_worker_is_an_error_of_the_call(executor: DaskExecutor) -> None:
    error = executor.submit(dask_support.exit_with, 3).exception(PATIENCE)
    assert isinstance(error, SystemExit)
    assert error.code == 3
    assert executor.submit(echo, 1).result(PATIENCE) == 1


def test_an_error_that_cannot_be_made_here_says_what_it_was(executor: DaskExecutor) -> None:
    def raise_a_local_one() -> None:
        import dask_support

        class LocalError(Exception):
            lock = dask_support.Lock()  # so that the class cannot be sent

        raise LocalError("text")

    error = executor.submit(raise_a_local_one).exception(PATIENCE)
    assert isinstance(error, RemoteError)
    assert str(error).endswith("LocalError: text")


def test_what_cannot_be_pickled_fails_its_own_future(executor: DaskExecutor) -> None:
    good = [executor.submit(echo, number) for number in range(20)]
    unsent = executor.submit(echo, threading.Lock())
    unloaded = executor.submit(echo, dask_support.NotThere())
    unreturned = executor.submit(dask_support.make_unpicklable)
    unloadable = executor.submit(dask_support.make_unloadable)
    good += [executor.submit(echo, number) for number in range(20)]
    assert isinstance(unsent.exception(PATIENCE), TypeError)
    assert "refused" in str(unloaded.exception(PATIENCE))
    assert isinstance(unreturned.exception(PATIENCE), TypeError)
    assert "refused" in str(unloadable.exception(PATIENCE))
    assert [future.result(PATIENCE) for future in good] == [*range(20), *range(20)]


# -- futures -----------------------------------------------------------------------------------------------------------


def test_calls_whose_outcomes_cannot_be_read_end(executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(_: bytes) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(_resolver, "pickle", SimpleNamespace(loads=loads))
        error = executor.submit(echo, 1).exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert isinstance(error.__cause__, MemoryError)
    assert executor.submit(echo, 1).result(PATIENCE) == 1


def test_pending_until_sent_then_running_and_cancel_tells_the_truth(executor: DaskExecutor, tmp_path: Path) -> None:
    going = [executor.submit(dask_support.wait_for, str(tmp_path / str(number))) for number in range(4)]
    wait_until(lambda: sum(future.running() for future in going) == 4)
    wait_until(lambda: (tmp_path / "0").exists())
    waiting = executor.submit(echo, 1)
    assert not going[0].cancel()
    assert not waiting.running()
    assert waiting.cancel()
    for number in range(4):
        (tmp_path / f"{number}.go").touch()
    assert [future.result(PATIENCE) for future in going] == [str(tmp_path / str(number)) for number in range(4)]
    with pytest.raises(CancelledError):
        waiting.result(PATIENCE)


def test_callbacks_run_on_no_thread_of_dask(executor: DaskExecutor) -> None:
    names: list[str] = []
    future = executor.submit(echo, 1)
    future.add_done_callback(lambda _: names.append(threading.current_thread().name))
    future.result(PATIENCE)
    wait_until(lambda: bool(names))
    assert names[0] in ("DaskExecutor-default-resolver", threading.current_thread().name)


def test_the_functions_of_the_standard_library(executor: DaskExecutor) -> None:
    futures = [executor.submit(echo, number) for number in range(10)]
    assert not wait(futures, PATIENCE).not_done
    assert {future.result() for future in as_completed(futures, PATIENCE)} == set(range(10))


def test_layers_stand_on_it(client: Any) -> None:
    with Executors.dask(client).with_map(lambda x: x + 1).with_retry(max_attempts=2) as executor:
        assert executor.submit(echo, 1).result(PATIENCE) == 2

    def resolve(descriptors: Any) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)

    with DaskExecutor(client).with_poll(resolve) as polled:
        assert polled.submit(echo, "task").result(PATIENCE) == "task"


# -- its end -----------------------------------------------------------------------------------------------------------


def test_shutdown_waits_and_leaves_the_client_open(client: Any) -> None:
    executor = DaskExecutor(client)
    futures = [executor.submit(echo, number) for number in range(100)]
    executor.shutdown()
    assert all(future.done() for future in futures)
    assert client.status == "running"
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(echo)
    executor.shutdown()


def test_shutdown_without_waiting_cancels_nothing(client: Any) -> None:
    executor = DaskExecutor(client)
    futures = [executor.submit(echo, number) for number in range(1000)]
    executor.shutdown(wait=False)
    assert [future.result(PATIENCE) for future in futures] == list(range(1000))
    executor.shutdown()


class Changing(deque[Any]):
    """Is being changed by other threads whenever one iterates over it, as may be where there is no GIL."""

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("deque mutated during iteration")

    copy = __copy__ = __iter__  # type: ignore[assignment]


def test_shutdown_cancels_what_was_not_sent(client: Any, tmp_path: Path) -> None:
    executor = DaskExecutor(client)
    executor._dispatcher.queue.waiting = Changing()
    going = [executor.submit(dask_support.wait_for, str(tmp_path / str(number))) for number in range(4)]
    wait_until(lambda: sum(future.running() for future in going) == 4)
    waiting = [executor.submit(echo, number) for number in range(100)]
    executor.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in waiting)
    assert not wait(waiting, timeout=0).not_done
    for number in range(4):
        (tmp_path / f"{number}.go").touch()
    executor.shutdown()
    assert all(future.result() for future in going)


def test_one_that_nobody_has_any_more_ends(client: Any) -> None:
    future = DaskExecutor(client).submit(echo, 1)
    assert future.result(PATIENCE) == 1


def test_a_call_that_comes_as_the_threads_end_is_cancelled(client: Any) -> None:
    executor = DaskExecutor(client)
    executor._dispatcher.close()  # 1. A thread is in `submit`, and has seen no shutdown. 2. Another shuts down.
    executor._dispatcher.join()
    future = executor.submit(echo, 1)  # 3. The first goes on.
    assert future.cancelled()
    assert wait([future], timeout=0).done
    executor.shutdown()


def test_from_a_callback_shutdown_does_not_wait_for_itself(client: Any) -> None:
    executor = DaskExecutor(client)
    future = executor.submit(echo, 1)
    future.add_done_callback(lambda _: executor.shutdown())
    assert future.result(PATIENCE) == 1
    executor.shutdown()


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"retries": -1}, ValueError),
        ({"retries": "1"}, TypeError),
        ({"timeout": "1"}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"timeout": 0}, ValueError),
        ({"timeout": inf}, ValueError),
        ({"timeout": nan}, ValueError),
        ({"name": 1}, TypeError),
    ],
)
def test_bad_options_are_refused(client: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        DaskExecutor(client, **options)


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(TypeError, match="client must be"):
        DaskExecutor(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must return a dask Client"):
        DaskExecutor(lambda: 5)  # type: ignore[arg-type, return-value]


def test_an_address_where_nobody_answers() -> None:
    with pytest.raises(ClusterLost, match="nobody answers at 'tcp://127"):
        DaskExecutor("tcp://127.0.0.1:9", timeout=0.5)


@pytest.mark.parametrize("error", [ClusterLost("why"), WorkerLost("why"), RemoteError("text", "a.Type")])
def test_its_errors_can_be_copied_and_sent(error: Exception) -> None:
    for made in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (type(made), made.args, str(made)) == (type(error), error.args, str(error))


def test_it_cannot_be_copied_or_sent(executor: DaskExecutor) -> None:
    assert isinstance(executor.submit(echo, executor).exception(PATIENCE), TypeError)
