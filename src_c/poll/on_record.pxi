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
    cdef Claim won
    cdef unsigned long long key
    if not claim_on_record(task, ANY_PHASE, &won, &key):
        return False
    conclude(task.future, &won, NULL)
    return True


cdef int claim_on_record(PollDescriptor task, Phase phase, Claim *won, unsigned long long *key) except -1:
    """`claim` the future of `task`, as cancelled, so that nobody reports its end: `key` is that on record, or 0."""
    cdef FutureCore future = task.future
    cdef bint succeeded = False
    cdef FutureCondition condition = None
    key[0] = 0
    with cython.critical_section(future):
        if future.followers is not None:
            condition = <FutureCondition>condition_in(<PyObject *>future.followers)
        if condition is None:
            succeeded = decide_on_record(task, phase, won, key)
        elif future.state > RUNNING:
            condition = None    # too late, without waiting for who holds it
    if condition is None:
        return succeeded
    if in_forked_child:
        condition._at_fork_reinit()
    condition.hold()
    with cython.critical_section(future):
        succeeded = decide_on_record(task, phase, won, key)
    if succeeded:
        notify_watchers(condition, future, CANCELLED_AND_NOTIFIED)
    condition.unhold()
    return succeeded


cdef bint decide_on_record(PollDescriptor task, Phase phase, Claim *won, unsigned long long *key) noexcept:
    """Inside section(future): `decide`, and take the key away, in one."""
    if not decide(task.future, CANCELLED_AND_NOTIFIED, None, phase, won):
        return False
    if task.poll_state is not None:
        key[0] = task.poll_state.key
        task.poll_state.key = 0
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
