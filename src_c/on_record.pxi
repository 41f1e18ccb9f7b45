"""How futures end whose tasks go on: they stay on record, for whoever takes them up next."""


cdef bint end_on_record(PollDescriptor task) except -1:
    """Cancel the future of `task`, and leave the task on record; False if the future has ended."""
    cdef Pace pace
    if not task.future.claim(CANCELLED_AND_NOTIFIED, None, ANY_PHASE):
        return False
    pace = task.paced()
    if pace is not None:
        pace.key = 0
    task.future.conclude(NULL)
    return True


cdef unsigned long long put_back(JoiningTable table, FutureCore future, object result,
                                 unsigned long long key) except 0:
    """Have on record again what was taken up under `key`, `future` being nobody's; returns the key it has then.

    A task that has ended meanwhile may have been forgotten, or be about to be: it gets another one.
    """
    cdef unsigned long long other
    cdef Task task = pending_task(future)
    if task is not None and end_on_record(task):
        table.tally.retract()
        return key
    with cython.critical_section(table):
        table.last_key += 1
        other = table.last_key
    call_or_complain(table.recorder, "joined", (other, result), {})
    call_or_complain(table.recorder, "ended", (key,), {})
    return other
