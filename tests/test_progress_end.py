"""How progress bars end, `as_completed`, and where bars are drawn."""

from __future__ import annotations

import concurrent.futures
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from progress_support import NEVER, OFTEN, Counting, Screen, bar_threads, made
from support import PATIENCE, SomeError, Thing, assert_ends, is_gone

from more_executors import Executors
from more_executors.progress import as_completed, bar_type, progress

pytest.importorskip("tqdm", reason="needs tqdm: the extra `progress`")


@pytest.fixture
def screen() -> Screen:
    return Screen()


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
