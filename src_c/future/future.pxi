"""The future: ``concurrent.futures.Future`` in full, on states that live in C."""

cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object thing, object name, object value) except -1
    object PyObject_GenericGetDict(object thing, void *context)
    int PyObject_GenericSetDict(object thing, object attributes, void *context) except -1

cdef tuple NO_ARGUMENTS = ()


cdef class FutureBase(FutureCore):
    """The methods of `Future`, all but being a subclass of `concurrent.futures.Future`."""

    def __init__(self):
        """A pending future that belongs to whoever makes it, as in `concurrent.futures`."""

    def cancel(self):
        """Try to cancel: True if the future is cancelled now (or was), False if it goes on or is done.

        What decides is whatever has the task: see the executor the future came from. May be called from any
        thread; if that decision is slow, only its callers wait for it.
        """
        return cancel_along(self, NULL) == 1

    def cancelled(self):
        """Whether the future was cancelled."""
        return is_cancelled(self)

    def running(self):
        """Whether the task is being executed now, as far as its executor can tell."""
        return running_along(self, False) == 1

    def done(self):
        """Whether the future has a result or an exception, or was cancelled."""
        return self.state > RUNNING

    def result(self, timeout=None):
        """The result, waiting for it at most `timeout` seconds (None: as long as it takes).

        Raises the future's exception if it has one, CancelledError if it was cancelled, TimeoutError if it is
        not done in time. Costs a field read when the future is done.
        """
        cdef State state = await_done(self, timeout)
        if state == RESULT:
            return self.outcome
        if state == ERROR:
            raise unshared(self.outcome)
        raise (CancelledError() if state > RUNNING else TimeoutError())

    def exception(self, timeout=None):
        """The exception, or None if there is a result; waits and raises as `result` does.

        If one failure ended many futures, each call gives another exception, just like the one that was raised.
        """
        cdef State state = await_done(self, timeout)
        if state == RESULT:
            return None
        if state == ERROR:
            return unshared(self.outcome)
        raise (CancelledError() if state > RUNNING else TimeoutError())

    def add_done_callback(self, fn):
        """Have `fn(future)` called once the future is done; at once, on this thread, if it is.

        Callbacks run in the order they were added, on the thread that completed the future. What they raise
        is logged. Raises TypeError if `fn` is not callable.
        """
        if not callable(fn):
            raise TypeError(f"add_done_callback: fn must be callable, not {shown(fn)}")
        if not subscribe(self, fn):
            run_callbacks(self, fn, NULL)

    def set_running_or_notify_cancel(self):
        """For executors: mark the future running and return True, or return False if it was cancelled.

        Raises RuntimeError if it was running or done already.
        """
        cdef State state = take_up(self)
        if state == PENDING or state == CANCELLED:
            return state == PENDING
        futures_logger.critical("Future %s in unexpected state: %s", id(self), STATE_NAMES[state])
        raise RuntimeError("Future in unexpected state")

    def set_result(self, result):
        """End the future with `result`. Raises InvalidStateError if it is done."""
        if not settle(self, RESULT, result, NULL):
            raise InvalidStateError(f"{STATE_NAMES[self.state]}: {self!r}")

    def set_exception(self, exception):
        """End the future with `exception`. Raises InvalidStateError if it is done, TypeError if it is no exception."""
        exception = as_exception("set_exception", exception)
        if not settle(self, ERROR, exception, NULL):
            raise InvalidStateError(f"{STATE_NAMES[self.state]}: {self!r}")

    def __repr__(self):
        """Says what is known: it asks no future of anybody else's whether it runs, which might block, or raise."""
        cdef State state = <State>self.state
        cdef str text = STATE_NAMES[state].lower()
        if state == RESULT:
            text = f"finished returned {type(self.outcome).__name__}"
        elif state == ERROR:
            text = f"finished raised {type_of_error(self.outcome).__name__}"
        elif state == CANCELLED_AND_NOTIFIED:
            text = "cancelled"
        elif running_along(self, True):
            text = "running"
        return f"<{type(self).__name__} at {id(self):#x} state={text}>"

    def __setattr__(self, name, value):
        expect_attributes(self)
        PyObject_GenericSetAttr(self, name, value)

    def __reduce_ex__(self, protocol):
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: share it, or wait for it, and send its "
                        f"result to another process")

    # -- what the standard library's wait(), as_completed() and wrap_future() reach for -----------------------

    @property
    def _state(self):
        return STATE_NAMES[self.state]

    @property
    def _condition(self):
        return condition_of(self)

    @property
    def _waiters(self):
        cdef WaiterList watchers = WaiterList.__new__(WaiterList)
        watchers.future = self
        watchers.condition = condition_of(self)     # whoever ends the future looks for watchers if there is one
        return watchers

    @property
    def _result(self):
        return self.outcome if self.state == RESULT else None

    @property
    def _exception(self):
        return unshared(self.outcome) if self.state == ERROR else None

    def _get_snapshot(self):
        cdef State state = <State>self.state
        return (state > RUNNING, is_cancelled(self),
                self.outcome if state == RESULT else None,
                unshared(self.outcome) if state == ERROR else None)


cdef int expect_attributes(FutureCore future) except -1:
    """Have the collector see `future` from now on: it may get an attribute that refers to it."""
    future.has_attributes = True
    if future.state > RUNNING:
        show(<PyObject *>future)
    return 0


class Future(FutureBase, concurrent.futures.Future):
    """A `concurrent.futures.Future` whose states live in C: every future of this library is one."""
    __slots__ = ()

    @property
    def __dict__(self):
        expect_attributes(self)
        return PyObject_GenericGetDict(self, NULL)

    @__dict__.setter
    def __dict__(self, attributes):
        expect_attributes(self)
        PyObject_GenericSetDict(self, attributes, NULL)


cdef PyTypeObject *future_type = <PyTypeObject *>Future


cdef inline bint is_exactly_future(FutureCore future) noexcept:
    """Whether it is of no subclass of `Future`, as far as the collector is concerned."""
    return Py_TYPE(future) == future_type


cdef FutureCore new_future():
    """`Future()`, without looking for an `__init__` that does nothing."""
    return new_instance(Future, NO_ARGUMENTS)
