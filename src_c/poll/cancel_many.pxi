"""Cancelling many futures, with as few questions as can be."""

cdef enum:
    LONGEST_CHAIN = 100_000     # that is looked down for a polled task: a ring has no end
    SECONDS_BETWEEN_REPORTS = 10


def cancel_many(list futures not None, logger=None):
    """`cancel()` for each; returns how many are cancelled then. Polled tasks are asked about in bulk where they can be.

    That is so if the poll executor at the end of a future's chain has a `cancel_many`: it gets a BulkCancel, and
    returns when all of that are answered. What such an executor's delegate still has is cancelled first, the newest
    before the others: else the delegate would go on starting it meanwhile, the oldest first. So is what waits in a
    layer until there is room below. In the same way, all coroutines are asked to end before it is waited for one of
    them. If it takes long, the progress is logged, to `logger`.
    """
    cdef double report_at = monotonic() + SECONDS_BETWEEN_REPORTS
    cdef dict by_table = {}
    cdef list in_bulk = []
    cdef Py_ssize_t i, count = 0
    cdef set tried = set()
    cdef list going_on = []
    cdef LoopCall call
    cdef PollDescriptor task
    for i in range(len(futures) - 1, -1, -1):
        task = polled_upstream(futures[i])
        call = call_upstream(futures[i])
        if call is not None:
            if call.phase == WAITING:
                cancel_in_haste(<FutureCore>futures[i], NULL)
            else:
                going_on.append(futures[i])
        elif task is not None and task.phase != ON_ITS_OWN:
            futures[i].cancel()
            tried.add(i)
        elif waits_to_go_down(futures[i]):
            futures[i].cancel()
        yield_gil_at(i)
    for future in going_on:     # last: when one ends, another begins
        cancel_in_haste(<FutureCore>future, NULL)
    try:
        for i in range(len(futures)):
            in_bulk.append(begin_in_bulk(futures[i], by_table))
            yield_gil_at(i)
        while by_table:
            table, pairs = by_table.popitem()
            ask_in_bulk(<PollTable>table, pairs)
    finally:
        for pairs in by_table.values():     # a Ctrl-C came out of another: nobody is to wait for these
            give_up(pairs, 0, len(pairs))
    for i in range(len(futures)):
        if in_bulk[i] or i in tried:
            count += bool(futures[i].cancelled())
        else:
            count += bool(futures[i].cancel())
            if i % 16 == 15 and logger is not None and monotonic() >= report_at:
                log(logger, logging.WARNING, "still cancelling: %d of %d futures", i + 1, len(futures))
                report_at = monotonic() + SECONDS_BETWEEN_REPORTS
        yield_gil_at(i)
    return count


cdef PollDescriptor polled_upstream(object future):
    """The task at the end of a chain of ours that is polled, or will be, by an executor that cancels in bulk."""
    cdef FutureCore deciding = <FutureCore>future if is_plain(future) else None
    cdef Task task
    cdef Py_ssize_t links
    for links in range(LONGEST_CHAIN):
        task = None if deciding is None else pending_task(deciding)
        if task is None:
            break
        if isinstance(task, PollDescriptor):
            return None if (<PollTable>task.future_source).cancel_many is None else <PollDescriptor>task
        deciding = task.upstream_any()
    return None


cdef bint waits_to_go_down(object future):
    """Whether a layer of the chain of `future` has not given it to the one below yet."""
    cdef FutureCore deciding = <FutureCore>future if is_plain(future) else None
    cdef Task task
    cdef Py_ssize_t links
    for links in range(LONGEST_CHAIN):
        task = None if deciding is None else pending_task(deciding)
        if task is None:
            break
        if isinstance(task, DeferredTask) and task.phase == WAITING:
            return True
        deciding = task.upstream_any()
    return False


cdef LoopCall call_upstream(object future):
    """The call of an `async def` at the end of a chain of ours, or None."""
    cdef FutureCore deciding = <FutureCore>future if is_plain(future) else None
    cdef Task task
    cdef Py_ssize_t links
    for links in range(LONGEST_CHAIN):
        task = None if deciding is None else pending_task(deciding)
        if task is None or isinstance(task, LoopCall):
            break
        deciding = task.upstream_any()
    return <LoopCall>task if isinstance(task, LoopCall) else None


cdef bint begin_in_bulk(object future, dict by_table) except -1:
    """Whether the task at the end of `future` is to be asked about in bulk; then it is in `by_table`."""
    cdef PollDescriptor polled = polled_upstream(future)
    cdef FutureCore deciding
    cdef CancelAttempt attempt
    cdef Task task
    if polled is None or polled.phase != ON_ITS_OWN:
        return False
    attempt = begin_attempt(polled)
    if attempt is None:
        return False
    deciding = <FutureCore>future
    while deciding is not None:
        task = pending_task(deciding)
        if task is None or task is polled:
            break
        deciding = task.upstream_any()
        task.cancelling()
    try:
        by_table.setdefault(polled.future_source, []).append((polled, attempt))
    except BaseException:
        end_attempt(polled, attempt, False, NULL)       # else whoever cancels it next would wait for an answer
        raise
    return True


cdef int ask_in_bulk(PollTable table, list pairs) except -1:
    cdef BulkCancel bulk
    try:
        bulk = bulk_cancel(pairs)
    except MemoryError:
        give_up(pairs, 0, len(pairs))
        raise
    try:
        table.cancel_many(bulk)
    except BaseException as error:
        refused(table.logger, "Exception during cancel of %d tasks", (len(pairs),), error)
    finally:
        bulk.give_up()
    return 0
