"""A call that waits in the queue of a thread pool until a worker makes it."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class PooledCall(Task):
    """One thread takes it: a worker, or whoever submitted it in vain."""
    cdef object fn              # section(future), as is the rest; None once it was taken, or the future is done
    cdef tuple args
    cdef dict kwargs
    cdef bint is_taken

    @property
    def future(self):
        """For what the standard library does with what is in the queue of a pool."""
        return (<Task>self).future

    cdef bint take(self) noexcept:
        """Whether this thread is the first to take it."""
        cdef bint first
        with cython.critical_section((<Task>self).future):
            first = not self.is_taken
            self.is_taken = True
        return first

    cdef int run(self, object add_worker) except -1:
        """Make the call, unless it is cancelled or was taken before, and end the future as it ends.

        If it was not taken before, it is counted as finished. If others need one, `add_worker(place)` starts a worker.
        """
        cdef CallQueue queue = <CallQueue>self.future_source
        cdef FutureCore future = (<Task>self).future
        cdef object fn, outcome = None
        cdef tuple args
        cdef dict kwargs
        cdef State state = ERROR
        cdef bint counted = False
        cdef Claim won
        if not self.take():
            return 0
        try:
            with cython.critical_section(future):
                self.phase = CALLING        # from here on nobody can cancel it
            if take_up(future) == PENDING:
                with cython.critical_section(future):
                    fn, args, kwargs = self.fn, self.args, self.kwargs
                    self.fn = self.args = self.kwargs = None
                try:
                    outcome = fn(*args) if kwargs is None else fn(*args, **kwargs)
                    state = RESULT
                except BaseException as error:
                    outcome = without_our_frames(error)
                fn = args = kwargs = None       # a future that is done keeps nothing of the call
                with cython.critical_section(future):
                    counted = callbacks_among(future.followers) is None
                if counted:     # so that whoever waits for the future finds the worker idle
                    queue.finished()
                if claim(future, state, outcome, ANY_PHASE, &won):
                    try:
                        if counted and callbacks_among(<object>won.followers) is not None:  # they may take long
                            counted = False
                            queue.came(add_worker)
                    finally:
                        conclude(future, &won, NULL)
        finally:
            if not counted:
                queue.finished()
        return 0

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        cdef Claim won
        if claim(future, CANCELLED_AND_NOTIFIED, None, WAITING, &won):
            conclude(future, &won, delivery)
        return is_cancelled(future)

    cdef int running(self, FutureCore future, bint quietly) except -1:
        return future.state == RUNNING

    cdef void ended(self, State state) noexcept:
        cdef object fn
        cdef tuple args
        cdef dict kwargs
        with cython.critical_section((<Task>self).future):
            fn, args, kwargs = self.fn, self.args, self.kwargs
            self.fn = self.args = self.kwargs = None
        self.future_source.leave(self, state)
