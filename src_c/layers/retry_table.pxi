"""Trying again: calls that wait for their next attempt, and what decides whether there is one."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class RetryTask(DeferredTask):
    """A call that is made again for as long as its policy says so.

    Once a `cancel()` was refused there are no more attempts: the future ends as the one that runs does.
    """
    cdef object policy
    cdef Timer timer            # section(future): until its next attempt, or None
    cdef double due             # the first attempt
    cdef Py_ssize_t attempts    # begun so far
    cdef SharedByte last        # section(future): there is no attempt after this one

    cdef int wait_until(self, double when) except -1:
        """Have the next attempt made at `when`. The phase is WAITING, and may not be so any more."""
        cdef RetryTable table = <RetryTable>self.future_source
        if self.set_timer(table.again, when):
            table.waker.set()
        return 0

    cdef void attempt(self, object delegate) noexcept:
        cdef Timer timer = None
        cdef bint again = False
        with cython.critical_section(self.future):
            if self.future.state <= RUNNING:    # else they are the winner's, who may be at them just now
                self.attempts += 1
                again = self.attempts > 1
                timer = self.timer
                self.timer = None
        if again:
            self.future_source.counters.count_retry()
        self.launch(delegate)

    cdef void delegate_ended(self, object delegate_future, State state, object value, Delivery *delivery) noexcept:
        cdef FutureCore future = self.future
        cdef double seconds
        cdef bint again = False
        if state == CANCELLED_AND_NOTIFIED or self.last:
            settle(future, state, value, delivery)
            return
        if not self.enter(CALLING):
            return
        seconds = self.seconds_until_next(delegate_future, state)
        if seconds >= 0:
            with cython.critical_section(future):
                again = not self.last and future.state <= RUNNING
                if again:
                    self.phase = WAITING
        if not again:
            settle(future, state, value, delivery)
            return
        self.future_source.counters.count_pause(seconds)
        try:
            self.wait_until(monotonic() + seconds)
        except BaseException:       # no memory for a timer
            settle(future, state, value, delivery)

    cdef double seconds_until_next(self, object delegate_future, State state) noexcept:
        """What the policy says: seconds until the next attempt, or -1.0 for none."""
        cdef double seconds = -1.0
        cdef object for_errors = (<RetryTable>self.future_source).for_errors
        enter_user_code()
        try:
            should_retry = self.policy.should_retry
            if state == RESULT and is_method(should_retry, for_errors, self.policy):
                pass
            elif done(should_retry, should_retry(self.attempts, delegate_future)):
                seconds = number_of("sleep_time", self.policy.sleep_time(self.attempts, delegate_future))
                if seconds != seconds:
                    raise ValueError("sleep_time must not be NaN")
                if seconds < 0.0:
                    seconds = 0.0
        except BaseException as error:
            seconds = -1.0
            report(self.future_source.logger, "Exception while evaluating retry policy %r", (self.policy,), error)
        finally:
            leave_user_code()
        return seconds

    cdef void set_own_timer(self, Timer timer) noexcept:
        self.timer = timer

    cdef void ended(self, State state) noexcept:
        cancel_timer(self.timer)
        self.timer = None
        DeferredTask.ended(self, state)

    cdef void cancelling(self) noexcept:
        with cython.critical_section(self.future):
            self.last = True

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        cdef bint waiting = True
        cdef Claim won
        while waiting and future.state <= RUNNING:
            if claim(future, CANCELLED_AND_NOTIFIED, None, WAITING, &won):
                conclude(future, &won, delivery)
                return 1
            with cython.critical_section(future):
                waiting = self.phase == WAITING
                if not waiting:
                    self.last = True
        return cancel_delegate(self, future, delivery)


@cython.final
cdef class RetryTable(TwoStageTable):
    """A table in whose first list calls wait for their first attempt; those in the second have had one.

    Later attempts wait among timers. A thread has to `start_due` all of them: it goes by the time each is due.
    """
    cdef Timers again

    cdef object for_errors      # a `should_retry` that says no to every result

    def __cinit__(self, logger, for_errors=None):
        self.again = Timers()
        self.for_errors = for_errors

    cpdef FutureCore submit_retry(self, executor, policy, fn, tuple args, dict kwargs):
        """Have `fn(*args, **kwargs)` called as soon as possible, and again as `policy` says; returns a future."""
        cdef RetryTask task = RetryTask.__new__(RetryTask)
        cdef FutureCore future
        task.set_call(fn, args, kwargs)
        task.policy = policy
        task.phase = WAITING
        task.due = monotonic()
        future = self.admit(task, executor)
        self.waker.set()
        return future

    cdef object take_in(self, object executor, object policy, object fn, tuple args, dict kwargs):
        return self.submit_retry(executor, policy, fn, args, kwargs)

    def start_due(self, delegate):
        """Have `delegate` make all attempts that are due, the earliest first; returns the seconds until the next."""
        cdef RetryTask task
        cdef double now, next_again
        cdef Py_ssize_t started = 0
        while True:
            now = monotonic()
            next_again = self.again.earliest()
            task = self.next_new(next_again)
            if task is None:
                if next_again > now:
                    return None if next_again == INFINITY else next_again - now
                for due in self.again.pop_due(now, 1):
                    task = due
            if task is not None:
                task.attempt(delegate)
                started += 1
                yield_gil_at(started)

    cdef void show_or_hide_timers(self, bint seen) noexcept:
        self.again.show_or_hide_all(seen)

    cdef void vacate(self) noexcept:
        TwoStageTable.vacate(self)
        vacate_section(<PyObject *>self.again)

    cdef RetryTask next_new(self, double before):
        """Take the first of those that wait for their first attempt, if it is due earlier than `before`."""
        cdef RetryTask task
        with cython.critical_section(self):
            task = <RetryTask>self.first_stage.first()
            if task is not None:
                if task.due < before:
                    self.move_on(task)
                else:
                    task = None
        return task
