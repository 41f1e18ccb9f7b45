"""The delegate's future, which may be anybody's: following it, asking it, noticing that it is lost."""


cdef int follow(Task task, object delegate_future) except -1:
    """Have `task` go on when `delegate_future` is done. Raises TypeError if that is no future.

    The delegate's future is kept, to cancel it, except for a plain `concurrent.futures.Future`: whoever is to
    complete one has to hold it, so when it is gone the task is lost, and that is noticed.
    """
    cdef object add_done_callback
    if isinstance(delegate_future, FutureCore):
        begin_following(task, delegate_future)
        if not (<FutureCore>delegate_future).subscribe(task):
            task.delegate_done(delegate_future)
        return 0
    add_done_callback = getattr(delegate_future, "add_done_callback", None)
    if add_done_callback is None:
        raise TypeError(f"the delegate's submit must return a future, not {delegate_future!r}")
    if type(delegate_future) is concurrent.futures.Future:
        begin_following(task, weakref.ref(delegate_future))
    else:
        begin_following(task, delegate_future)
    add_done_callback(DelegateCallback(task))
    return 0


cdef void begin_following(Task task, object delegate_future) noexcept:
    with cython.critical_section(task.future):
        if task.future.state <= RUNNING:
            task.value = delegate_future
            task.phase = WITH_DELEGATE


@cython.final
@cython.internal
cdef class DelegateCallback:
    """What a delegate's future calls when it is done: the first call counts.

    If it is dropped without a call, nobody can call it any more: the task is lost, and its future cancelled.
    """
    cdef Task task

    def __cinit__(self, Task task not None):
        self.task = task

    cdef Task take(self):
        cdef Task task
        with cython.critical_section(self):
            task = self.task
            self.task = None
        return task

    def __call__(self, delegate_future):
        cdef Task task = self.take()
        if task is not None:
            task.delegate_done(delegate_future)

    def __del__(self):
        cdef Task task = self.take()
        if task is not None:
            task.future.settle(CANCELLED_AND_NOTIFIED, None)


cdef tuple outcome_of(object delegate_future):
    """How a future that is done ended: a State and a value."""
    cdef object error
    if delegate_future.cancelled():
        return CANCELLED_AND_NOTIFIED, None
    try:
        error = delegate_future.exception()
        if error is not None:
            return ERROR, error
        return RESULT, delegate_future.result()
    except CancelledError:
        return CANCELLED_AND_NOTIFIED, None


cdef object delegate_future_of(Task task, FutureCore future):
    """The delegate's future while it has the task, or None."""
    cdef object value = None
    with cython.critical_section(future):
        if future.state <= RUNNING and task.phase == WITH_DELEGATE:
            value = task.value
    return value() if type(value) is weakref.ref else value


cdef int cancel_delegate(Task task, FutureCore future) except -1:
    """Let the delegate decide: 1 if the future is cancelled, 0 if the delegate refused or has the task no more."""
    cdef object delegate_future = delegate_future_of(task, future)
    cdef bint agreed
    if delegate_future is None:
        return future.cancelled_now()
    try:
        agreed = delegate_future.cancel()
    except Exception as error:
        report(task.table.logger, "Exception during cancel on %s/%s", (future, delegate_future), error)
        agreed = False
    if agreed and delegate_future_of(task, future) is not None:
        # It agreed without calling back: nothing more will come from it.
        future.settle(CANCELLED_AND_NOTIFIED, None)
    return future.cancelled_now()


cdef int delegate_running(Task task, FutureCore future) except -1:
    cdef object running = getattr(delegate_future_of(task, future), "running", None)
    return 1 if running is not None and running() else 0
