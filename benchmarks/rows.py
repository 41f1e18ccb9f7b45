"""The rows of the first table: what is measured, in which order they are shown, and what each may cost.

The targets are those of the design. A time or a size is for one future, unless the row says otherwise. Rows without a
target are there to be fair: they show what a row with one would hide.
"""

from __future__ import annotations

from dataclasses import dataclass

OURS = "ours"

STDLIB_FUTURE = "`concurrent.futures.Future()`"
ORIGINAL = "more-executors 2.11.4"
METHOD_CALL = "`e.with_traceback(e.__traceback__)`"
DICT_LOOP = "stdlib futures in a dict loop"
ASYNCIO_TASKS = "an asyncio task each"
ASYNCIO_ALONE = "the same coroutines, a task of one loop each"
WRAPPED_AS_COMPLETED = "`asyncio.as_completed` of wrapped stdlib futures"
AT_100_000 = "the same at 100,000"
PYTHON_LOOP = "a loop in Python"
AT_5_000 = "the same at 5,000"
NO_GC = "the same, garbage collector off"
BARE_POOL = "the bare pool, whole"
STDLIB_POOL = "`concurrent.futures.ThreadPoolExecutor(16)`"
BYTEARRAYS = "with a list of 1,000,000 `bytearray`"
BY_THREADS = "by `thread_pool(16)` and requests"
ONE_THREAD = "one thread"
EVENT = "threading.Event set to wake-up"
WRAP_FUTURE = "`asyncio.wrap_future` over stdlib futures"
DASK_EXECUTOR = "`client.get_executor(pure=False)`, 2,000 calls"
DASK_CHUNKS = "`client.map` of chunks of 1,000, as bytes"
ONE_POLL_EXECUTOR = "one `PollExecutor` here"
DASK_SUBMIT = "`client.submit(f, x, pure=False).result()`"
AT_ORIGINAL_50 = "more-executors 2.11.4, 50 deep"


@dataclass(frozen=True)
class Row:
    """One thing that is measured, of ours and of each reference."""

    title: str
    at_most: float | None = None  # s, or B: what ours may cost
    times: float | None = None  # what ours may cost as a multiple of the first reference
    unit: str = "s"  # "B", or "" for a number of things
    in_table: bool = True  # else in results.json and in the plots only
    free_threaded: bool = False  # measured only where there is no GIL
    needs: str = ""  # a module: measured only where it is installed


ns, us, ms = 1e-9, 1e-6, 1e-3

OF_ORIGINAL = 1 / 3  # what ours may cost at most, at sizes that the original can bear

IDLE_PASS = Row("poll pass with nothing to resolve, 100,000 outstanding", at_most=15 * ns)
RESOLVE = Row("`d.yield_result(d.result)` in a Python loop", at_most=60 * ns, times=1.2)
SUBMIT = Row("a new outstanding task: `submit` on a sync delegate", at_most=0.5 * us, times=0.2)
SUBMIT_NO_GC = Row("… a new task with the garbage collector off")
SUBMIT_MANY = Row("`submit` on a sync delegate, 300,000 one after another", times=1.3)
SUBMIT_MANY_POLLED = Row("… while the executor polls as it does by default")
CANCEL = Row("`cancel()` with a trivial `cancel_fn`, 10,000 outstanding", at_most=0.5 * us)
MEMORY = Row("memory of an outstanding task, all objects", at_most=176, unit="B")
MEMORY_ABOVE = {
    layer: Row(f"memory of a pending future of `{layer}` above its delegate's", at_most=512, unit="B")
    for layer in ("with_map", "with_retry", "with_throttle", "with_timeout")
}
MILLION = Row("1,000,000 outstanding: join all, one idle pass, resolve all", times=1.3)
MILLION_NO_GC = Row("… a million with the garbage collector off")
MILLION_POLLED = Row(
    "1,000,000 joined by `submit` while the executor polls by default, one idle pass, resolved", times=1.2
)
RESOLVE_MILLION = Row("`d.yield_result(d.result)` in a loop over 1,000,000", times=1.1)
COLLECT = Row("`gc.collect()`, 1,000,000 outstanding whose futures are in a list: median of ten", times=3.0)
COLLECT_LONGEST = Row("… the longest of these ten")
WAIT_DONE = Row("stdlib `wait(fs)`, 100,000 that are done", times=1.0)
WAIT = Row("stdlib `wait(fs)`, 100,000 that another thread resolves meanwhile", times=1.0)
AS_COMPLETED_DONE = Row("stdlib `as_completed(fs)`, 100,000 that are done", times=1.0)
AS_COMPLETED = Row("stdlib `as_completed(fs)`, 100,000 that another thread resolves meanwhile", times=1.0)
POOL = Row("100,000 calls of nothing through `thread_pool(16)`, submit to done", times=0.12)
POOL_CPU = Row("… processor time", times=0.12)
POOL_SINGLE = Row("… one at a time, each awaited before the next", times=0.8)
POOL_POLLED = Row("… with a poll function on top that yields at once", times=0.2)
POOL_POLLED_CPU = Row("… with the poll function, processor time", times=0.2)
POOL_POLLED_SINGLE = Row("… with the poll function, one at a time")
CHAIN = Row("thread_pool, retry, map, throttle, timeout, poll: each of the six, at 50,000", at_most=1.2 * us, times=1.3)
CHAIN_NO_GC = Row("… each of the six with the garbage collector off", times=1.3)
CHAIN_SMALL = Row("… each of the six, at 1,000", times=OF_ORIGINAL)
DEEP = Row("`f_map` of `f_map` of …, 10,000 deep", times=OF_ORIGINAL)
ASYNCIO = Row("`asyncio.gather` of 100,000 through `with_asyncio`, resolved by a poll function", times=0.12)
COMPLETIONS = Row("`async for` over 100,000 futures as they are done: one of them", times=0.3)
EVENT_LOOP = Row("100,000 coroutines that do nothing through `event_loop()`, submit to done", times=1.2)
EVENT_LOOP_CPU = Row("… coroutines, processor time", times=1.2)
STARTS = Row("50,000 tasks of the demo's service, started by `event_loop()` and aiohttp: one of them", times=1 / 2.5)
STARTS_CPU = Row("… tasks started, processor time", times=0.5)
DASK = Row("200,000 calls of nothing by a Dask cluster of two processes, submit to done", needs="distributed")
DASK_CPU = Row("… by a Dask cluster, processor time of all processes", needs="distributed")
DASK_SINGLE = Row("… by a Dask cluster, one at a time", times=1.1, needs="distributed")
SHARDED_CPU = Row(
    "100,000 tasks started and polled by two shards, processor time of all processes", times=2.0, needs="distributed"
)
SCRAPE = Row("scrape of the metrics, 1,000 executors with names of their own: one executor")
NOTIFY = Row("`notify()` to the poll function's first line", times=1.0)
TWO_THREADS = Row("two threads that resolve, without a GIL: one future", times=1 / 1.6, free_threaded=True)
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


def pause(count: int) -> Row:
    """A point of the plot of collections: a full one while so many are outstanding, the median of ten."""
    return Row(f"full garbage collection, {count:,} outstanding", in_table=False)


PAUSES = {count: pause(count) for count in PLOTTED}
LONGEST_PAUSES = {count: Row(f"… the longest of ten, {count:,} outstanding", in_table=False) for count in PLOTTED}

ROWS = [
    IDLE_PASS,
    RESOLVE,
    SUBMIT,
    SUBMIT_NO_GC,
    SUBMIT_MANY,
    SUBMIT_MANY_POLLED,
    CANCEL,
    MEMORY,
    *MEMORY_ABOVE.values(),
    MILLION,
    MILLION_NO_GC,
    MILLION_POLLED,
    RESOLVE_MILLION,
    COLLECT,
    COLLECT_LONGEST,
    WAIT_DONE,
    WAIT,
    AS_COMPLETED_DONE,
    AS_COMPLETED,
    POOL,
    POOL_CPU,
    POOL_SINGLE,
    POOL_POLLED,
    POOL_POLLED_CPU,
    POOL_POLLED_SINGLE,
    CHAIN,
    CHAIN_NO_GC,
    CHAIN_SMALL,
    DEEP,
    ASYNCIO,
    COMPLETIONS,
    EVENT_LOOP,
    EVENT_LOOP_CPU,
    STARTS,
    STARTS_CPU,
    DASK,
    DASK_CPU,
    DASK_SINGLE,
    SHARDED_CPU,
    SCRAPE,
    NOTIFY,
    TWO_THREADS,
    GIL_HAND_OUT,
    GIL_JOIN,
    GIL_RESOLVE,
    GIL_FAIL,
    GIL_SHUTDOWN,
    GIL_EXIT,
    GIL_COLLECTION,
    *PLOTTED.values(),
    *PAUSES.values(),
    *LONGEST_PAUSES.values(),
]
