"""The table of a poll executor: tasks that are still with the delegate, and the polled list."""


@cython.final
@cython.no_gc_clear
cdef class PollTable(TaskTable):
    """A TaskTable whose tasks move on to a polled list, in order of arrival, when their delegate is done.

    A descriptor that left is in no list handed out later. `cancel_fn(result)`, or None, decides whether a
    polled task is cancelled.
    """
    cdef readonly object cancel_fn
    cdef Slots polled

    def __cinit__(self, logger, cancel_fn=None):
        self.cancel_fn = cancel_fn
        self.polled = Slots.__new__(Slots)

    def hand_out(self):
        """A new list of the descriptors of all polled tasks that are not done, in order of arrival."""
        return self.listed(self.polled, HAND_OUT)

    def fail_handed_out(self, exception):
        """Fail the futures that were in the last list of `hand_out` and are not done."""
        self.end_all(self.listed(self.polled, HANDED_OUT), ERROR, exception)

    @property
    def polling(self):
        """How many tasks are in the polled list."""
        return self.polled.live

    cdef Task new_task(self):
        return PollDescriptor.__new__(PollDescriptor)

    cdef void join(self, PollDescriptor descriptor) noexcept:
        with cython.critical_section(self):
            if not descriptor.gone:
                self.outstanding.leave(descriptor)
                self.polled.take(descriptor)
                descriptor.listed = True
        self.waker.set()

    cdef Slots slots_of(self, Task task):
        return self.polled if task.listed else self.outstanding

    cdef bint cramped(self) noexcept:
        return self.polled.misfit(self.live + 1) or self.outstanding.misfit(self.outstanding.live + 1)

    cdef int make_room(self) except -1:
        self.resize(self.polled, self.live + 1)
        self.resize(self.outstanding, self.outstanding.live + 1)
        return 0

    cdef list tasks(self):
        cdef list tasks = self.listed(self.outstanding)
        tasks += self.listed(self.polled)
        return tasks
