"""`shutdown` and the end of `with` wait for functions that other greenlets are in, and not for this one's own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from green import Gate, Greenlet, check_waits, let_others_run, poll

from more_executors import Executors
from more_executors.futures import f_return
from more_executors.retry import RetryPolicy

Layer = Callable[[Any], Any]

LAYERS: dict[str, Layer] = {
    "map": lambda below: below.with_map(str),
    "flat_map": lambda below: below.with_flat_map(f_return),
    "retry": lambda below: below.with_retry(),
    "timeout": lambda below: below.with_timeout(60),
    "throttle": lambda below: below.with_throttle(2),
    "blocking throttle": lambda below: below.with_throttle(2, block=True),
    "cancel_on_shutdown": lambda below: below.with_cancel_on_shutdown(),
    "poll": lambda below: below.with_poll(poll),
    "paced poll": lambda below: below.with_poll(poll, batch_size=1, max_concurrency=2),
}


def leave(executor: Executor) -> None:
    with executor:
        pass


def each_executor_waits_for_a_submit_over_sync_that_blocks() -> None:
    for end in (Executor.shutdown, leave):
        for name, layer in LAYERS.items():
            gate = Gate()
            executor = layer(Executors.sync())
            submitting = Greenlet(executor.submit, gate, name)
            check_waits(lambda end=end, executor=executor: end_of(executor, end), gate)
            assert submitting.outcome().result(0) == name


def end_of(executor: Any, end: Callable[[Executor], object]) -> None:
    if end is leave:
        leave(executor)
    else:
        executor.shutdown()


def each_executor_waits_for_a_map_below_that_blocks() -> None:
    for name, layer in LAYERS.items():
        gate = Gate()
        executor = layer(Executors.sync().with_map(gate))
        submitting = Greenlet(executor.submit, str, name)
        check_waits(executor.shutdown, gate)
        assert submitting.outcome().result(0) == name


def each_executor_waits_for_a_map_on_a_pool_that_blocks() -> None:
    for name, layer in LAYERS.items():
        gate = Gate()
        executor = layer(Executors.thread_pool(max_workers=2).with_map(gate))
        submitting = Greenlet(executor.submit, str, name)
        check_waits(executor.shutdown, gate)
        assert submitting.outcome().result(0) == name


def a_flat_map_that_blocks_is_waited_for() -> None:
    gate = Gate()
    executor = Executors.sync().with_flat_map(lambda value: f_return(gate(value)))
    submitting = Greenlet(executor.submit, str, "flat")
    check_waits(executor.shutdown, gate)
    assert submitting.outcome().result(0) == "flat"


def a_policy_that_blocks_is_waited_for() -> None:
    gate = Gate()

    class Policy(RetryPolicy):
        def should_retry(self, attempt: int, future: Future[Any]) -> bool:
            return bool(gate(attempt < 2))

    executor = Executors.thread_pool(max_workers=1).with_retry(Policy())
    future = executor.submit(int, "none")
    check_waits(executor.shutdown, gate)
    assert isinstance(future.exception(0), ValueError)


def a_poll_function_that_blocks_is_waited_for() -> None:
    for options in ({}, {"max_concurrency": 3, "batch_size": 1}, {"batch_size": 2, "timeout": 60}):
        gate = Gate()

        def slow(descriptors: list[Any], gate: Gate = gate) -> None:
            if descriptors:
                gate()
            poll(descriptors)

        executor = Executors.sync().with_poll(slow, **options)
        futures = [executor.submit(str, number) for number in range(5)]
        check_waits(executor.shutdown, gate)
        assert [future.result(0) for future in futures] == ["0", "1", "2", "3", "4"]


def a_function_that_shuts_down_the_executor_it_works_for_is_not_waited_for() -> None:
    for name, layer in LAYERS.items():
        made: list[Any] = []

        def shut_down(value: Any, made: list[Any] = made) -> Any:
            made[0].shutdown()
            return value

        made.append(layer(Executors.sync().with_map(shut_down)))
        assert made[0].submit(str, name).result(20) == name
        let_others_run()
        made.clear()


def callbacks_and_poll_functions_may_shut_down() -> None:
    for options in ({}, {"max_concurrency": 3, "batch_size": 1}, {"batch_size": 2, "timeout": 60}):
        for in_callback in (True, False):
            made: list[Any] = []

            def polled(descriptors: list[Any], in_callback: bool = in_callback, made: list[Any] = made) -> None:
                if descriptors and not in_callback:
                    made[0].shutdown()
                poll(descriptors)

            made.append(Executors.sync().with_poll(polled, **options))
            future = made[0].submit(str, "done")
            future.add_done_callback(lambda _, made=made: made[0].shutdown())
            assert future.result(20) == "done"
            made[0]._worker.join()


def the_end_of_with_waits_for_all() -> None:
    with Executors.thread_pool(max_workers=4).with_map(str).with_throttle(2).with_retry().with_poll(poll) as executor:
        futures = [executor.submit(int, number) for number in range(50)]
    assert [future.result(0) for future in futures] == [str(number) for number in range(50)]


def shutdown_without_waiting_goes_on_in_the_background() -> None:
    for layer in LAYERS.values():
        if layer is LAYERS["cancel_on_shutdown"]:
            continue
        gate = Gate()
        executor = layer(Executors.thread_pool(max_workers=1))
        future = executor.submit(gate, "late")
        gate.arrived()
        executor.shutdown(wait=False)
        del executor
        gate.open()
        assert future.result(20) == "late"
