"""A `cancel()` of a polled task, which is being decided by a user's function: others wait for it and share it."""


@cython.final
@cython.internal
cdef class CancelAttempt:
    """A `cancel()` whose answer is being found out; other calls meanwhile wait for it and share the answer."""
    cdef FutureCore answer      # section(self), as is all of this: for those who wait, or None
    cdef bint decided
    cdef bint agreed
    cdef ThreadId thread        # that is finding it out, unless there are `threads`
    cdef set threads            # that are, if it is one of a BulkCancel; or None

    cdef void find_out_on(self, set threads) noexcept:
        """It is `threads`, or will be, that find out the answer."""
        with cython.critical_section(self):
            self.threads = threads

    cdef void decide(self, bint agreed) noexcept:
        """The answer, unless there was one before."""
        cdef FutureCore answer
        with cython.critical_section(self):
            if not self.decided:
                self.decided = True
                self.agreed = agreed
            answer = self.answer
        if answer is not None:
            settle(answer, RESULT, None, NULL)

    cdef int share(self) except -1:
        """The answer, once it is there. On a thread that is finding it out, that is no."""
        cdef FutureCore answer, fresh
        cdef set threads
        cdef bint decided, mine
        with cython.critical_section(self):
            threads = self.threads
            mine = self.thread == this_thread()
        if mine if threads is None else get_ident() in threads:
            return 0
        fresh = new_future()
        with cython.critical_section(self):
            decided = self.decided
            if self.answer is None:
                self.answer = fresh
            answer = self.answer
        if not decided:
            await_done(answer, None)
        return self.agreed


cdef CancelAttempt begin_attempt(PollDescriptor task):
    """Begin to find out whether `task` can be cancelled. None if it is done, or another thread has begun that."""
    cdef CancelAttempt fresh = CancelAttempt.__new__(CancelAttempt)
    cdef PollState poll_state = task.current_poll_state()
    fresh.thread = this_thread()
    if poll_state is None:
        poll_state = task.poll_state_or(new_poll_state(task))
    with cython.critical_section(task.future):
        if task.future.state > RUNNING or poll_state.attempt is not None:
            fresh = None
        else:
            poll_state.attempt = fresh
    return fresh


cdef int end_attempt(PollDescriptor task, CancelAttempt attempt, bint agreed, Delivery *delivery) except -1:
    """Cancel `task` if that was `agreed` and it is not done; whether it is. Those who share the answer get it."""
    cdef FutureCore future = task.future
    cdef Claim claimed
    cdef int won = 0
    try:
        if agreed:
            won = claim(future, CANCELLED_AND_NOTIFIED, None, ANY_PHASE, &claimed)
        if won:
            (<PollTable>task.future_source).record_end(task, False)
    finally:
        with cython.critical_section(future):
            if task.poll_state.attempt is attempt:
                task.poll_state.attempt = None
        attempt.decide(won)
    if won:
        conclude(future, &claimed, delivery)
    return won or is_cancelled(future)      # by somebody else meanwhile, who left the task as it is
