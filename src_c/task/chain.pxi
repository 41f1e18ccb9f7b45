"""Along a chain of futures of ours, which may be long: cancelling and asking go down it in loops, not in calls."""


cdef Task pending_task(FutureCore future):
    """The task behind a future that is pending, if there is one."""
    cdef Task task = None
    with cython.critical_section(future):
        if future.state == PENDING:
            task = task_of(future)
    return task


cdef bint is_plain(object future):
    """Whether `future` is one of ours, and not of a subclass with a `cancel` or `running` of its own."""
    if type(future) is Future:
        return True
    return (isinstance(future, FutureBase) and type(future).cancel is FutureBase.cancel
            and type(future).running is FutureBase.running)


cdef FutureCore next_upstream(FutureCore future, bint cancelling):
    """The future that a `cancel()` or `running()` of this one is handed down to, or None if it has a say itself."""
    cdef Task task = pending_task(future)
    return None if task is None else task.upstream(cancelling)


cdef FutureCore deciding_future(FutureCore future, bint cancelling, list path):
    """The first future down the chain that has a say; `path`, if there is one, gets those above it.

    None if the chain leads back into itself, as flat maps can be made to.
    """
    cdef FutureCore last = future, mark = future
    cdef FutureCore upstream = next_upstream(last, cancelling)
    cdef Py_ssize_t steps = 0, next_mark = 1
    while upstream is not None:
        if upstream is mark:
            return None
        if path is not None:
            path.append(last)
        last = upstream
        steps += 1
        if steps == next_mark:
            mark = last
            next_mark *= 2
        upstream = next_upstream(last, cancelling)
    return last


cdef int cancel_here(FutureCore future, Delivery *delivery) except -1:
    cdef Task task = pending_task(future)
    if task is not None:
        return task.cancel(future, delivery)
    if future.state == PENDING:
        settle(future, CANCELLED, None, delivery)
    return is_cancelled(future)


cdef int cancel_along(FutureCore future, Delivery *delivery) except -1:
    """`future.cancel()`: up to the first future down the chain that has a say."""
    cdef FutureCore last, refused = None
    cdef list path
    if next_upstream(future, True) is None:
        return cancel_here(future, delivery)
    while True:
        path = []
        last = deciding_future(future, True, path)
        if last is not refused or last is None:
            if last is not None and not cancel_here(last, delivery):
                refused = last      # it goes on, or is done: then the chain may lead elsewhere by now
                continue
            # Each calls back the next, but may not have done so yet if another thread is just at it; in a ring, none.
            for made_from_it in reversed(path):
                settle(<FutureCore>made_from_it, CANCELLED_AND_NOTIFIED, None, delivery)
        return is_cancelled(future)


cdef int running_along(FutureCore future, bint quietly) except -1:
    """`future.running()`: up to the first future down the chain that has a say; `quietly`, see `is_running`."""
    cdef FutureCore last = deciding_future(future, False, None)
    cdef Task task
    if last is None:
        return 0
    task = pending_task(last)
    if task is not None:
        return task.running(last, quietly)
    return last.state == RUNNING
