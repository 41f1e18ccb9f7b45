"""The rows of polling at high volume, as `rows` has them; they are shown after those."""

from __future__ import annotations

from .rows import Row, ns, us

AT_1_000 = "1,000 outstanding, all due"
UNDISTURBED = "the same while nothing is polled"
NO_JOURNAL = "the same without a journal"
NO_KEYS = "the same without keys"
NO_SCHEDULE = "the same without a schedule"
BY_HAND = "ids and lookup written by hand"
WORKERS = "64 coroutines that take one id after the other"
NO_MIN_INTERVAL = "without `min_interval`"

DUE = {
    due: Row(f"a round with 1,000,000 outstanding, of which {due:,} are due: one of those", times=times)
    for due, times in ((1_000, 1.3), (10_000, None), (1_000_000, None))
}
JOIN_MEANWHILE = Row("`adopt` while 100,000 are polled without a pause, 1,000 a call: slowest of five runs", times=3.0)
ADOPT = Row("`adopt`, one by one", at_most=500 * ns)
ADOPT_NO_GC = Row("… one by one with the garbage collector off", at_most=500 * ns)
ADOPT_MANY = Row("`adopt_many` of 1,000,000", at_most=500 * ns)
ADOPT_MANY_NO_GC = Row("… of 1,000,000 with the garbage collector off", at_most=500 * ns)
JOURNAL = Row("a task with a journal: joined, done, and both on disk", at_most=10 * us)
KEYED = Row("a task with a key: meant, started, done, all on disk, processor time", at_most=20 * us)
STATUS_POLL = Row("`StatusPoll`, one id of 100 a call, not done yet")
EACH_STATUS_CPU = Row("`EachStatus`, a request that does nothing, processor time", at_most=15 * us)
EACH_REQUEST = Row("`EachStatus`, a request over loopback, 64 at a time", times=1.11, needs="aiohttp")
MEMORY_SCHEDULED = Row("memory of an outstanding task with a schedule", unit="B")
AT_ONCE = {
    most: Row(f"50,000 by calls of 100 ms for 100, {most} at a time: all of them", at_most=at_most)
    for most, at_most in ((1, None), (4, None), (16, 4.0), (64, None))
}
ASYNC_AT_ONCE = Row("10,000 calls of an `async def`, 100 ms each, all at a time: all of them")
CANCEL_AT_ONCE = {
    what: Row(f"300 cancels of 30 ms by {what}, 16 at a time: all of them", at_most=0.8)
    for what in ("a function", "an `async def`")
}
BURST = Row("poll calls for 4,000 submits over 5 s, interval 5 s, `min_interval=1`", at_most=10, unit="")

VOLUME_ROWS = [
    *DUE.values(),
    JOIN_MEANWHILE,
    ADOPT,
    ADOPT_NO_GC,
    ADOPT_MANY,
    ADOPT_MANY_NO_GC,
    JOURNAL,
    KEYED,
    STATUS_POLL,
    EACH_STATUS_CPU,
    EACH_REQUEST,
    MEMORY_SCHEDULED,
    *AT_ONCE.values(),
    ASYNC_AT_ONCE,
    *CANCEL_AT_ONCE.values(),
    BURST,
]
