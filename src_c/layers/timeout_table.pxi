"""Not too long: futures that are cancelled when their time is up."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class TimedTask(Task):
    """Ends as its delegate's future does, and knows the timer that waits for its deadline."""
    cdef Timer timer            # section(future), or None
    cdef SharedByte is_late

    cdef void set_own_timer(self, Timer timer) noexcept:
        self.timer = timer

    cdef void ended(self, State state) noexcept:
        cancel_timer(self.timer)
        self.timer = None
        if self.is_late and state == CANCELLED_AND_NOTIFIED:
            self.future_source.counters.count_cancels()
        Task.ended(self, state)


@cython.final
cdef class TimeoutTable(TaskTable):
    """A TaskTable of futures with deadlines, for a thread to `cancel_due` those that are not done by then."""
    cdef Timers deadlines
    cdef public double timeout      # of `submit`, in seconds
    cdef list late          # whose time is up, the first last; of the thread that calls `cancel_due`

    def __cinit__(self, logger):
        self.deadlines = Timers()

    cdef object take_in(self, object executor, object delegate, object fn, tuple args, dict kwargs):
        return self.submit_timeout(executor, delegate, self.timeout, fn, args, kwargs)

    cpdef FutureCore submit_timeout(self, executor, delegate, double seconds, fn, tuple args, dict kwargs):
        """`submit`, and have a cancel tried `seconds` from now, unless the future is done."""
        cdef double deadline = monotonic() + seconds
        cdef Task task = TimedTask.__new__(TimedTask)
        cdef FutureCore future = self.begin_with(task, executor, delegate, fn, args, kwargs)
        cdef object delegate_future
        try:
            self.watch(task, deadline)
        except MemoryError:
            delegate_future = delegate_future_of(task)
            self.retract(future)
            if delegate_future is not None:
                delegate_future.cancel()
            raise
        return future

    def with_timeout(self, executor, source, double seconds):
        """A future that ends as `source` does; a cancel is tried `seconds` from now, unless it is done."""
        cdef double deadline = monotonic() + seconds
        cdef Task task = TimedTask.__new__(TimedTask)
        cdef FutureCore future = self.admit(task, executor)
        try:
            follow(task, source, NULL)
            self.watch(task, deadline)
        except BaseException:
            self.retract(future)
            raise
        return future

    def cancel_due(self):
        """Try to cancel each future whose time is up; returns the seconds until the next, None if there is none."""
        cdef TimedTask task
        cdef double now
        while True:
            while self.late:        # some may be left, where there was no memory
                task = <TimedTask>self.late[len(self.late) - 1]
                if task.future.state <= RUNNING:
                    task.is_late = True
                    self.cancel_late(task.future)
                self.late.pop()
                yield_gil_at(len(self.late))
            now = monotonic()
            self.late = self.deadlines.pop_due(now, YIELD_EVERY)
            self.late.reverse()
            if not self.late:
                break
        when = self.deadlines.next()
        return None if when is None else when - now

    cdef void show_or_hide_timers(self, bint seen) noexcept:
        self.deadlines.show_or_hide_all(seen)

    cdef void vacate(self) noexcept:
        TaskTable.vacate(self)
        vacate_section(<PyObject *>self.deadlines)

    cdef int cancel_late(self, FutureCore future) except -1:
        try:
            cancel_in_haste(future, NULL)
        except MemoryError:
            raise
        except BaseException as error:
            report(self.logger, "Exception during cancel on %s", (future,), error)
        return 0

    cdef int watch(self, Task task, double deadline) except -1:
        if task.future.state <= RUNNING and task.set_timer(self.deadlines, deadline):
            self.waker.set()
        return 0
