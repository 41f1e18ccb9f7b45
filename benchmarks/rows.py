"""The rows of the table: what is measured, in which order they are shown, and what each may cost.

The targets are those of the design. A time or a size is for one future, unless the row says otherwise. Rows without a
target are there to be fair: they show what a row with one would hide.
"""

from __future__ import annotations

from dataclasses import dataclass

OURS = "ours"

STDLIB_FUTURE = "concurrent.futures.Future()"
ORIGINAL = "the original, 2.11.4"
METHOD_CALL = "`e.with_traceback(e.__traceback__)`"
DICT_LOOP = "stdlib futures in a dict loop"
ASYNCIO_TASKS = "an asyncio task each"
AT_100_000 = "the same at 100,000"
PYTHON_LOOP = "a loop in Python"


@dataclass(frozen=True)
class Row:
    """One thing that is measured, of ours and of each reference."""

    title: str
    at_most: float | None = None  # s, or B: what ours may cost
    times: float | None = None  # what ours may cost as a multiple of the first reference
    unit: str = "s"
    in_table: bool = True  # else in results.json and in the plot only


ns, us, ms = 1e-9, 1e-6, 1e-3

IDLE_PASS = Row("poll pass with nothing to resolve, 100,000 outstanding", at_most=15 * ns)
RESOLVE = Row("`d.yield_result(d.result)` in a Python loop", at_most=60 * ns, times=1.2)
SUBMIT = Row("a new outstanding task: `submit` on a sync delegate", at_most=0.5 * us, times=0.2)
SUBMIT_NO_GC = Row("… a new task with the garbage collector off")
CANCEL = Row("`cancel()` with a trivial `cancel_fn`, 10,000 outstanding", at_most=0.5 * us)
MEMORY = Row("memory of an outstanding task, all objects", at_most=256, unit="B")
MILLION = Row("1,000,000 outstanding: join all, one idle pass, resolve all", times=1.3)
MILLION_NO_GC = Row("… a million with the garbage collector off")
WAIT_DONE = Row("stdlib `wait(fs)`, 100,000 that are done", times=1.0)
WAIT = Row("stdlib `wait(fs)`, 100,000 that another thread resolves meanwhile", times=1.0)
AS_COMPLETED_DONE = Row("stdlib `as_completed(fs)`, 100,000 that are done", times=1.0)
AS_COMPLETED = Row("stdlib `as_completed(fs)`, 100,000 that another thread resolves meanwhile", times=1.0)
THREAD_POOL = Row("submit to done through `thread_pool` and a poll that yields at once", times=1.2)
THREAD_POOL_SINGLE = Row("… one at a time, each awaited before the next")
NOTIFY = Row("`notify()` to the poll function's first line", times=2.0)
GIL_HAND_OUT = Row("longest hold of the GIL, 1,000,000 outstanding: ten poll passes", at_most=50 * ms)
GIL_JOIN = Row("… joining them all, garbage collector off", at_most=50 * ms)
GIL_RESOLVE = Row("… resolving them all in a loop", at_most=50 * ms)
GIL_FAIL = Row("… failing them all by a poll function that raises", at_most=50 * ms)
GIL_SHUTDOWN = Row("… `shutdown(cancel_futures=True)`", at_most=50 * ms)
GIL_EXIT = Row("… cancelling them all at interpreter exit", at_most=50 * ms)
GIL_COLLECTION = Row("… a full garbage collection, which is Python's own")


def outstanding(count: int) -> Row:
    """A point of the plot."""
    return Row(f"join, one idle pass, resolve: {count:,} outstanding", in_table=count in (10_000, 1_000_000))


PLOTTED = {count: outstanding(count) for count in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)}

ROWS = [
    IDLE_PASS,
    RESOLVE,
    SUBMIT,
    SUBMIT_NO_GC,
    CANCEL,
    MEMORY,
    MILLION,
    MILLION_NO_GC,
    WAIT_DONE,
    WAIT,
    AS_COMPLETED_DONE,
    AS_COMPLETED,
    THREAD_POOL,
    THREAD_POOL_SINGLE,
    NOTIFY,
    GIL_HAND_OUT,
    GIL_JOIN,
    GIL_RESOLVE,
    GIL_FAIL,
    GIL_SHUTDOWN,
    GIL_EXIT,
    GIL_COLLECTION,
    *PLOTTED.values(),
]
