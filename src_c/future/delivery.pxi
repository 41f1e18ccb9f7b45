"""Delivery of outcomes: ending the futures that were made from one that is done, without recursion.

A future that ends may end the one made from it, and that the next: a chain of any length. So a thread goes a few
links deep, puts what comes below that in a list, and works that off once it is back at the first. Whoever ends a future
finds, when the call returns, all that follows from it done, callbacks included.

How deep that is goes from call to call as `delivery`. It is NULL where a delivery begins: user code that is called on
the way, and ends another future, begins one of its own. So nothing is kept of it where user code may let other threads
run, or greenlets, which share a thread and take turns in any order.
"""

# Set in a forked child while the parent's futures are cancelled there: callbacks are the parent's to run, and locks
# that other threads held are held for ever.
cdef bint in_forked_child = False

cdef enum:
    DEEP = 16       # links; each takes some hundred bytes of the C stack


cdef struct Delivery:       # on the stack of the call in which it begins
    int depth               # in futures that end because others did
    PyObject *later         # NULL, or a list of pairs: a hook, and the future that is done
    PyObject *cancelling    # NULL, or a list of lists of futures to be cancelled; owned by who works it off


@cython.internal
@cython.no_gc_clear
cdef class DoneHook:
    """What wants to know that a future is done, kept among that future's callbacks.

    A subclass must take `delegate_ended`, or `lost`, on any thread, and raise nothing. Each future calls one of them
    once.
    """

    cdef void delegate_ended(self, object future, State state, object value, Delivery *delivery) noexcept:
        """`future` is done: with RESULT and that value, with ERROR and that exception, which may be a SharedError, or
        with CANCELLED_AND_NOTIFIED.
        """

    cdef void lost(self) noexcept:
        """The future is gone, and nobody can end it any more."""

    cdef void delegate_done(self, object future, Delivery *delivery) noexcept:
        """`future`, ours or anybody's, is done."""
        cdef object value = None
        cdef State state
        if isinstance(future, FutureCore):
            state = <State>(<FutureCore>future).state
            self.delegate_ended(future, CANCELLED_AND_NOTIFIED if state == CANCELLED else state,
                                handed_on(<FutureCore>future) if state == ERROR else (<FutureCore>future).outcome,
                                delivery)
            return
        enter_user_code()
        try:
            state, value = outcome_of(future)
            if isinstance(value, BrokenExecutor):   # all that it had end with this
                value = shared(value)
        except BaseException as error:
            interrupt_later(error)
            state, value = ERROR, error
        finally:
            leave_user_code()
        self.delegate_ended(future, state, value, delivery)


cdef void deliver(DoneHook hook, object future, Delivery *delivery) noexcept:
    """Call `hook.delegate_done(future)`, now or once this delivery is not deep in others."""
    cdef Delivery fresh
    cdef list later
    if delivery is NULL:
        fresh = Delivery(0, NULL, NULL)
        delivery = &fresh
    elif delivery.depth >= DEEP:
        try:
            if delivery.later == NULL:
                later = []
                count_up(<PyObject *>later)
                delivery.later = <PyObject *>later
            (<list>delivery.later).append((hook, future))
            return
        except MemoryError:
            pass    # deeper, then
    delivery.depth += 1
    hook.delegate_done(future, delivery)
    delivery.depth -= 1
    if delivery.depth == 0 and delivery.later != NULL:
        deliver_later(delivery)


cdef void deliver_later(Delivery *delivery) noexcept:
    cdef list batch
    delivery.depth = 1
    while delivery.later != NULL:
        batch = <list>delivery.later
        delivery.later = NULL
        count_down(<PyObject *>batch)
        for hook, future in batch:
            (<DoneHook>hook).delegate_done(future, delivery)
    delivery.depth = 0
