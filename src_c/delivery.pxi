"""Telling what was made from a future that it is done, without recursion.

A future that ends may end the one made from it, and that the next: a chain of any length. So a thread goes a few
links deep, puts what comes below that in a list of its own, and works that off once it is back at the first.
Whoever ends a future finds, when the call returns, all that follows from it done, callbacks included. Therefore user
code that is called on the way and ends another future begins a list of its own: see the functions `…_now`.
"""

# Set in a forked child while the parent's futures are cancelled there: callbacks are the parent's to run, and locks
# that other threads held are held for ever.
cdef bint abandoning = False

cdef enum:
    DEEP = 16       # links; each takes some hundred bytes of the C stack


@cython.internal
@cython.no_gc_clear
cdef class Hook:
    """What wants to know that a future is done, kept among that future's callbacks.

    A subclass must take `delegate_ended`, or `lost`, on any thread, and raise nothing. Each future calls one of them
    once.
    """

    cdef void delegate_ended(self, object future, State state, object value) noexcept:
        """`future` is done, with RESULT and that value, with ERROR and that exception, or CANCELLED_AND_NOTIFIED."""

    cdef void lost(self) noexcept:
        """The future is gone, and nobody can end it any more."""

    cdef void delegate_done(self, object future) noexcept:
        """`future`, ours or anybody's, is done."""
        cdef object value = None
        cdef State state
        if isinstance(future, FutureCore):
            state = (<FutureCore>future).current()
            self.delegate_ended(future, CANCELLED_AND_NOTIFIED if state == CANCELLED else state,
                                (<FutureCore>future).outcome)
            return
        try:
            state, value = outcome_of(future)
        except BaseException as error:
            state, value = ERROR, error
        self.delegate_ended(future, state, value)


cdef void deliver(Hook hook, object future) noexcept:
    """Call `hook.delegate_done(future)`, now or once this thread is not deep in others."""
    cdef Delivery *here = delivery_here()
    cdef int depth = here.depth
    cdef list later
    if depth >= DEEP:
        try:
            if here.later == NULL:
                later = []
                count_up(<PyObject *>later)
                here.later = <PyObject *>later
            (<list>here.later).append((hook, future))
            return
        except MemoryError:
            pass    # deeper, then
    here.depth = depth + 1
    hook.delegate_done(future)
    here.depth = depth
    if depth == 0 and here.later != NULL:
        deliver_later()


cdef void deliver_later() noexcept:
    cdef Delivery *here = delivery_here()
    cdef list batch
    here.depth = 1
    while here.later != NULL:
        batch = <list>here.later
        here.later = NULL
        count_down(<PyObject *>batch)
        for hook, future in batch:
            (<Hook>hook).delegate_done(future)
    here.depth = 0


# -- where user code comes in --------------------------------------------------------------------------------------


cdef int settle_now(FutureCore future, State state, object outcome) except -1:
    """`future.settle`, for a caller who may be in the midst of a delivery, and is to find all done that follows."""
    cdef Delivery *here = delivery_here()
    cdef Delivery suspended
    if here.depth == 0 and here.cancelling == NULL:     # nearly always, and this runs once per polled future
        return future.settle(state, outcome)
    suspended = delivery_suspend()
    try:
        return future.settle(state, outcome)
    finally:
        delivery_resume(suspended)


cdef int cancel_now(FutureCore future) except -1:
    """`cancel_along`, for such a caller."""
    cdef Delivery suspended = delivery_suspend()
    try:
        return cancel_along(future)
    finally:
        delivery_resume(suspended)


cdef int hook_onto_now(Hook hook, object future) except -1:
    """`hook_onto`, for such a caller."""
    cdef Delivery suspended = delivery_suspend()
    try:
        return hook_onto(hook, future)
    finally:
        delivery_resume(suspended)


cdef int follow_now(Task task, object delegate_future) except -1:
    """`follow`, for such a caller."""
    cdef Delivery suspended = delivery_suspend()
    try:
        return follow(task, delegate_future)
    finally:
        delivery_resume(suspended)
