"""A task: what stands behind a pending future of an executor."""

cdef enum Phase:
    STARTING            # the delegate's submit has not returned
    WITH_DELEGATE       # the delegate's future decides
    ON_ITS_OWN          # the delegate is done and the executor has the task: a polled one is being polled


@cython.internal
@cython.no_gc_clear
cdef class Task:
    """Ties a pending future to the executor that made it, and to the delegate's future it is made from.

    A subclass must

    1. end the future, or see to it that somebody will, in `delegate_succeeded`: nobody else does;
    2. in `cancel` and `running`, answer for the phases it adds, and leave the others to this class;
    3. call user code with nothing held, and expect the future to be done by somebody else afterwards;
    4. release in `ended` what it took, once: it is called by the winner of the future and by nobody else.

    `future` and `table` are set when it is made and never change, not even by the garbage collector, so they
    are read without a section. The other fields belong to section(future), or to the winner.
    """
    cdef FutureCore future
    cdef TaskTable table
    cdef object value           # what the phase is about: the delegate's future (see `delegate.pxi`), its result
    cdef CancelAttempt attempt  # the cancel() that is being decided, or None
    cdef Py_ssize_t slot        # its place in the Slots it is in, which section(table) guards
    cdef double started         # by the coarse clock
    cdef unsigned long thread   # the one that submits it
    cdef unsigned char phase
    cdef bint over              # section(future): the future is done, although the task may not have left the table
    cdef bint listed            # section(table): in the table's second Slots, not in the first
    cdef bint gone              # section(table): in none, and not to come back

    cdef void delegate_succeeded(self, object value) noexcept:
        """The delegate's future has a result: the executor's own part of the work begins."""
        self.future.settle(RESULT, value)

    cdef int cancel(self, FutureCore future) except -1:
        """Decide `future.cancel()`: 1 or 0. Called with nothing held, by any number of threads at a time."""
        return cancel_delegate(self, future)

    cdef int running(self, FutureCore future) except -1:
        """Decide `future.running()`: 1 or 0."""
        return delegate_running(self, future)

    cdef void ended(self, State state) noexcept:
        """The future is done: let go of the delegate, leave the table."""
        if self.phase == WITH_DELEGATE:
            self.value = None
        self.table.leave(self, state)

    cdef void delegate_done(self, object delegate_future) noexcept:
        """The delegate's future is done: end the future as it ended, or go on with its result."""
        cdef FutureCore ours
        cdef object value = None
        cdef State state
        if isinstance(delegate_future, FutureCore):
            ours = <FutureCore>delegate_future
            state = ours.current()
            value = ours.outcome
        else:
            try:
                state, value = outcome_of(delegate_future)
            except BaseException as error:
                state, value = ERROR, error
        if state == RESULT:
            self.delegate_succeeded(value)
        elif state == ERROR:
            self.future.settle(ERROR, value)
        else:
            self.future.settle(CANCELLED_AND_NOTIFIED, None)


@cython.final
@cython.internal
cdef class CancelAttempt:
    """A `cancel()` whose answer is being found out; other calls meanwhile wait for it and share the answer."""
    cdef FutureCore answer
    cdef object thread

    def __cinit__(self):
        self.answer = new_future()
        self.thread = get_ident()

    cdef int share(self) except -1:
        """The answer, once it is there. On the thread that is finding it out, that is no."""
        if self.thread == get_ident():
            return 0
        self.answer.await_done(None)
        return self.answer.outcome
