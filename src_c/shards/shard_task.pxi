"""What a client keeps of tasks that are started, and polled, in other processes."""


@cython.final
@cython.no_gc       # see RemoteCall
cdef class ShardTask(NumberedTask):
    """A task that is known at the service, as `result`.

    `sent` is that as it is sent, and `link` leads to the shard that polls it. `descriptor` is that of the executor of
    the client, once its poll function was given it; `outcome` a list of what the task has ended with, once it has.
    """
    cdef readonly object sent
    cdef public object link, result, descriptor, outcome
    cdef NumberedTask next_known    # in a TaskRegister

    def __init__(self, unsigned long long number, link, sent):
        self.number = number
        self.link = link
        self.sent = sent
