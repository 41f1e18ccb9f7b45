"""Chains of futures, ended by several greenlets that switch in the midst of each other's: none is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from green import PATIENCE, Gate, Greenlet, let_others_run, outcomes

from more_executors import Executors
from more_executors.futures import f_and, f_flat_map, f_map, f_or, f_return, f_sequence, f_zip

LENGTHS = (1, 15, 16, 17, 18, 31, 32, 33, 40, 200)


def chain(length: int, link: Callable[[Any], Any], first: Future[Any]) -> list[Future[Any]]:
    futures = [first]
    for _ in range(length):
        futures.append(link(futures[-1]))
    return futures


def switching(value: int) -> int:
    """A link that lets the others run."""
    time.sleep(0)
    return value + 1


def check_interleaved(link: Callable[[Any], Any], greenlets: int = 6) -> None:
    for length in LENGTHS:
        chains = [chain(length, link, Future()) for _ in range(greenlets)]
        outcomes([Greenlet(futures[0].set_result, 0) for futures in chains])
        for futures in chains:
            assert all(future.done() for future in futures), (length, [future.done() for future in futures])
            assert futures[-1].result(0) == length


def maps_that_switch() -> None:
    check_interleaved(lambda below: f_map(below, switching))


def flat_maps_that_switch() -> None:
    check_interleaved(lambda below: f_flat_map(below, lambda value: f_return(switching(value))))


def flat_maps_to_pending_futures() -> None:
    with Executors.thread_pool(max_workers=3) as pool:
        for length in LENGTHS:
            chains = [
                chain(length, lambda below: f_flat_map(below, lambda value: pool.submit(switching, value)), Future())
                for _ in range(3)
            ]
            outcomes([Greenlet(futures[0].set_result, 0) for futures in chains])
            assert [futures[-1].result(PATIENCE) for futures in chains] == [length] * 3


def gathers_that_switch() -> None:
    def link(below: Any) -> Any:
        return f_map(f_zip(below, f_sequence([below])), lambda pair: switching(pair[0]))

    for length in (1, 8, 9, 16, 40):
        chains = [chain(length, link, Future()) for _ in range(4)]
        outcomes([Greenlet(futures[0].set_result, 0) for futures in chains])
        assert [futures[-1].result(0) for futures in chains] == [length] * 4


def callbacks_that_switch() -> None:
    for length in LENGTHS:
        called: list[int] = []
        chains = [chain(length, lambda below: f_map(below, lambda value: value + 1), Future()) for _ in range(5)]
        for futures in chains:
            for index, future in enumerate(futures):
                future.add_done_callback(lambda _, index=index, called=called: (time.sleep(0), called.append(index)))
        outcomes([Greenlet(futures[0].set_result, 0) for futures in chains])
        assert sorted(called) == sorted([*range(length + 1)] * 5)
        assert [futures[-1].result(0) for futures in chains] == [length] * 5


def one_that_stops_in_the_middle_holds_up_nobody() -> None:
    for length in LENGTHS:
        for place in {0, length // 2, length - 1}:
            gate = Gate()

            def stop(value: int, gate: Gate = gate, place: int = place) -> int:
                return int(gate(value) if value == place else value) + 1

            stopped = chain(length, lambda below, stop=stop: f_map(below, stop), Future())
            ending = Greenlet(stopped[0].set_result, 0)
            gate.arrived()
            others = [chain(length, lambda below: f_map(below, switching), Future()) for _ in range(3)]
            outcomes([Greenlet(futures[0].set_result, 0) for futures in others])
            assert [futures[-1].result(0) for futures in others] == [length] * 3
            assert not stopped[-1].done()
            gate.open()
            ending.outcome()
            assert stopped[-1].result(0) == length


def what_a_stopped_one_ends_itself_is_done_when_that_returns() -> None:
    for length in LENGTHS:
        inner = chain(length, lambda below: f_map(below, switching), Future())

        def end_inner(value: int, inner: list[Future[Any]] = inner) -> int:
            if not inner[0].done():
                inner[0].set_result(0)
            assert all(future.done() for future in inner)
            return value + 1

        outer = [chain(length, lambda below, end_inner=end_inner: f_map(below, end_inner), Future()) for _ in range(3)]
        for futures in outer:
            futures[0].set_result(0)
        assert [futures[-1].result(0) for futures in outer] == [length] * 3
        assert inner[-1].result(0) == length


def executors_in_a_long_chain() -> None:
    for length in (3, 16, 17, 40):
        executor: Any = Executors.thread_pool(max_workers=4)
        for _ in range(length):
            executor = executor.with_map(switching)
        with executor:
            futures = [executor.submit(int, 0) for _ in range(8)]
        assert [future.result(0) for future in futures] == [length] * 8


def cancels_that_switch() -> None:
    for length in LENGTHS:
        chains = [chain(length, f_map, Future()) for _ in range(5)]
        for futures in chains:
            for future in futures:
                future.add_done_callback(lambda _: time.sleep(0))
        assert outcomes([Greenlet(futures[-1].cancel) for futures in chains]) == [True] * 5
        assert all(future.cancelled() for futures in chains for future in futures)


def cancelled_gathers_that_switch() -> None:
    for length in (1, 8, 16, 17, 40):
        everything, tops = [], []
        for _ in range(4):
            inputs: list[Any] = [Future() for _ in range(3)]
            top: Any = f_zip(*inputs)
            for number in range(length):
                inputs.append(Future())
                top = (f_zip, f_or, f_and)[number % 3](top, inputs[-1])
                top.add_done_callback(lambda _: time.sleep(0))
            everything += inputs
            tops.append(top)
        for future in everything:
            future.add_done_callback(lambda _: time.sleep(0))
        assert outcomes([Greenlet(top.cancel) for top in tops]) == [True] * 4
        let_others_run()
        assert all(future.cancelled() for future in everything)
        for top in tops:
            try:
                top.result(0)
            except CancelledError:
                continue
            raise AssertionError("not cancelled")


def in_whichever_order_stopped_ones_go_on() -> None:
    """A callback stops each of them after it has gone as deep as it goes at a time, with the rest still to do."""
    for length in LENGTHS:
        for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
            gates = [Gate() for _ in order]
            chains = [chain(length, lambda below: f_map(below, lambda value: value + 1), Future()) for _ in order]
            ending = []
            for gate, futures in zip(gates, chains, strict=True):
                futures[length // 2].add_done_callback(gate)
                ending.append(Greenlet(futures[0].set_result, 0))
                gate.arrived()
            for number in order:
                gates[number].open()
                ending[number].outcome()
                assert all(future.done() for future in chains[number]), (length, order)
            check_nothing_is_left()


def in_whichever_order_stopped_cancels_go_on() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        gates = [Gate() for _ in order]
        tops, everything = [], []
        for gate in gates:
            inputs: list[Any] = [Future() for _ in range(3)]
            top: Any = f_zip(*inputs)
            for _ in range(20):
                inputs.append(Future())
                top = f_zip(top, inputs[-1])
            inputs[-2].add_done_callback(gate)
            tops.append(top)
            everything.append(inputs)
        cancelling = []
        for gate, top in zip(gates, tops, strict=True):
            cancelling.append(Greenlet(top.cancel))
            gate.arrived()
        for number in order:
            gates[number].open()
            assert cancelling[number].outcome() is True
            assert all(future.cancelled() for future in everything[number]), order
        check_nothing_is_left()


def check_nothing_is_left() -> None:
    """A delivery that begins on a thread of the library is as if nothing had been before."""
    inputs: list[Any] = [Future() for _ in range(20)]
    with Executors.sync().with_throttle(1) as executor:
        failing = executor.submit(fail_after, inputs)
        top: Any = failing
        for pending in inputs:
            top = f_sequence([top, pending])
    assert isinstance(top.exception(0), ValueError)
    futures = chain(40, f_map, Future())
    futures[0].cancel()
    assert all(future.cancelled() for future in futures)


def fail_after(inputs: list[Any]) -> None:
    let_others_run(3)
    raise ValueError(len(inputs))
