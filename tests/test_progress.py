"""Progress bars over futures and over executors, drawn on a screen that the test reads."""

from __future__ import annotations

import concurrent.futures
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from progress_support import NEVER, OFTEN, Counting, Screen, made
from support import PATIENCE, InThread, SomeError, is_gone

from more_executors import Executors, _core
from more_executors.progress import progress

pytest.importorskip("tqdm", reason="needs tqdm: the extra `progress`")


@pytest.fixture
def screen() -> Screen:
    return Screen()


# -- over futures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("future_type", [Future, _core.Future], ids=["standard", "ours"])
def test_it_shows_how_many_futures_are_done(screen: Screen, future_type: Callable[[], Future[Any]]) -> None:
    futures = [future_type() for _ in range(4)]
    futures[0].set_result(None)
    with progress(futures, desc="builds", file=screen, interval=OFTEN) as bar:
        assert bar.total == 4
        screen.wait_for("1/4")
        futures[1].set_result(None)
        futures[2].set_result(None)
        screen.wait_for("3/4")
    assert screen.last().startswith("builds:  75%|")
    assert "failed" not in screen.last()


def test_failed_and_cancelled_futures_are_done_and_are_told(screen: Screen) -> None:
    futures = made(5)
    with progress(futures, file=screen, interval=NEVER):
        futures[0].set_exception(SomeError())
        futures[1].set_exception(SomeError())
        assert futures[2].cancel()
        futures[3].set_result(SomeError())
    assert "4/5" in screen.last()
    assert "failed=2, cancelled=1" in screen.last()


def test_futures_that_are_done_before_count(screen: Screen) -> None:
    futures = made(3)
    futures[0].set_exception(SomeError())
    assert futures[1].cancel()
    with progress(futures, file=screen, interval=NEVER):
        pass
    assert "2/3" in screen.last()
    assert "failed=1, cancelled=1" in screen.last()


def test_no_futures_are_fine(screen: Screen) -> None:
    with progress([], file=screen, interval=NEVER):
        pass
    assert screen.last().startswith("0task")


def test_they_may_come_one_by_one(screen: Screen) -> None:
    futures = made(3)

    def one_by_one() -> Iterator[Future[Any]]:
        for future in futures:
            yield future
            future.set_result(None)
            screen.wait_for("task")  # it is drawn meanwhile

    with progress(one_by_one(), file=screen, interval=OFTEN) as bar:
        screen.wait_for("3/3")
        assert bar.total == 3
    assert "3/3" in screen.last()


def test_more_may_be_expected_than_there_are(screen: Screen) -> None:
    with progress(made(2), total=10, file=screen, interval=NEVER) as bar:
        assert bar.total == 10
    assert "0/10" in screen.last()


def test_callbacks_draw_nothing(screen: Screen) -> None:
    futures = made(10_000)
    with progress(futures, file=screen, interval=NEVER):
        drawn = screen.getvalue()
        for future in futures:
            future.set_result(None)
        assert screen.getvalue() == drawn
    assert "10000/10000" in screen.last()


class Quiet(Future[Any]):
    """A future whose callbacks come late: as when who waits for it is faster."""

    def _invoke_callbacks(self) -> None:
        pass


def test_what_is_done_counts_though_its_callbacks_are_still_to_come(screen: Screen) -> None:
    futures = [Quiet() for _ in range(3)]
    with progress(futures, file=screen, interval=NEVER):
        futures[0].set_result(None)
        futures[1].set_exception(SomeError())
    assert "2/3" in screen.last()
    assert "failed=1" in screen.last()
    for future in futures[:2]:
        super(Quiet, future)._invoke_callbacks()  # type: ignore[misc]


class Late(Quiet):
    """A future whose callbacks come just when somebody asks whether it is done."""

    def done(self) -> bool:
        if super().done():
            super(Quiet, self)._invoke_callbacks()  # type: ignore[misc]
        return super().done()


def test_what_calls_back_at_the_very_end_counts_once(screen: Screen) -> None:
    futures = [Late(), Late()]
    with progress(futures, file=screen, interval=NEVER):
        futures[0].set_exception(SomeError())
    assert "1/2" in screen.last()
    assert "failed=1" in screen.last()


def test_futures_that_end_on_many_threads_all_count(screen: Screen) -> None:
    futures = made(4000)

    def end(part: list[Future[Any]]) -> None:
        for number, future in enumerate(part):
            if number % 2:
                future.set_exception(SomeError())
            else:
                future.cancel()

    with progress(futures, file=screen, interval=OFTEN):
        threads = [InThread(end, futures[start::4]) for start in range(4)]
        for thread in threads:
            thread.outcome()
    assert "4000/4000" in screen.last()
    assert "failed=2000, cancelled=2000" in screen.last()


def test_futures_are_not_kept_when_they_are_done_nor_after_the_block(screen: Screen) -> None:
    futures = made(2)
    references = [weakref.ref(future) for future in futures]
    bar = progress(futures, file=screen, interval=NEVER)
    with bar:
        futures[0].set_result(None)
        del futures[0]
        assert is_gone(references[0])
    del futures
    assert is_gone(references[1])


# -- over an executor ------------------------------------------------------------------------------------------------


def test_it_shows_how_far_an_executor_has_got_since(screen: Screen) -> None:
    executor = Counting()
    executor.set(done=100, outstanding=3, failed=10, cancelled=20)
    with progress(executor, file=screen, interval=OFTEN) as bar:
        assert bar.total == 3
        screen.wait_for("0/3")
        executor.set(done=101, outstanding=4, failed=10, cancelled=20)
        screen.wait_for("1/5")
        executor.set(done=104, outstanding=1, failed=11, cancelled=21)
        screen.wait_for("4/5")
        executor.set(done=105, outstanding=0, failed=11, cancelled=21)
    assert "5/5" in screen.last()
    assert "failed=1, cancelled=1" in screen.last()


def test_the_total_that_is_expected_holds_until_there_is_more(screen: Screen) -> None:
    executor = Counting()
    with progress(executor, total=4, file=screen, interval=OFTEN):
        executor.set(done=1, outstanding=1)
        screen.wait_for("1/4")
        executor.set(done=1, outstanding=5)
        screen.wait_for("1/6")


def test_a_count_that_was_too_high_goes_down_again(screen: Screen) -> None:
    executor = Counting()
    executor.set(done=0, outstanding=5)
    with progress(executor, file=screen, interval=OFTEN):
        executor.set(done=2, outstanding=3)
        screen.wait_for("2/5")
        executor.set(done=1, outstanding=3)
        screen.wait_for("1/4")


def test_states_that_are_reported_are_beside_the_bar_and_do_not_move_it(screen: Screen) -> None:
    executor = Counting()
    executor.set(done=0, outstanding=5)
    with progress(executor, file=screen, interval=OFTEN):
        executor.set(0, 5, queued=3, running=2)
        screen.wait_for("queued=3, running=2")
        assert "0/5" in screen.last()
        executor.set(1, 4, failed=1, running=4)
        screen.wait_for("1/5")
        screen.wait_for("running=4, failed=1")
        executor.set(1, 35, failed=1, a=1, b=2, c=3, d=4, e=5, f=6, g=7)
        screen.wait_for("a=1, b=2, c=3, d=4, e=5, other=13, failed=1")


def test_an_executor_is_not_kept_by_its_bar(screen: Screen) -> None:
    executor = Counting()
    executor.set(done=0, outstanding=5)
    with progress(executor, file=screen, interval=OFTEN):
        executor.set(done=3, outstanding=2)
        screen.wait_for("3/5")
        reference = weakref.ref(executor)
        del executor
        assert is_gone(reference)
        screen.wait_for("3/5")
    assert "3/5" in screen.last()


def test_a_bar_over_a_poll_executor(screen: Screen) -> None:
    wanted = {1, 2}

    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            if descriptor.result in wanted:
                descriptor.yield_result(None)
        return 0.001

    with Executors.sync().with_poll(poll) as executor, progress(executor, file=screen, interval=OFTEN):
        futures = [executor.submit(int, number) for number in range(4)]
        screen.wait_for("2/4")
        futures.append(executor.submit(int, "x"))
        screen.wait_for("failed=1")
        assert futures[0].cancel()
        wanted.add(3)
        concurrent.futures.wait(futures, PATIENCE)
    assert "5/5" in screen.last()
    assert "failed=1, cancelled=1" in screen.last()


def test_with_the_bar_outside_it_lasts_until_the_executor_is_seen_through(screen: Screen) -> None:
    over = threading.Event()

    def poll(descriptors: list[Any]) -> float:
        if over.is_set():
            for descriptor in descriptors:
                descriptor.yield_result(None)
        return 0.001

    executor = Executors.sync().with_poll(poll)
    with progress(executor, file=screen, interval=NEVER), executor:
        for _ in range(3):
            executor.submit(int)
        over.set()
    assert "3/3" in screen.last()
