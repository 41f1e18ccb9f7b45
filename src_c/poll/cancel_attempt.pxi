"""A `cancel()` of a polled task, which is being decided by a user's function: others wait for it and share it."""


@cython.final
@cython.internal
cdef class CancelAttempt:
    """A `cancel()` whose answer is being found out; other calls meanwhile wait for it and share the answer."""
    cdef FutureCore answer
    cdef object thread          # section(self): that is finding it out; or None
    cdef set threads            # section(self): that are, if it is one of a BulkCancel; or None

    def __cinit__(self):
        self.answer = new_future()
        self.thread = get_ident()

    cdef void find_out_on(self, set threads) noexcept:
        """It is `threads`, or will be, that find out the answer."""
        with cython.critical_section(self):
            self.threads = threads
            self.thread = None

    cdef int share(self) except -1:
        """The answer, once it is there. On a thread that is finding it out, that is no."""
        cdef set threads
        cdef object thread
        with cython.critical_section(self):
            threads = self.threads
            thread = self.thread
        if get_ident() == thread if threads is None else get_ident() in threads:
            return 0
        await_done(self.answer, None)
        return self.answer.outcome


cdef CancelAttempt begin_attempt(PollDescriptor task):
    """Begin to find out whether `task` can be cancelled. None if it is done, or another thread has begun that."""
    cdef CancelAttempt fresh = CancelAttempt()
    with cython.critical_section(task.future):
        if task.future.state > RUNNING or task.attempt is not None:
            fresh = None
        else:
            task.attempt = fresh
    return fresh


cdef int end_attempt(PollDescriptor task, CancelAttempt attempt, bint agreed, Delivery *delivery) except -1:
    """Cancel `task` if that was `agreed` and it is not done; whether it was. Those who share the answer get it."""
    cdef FutureCore future = task.future
    cdef int won = 0
    try:
        if agreed:
            won = claim(future, CANCELLED_AND_NOTIFIED, None, ANY_PHASE)
        if won:
            (<PollTable>task.future_source).record_end(task)
    finally:
        with cython.critical_section(future):
            if task.attempt is attempt:
                task.attempt = None
        settle(attempt.answer, RESULT, won, NULL)
    if won:
        conclude(future, delivery)
    return won
