"""What the tables of poll executors share: what cancels and what fails tasks that are polled."""


cdef enum Look:
    NOT_YET
    WANTED          # the deadline has passed
    UNDER_WAY       # handed out after that


@cython.no_gc_clear
cdef class PollTable(WatchedTable):
    """A table of tasks that are polled; somebody has to call `fail_late` for those whose deadline passes.

    A subclass hands out what is to be polled. It never hands out a task that is done, or one that is handed out.
    """
    cdef readonly SharedSize reporting      # threads that are giving `too_late` tasks, which may have ended
    cdef list late              # of who calls `fail_late`: tasks whose time is over, the first last
    cdef list failed            # likewise: the results of those that have failed
    cdef object last_yielded    # section(self): a weak reference to the SharedError that ended one, or None

    def __cinit__(self):
        self.late = []
        self.failed = []

    # -- what has waited too long ----------------------------------------------------------------------------

    cdef inline bint has_deadlines(self) noexcept:
        """Whether `fail_late` has something to do, now or later. Asked by who calls that."""
        return len(self.late) > 0 or len(self.failed) > 0 or self.deadlines.earliest() < INFINITY

    def fail_late(self):
        """Fail what has been polled for too long: returns the results of some, and when to call again; may be inf.

        One thread at a time may call it. If it raises, for a lack of memory, the next call goes on with what is left.
        """
        cdef list fresh
        cdef tuple answer
        if not self.late:
            self.late = self.deadlines.pop_due(monotonic(), YIELD_EVERY)
            self.late.reverse()
        while self.late:
            task = self.late[len(self.late) - 1]
            if not self.look_again(<PollDescriptor>task):
                self.fail_overdue(<PollDescriptor>task, self.failed)
            self.late.pop()
        fresh = []
        answer = (self.failed, self.deadlines.earliest())
        self.failed = fresh
        return answer

    cdef int fail_overdue(self, PollDescriptor task, list results) except -1:
        result = task.value
        error = overdue(result, coarse_now() - task.current_poll_state().joined)
        results.append(result)      # first: it may fail
        if self.cancel_fn is None:
            note_going_on(task)
        if not settle(task.future, ERROR, error, NULL):
            results.pop()
        return 0

    cdef bint look_again(self, PollDescriptor task) except -1:
        """Have `task`, whose deadline has passed, handed out once more; False if it has been, or is not to be."""
        cdef PollState poll_state = task.current_poll_state()
        if task.over or poll_state.look != NOT_YET or self.last_look <= 0.0:
            return False
        task.set_timer(self.deadlines, monotonic() + self.last_look)
        with cython.critical_section(self):
            poll_state.look = WANTED
        self.make_due_soon(task)
        return True

    cdef int end_looks(self, list tasks) except -1:
        """Fail those of `tasks`, which were in a call, that had their last look in it."""
        cdef list results = []
        cdef object executor
        cdef PollDescriptor task
        cdef PollState poll_state
        cdef Py_ssize_t i = 0
        cdef bint closed
        with cython.critical_section(self):
            self.reporting += 1
            executor = self.executor    # kept meanwhile
        try:
            for item in tasks:
                task = item
                poll_state = task.current_poll_state()
                if not task.over and poll_state is not None and poll_state.look == UNDER_WAY:
                    self.fail_overdue(task, results)
                i += 1
                yield_gil_at(i)
        finally:
            if self.too_late is not None and results:
                call_or_write_unraisable(self.too_late, "__call__", (results, executor), {})
            with cython.critical_section(self):
                self.reporting -= 1
                closed = self.refusal is not None
            if closed:
                self.waker.set()
        return 0

    # -- after a call ----------------------------------------------------------------------------------------

    def fail_all(self, list tasks not None, exception):
        """Fail the futures of `tasks` that are not done with what `outcome_for` says. The list is emptied.

        The tasks go on: it is a call that failed.
        """
        cdef Py_ssize_t noted = 0
        if self.recorder is not None:
            for task in tasks:
                note_going_on(<PollDescriptor>task)
                noted += 1
                yield_gil_at(noted)
        self.end_all(tasks, ERROR, exception)

    def outcome_for(self, list tasks not None, exception):
        """What `tasks` are to fail with: the exception, or a SharedError if it is for several that are not done."""
        cdef Py_ssize_t i, pending = 0
        for i in range(len(tasks)):
            pending += not (<PollDescriptor>tasks[i]).over
            if pending > 1:
                return SharedError(exception)
            yield_gil_at(i)
        return exception

    cdef object yielded(self, object exception, bint elsewhere):
        """What a descriptor's future is to end with: shared with the one before, if that was given the same object.

        If it is to be as if raised `elsewhere`, its traceback is not the same.
        """
        cdef object last, reference
        cdef SharedError error = None
        cdef bint alone = True
        with cython.critical_section(self):
            last = self.last_yielded
        if last is not None:
            error = last()
        if error is not None and error.error is exception:
            alone = False
            error.share()
        if alone or elsewhere:
            error = SharedError(exception, alone)
            reference = PyWeakref_NewRef(error, NULL)
            with cython.critical_section(self):
                last = self.last_yielded
                self.last_yielded = reference
        return error

    def succeeded(self, list tasks not None):
        """A call with `tasks` has not failed."""
        cdef Py_ssize_t i = 0
        if self.counts_failures:
            for task in tasks:
                (<PollDescriptor>task).current_poll_state().failures = 0
                i += 1
                yield_gil_at(i)

    def count_failures(self, list tasks not None):
        """A call with `tasks` has failed: a dict of the tasks that are not done, by how often in a row theirs have."""
        cdef dict by_count = {}
        cdef PollState poll_state
        for task in tasks:
            poll_state = (<PollDescriptor>task).current_poll_state()
            if not (<PollDescriptor>task).over and poll_state is not None:
                poll_state.failures += 1
                by_count.setdefault(poll_state.failures, []).append(task)
        return by_count

    cdef object cancel_for(self):
        """What is called to cancel one task now, or None."""
        return self.cancel_fn if self.pause.until == -INFINITY or self.cancel_in_turn is None else self.cancel_in_turn

    cdef int cancel_failed(self, FutureCore future, object value, object error) except -1:
        """What cancels a task raised `error`: that means no."""
        cdef object fault = error
        try:
            if self.fault_of is not None:
                fault = self.fault_of(error)
        except BaseException as another:    # a lack of memory, or a Ctrl-C
            if is_interrupt(another):
                raise
        if fault is not None:
            refused(self.logger, "Exception during cancel on %s/%s", (future, value), fault)
        return 0

    # -- what a subclass does ----------------------------------------------------------------------------------

    def next_due(self):
        """When the first of those that wait is due, by `monotonic`; may be infinite."""
        raise NotImplementedError

    def reschedule(self, list tasks not None, double began, double seconds, double default):
        """A call with `tasks` that began at `began` is over: each that is not done is due again.

        That is after `seconds` unless that is negative, else after what the schedule says, else after `default`.
        """
        raise NotImplementedError

    def postpone(self, list tasks not None, double seconds, bint throttled=False):
        """Have `tasks`, which were in a call, be due again `seconds` from now, or later if `poll_after` said so.

        A call that was `throttled` counts for no back-off.
        """
        raise NotImplementedError

    cdef int poll_after(self, PollDescriptor task, double when) except -1:
        """Have `task` be polled at `when`, and no sooner."""
        return 0

    cdef int restart(self, PollDescriptor task) except -1:
        """Begin anew with the schedule of `task`."""
        return 0

    cdef int make_due_soon(self, PollDescriptor task) except -1:
        """Have `task` be due now, or as soon as the call that it is in is over."""
        return 0


cdef object overdue(object result, double seconds):
    return builtins.TimeoutError(f"{shown(result)} is not done after {seconds:.1f} s")
