"""Not too long: futures that are cancelled when their time is up."""


@cython.final
cdef class TimeoutTable(TaskTable):
    """A TaskTable of futures with deadlines, for a thread to `cancel_due` those that are not done by then."""
    cdef Timers deadlines

    def __cinit__(self, logger):
        self.deadlines = Timers()

    def submit_timeout(self, executor, delegate, double seconds, fn, tuple args not None, dict kwargs not None):
        """`submit`, and have a cancel tried `seconds` from now, unless the future is done."""
        cdef double deadline = monotonic() + seconds
        cdef Task task = Task.__new__(Task)
        cdef FutureCore future = self.begin_with(task, executor, delegate, fn, args, kwargs)
        self.watch(task, deadline)
        return future

    def with_timeout(self, executor, source, double seconds):
        """A future that ends as `source` does; a cancel is tried `seconds` from now, unless it is done."""
        cdef double deadline = monotonic() + seconds
        cdef Task task = Task.__new__(Task)
        cdef FutureCore future = self.admit(task, executor)
        try:
            follow(task, source, NULL)
        except BaseException:
            self.retract(future)
            raise
        self.watch(task, deadline)
        return future

    def cancel_due(self):
        """Try to cancel each future whose time is up; returns the seconds until the next, None if there is none."""
        cdef FutureCore future
        cdef double now
        while True:
            now = monotonic()
            due = self.deadlines.pop_due(now, BREATH)
            if not due:
                break
            for task in due:
                future = (<Task>task).future
                if future.state <= RUNNING:
                    self.cancel_late(future)
            breathe()
        when = self.deadlines.next()
        return None if when is None else when - now

    cdef void cancel_late(self, FutureCore future) noexcept:
        try:
            if cancel_along(future, NULL):
                self.tally.count_cancels()
        except BaseException as error:
            report(self.logger, "Exception during cancel on %s", (future,), error)

    cdef int watch(self, Task task, double deadline) except -1:
        if task.future.state <= RUNNING and task.set_timer(self.deadlines, deadline):
            self.waker.set()
        return 0
