"""A task that its executor gives to the delegate later, on the executor's own thread."""


@cython.internal
@cython.no_gc_clear
cdef class DeferredTask(Task):
    """Keeps a call until it is over; `launch` has the delegate make it.

    A subclass puts the phase to WAITING when the call is to be made. Cancelling one that waits always succeeds, and
    then the call is not made.
    """
    cdef object fn              # section(future), as are the arguments; None once the future is done
    cdef tuple args
    cdef dict kwargs

    cdef void set_call(self, object fn, tuple args, dict kwargs) noexcept:
        self.fn = fn
        self.args = args
        self.kwargs = kwargs or None

    cdef void launch(self, object delegate) noexcept:
        """Submit the call to the delegate, unless the future is done. If that fails, so does the future."""
        cdef FutureCore future = self.future
        cdef object fn = None
        cdef tuple args = None
        cdef dict kwargs = None
        cdef object me = self.future_source.number_of_caller()
        cdef object before = None       # to be dropped outside
        with cython.critical_section(future):
            if future.state <= RUNNING:
                self.phase = STARTING
                before = self.value
                self.value = me
                fn, args, kwargs = self.fn, self.args, self.kwargs
        if args is None:
            return
        try:
            follow(self, submitted(delegate, fn, args, kwargs), NULL)
        except BaseException as error:
            settle(future, ERROR, without_our_frames(error), NULL)

    cdef FutureCore upstream(self, bint cancelling):
        return None if cancelling else Task.upstream(self, False)

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        cdef Claim won
        if claim(future, CANCELLED_AND_NOTIFIED, None, WAITING, &won):
            conclude(future, &won, delivery)
            return 1
        return cancel_delegate(self, future, delivery)

    cdef int running(self, FutureCore future, bint quietly) except -1:
        return 0 if self.phase == WAITING else Task.running(self, future, quietly)

    cdef void ended(self, State state) noexcept:
        cdef object fn
        cdef tuple args
        cdef dict kwargs
        with cython.critical_section(self.future):
            fn, args, kwargs = self.fn, self.args, self.kwargs
            self.fn = self.args = self.kwargs = None
        Task.ended(self, state)
