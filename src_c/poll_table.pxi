"""The table of a poll executor: tasks that are still with the delegate, and the polled list."""


@cython.final
@cython.no_gc_clear
cdef class PollTable(StagedTable):
    """A table whose tasks move on to a polled list, in order of arrival, when their delegate is done.

    A descriptor that left is in no list handed out later. `cancel_fn(result)`, or None, decides whether a
    polled task is cancelled.
    """
    cdef readonly object cancel_fn

    def __cinit__(self, logger, cancel_fn=None):
        self.cancel_fn = cancel_fn

    def hand_out(self):
        """A new list of the descriptors of all polled tasks that are not done, in order of arrival."""
        return self.listed(self.moved_on, HAND_OUT)

    def fail_handed_out(self, exception):
        """Fail the futures that were in the last list of `hand_out` and are not done."""
        self.end_all(self.listed(self.moved_on, HANDED_OUT), ERROR, exception)

    @property
    def polling(self):
        """How many tasks are in the polled list."""
        return self.moved_on.live

    cdef Task new_task(self):
        return PollDescriptor.__new__(PollDescriptor)

    cdef void join(self, PollDescriptor descriptor) noexcept:
        with cython.critical_section(self):
            self.move_on(descriptor)
        self.waker.set()
