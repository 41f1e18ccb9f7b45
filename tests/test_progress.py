"""Progress bars, drawn on a screen that the test reads."""

from __future__ import annotations

import concurrent.futures
import gc
import io
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from support import PATIENCE, InThread, SomeError, Thing, assert_ends, is_gone

from more_executors import Executors, _core
from more_executors.poll_stats import PollStats
from more_executors.progress import as_completed, bar_type, progress

pytest.importorskip("tqdm", reason="needs tqdm: the extra `progress`")

OFTEN = 0.001  # seconds between drawings, where the test waits for one
NEVER = 3600.0


class Screen(io.StringIO):
    """What a bar is drawn on."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def write(self, text: str) -> int:
        with self._written:
            self._written.notify_all()
            return super().write(text)

    def wait_for(self, text: str) -> None:
        """Wait until `text` is in what is drawn from now on."""
        with self._written:
            begin = len(self.getvalue())
            assert self._written.wait_for(lambda: text in self.getvalue()[begin:], PATIENCE), self.getvalue()

    def last(self) -> str:
        """The bar as it was drawn last."""
        return self.getvalue().strip().rpartition("\r")[2]


class Counting(Executor):
    """An executor whose `stats()` the test sets."""

    def __init__(self) -> None:
        self.on_stats: Callable[[], object] = lambda: None
        self.set(0, 0)

    def set(self, done: int, outstanding: int, failed: int = 0, cancelled: int = 0) -> None:
        self._stats = PollStats(outstanding, 0, 0, 0, 0, done, failed, cancelled, 0, 0, 0, 0.0, 0.0, None, None)

    def stats(self) -> PollStats:
        self.on_stats()
        return self._stats


@pytest.fixture
def screen() -> Screen:
    return Screen()


def made(count: int) -> list[Future[Any]]:
    return [_core.Future() for _ in range(count)]


def bar_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "more_executors-progress"]


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


# -- how it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SomeError, KeyboardInterrupt, SystemExit])
def test_the_bar_is_closed_whatever_comes_out_of_the_block(screen: Screen, error: type[BaseException]) -> None:
    futures = made(2)

    def raise_inside() -> None:
        with progress(futures, file=screen, interval=OFTEN):
            assert len(bar_threads()) == 1
            futures[0].set_result(None)
            raise error

    with pytest.raises(error):
        raise_inside()
    assert not bar_threads()
    assert "1/2" in screen.last()
    assert screen.getvalue().endswith("\n")


def test_a_second_interrupt_while_it_ends_closes_the_bar_too(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = progress(made(2), file=screen, interval=OFTEN)

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bar._thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        with bar:
            pass
    monkeypatch.undo()
    assert_ends(bar._thread)
    assert screen.getvalue().endswith("\n")


def test_the_bar_is_closed_when_the_futures_cannot_be_gone_through(screen: Screen) -> None:
    def failing() -> Iterator[Future[Any]]:
        yield from made(1)
        raise SomeError

    with pytest.raises(SomeError):
        with progress(failing(), file=screen, interval=OFTEN):
            raise AssertionError("the block is not reached")
    assert not bar_threads()
    assert screen.getvalue().endswith("\n")


def test_what_is_no_future_is_refused_and_the_bar_closed(screen: Screen) -> None:
    with pytest.raises(TypeError, match="progress is of futures, not of 5"):
        with progress([5], file=screen, interval=OFTEN):  # type: ignore[list-item]
            raise AssertionError("the block is not reached")
    assert not bar_threads()


def test_a_bar_may_be_closed_by_its_own_thread(screen: Screen) -> None:
    executor = Counting()
    bar = progress(executor, file=screen, interval=OFTEN)
    closed = threading.Event()

    def close() -> None:
        if threading.current_thread() in bar_threads():
            executor.on_stats = lambda: None
            bar.__exit__(None, None, None)
            closed.set()

    executor.on_stats = close  # stands for a garbage collection there
    with bar:
        assert closed.wait(PATIENCE)
    assert screen.getvalue().endswith("\n")


def test_a_closed_bar_is_drawn_no_more(screen: Screen) -> None:
    futures = made(1)
    with progress(futures, file=screen, interval=NEVER):
        pass
    drawn = screen.getvalue()
    futures[0].set_result(None)
    assert screen.getvalue() == drawn


def test_a_bar_that_is_disabled_costs_nothing(screen: Screen) -> None:
    futures = made(2)
    with progress(futures, file=screen, disable=True):
        assert not bar_threads()
        futures[0].set_result(None)
    assert screen.getvalue() == ""


# -- as_completed ----------------------------------------------------------------------------------------------------


def test_as_completed_yields_each_once_it_is_done(screen: Screen) -> None:
    futures = made(4)
    futures[2].set_result("first")
    completed = as_completed([*futures, futures[0]], file=screen, interval=OFTEN, desc="builds")
    assert next(completed) is futures[2]
    for which in (3, 0, 1):
        futures[which].set_exception(SomeError())
        assert next(completed) is futures[which]
    assert next(completed, None) is None
    assert "4/4" in screen.last()
    assert "failed=3" in screen.last()
    assert not bar_threads()


def test_leaving_the_loop_closes_the_bar(screen: Screen) -> None:
    futures = made(3)
    futures[0].set_result(None)
    for future in as_completed(futures, file=screen, interval=OFTEN):
        assert future is futures[0]
        assert bar_threads()
        break
    gc.collect()
    assert not bar_threads()
    assert "1/3" in screen.last()


def test_as_completed_gives_up_in_time_as_the_standard_one(screen: Screen) -> None:
    futures = made(2)
    futures[0].set_result(None)
    completed = as_completed(futures, timeout=0, file=screen, interval=OFTEN)
    assert next(completed) is futures[0]
    with pytest.raises(concurrent.futures.TimeoutError, match=r"1 \(of 2\) futures unfinished"):
        next(completed)
    assert not bar_threads()


@pytest.mark.parametrize("disable", [False, True], ids=["shown", "disabled"])
def test_as_completed_keeps_no_result_that_was_yielded(screen: Screen, disable: bool) -> None:
    futures = made(2)
    thing = Thing()
    reference = weakref.ref(thing)
    futures[0].set_result(thing)
    del thing
    completed = as_completed(futures, file=screen, interval=OFTEN, disable=disable)
    assert next(completed).result() is reference()
    futures.clear()
    assert is_gone(reference)
    completed.close()  # type: ignore[attr-defined]


# -- arguments and places --------------------------------------------------------------------------------------------


def test_what_cannot_be_used_is_refused() -> None:
    executor = Executors.sync()
    with pytest.raises(TypeError, match=r"an executor that has stats\(\), not of <.*SyncExecutor"):
        progress(executor)
    with pytest.raises(TypeError, match="not of 5"):
        progress(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="interval must be a number of seconds, not '1'"):
        progress([], interval="1")  # type: ignore[arg-type]
    for interval in (0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="interval must be more than 0 s and finite, not"):
            progress([], interval=interval)
    executor.shutdown()


@pytest.mark.parametrize("call", [lambda: progress([]), lambda: next(as_completed([]))], ids=["progress", "loop"])
def test_without_tqdm_it_says_what_to_install(call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"progress needs tqdm: .* extra `progress`"):
        call()


def test_options_go_to_tqdm(screen: Screen) -> None:
    with progress(made(1), file=screen, unit="job", initial=5, leave=False, interval=NEVER, total=6) as bar:
        assert (bar.unit, bar.n, bar.leave) == ("job", 5, False)
    assert bar.n == 5


def test_the_kind_of_bar_is_that_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import tqdm.auto
    import tqdm.notebook

    assert issubclass(bar_type(), tqdm.auto.tqdm)
    assert not issubclass(bar_type(), tqdm.notebook.tqdm)
    monkeypatch.setattr(tqdm.auto, "tqdm", tqdm.notebook.tqdm)
    assert issubclass(bar_type(), tqdm.notebook.tqdm)
    assert bar_type() is bar_type()


def test_in_a_notebook_the_widget_grows_with_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ipywidgets", reason="needs ipywidgets")
    import tqdm.auto
    import tqdm.notebook

    monkeypatch.setattr(tqdm.auto, "tqdm", tqdm.notebook.tqdm)
    executor = Counting()
    with progress(executor, interval=NEVER, display=False, desc="builds") as bar:
        left, widget, right = bar.container.children
        executor.set(done=2, outstanding=6, failed=1)
    assert (widget.value, widget.max) == (2, 8)
    assert widget.layout.width is None
    assert left.value.startswith("builds:")
    assert "2/8" in right.value
    assert "failed=1" in right.value
    bar.container.close()  # ipywidgets keeps what is not closed
