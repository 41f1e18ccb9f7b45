"""Submitting to an executor of ours from the one on top of it, without a call of Python."""

cdef extern from "platform.h":
    bint is_method(object thing, object function, object instance)

cdef extern from "Python.h":
    int Py_EnterRecursiveCall(const char *where) except -1
    void Py_LeaveRecursiveCall() noexcept


@cython.final
cdef class WayIn:
    """Calls `executor.submit`. As long as that is `function`, its `source` does all that is to be done.

    A program may put another `submit` in the place of that at any time, in the class or in the executor.
    """
    cdef object executor
    cdef object function
    cdef FutureSource source
    cdef object details     # see `FutureSource.take_in`

    def __cinit__(self, executor not None, function, FutureSource source not None, details):
        self.executor = executor
        self.function = function
        self.source = source
        self.details = details

    def submit(self, fn, /, *args, **kwargs):
        """What `executor.submit` returns."""
        return submitted(self, fn, args, kwargs)


@cython.final
cdef class CallingSource(FutureSource):
    """Where the futures of an executor come from that calls everything at once."""
    cdef object refusal         # section(self): None, or once closed the RuntimeError's message

    def close(self, str reason not None):
        """Take no more: `submit` raises RuntimeError(reason)."""
        with cython.critical_section(self):
            if self.refusal is None:
                self.refusal = reason

    def submit(self, fn, tuple args not None, dict kwargs not None):
        """Call `fn(*args, **kwargs)`; returns a future that ended so. RuntimeError after `close`."""
        return self.take_in(None, None, fn, args, kwargs)

    cdef object take_in(self, object executor, object details, object fn, tuple args, dict kwargs):
        cdef object refusal
        with cython.critical_section(self):
            refusal = self.refusal
        if refusal is not None:
            raise RuntimeError(refusal)
        return self.called(fn, args, kwargs)


cdef object submitted(object delegate, object fn, tuple args, dict kwargs):
    """What `submit(fn, *args, **kwargs)` of `delegate`, which may be a WayIn to it, returns."""
    cdef object executor = (<WayIn>delegate).executor if type(delegate) is WayIn else delegate
    cdef object submit = executor.submit
    if executor is delegate or not is_method(submit, (<WayIn>delegate).function, executor):
        return submit(fn, *args, **kwargs) if kwargs else submit(fn, *args)
    Py_EnterRecursiveCall(" while submitting")
    try:
        return (<WayIn>delegate).source.take_in(executor, (<WayIn>delegate).details, fn, args, kwargs)
    finally:
        Py_LeaveRecursiveCall()
