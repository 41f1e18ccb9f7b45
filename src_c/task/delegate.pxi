"""The delegate's future, which may be anybody's: following it, asking it, noticing that it is lost.

A future that is followed is kept, to cancel it, except for a plain `concurrent.futures.Future`: whoever is to
complete one has to hold it, so when it is gone the task is lost, and that is noticed.
"""


cpdef object reference_to(object future):
    """What to keep of a future that is followed: `referent` of it is the future, or None if it is gone."""
    if isinstance(future, FutureCore):
        return future
    return weakref.ref(future) if type(future) is concurrent.futures.Future else future


cpdef object referent(object reference):
    """What a `reference_to` a future refers to."""
    return reference() if type(reference) is weakref.ref else reference


cdef int hook_onto(DoneHook hook, object future, Delivery *delivery) except -1:
    """Have `hook` called when `future` is done; now, if it is."""
    if isinstance(future, FutureCore):
        if not subscribe(<FutureCore>future, hook):
            deliver(hook, future, delivery)
    else:
        hook_onto_theirs(DelegateCallback(hook), future)
    return 0


cdef int hook_onto_theirs(DelegateCallback callback, object future) except -1:
    try:
        future.add_done_callback(callback)
    except BaseException:
        callback.take()     # the caller hears of it, and that is not that the future is lost
        raise
    return 0


cdef int follow(Task task, object delegate_future, Delivery *delivery) except -1:
    """Have `task` go on when `delegate_future` is done. Raises TypeError if that is no future."""
    cdef DelegateCallback callback
    if isinstance(delegate_future, FutureCore):
        begin_following(task, delegate_future)
        return hook_onto(task, delegate_future, delivery)
    check_future("the delegate's submit must return a future, not", delegate_future)
    callback = DelegateCallback(task)
    callback.followed = reference_to(delegate_future)
    callback.hooking_thread = this_thread()
    begin_following(task, callback)
    try:
        return hook_onto_theirs(callback, delegate_future)
    finally:
        with cython.critical_section(task.future):
            if task.future.state <= RUNNING and task.value is callback:
                task.value = callback.followed
            callback.followed = None


cdef void begin_following(Task task, object reference) noexcept:
    cdef object before = None       # to be dropped outside
    with cython.critical_section(task.future):
        if task.future.state <= RUNNING:
            before = task.value
            task.value = reference
            task.phase = WITH_DELEGATE
            task.future.seen_running = False


@cython.final
@cython.internal
cdef class DelegateCallback:
    """What anybody's future calls when it is done: the first call counts.

    If it is dropped without a call, nobody can call it any more: the future is lost. A Task keeps it while it is
    being added to the future's callbacks.
    """
    cdef DoneHook hook
    cdef object followed            # section(future of that task): meanwhile, the `reference_to` the future
    cdef object hooking_thread      # the number of the thread that adds it

    def __cinit__(self, DoneHook hook not None):
        self.hook = hook

    cdef DoneHook take(self):
        cdef DoneHook hook
        with cython.critical_section(self):
            hook = self.hook
            self.hook = None
        return hook

    def __call__(self, delegate_future):
        cdef DoneHook hook = self.take()
        if hook is not None:
            deliver(hook, delegate_future, NULL)

    def __del__(self):
        cdef DoneHook hook = self.take()
        if hook is not None:
            hook.lost()


cdef tuple outcome_of(object delegate_future):
    """How anybody's future that is done ended: a State and a value."""
    cdef object error
    if delegate_future.cancelled():
        return CANCELLED_AND_NOTIFIED, None
    try:
        error = delegate_future.exception()
        if error is not None:
            return ERROR, error
        return RESULT, delegate_future.result()
    except CancelledError:
        pass
    return CANCELLED_AND_NOTIFIED, None


cdef object delegate_future_of(Task task):
    """The delegate's future while it has the task, or None."""
    cdef object value = None
    with cython.critical_section(task.future):
        if task.future.state <= RUNNING and task.phase == WITH_DELEGATE:
            value = task.value
            if type(value) is DelegateCallback:
                value = (<DelegateCallback>value).followed
    return referent(value)


cdef int cancel_delegate(Task task, FutureCore future, Delivery *delivery) except -1:
    """Let the delegate decide: 1 if the future is cancelled, 0 if the delegate refused or has the task no more."""
    cdef object delegate_future = delegate_future_of(task)
    cdef bint agreed
    if delegate_future is None:
        return is_cancelled(future)
    try:
        agreed = delegate_future.cancel()
    except BaseException as error:
        refused(task.future_source.logger, "Exception during cancel on %s/%s", (future, delegate_future), error)
        agreed = False
    if agreed and delegate_future_of(task) is not None:
        # It agreed without calling back: nothing more will come from it.
        settle(future, CANCELLED_AND_NOTIFIED, None, delivery)
    return is_cancelled(future)


cpdef int refused(object logger, str message, tuple arguments, object error) except -1:
    """Log `error`, out of what was asked to cancel something: that means no. An interrupt is raised again."""
    if is_interrupt(error):
        raise error
    log(logger, logging.ERROR, message, *arguments, error=error)
    return 0


cdef int delegate_running(Task task, bint quietly) except -1:
    cdef object delegate_future = delegate_future_of(task)
    cdef FutureCore future = task.future
    cdef bint known
    if delegate_future is None:
        return 0
    known = is_running(delegate_future, task.future_source, quietly)
    with cython.critical_section(future):   # what runs does so until it is done
        known = future.seen_running = known or (quietly and future.seen_running)
    return known


cdef int is_running(object delegate_future, FutureSource future_source, bint quietly) except -1:
    """What anybody's future, or None, says; not every kind of future can be asked. What it raises is logged, once.

    `quietly`, by its state, if it is one of the standard library's; others are not asked.
    """
    cdef object running
    if quietly:
        if not isinstance(delegate_future, concurrent.futures.Future):
            return 0
        if type(delegate_future).running is not concurrent.futures.Future.running:
            return 0
        return delegate_future._state == "RUNNING"
    try:
        running = getattr(delegate_future, "running", None)
        return 1 if running is not None and running() else 0
    except BaseException as error:
        if is_interrupt(error):
            raise
        future_source.cannot_tell(delegate_future, error)
    return 0
