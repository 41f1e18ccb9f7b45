"""A task: what stands behind a pending future that is made from another one."""

cdef enum Phase:        # and what `value` is meanwhile
    STARTING            # the delegate's submit has not returned; the `number_of_caller`
    WITH_DELEGATE       # the delegate's future decides; what is kept of that, see `delegate.pxi`
    ON_ITS_OWN          # the delegate is done and the executor has the task: a polled one is being polled; its result
    WAITING             # the executor has the task, and will give it to the delegate; nothing of interest
    CALLING             # a function that makes something of the delegate's outcome runs; the `number_of_caller`
    ANY_PHASE           # for `claim`: whichever it is

cdef enum Where:            # 0: in the first SlotArray of its table
    IN_SECOND_STAGE = 1     # in the second, or was
    REMOVED = 2             # in none, and not to come back
    VALUE_REFERS = 4        # not a place: its value is of a kind that may refer to others
    HAS_POLL_STATE = 8      # nor is this: there is one, if it is a polled task


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
    cdef object value           # what the phase is about, see there
    cdef unsigned int slot      # its place in the SlotArray it is in, which section(table) guards
    cdef SharedByte phase       # written after `value`
    cdef SharedByte over        # section(future): the future is done, although the task may not have left the table
    cdef SharedByte where       # section(table): a set of Where

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
        """The future is done: let go of the delegate, leave the table."""
        if self.phase == WITH_DELEGATE:
            self.value = None
        self.future_source.leave(self, state)

    cdef void set_own_timer(self, Timer timer) noexcept:
        """Inside section(future), which is pending: keep `timer`, to cancel it in `ended`, in place of one before."""

    cdef bint set_timer(self, Timers timers, double when) except -1:
        """Put the task among `timers` until the future is done; returns whether to wake who sleeps until the next.

        That is so if this one is the next, even if it is cancelled at once: on top, it hides what comes after it. Only
        for classes that have a `set_own_timer`.
        """
        cdef Timer timer = timers.add(when, self)
        cdef bint leads = timers.leads(timer)
        cdef bint pending
        with cython.critical_section(self.future):
            pending = self.future.state <= RUNNING
            if pending and timer.pending:
                self.set_own_timer(timer)
        if not is_seen(<PyObject *>self):
            hide(<PyObject *>timer)
        if not pending:
            timer.cancel()
        return leads

    cdef bint enter(self, Phase phase) noexcept:
        """Go on to `phase`, away from the delegate, on this thread. False if the future is done already."""
        cdef object before = None       # to be dropped outside
        cdef object me = self.future_source.number_of_caller()
        cdef bint pending
        with cython.critical_section(self.future):
            pending = self.future.state <= RUNNING
            if pending:
                before = self.value
                self.value = me
                self.phase = phase
        return pending

    cdef bint occupies(self, ThreadId thread) noexcept:
        """Whether `thread` is just submitting the task, or following its future, or calling a function for it."""
        cdef object value = None
        cdef Phase phase
        with cython.critical_section(self.future):
            phase = <Phase>self.phase
            if phase != WITH_DELEGATE or self.future.state <= RUNNING:  # else the winner drops it, in `ended`
                value = self.value
        if type(value) is DelegateCallback:
            value = (<DelegateCallback>value).hooking_thread
        elif phase != STARTING and phase != CALLING:
            return False
        return value is not None and <ThreadId>value == thread

    cdef void lost(self) noexcept:
        settle(self.future, CANCELLED_AND_NOTIFIED, None, NULL)

    cdef void show_or_hide(self, bint seen) noexcept:
        """Inside section(table): have the collector see it and what belongs to it, or not."""
        show_or_hide(<PyObject *>self, seen)
        show_or_hide(<PyObject *>self.future, seen)


cdef void cancel_timer(Timer timer) noexcept:
    """Cancel `timer`, if there is one."""
    if timer is not None:
        timer.timers.cancel(timer)
