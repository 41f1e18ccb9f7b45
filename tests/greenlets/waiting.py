"""Greenlets that wait for futures, and hold what others need, let the others run."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import multiprocessing
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, as_completed, wait
from threading import Event
from typing import Any

from green import PATIENCE, Gate, Greenlet, let_others_run, outcomes, poll

from more_executors import Executors, _core
from more_executors.futures import f_map, f_nocancel, f_or, f_proxy, f_timeout, f_zip


def results_are_waited_for_by_many() -> None:
    source: Future[int] = Future()
    future = f_map(source, lambda value: value + 1)
    waiting = [Greenlet(future.result) for _ in range(50)]
    waiting += [Greenlet(future.result, PATIENCE) for _ in range(50)]
    waiting += [Greenlet(lambda: 42 if future.exception() is None else 0) for _ in range(5)]
    let_others_run()
    assert not any(greenlet.is_over() for greenlet in waiting)
    source.set_result(41)
    assert outcomes(waiting) == [42] * 105


def a_timeout_is_kept_while_others_run() -> None:
    future, ticks = _core.Future[int](), 0
    over = False

    def tick() -> None:
        nonlocal ticks
        while not over:
            ticks += 1
            time.sleep(0.0001)

    ticking = Greenlet(tick)
    with contextlib.suppress(concurrent.futures.TimeoutError):
        future.result(0.05)
        raise AssertionError("a result")
    over = True
    ticking.outcome()
    assert ticks > 1


def the_standard_librarys_wait_and_as_completed() -> None:
    sources = [Future[int]() for _ in range(20)]
    futures = [f_map(source, lambda value: value) for source in sources]

    def complete_in_turn() -> list[int]:
        return [future.result() for future in as_completed(futures, PATIENCE)]

    everything = Greenlet(wait, futures, PATIENCE)
    first = Greenlet(lambda: wait(futures, PATIENCE, FIRST_COMPLETED))
    completed = Greenlet(complete_in_turn)
    let_others_run()
    assert not any(greenlet.is_over() for greenlet in (everything, first, completed))
    for number, source in enumerate(sources):
        source.set_result(number)
        let_others_run(3)
    assert everything.outcome().not_done == set()
    assert futures[0] in first.outcome().done
    assert completed.outcome() == [*range(20)]


def a_condition_belongs_to_one_greenlet() -> None:
    future, gate = _core.Future[str](), Gate()
    condition = future._condition

    def hold() -> None:
        with condition, condition:
            gate()

    holding = Greenlet(hold)
    gate.arrived()
    try:
        condition.release()
    except RuntimeError:
        pass
    else:
        raise AssertionError("released what another greenlet holds")
    assert condition.acquire(blocking=False) is False
    assert condition.acquire(timeout=0.01) is False
    ending = Greenlet(future.set_result, "done")
    let_others_run()
    assert not ending.is_over(), "it does not wait"
    assert not future.done()
    gate.open()
    outcomes([holding, ending])
    assert future.result(0) == "done"


def a_condition_is_waited_on_and_notified() -> None:
    future = _core.Future[str]()
    condition, said = future._condition, []

    def wait_for_it() -> bool:
        with condition:
            return bool(condition.wait_for(lambda: said, PATIENCE))

    waiting = [Greenlet(wait_for_it) for _ in range(3)]
    let_others_run()
    with condition:
        assert not condition.wait(0.001)
        said.append("now")
        condition.notify_all()
    assert outcomes(waiting) == [True] * 3


def a_watcher_that_switches_loses_nothing() -> None:
    """Who waits is told with the condition held, and may let others run, which want the condition as well."""

    class Watcher:
        told = 0

        def add_result(self, _: Any) -> None:
            time.sleep(0)
            self.told += 1

    future, watcher = _core.Future[str](), Watcher()
    with future._condition:
        future._waiters.append(watcher)
    ending = Greenlet(future.set_result, "done")
    asking = [Greenlet(wait, [future], PATIENCE) for _ in range(5)]
    ending.outcome()
    outcomes(asking)
    assert watcher.told == 1


def a_throttle_that_blocks_wakes_who_waits() -> None:
    gate = Gate()
    with Executors.thread_pool(max_workers=4).with_throttle(2, block=True) as executor:
        greenlets = [Greenlet(executor.submit, gate, number) for number in range(10)]
        gate.arrived()
        let_others_run()
        assert 0 < sum(greenlet.is_over() for greenlet in greenlets) < 10
        gate.open()
        assert [future.result(PATIENCE) for future in outcomes(greenlets)] == [*range(10)]


def retries_and_timeouts() -> None:
    attempts: dict[int, int] = {}

    def flaky(number: int) -> int:
        attempts[number] = attempts.get(number, 0) + 1
        time.sleep(0)
        if attempts[number] < 3:
            raise OSError("for the moment")
        return number

    with Executors.thread_pool(max_workers=3).with_retry(sleep=0.001).with_timeout(60) as executor:
        futures = [executor.submit(flaky, number) for number in range(20)]
    assert [future.result(0) for future in futures] == [*range(20)]
    with Executors.sync().with_poll(lambda _: 60.0).with_timeout(0.01) as executor:
        futures = [executor.submit(str, number) for number in range(20)]
    assert all(future.cancelled() for future in futures)


def functions_on_futures() -> None:
    pending: Future[int] = Future()
    in_time = f_timeout(pending, PATIENCE)
    timed = f_timeout(Future(), 0.01)
    wait([timed], PATIENCE)
    assert timed.cancelled()
    proxied = Greenlet(lambda: f_proxy(pending) + 1)
    shielded, either = f_nocancel(pending), f_or(pending, Future())
    together = f_zip(shielded, either)
    let_others_run()
    assert not proxied.is_over()
    pending.set_result(7)
    assert proxied.outcome() == 8
    assert together.result(PATIENCE) == (7, 7)
    assert in_time.result(PATIENCE) == 7


def a_process_pool_below() -> None:
    methods = ["spawn", "fork"] if "gevent" in sys.modules and hasattr(os, "fork") else ["spawn"]
    for context in map(multiprocessing.get_context, methods):
        pool = Executors.process_pool(max_workers=2, mp_context=context)
        with pool.with_map(str).with_poll(poll) as executor:
            futures = [executor.submit(abs, -number) for number in range(10)]
            assert [future.result(PATIENCE) for future in futures] == [str(number) for number in range(10)]


def an_event_loop_of_the_programs_own() -> None:
    async def main() -> list[Any]:
        with Executors.thread_pool(max_workers=3).with_map(str).with_asyncio() as executor:
            return await asyncio.gather(*(executor.submit(abs, -number) for number in range(20)))

    assert asyncio.run(main()) == [str(number) for number in range(20)]


def a_ctrl_c_in_a_callback_gets_to_the_program() -> None:
    logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    def end_in_a_greenlet(future: Any) -> None:
        Greenlet(future.set_result, 1).outcome()

    def poll_it(future: Any) -> None:
        gate.open()
        future.result(PATIENCE)

    def wait_in_a_callback(future: Any) -> None:
        waiting = _core.Future[int]()
        waiting.add_done_callback(lambda _: poll_it(future))
        waiting.set_result(0)

    for how in (end_in_a_greenlet, poll_it, wait_in_a_callback):
        gate = Gate()
        with Executors.sync().with_poll(lambda descriptors, gate=gate: (gate(), poll(descriptors))) as executor:
            future = _core.Future[int]() if how is end_in_a_greenlet else executor.submit(str, "polled")
            future.add_done_callback(interrupt)
            try:
                how(future)
                Event().wait(PATIENCE)
            except KeyboardInterrupt:
                gate.open()
            else:
                raise AssertionError("swallowed")


def a_time_out_of_a_greenlet_stays_with_it() -> None:
    class TimeIsUp(BaseException):
        """As of gevent and eventlet."""

    def interrupt(_: object) -> None:
        raise TimeIsUp

    future = _core.Future[int]()
    future.add_done_callback(interrupt)
    Greenlet(future.set_result, 1).outcome()
    let_others_run()


def the_end_of_the_interpreter_waits_for_nobody() -> None:
    global kept
    executor = Executors.thread_pool(max_workers=2).with_retry().with_throttle(1).with_poll(lambda _: 60.0)
    kept = executor, [executor.submit(str, number) for number in range(5)]
    let_others_run()
