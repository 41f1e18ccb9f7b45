"""Reports to the recorder; and how futures end whose tasks go on: they stay on record, for the next program."""

from time import sleep

cdef enum:
    MOST_TRIES = 12     # to report something, where there is no memory for that: for about 4 s


cdef void report_joined(object recorder, unsigned long long key, object value) noexcept:
    """Report to `recorder` that a task is outstanding; it may hear of it twice."""
    cdef Py_ssize_t tries = 0
    while tries < MOST_TRIES:
        enter_user_code()
        try:
            recorder.joined(key, value)
            break
        except BaseException as error:
            tries = after_failed_report(recorder, tries, error)
        finally:
            leave_user_code()


cdef void report_ended(object recorder, unsigned long long key) noexcept:
    """Report to `recorder` that a task is no longer outstanding; it may hear of it twice."""
    cdef Py_ssize_t tries = 0
    while tries < MOST_TRIES:
        enter_user_code()
        try:
            recorder.ended(key)
            break
        except BaseException as error:
            tries = after_failed_report(recorder, tries, error)
        finally:
            leave_user_code()


cdef Py_ssize_t after_failed_report(object recorder, Py_ssize_t tries, object error) noexcept:
    """The number of tries so far, after one that raised `error`: MOST_TRIES if there is to be no other."""
    if interrupt_later(error):
        return tries
    if isinstance(error, MemoryError) and tries + 1 < MOST_TRIES:
        try:
            sleep(0.001 * (1 << tries))
        except BaseException as another:
            interrupt_later(another)
        return tries + 1
    complain(recorder, error)
    if isinstance(error, MemoryError):
        call_or_write_unraisable(recorder, "miss", (), {})
    return MOST_TRIES


cdef bint end_on_record(PollDescriptor task) except -1:
    """Cancel the future of `task`, and leave the task on record; False if the future has ended."""
    cdef PollState poll_state
    cdef Claim won
    if not claim(task.future, CANCELLED_AND_NOTIFIED, None, ANY_PHASE, &won):
        return False
    poll_state = task.current_poll_state()
    if poll_state is not None:
        poll_state.key = 0
    conclude(task.future, &won, NULL)
    return True


cdef unsigned long long put_back(JoiningTable table, FutureCore future, object result,
                                 unsigned long long key) except 0:
    """Have a task on record again that was resumed under `key`, as nobody has its `future`; returns its key.

    A task that has ended meanwhile may have been deleted, or be about to be: it gets another key.
    """
    cdef unsigned long long other
    cdef Task task = pending_task(future)
    if task is not None and end_on_record(task):
        table.counters.retract()
        return key
    with cython.critical_section(table):
        table.last_key += 1
        other = table.last_key
    report_joined(table.recorder, other, result)
    report_ended(table.recorder, key)
    return other
