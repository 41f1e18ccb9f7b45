"""A task: what stands behind a pending future that is made from another one."""

cdef enum Phase:
    STARTING            # the delegate's submit has not returned
    WITH_DELEGATE       # the delegate's future decides
    ON_ITS_OWN          # the delegate is done and the executor has the task: a polled one is being polled
    WAITING             # the executor has the task, and will give it to the delegate
    CALLING             # a function that makes something of the delegate's outcome runs on `thread`
    ANY_PHASE           # for `claim`: whichever it is

cdef enum Where:            # 0: in the first SlotArray of its table
    IN_SECOND_STAGE = 1     # in the second, or was
    REMOVED = 2             # in none, and not to come back
    VALUE_REFERS = 4        # not a place: its value is of a kind that may refer to others


@cython.internal
@cython.no_gc_clear
cdef class Task(DoneHook):
    """Ties a pending future to where it comes from, and to the delegate's future it is made from.

    A subclass must

    1. end the future, or see to it that somebody will, in `delegate_ended`: nobody else does;
    2. in `cancel` and `running`, answer for the phases it adds, and leave the others to this class;
    3. in `upstream`, answer None where a `cancel()` is not for the delegate alone to decide;
    4. call user code with nothing held, and expect the future to be done by somebody else afterwards;
    5. release in `ended` what it took, once: it is called by the winner of the future and by nobody else.

    `future` and `future_source` are set when it is made and never change, not even by the garbage collector, so they
    are read without a section. The other fields belong to section(future), or to the winner.
    """
    cdef FutureCore future
    cdef FutureSource future_source
    cdef object value           # what the phase is about: the delegate's future (see `delegate.pxi`), its result
    cdef Timer timer            # section(future): what is to happen to it at a time, or None
    cdef ThreadId thread          # the one that submits it, or calls a function for it
    cdef unsigned int slot      # its place in the SlotArray it is in, which section(table) guards
    cdef SharedByte hooking     # that thread is in the midst of following what is no future of ours
    cdef SharedByte phase       # written after `value`
    cdef SharedByte over        # section(future): the future is done, although the task may not have left the table
    cdef unsigned char where    # section(table): a set of Where

    cdef void delegate_ended(self, object delegate_future, State state, object value, Delivery *delivery) noexcept:
        """The delegate's future is done: end the future as it ended, or go on from there."""
        settle(self.future, state, value, delivery)

    cdef FutureCore upstream(self, bint cancelling):
        """The delegate's future if it is one of ours, and a `cancel()`, or else a `running()`, is for it to answer."""
        cdef object delegate_future = None
        with cython.critical_section(self.future):
            if self.future.state == PENDING and self.phase == WITH_DELEGATE:
                delegate_future = self.value
        return <FutureCore>delegate_future if is_plain(delegate_future) else None

    cdef FutureCore upstream_any(self):
        """The delegate's future if it is one of ours and this follows it, whoever has a say about cancelling."""
        return Task.upstream(self, True)

    cdef void cancelling(self) noexcept:
        """The delegate's future is about to be cancelled, as `cancel` would try."""

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        """Decide `future.cancel()`: 1 or 0. Called with nothing held, by any number of threads at a time."""
        return cancel_delegate(self, future, delivery)

    cdef int running(self, FutureCore future, bint quietly) except -1:
        """Decide `future.running()`: 1 or 0. `quietly`, by what is known without a call of anybody's code."""
        return 1 if self.phase == CALLING else delegate_running(self, quietly)

    cdef void claimed(self) noexcept:
        """The future is decided; some learn that it is done before `ended` is called."""

    cdef void ended(self, State state) noexcept:
        """The future is done: let go of the delegate and the timer, leave the table."""
        cdef Timer timer
        if self.phase == WITH_DELEGATE:
            self.value = None
        timer = self.timer
        if timer is not None:
            self.timer = None
            timer.timers.cancel(timer)
        self.future_source.leave(self, state)

    cdef bint set_timer(self, Timers timers, double when) except -1:
        """Put the task among `timers` until the future is done; returns whether to wake who sleeps until the next.

        That is so if this one is the next, even if it is cancelled at once: on top, it hides what comes after it.
        """
        cdef Timer timer = timers.add(when, self)
        cdef bint leads = timers.leads(timer)
        cdef bint pending
        with cython.critical_section(self.future):
            pending = self.future.state <= RUNNING
            if pending and timer.pending:
                self.timer = timer
        if not is_seen(<PyObject *>self):
            hide(<PyObject *>timer)
        if not pending:
            timer.cancel()
        return leads

    cdef bint enter(self, Phase phase) noexcept:
        """Go on to `phase`, away from the delegate, on this thread. False if the future is done already."""
        cdef object delegate_future = None
        cdef ThreadId me = this_thread()
        cdef bint pending
        with cython.critical_section(self.future):
            pending = self.future.state <= RUNNING
            if pending:
                if self.phase == WITH_DELEGATE:
                    delegate_future = self.value
                    self.value = None
                self.phase = phase
                self.thread = me
        return pending

    cdef bint occupies(self, ThreadId thread) noexcept:
        """Whether `thread` is just submitting the task, or following its future, or calling a function for it."""
        cdef bint busy
        with cython.critical_section(self.future):
            busy = self.thread == thread and (self.phase == STARTING or self.phase == CALLING or self.hooking)
        return busy

    cdef void lost(self) noexcept:
        settle(self.future, CANCELLED_AND_NOTIFIED, None, NULL)
