"""A call that waits to be sent to another process, or was sent, and its future."""


@cython.final
@cython.no_gc       # the thread that sends them has them: what they refer to is not garbage before it lets go of them
@cython.freelist(64)
cdef class RemoteCall:
    """A call that is made in another process.

    If it starts a task with a key, `start` is that of the key, and `begun` what that has called.
    """
    cdef readonly object future, fn, args, kwargs, start, begun
    cdef public int losses      # how many shards were lost that may have begun it

    def __init__(self, FutureCore future not None, fn, args, kwargs, start=None, begun=None):
        self.future = future
        if is_exactly_future(future):
            hide(<PyObject *>future)    # likewise; it is seen again when it is done, if its outcome needs that
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.start = start
        self.begun = begun

    @property
    def may_be_repeated(self):
        """Whether the service starts it once, however often it is asked to: it has a token."""
        return self.start is not None and self.start.token is not None

    cpdef bint begin(self) except -1:
        """It is running from now on; False if it was cancelled before."""
        return take_up(<FutureCore>self.future) == PENDING

    def conclude(self, error):
        """It was made; or has not been, or not that anybody knows, because of `error`."""
        if self.start is not None:
            self.start.conclude_call(self.begun, error)
