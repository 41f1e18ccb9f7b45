"""Chains of executors, in many orders: what is submitted on top comes out on top."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import threading
import traceback
import weakref
from concurrent.futures import Future
from typing import Any

import pytest
from chains import ON_A_POOL, FlakyError, all_layers, every_chain, make, on_a_pool
from support import PATIENCE, InThread, SomeError, Thing, is_gone, listening_to

from more_executors import Executors


def double(number: int) -> int:
    return 2 * number


def everything(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def fail_with(error: BaseException) -> None:
    raise error


@every_chain
def test_results_are_those_of_the_calls(chain: str) -> None:
    with make(chain) as executor:
        futures = [executor.submit(double, number) for number in range(50)]
        assert [future.result(PATIENCE) for future in futures] == [2 * number for number in range(50)]


@every_chain
def test_map_gives_the_results_in_order(chain: str) -> None:
    with make(chain) as executor:
        assert list(executor.map(double, range(50), timeout=PATIENCE)) == [2 * number for number in range(50)]


@every_chain
def test_all_arguments_get_through(chain: str) -> None:
    with make(chain) as executor:
        future = executor.submit(everything, 1, [2], fn=3, self=4, executor=5, args=6, timeout=7, delegate=8)
        assert future.result(PATIENCE) == (
            (1, [2]),
            {"fn": 3, "self": 4, "executor": 5, "args": 6, "timeout": 7, "delegate": 8},
        )


@every_chain
def test_results_and_errors_go_to_the_futures_they_belong_to(chain: str) -> None:
    errors = {number: SomeError(number) for number in range(0, 40, 3)}

    def either(number: int) -> int:
        if number in errors:
            fail_with(errors[number])
        return number

    with make(chain) as executor:
        futures = [executor.submit(either, number) for number in range(40)]
        for number, future in enumerate(futures):
            if number in errors:
                assert future.exception(PATIENCE) is errors[number]
            else:
                assert future.result(PATIENCE) == number


@every_chain
def test_an_error_has_the_traceback_of_where_it_was_raised(chain: str) -> None:
    error = SomeError()
    with make(chain) as executor:
        future = executor.submit(fail_with, error)
        assert future.exception(PATIENCE) is error
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert frames.count("fail_with") == 1
        assert frames[-1] == "fail_with"
        with pytest.raises(SomeError) as raised:
            future.result()
        assert raised.value is error
        assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-1] == "fail_with"


@every_chain
def test_what_is_flaky_succeeds_if_there_is_a_retry_and_fails_else(chain: str) -> None:
    calls: list[None] = []

    def works_at_last() -> str:
        calls.append(None)
        if len(calls) < 3:
            raise FlakyError(len(calls))
        return "worked"

    with make(chain) as executor:
        future = executor.submit(works_at_last)
        if "retry" in chain:
            assert future.result(PATIENCE) == "worked"
            assert len(calls) == 3
        else:
            assert isinstance(future.exception(PATIENCE), FlakyError)
            assert len(calls) == 1


@every_chain
def test_what_fails_every_time_is_tried_as_often_as_all_retries_together_say(chain: str) -> None:
    calls: list[None] = []

    def never_works() -> None:
        calls.append(None)
        raise FlakyError(len(calls))

    with make(chain) as executor:
        error = executor.submit(never_works).exception(PATIENCE)
    attempts = 3 ** chain.split().count("retry")
    assert error.args == (attempts,)
    assert len(calls) == attempts


@every_chain
def test_a_broken_callback_is_logged_and_the_others_run_once(chain: str) -> None:
    go, called, all_called = threading.Event(), [], threading.Event()

    def breaks(future: Future[Any]) -> None:
        called.append("breaks")
        raise SomeError("broken callback")

    with listening_to("concurrent.futures") as heard, make(chain) as executor:
        if "sync" in chain:
            go.set()
        future = executor.submit(go.wait, PATIENCE)
        future.add_done_callback(lambda future: called.append("first"))
        future.add_done_callback(breaks)
        future.add_done_callback(lambda future: called.append("last"))
        future.add_done_callback(lambda future: all_called.set())
        go.set()
        assert all_called.wait(PATIENCE)
        future.add_done_callback(breaks)
        future.add_done_callback(lambda future: called.append("late"))
    assert called == ["first", "breaks", "last", "breaks", "late"]
    errors = [error for level, _, error in heard.lines if level == "ERROR"]
    assert [str(error) for error in errors] == ["broken callback"] * 2


@on_a_pool
def test_futures_end_in_the_order_their_tasks_do(chain: str) -> None:
    gates = [threading.Event() for _ in range(3)]
    with make("pool" + chain.removeprefix("single").removeprefix("pool")) as executor:
        futures = [executor.submit(gate.wait, PATIENCE) for gate in gates]
        for number in (2, 0, 1):
            assert not futures[number].done()
            gates[number].set()
            assert futures[number].result(PATIENCE) is True


@every_chain
def test_callbacks_can_submit_more_and_wait_for_nobody(chain: str) -> None:
    """A line of futures, each submitted in a callback of the one before."""
    numbers, over = [], threading.Event()
    executor = make(chain)

    def go_on(future: Future[int]) -> None:
        numbers.append(future.result())
        if len(numbers) == 60:
            over.set()
        else:
            executor.submit(int, len(numbers)).add_done_callback(go_on)

    executor.submit(int, 0).add_done_callback(go_on)
    assert over.wait(PATIENCE)
    executor.shutdown()
    assert numbers == list(range(60))


@every_chain
def test_many_threads_can_submit_at_a_time(chain: str) -> None:
    def submit_some(first: int) -> list[Future[int]]:
        return [executor.submit(int, first + number) for number in range(20)]

    with make(chain) as executor:
        threads = [InThread(submit_some, 100 * number) for number in range(4)]
        for number, thread in enumerate(threads):
            results = [future.result(PATIENCE) for future in thread.outcome()]
            assert results == [100 * number + count for count in range(20)]


@every_chain
def test_futures_outlive_an_executor_that_nobody_refers_to(chain: str) -> None:
    go = threading.Event()
    if "sync" in chain:
        go.set()
    executor = make(chain)
    alive = weakref.ref(executor)
    futures = [executor.submit(lambda: (go.wait(PATIENCE), 1)[1]) for _ in range(8)]
    del executor
    gc.collect()
    go.set()
    assert [future.result(PATIENCE) for future in futures] == [1] * 8
    assert is_gone(alive)


def call_with_things(executor: Any) -> list[weakref.ref[Any]]:
    """Have a function called whose argument and result are things; returns references to all three."""
    argument, result = Thing(), Thing()

    def task(argument: Thing) -> Thing:
        return result

    assert executor.submit(task, argument).result(PATIENCE) is result
    return [weakref.ref(thing) for thing in (argument, result, task)]


@every_chain
def test_a_result_an_argument_and_the_function_go_with_the_future(chain: str) -> None:
    with make(chain) as executor:
        assert [is_gone(reference) for reference in call_with_things(executor)] == [True] * 3


def test_futures_of_all_chains_can_be_waited_for_together() -> None:
    with contextlib.ExitStack() as stack:
        executors = [stack.enter_context(make(chain)) for chain in ON_A_POOL]
        futures = [executor.submit(double, number) for number, executor in enumerate(executors)]
        done, pending = concurrent.futures.wait(futures, PATIENCE)
        assert (done, pending) == (set(futures), set())
        again = [executor.submit(double, number) for number, executor in enumerate(executors)]
        in_order = list(concurrent.futures.as_completed(again, PATIENCE))
        assert len(in_order) == len(again)
        assert set(in_order) == set(again)
        executors.clear()


@every_chain
def test_futures_can_be_awaited(chain: str) -> None:
    async def main() -> list[Any]:
        futures = [asyncio.wrap_future(executor.submit(double, number)) for number in range(10)]
        futures.append(asyncio.wrap_future(executor.submit(fail_with, SomeError("awaited"))))
        return await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), PATIENCE)

    with make(chain) as executor:
        *results, error = asyncio.run(main())
    assert results == [2 * number for number in range(10)]
    assert str(error) == "awaited"


@every_chain
def test_asyncio_may_be_the_last_of_a_chain(chain: str) -> None:
    error = SomeError("awaited")

    async def main() -> list[Any]:
        futures: list[Any] = [executor.submit(double, number) for number in range(10)]
        futures.append(executor.submit(fail_with, error))
        return await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), PATIENCE)

    with make(chain).with_asyncio() as executor:
        *results, failed = asyncio.run(main())
    assert results == [2 * number for number in range(10)]
    assert failed is error
    assert traceback.extract_tb(error.__traceback__)[-1].name == "fail_with"


@every_chain
def test_a_name_travels_up_the_chain_to_threads_and_all(chain: str) -> None:
    first, *layers = chain.split()
    named = {"sync": "sync", "pool": "thread_pool", "single": "thread_pool"}[first]
    with make(chain, getattr(Executors, named)(name="traveller")) as executor:
        assert executor.submit(int).result(PATIENCE) == 0
        assert {layer._name for layer in all_layers(executor)} == {"traveller"}
        threads = [thread.name for thread in threading.enumerate() if thread.name.endswith("Executor-traveller")]
    with_threads = [layer for layer in layers if layer in ("poll", "rounds", "retry", "throttle", "timeout")]
    assert len(threads) == len(with_threads)
