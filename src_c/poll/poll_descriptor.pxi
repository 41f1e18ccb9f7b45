"""What a poll function gets for each outstanding task, and what it resolves the future with."""


@cython.final
@cython.no_gc_clear
cdef class PollDescriptor(Task):
    """One outstanding task, as the poll function sees it; made by the executor, not by users.

    `yield_result` and `yield_exception` may be called from any thread, at any time, also after the poll
    function has returned, and do nothing once the future is done. Each costs tens of nanoseconds, plus the
    callbacks of the future, which run in the call.
    """

    cdef PollState poll_state  # section(future): set once while that is pending, or None where nothing needs it

    def __init__(self, *args, **kwargs):
        raise TypeError("PollDescriptor objects are made by PollExecutor")

    @property
    def result(self):
        """What the delegate's callable returned: typically a task id."""
        return self.value

    @property
    def done(self):
        """Whether the future is done: resolved, failed, cancelled. Then there is nothing left to do for it."""
        return self.over or self.future is None

    def yield_result(self, result=None):
        """Resolve the future with `result`."""
        if self.future is not None:
            settle(self.future, RESULT, result, NULL)

    def yield_exception(self, exception, traceback=None):
        """Fail the future with `exception`, an instance or a class, as if raised at `traceback` if given.

        Raises TypeError if `exception` is not an exception, or `traceback` not a traceback.
        """
        exception = as_exception("yield_exception", exception)
        if traceback is not None and not isinstance(traceback, types.TracebackType):
            raise TypeError(f"yield_exception: traceback must be a traceback, not {shown(traceback)}")
        if self.over or self.future is None:
            return
        if traceback is not None:
            exception = exception.with_traceback(traceback)
        settle(self.future, ERROR, (<PollTable>self.future_source).yielded(exception, traceback is not None), NULL)

    def poll_after(self, seconds):
        """Poll this task again `seconds` from now, or from the call it is in, and no sooner.

        It overrides, once, what the poll function returned and what the schedule says: for a server's hint. Where
        whole lists are polled, the task is left out of them until then. Does nothing once the future is done. Raises
        TypeError if `seconds` is no number, ValueError if it is negative or NaN. Costs the logarithm of the number of
        tasks.
        """
        cdef double pause = number_of("seconds", seconds)
        if not pause >= 0.0:
            raise ValueError(f"seconds must be 0 or more, not {shown(seconds)}")
        if not self.over and self.phase == ON_ITS_OWN:
            (<PollTable>self.future_source).poll_after(self, monotonic() + pause)

    def restart_backoff(self):
        """Begin anew with the delays that the executor's `schedule` gives: there is news of the task.

        If the task waits for its next poll, that comes after the first delay now, unless it is due sooner.
        """
        if not self.over and self.phase == ON_ITS_OWN:
            (<PollTable>self.future_source).restart(self)

    def report(self, state=None, progress=None):
        """Note what the service says of the task while it goes on: for `outstanding()`, `stats()` and what shows them.

        `state` is a str of 1 to 100 characters, such as "queued" or "running", and `progress` a number from 0 to 1.
        What is None stays as it was. Does nothing once the future is done. Of one executor, 254 different states are
        told apart; all others are "other". Raises TypeError or ValueError if an argument is something else. May be
        called from any thread. Costs about as much as resolving, and the first time about 100 bytes if whole lists are
        polled.
        """
        cdef str text = None if state is None else exact_text(state)
        cdef unsigned int billionths = 0 if progress is None else in_billionths(progress)
        if not self.over and self.phase == ON_ITS_OWN:
            report_progress(self, text, billionths)

    @property
    def polls(self):
        """In how many calls of the poll function it was; None where whole lists are polled, which keeps no count."""
        cdef PollState poll_state = self.current_poll_state()
        return poll_state.polls if isinstance(self.future_source, DueTable) and poll_state is not None else None

    @property
    def failures(self):
        """How many of those in a row have failed, to the latest; counted where there is a `retry_policy`."""
        cdef PollState poll_state = self.current_poll_state()
        return 0 if poll_state is None else poll_state.failures

    __class_getitem__ = classmethod(types.GenericAlias)

    def __reduce_ex__(self, protocol):
        raise TypeError("a PollDescriptor cannot be copied or pickled: share it, or send another process its `result`")

    def __repr__(self):
        return f"<PollDescriptor of {shown(self.value)}>"

    cdef void delegate_ended(self, object delegate_future, State state, object value, Delivery *delivery) noexcept:
        """Join the polled list, unless the delegate did not succeed."""
        if state != RESULT:
            if self.poll_state is None or not (<PollTable>self.future_source).waits_again(self, state, value):
                settle(self.future, state, value, delivery)
            return
        enter_user_code()
        try:
            refuse_coroutine(value, True)
            (<PollTable>self.future_source).start_polling(self, value, -1.0, 0)
        except BaseException as error:
            interrupt_later(error)
            settle(self.future, ERROR, error, delivery)
        finally:
            leave_user_code()

    cdef PollState current_poll_state(self):
        """The poll state, or None."""
        cdef PollState poll_state
        with cython.critical_section(self.future):
            poll_state = self.poll_state
        return poll_state

    cdef PollState poll_state_or(self, PollState fresh):
        """The poll state, which is `fresh` if there was none; None if the future is done without."""
        cdef PollState poll_state
        with cython.critical_section(self.future):
            if self.poll_state is None and self.future.state <= RUNNING:
                self.poll_state = fresh
            poll_state = self.poll_state
        if poll_state is fresh:
            (<PollTable>self.future_source).note_poll_state(self)
        return poll_state

    cdef bint go_on_its_own(self, object value, PollState poll_state) noexcept:
        """Away from the delegate, with `value` and `poll_state`: False if the future is done already."""
        cdef object reference
        cdef bint pending
        with cython.critical_section(self.future):
            pending = self.future.state <= RUNNING
            if pending:
                reference = self.value
                self.value = value
                self.poll_state = poll_state
                self.phase = ON_ITS_OWN
        return pending

    cdef FutureCore upstream(self, bint cancelling):
        return None if cancelling else Task.upstream(self, False)

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        """Whoever has the task decides; if it moved on from the delegate meanwhile, ask again."""
        while True:
            if self.phase == ON_ITS_OWN:
                return self.cancel_polled(future, delivery)
            if self.phase == WAITING:       # for a decision whether to start it
                return self.cancel_waiting(future, delivery)
            if cancel_delegate(self, future, delivery):
                return 1
            if self.phase != ON_ITS_OWN or future.state > RUNNING:
                return 0

    cdef int cancel_waiting(self, FutureCore future, Delivery *delivery) except -1:
        cdef Claim won
        if not claim(future, CANCELLED_AND_NOTIFIED, None, WAITING, &won):
            return is_cancelled(future)
        conclude(future, &won, delivery)
        return 1

    cdef int cancel_polled(self, FutureCore future, Delivery *delivery) except -1:
        cdef object cancel_fn = (<PollTable>self.future_source).cancel_for()
        cdef CancelAttempt attempt, other = None
        cdef bint agreed = False, later = False
        if cancel_fn is None:
            settle(future, CANCELLED_AND_NOTIFIED, None, delivery)
            return is_cancelled(future)
        attempt = begin_attempt(self)
        if attempt is None:
            with cython.critical_section(future):
                if self.poll_state is not None:
                    other = self.poll_state.attempt
            if other is None:
                return is_cancelled(future)
            cannot_wait = (<PollTable>self.future_source).cannot_wait
            if cannot_wait is not None and cannot_wait(future):
                return 0
            return other.share()
        try:
            answer = done(cancel_fn, cancel_fn(self.value))
            later = answer is CANCEL_LATER
            agreed = not later and answer
        except BaseException as error:
            (<PollTable>self.future_source).cancel_failed(future, self.value, error)
        finally:
            agreed = end_attempt(self, attempt, agreed, delivery)
        if later:
            (<PollTable>self.future_source).cancel_later(future)
        return agreed

    cdef void claimed(self) noexcept:
        if not (<PollTable>self.future_source).leaving:
            (<PollTable>self.future_source).record_end(self, True)

    cdef void ended(self, State state) noexcept:
        """The answer of a cancel() that is being decided is known now, to those who share it."""
        cdef CancelAttempt attempt = None
        cdef Timer timer = None
        cdef unsigned char reported = 0
        # First: who learns of the end finds it on record, and the last to leave the table has the recorder closed.
        if (<PollTable>self.future_source).recorder is not None:
            (<PollTable>self.future_source).record_end(self, False)
            let_go_of_starts(<PollTable>self.future_source)
        with cython.critical_section(self.future):
            if self.poll_state is not None:
                if self.poll_state.attempt is not None:
                    attempt = self.poll_state.attempt
                    self.poll_state.attempt = None
                if self.poll_state.timer is not None:
                    timer = self.poll_state.timer
                    self.poll_state.timer = None
                reported = self.poll_state.state
                self.poll_state.state = 0
        if reported:
            (<WatchedTable>self.future_source).reported.leave(reported)
        if attempt is not None:
            attempt.decide(state == CANCELLED_AND_NOTIFIED)
        cancel_timer(timer)
        Task.ended(self, state)

    cdef void set_own_timer(self, Timer timer) noexcept:
        self.poll_state.timer = timer

    cdef void show_or_hide(self, bint seen) noexcept:
        Task.show_or_hide(self, seen)
        if self.where & HAS_POLL_STATE:
            show_or_hide(<PyObject *>self.poll_state, seen)

    cdef int running(self, FutureCore future, bint quietly) except -1:
        return 0 if self.phase == ON_ITS_OWN or self.phase == WAITING else delegate_running(self, quietly)


cdef PollState new_poll_state(PollDescriptor task):
    cdef PollState poll_state = PollState.__new__(PollState)
    poll_state.task = <PyObject *>task
    return poll_state
