"""Where futures come from: what counts them, and is told when they end."""


cdef class FutureSource:
    """Where futures come from: it counts them, and says where errors around them are logged."""
    cdef readonly object logger
    cdef readonly Counters counters
    cdef SharedByte hidden      # section(self): what is in it, if it is a table, from the collector; see there
    cdef bint complained        # section(self): that a delegate's future cannot tell whether it runs

    def __cinit__(self, logger, *args, **kwargs):
        self.logger = logger
        self.counters = Counters()

    def run(self, fn, tuple args not None, dict kwargs not None):
        """Call `fn(*args, **kwargs)`; returns a future that ended so. Only an Exception is caught."""
        return self.called(fn, args, kwargs)

    cdef FutureCore called(self, object fn, tuple args, dict kwargs):
        """`run`; `kwargs` may be None."""
        cdef double began = coarse_now()
        cdef object outcome
        cdef State state = RESULT
        try:
            outcome = fn(*args, **kwargs) if kwargs else fn(*args)
        except Exception as error:
            state, outcome = ERROR, without_our_frames(error)
        return self.ended(state, outcome, began)

    def done(self, result):
        """A future that has `result` already."""
        return self.ended(RESULT, result, coarse_now())

    def failed(self, error):
        """A future that has failed already with `error`, an instance or a class. TypeError if it is neither."""
        return self.ended(ERROR, as_exception("f_return_error", error), coarse_now())

    def cancelled(self):
        """A future that is cancelled already."""
        return self.ended(CANCELLED_AND_NOTIFIED, None, coarse_now())

    cdef FutureCore ended(self, State state, object outcome, double began):
        cdef FutureCore future = new_future()
        future.outcome = outcome
        future.state = state
        show_as_done(future, None)
        self.counters.begin()
        self.counters.end(state, coarse_now() - began)
        return future

    cdef object number_of_caller(self):
        """The number of this thread, if anybody is to find out which thread is at a task; or None."""
        return None

    cdef void cannot_tell(self, object delegate_future, object error) noexcept:
        """Log `error`, unless the like has been logged: a delegate's future cannot tell whether it runs."""
        cdef bint first
        with cython.critical_section(self):
            first = not self.complained
            self.complained = True
        if first:
            log(self.logger, logging.ERROR, "Exception in running() of %s, which is taken for a no from now on",
                delegate_future, error=error)

    cdef int retract(self, FutureCore future) except -1:
        """Forget `future`, which nobody was given."""
        if settle(future, CANCELLED_AND_NOTIFIED, None, NULL):
            self.counters.retract()
        return 0

    cdef object take_in(self, object executor, object details, object fn, tuple args, dict kwargs):
        """What `executor.submit(fn, *args, **kwargs)` does; `details` is what it needs besides."""
        raise NotImplementedError

    cdef void tie(self, Task task, FutureCore future) noexcept:
        """Tie `task` to `future`, which is new: nobody has seen either."""
        task.future = future
        task.future_source = self
        future.started = coarse_ticks()
        future.outcome = task
        disown(<PyObject *>task)
        lend(<PyObject *>future)

    cdef void vacate(self) noexcept:
        """In a forked child, first of all: see `vacate_section`."""
        vacate_section(<PyObject *>self)
        vacate_section(<PyObject *>self.counters)

    cdef void leave(self, Task task, State state) noexcept:
        """The future of `task` is done: called once, by the winner."""
        self.counters.end_after(state, coarse_ticks() - task.future.started)
