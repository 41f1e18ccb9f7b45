"""A progress bar over futures, or over what an executor is waiting for: in a terminal, and in Jupyter.

It needs the extra `progress`, which is tqdm. Guarantees:

* A future costs one callback, whatever the number of futures; what is drawn is drawn `interval` seconds apart.
* After the block, however it ends, the bar is closed and no thread is left.
* An executor is not kept alive by its bar.
"""

from __future__ import annotations

import concurrent.futures
import functools
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sized
from concurrent.futures import Executor, Future
from math import inf
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from ._checks import checked_count, checked_timeout, iterated, real_number, shown
from ._core import check_future
from ._runtime.nested_calls import start_thread
from ._states import first_states

__all__ = ["as_completed", "progress"]

T = TypeVar("T")

MOST_STATES = 5  # beside the bar


def progress(
    what: Iterable[Future[Any]] | Executor,
    *,
    desc: str | None = None,
    total: int | None = None,
    interval: float = 0.1,
    **tqdm_options: Any,
) -> Progress:
    """A context manager that shows a progress bar: for futures, or for all futures of an executor.

        with progress(futures, desc="publishing"):
            wait(futures)

        with progress(executor, total=len(jobs)), executor:
            for job in jobs:
                executor.submit(service.start, job)

    The bar is drawn until the block ends: in the second example, until all futures of the executor are done. For an
    executor, it counts the futures that end from now on, and the total grows when something is submitted. The bar
    shows how many futures failed and how many were cancelled, as soon as there are any, and for an executor how many
    tasks are in each state that its poll function reports. Only futures that end move it: what tasks report as their
    progress does not. `with` gives the bar, a `tqdm.tqdm`.

    Args:
        what: an iterable of futures, or an executor that has `stats()`. The executor is not kept alive.
        desc: a str, the title of the bar.
        total: an int, the number of futures to expect, if it is known. There may be more.
        interval: a float more than 0, the seconds between two drawings.
        tqdm_options: passed to `tqdm.auto.tqdm`.

    Raises ImportError if tqdm is not installed, and TypeError or ValueError if an argument cannot be used. Entering the
    block raises TypeError if something in `what` is no future.
    """
    seconds = real_number("interval", interval, " s")
    if not 0 < seconds < inf:
        raise ValueError(f"interval must be more than 0 s and finite, not {shown(interval)}")
    least = 0 if total is None else checked_count("total", total, 0)
    counts = counts_of(what)
    options = {"desc": desc, "unit": "task", "smoothing": 0.05, "miniters": 1, "mininterval": 0, **tqdm_options}
    return Progress(bar_type(), counts, least, seconds, options)


def as_completed(futures: Iterable[Future[T]], timeout: float | None = None, **options: Any) -> Iterator[Future[T]]:
    """Yield futures as they are done, like `concurrent.futures.as_completed`, and show a progress bar.

    Args:
        futures: an iterable of futures.
        timeout: a float, the seconds from now after which TimeoutError is raised; None is never.
        options: as for `progress`.

    The bar is closed at the end of the loop, also if the loop is left early. Raises what `progress` raises, at once.

        for future in as_completed(futures, desc="publishing"):
            print(future.result())
    """
    seconds = None if timeout is None else min(checked_timeout("timeout", timeout), threading.TIMEOUT_MAX / 2)
    watched = {checked_future(future) for future in iterated("futures", futures, "futures")}
    return yielding(progress(watched, **options), concurrent.futures.as_completed(watched, seconds))


def yielding(bar: Progress, completed: Iterator[Future[T]]) -> Iterator[Future[T]]:
    """Yield from `completed`, and show `bar` meanwhile."""
    with bar:
        yield from completed


def checked_future(future: Any) -> Any:
    """`future`. Raises TypeError if it is no future."""
    check_future("progress is of futures, not of", future)
    return future


class Counts(NamedTuple):
    """How many futures there are, and how many of them are done."""

    done: int
    total: int
    failed: int
    cancelled: int
    states: Mapping[str, int]


class Counting(Protocol):
    """Where a bar gets its numbers."""

    def start(self) -> None:
        """Begin to count."""

    def read(self) -> Counts:
        """The numbers so far. Called from any thread."""
        ...

    def stop(self) -> Counts:
        """Stop counting; returns the last numbers, with everything that is done."""
        ...


class CountsOfFutures:
    """Counts futures by callbacks."""

    def __init__(self, futures: Iterable[Future[Any]]) -> None:
        self._futures: Iterable[Future[Any]] = iterated("what progress is of", futures, "futures")
        self._least = len(futures) if isinstance(futures, Sized) else 0
        self._pending: dict[int, Future[Any]] = {}
        self._total = self._failed = self._cancelled = 0
        # A future may end in a destructor or in a signal handler, in the midst of another one's callback.
        self._lock = threading.RLock()

    def start(self) -> None:
        futures, self._futures = self._futures, ()
        for future in futures:
            self._pending[id(checked_future(future))] = future
            self._total += 1
            future.add_done_callback(self._ended)

    def _ended(self, future: Future[Any]) -> None:
        if self._pending.pop(id(future), None) is None:
            return
        if future.cancelled():
            with self._lock:
                self._cancelled += 1
        elif future.exception() is not None:
            with self._lock:
                self._failed += 1

    def read(self) -> Counts:
        done = max(0, self._total - len(self._pending))
        return Counts(done, max(self._least, self._total), self._failed, self._cancelled, {})

    def stop(self) -> Counts:
        # Whoever waited for a future may be here before its callbacks.
        for future in self._pending.copy().values():
            if future.done():
                self._ended(future)
        last = self.read()
        self._pending.clear()
        self._futures = ()
        return last


class CountsOfExecutor:
    """Gets its numbers from `stats()` of an executor."""

    def __init__(self, executor: Any) -> None:
        self._executor = weakref.ref(executor)
        self._before = executor.stats()
        self._last = Counts(0, self._before.outstanding, 0, 0, {})

    def start(self) -> None:
        """Do nothing: the executor counts."""

    def read(self) -> Counts:
        executor = self._executor()
        if executor is not None:
            now, before = executor.stats(), self._before
            done = now.done - before.done
            failed, cancelled = now.failed - before.failed, now.cancelled - before.cancelled
            states = first_states(getattr(now, "states", {}), MOST_STATES)
            self._last = Counts(done, done + now.outstanding, failed, cancelled, states)
        return self._last

    stop = read


def counts_of(what: Any) -> Counting:
    """Where a bar for `what` gets its numbers. Raises TypeError if `what` is neither futures nor such an executor."""
    if isinstance(what, Executor):
        if callable(getattr(what, "stats", None)):
            return CountsOfExecutor(what)
    elif isinstance(what, Iterable):
        return CountsOfFutures(cast("Iterable[Future[Any]]", what))
    raise TypeError(f"progress is of futures, or of an executor that has stats(), not of {shown(what)}")


class Progress:
    """The context manager that `progress` returns. It can be entered once."""

    def __init__(self, make: Any, counts: Counting, total: int, interval: float, options: dict[str, Any]) -> None:
        self._make = make
        self._counts = counts
        self._least = total
        self._interval = interval
        self._options = options
        self._told: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="more_executors-progress", daemon=True)

    def __enter__(self) -> Any:
        self._bar = self._make(total=max(self._least, self._counts.read().total), **self._options)
        try:
            if not self._bar.disable:
                start_thread(self._thread)
                self._counts.start()
            else:
                self._counts.stop()
        except BaseException:
            self._close()
            raise
        return self._bar

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        try:
            self._over.set()
            # It may be this one: a generator that nobody refers to any more is closed wherever garbage is collected.
            if self._thread.ident is not None and self._thread is not threading.current_thread():
                self._thread.join()
                self._show(self._counts.stop())
        finally:
            self._bar.close()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            self._show(self._counts.read())

    def _show(self, counts: Counts) -> None:
        bar = self._bar
        total = max(self._least, counts.total)
        if total != bar.total:
            set_total(bar, total)
        ended = {"failed": counts.failed, "cancelled": counts.cancelled}
        told = {**counts.states, **{what: count for what, count in ended.items() if count}}
        if told != self._told:
            self._told = told
            bar.set_postfix(told, refresh=False)
        if more := bar.initial + counts.done - bar.n:
            bar.update(more)
        else:
            bar.refresh()


def set_total(bar: Any, total: int) -> None:
    """Have `bar` say so. In a notebook the bar itself is a widget, and there is none yet where the total was 0."""
    bar.total = total
    if (container := getattr(bar, "container", None)) is not None:
        _, widget, _ = container.children
        widget.max = total
        widget.bar_style = ""
        if bar.ncols is None:
            widget.layout.width = None


def bar_type() -> Any:
    """The kind of bar for this place. Raises ImportError without tqdm."""
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError as error:
        raise ImportError("progress needs tqdm: install more-executors with its extra `progress`") from error
    return without_monitor(tqdm)


@functools.cache
def without_monitor(tqdm: Any) -> Any:
    """`tqdm` without its monitor thread, which would never end."""
    return type(tqdm.__name__, (tqdm,), {"monitor_interval": 0, "__module__": __name__})
