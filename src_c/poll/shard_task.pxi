"""What a client keeps of tasks that are started, and polled, in other processes."""


@cython.final
@cython.no_gc       # the thread that sends them has them: what they refer to is not garbage before it lets go of them
@cython.freelist(64)
cdef class ShardCall:
    """A call that starts a task elsewhere; `start` is that of its key, and `begun` what that has called."""
    cdef readonly object future, fn, args, kwargs, start, begun
    cdef public int losses      # how many shards were lost that may have begun it

    def __init__(self, future, fn, args, kwargs, start=None, begun=None):
        self.future = future
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.start = start
        self.begun = begun

    @property
    def may_be_repeated(self):
        """Whether the service starts it once, however often it is asked to: it has a token."""
        return self.start is not None and self.start.token is not None

    def conclude(self, error):
        """It was made; or has not been, or not that anybody knows, because of `error`."""
        if self.start is not None:
            self.start.conclude_call(self.begun, error)


@cython.final
@cython.no_gc       # likewise
@cython.freelist(64)
cdef class ShardTask:
    """A task that is known at the service, as `result`.

    `sent` is that as it is sent, and `link` leads to the shard that polls it. `descriptor` is that of the executor of
    the client, once its poll function was given it; `outcome` a list of what the task has ended with, once it has.
    """
    cdef readonly object number, sent
    cdef public object link, result, descriptor, outcome

    def __init__(self, number, link, sent):
        self.number = number
        self.link = link
        self.sent = sent
