"""How tasks join the polled list of an executor, and what is kept on record of them."""


@cython.no_gc_clear
cdef class JoiningTable(PollTableBase):
    """A table whose tasks move on to a polled list, in order of arrival, when their delegate is done.

    A subclass decides what happens to a task that has joined.
    """
    cdef Timers deadlines
    cdef public SharedByte coalescing   # what joins wakes nobody: who polls is going to look by itself, when it is time
    cdef unsigned long long last_key        # section(self), as are the next
    cdef readonly SharedSize joins      # so far
    cdef SharedSize joins_to_note       # of so many more, the time is noted
    cdef readonly SharedDouble last_noted   # when the last of those joined, by `monotonic`
    cdef readonly SharedSize recording    # threads that are reporting a task to the recorder; it may have ended
    cdef SharedByte leaving     # all on record, as the program ends, or this is a forked child
    cdef readonly SharedByte leaves     # each task as it joins: see LeavingTable
    cdef bint asked             # for a poll now, since `take_request`
    cdef object done_with       # starts of tasks that ended while their future was held, or None

    def __cinit__(self):
        self.last_noted = -INFINITY
        self.deadlines = Timers()
        self.last_key = 0 if self.recorder is None else self.recorder.first_key - 1

    cdef object take_in(self, object executor, object delegate, object fn, tuple args, dict kwargs):
        """As in TaskTable; TypeError for an `async def` that the delegate would only call."""
        self.check_fn(fn)
        return self.begin_with(self.new_task(), executor, delegate, fn, args, kwargs)

    cdef int check_fn(self, object fn) except -1:
        if self.only_called and is_async_def(fn):
            refuse_async(fn, "the delegate")
        return 0

    def adopt(self, executor, result, double timeout=-1.0):
        """A future of `executor` for a task that exists already, `result`: it is polled from now on.

        Raises RuntimeError after `close`.
        """
        return self.adopt_one(executor, result, timeout, 0)

    def adopt_many(self, executor, list results not None, double timeout=-1.0, list keys=None, list futures=None):
        """`adopt` for each; returns a new list of the futures, or fills `futures`, which is empty.

        `keys` are those under which they are on record.
        """
        cdef Py_ssize_t i
        if futures is None:
            futures = []
        try:
            for i in range(len(results)):
                futures.append(None)    # now: a future that is made is in the list, whatever comes
                futures[i] = self.adopt_one(executor, results[i], timeout, 0 if keys is None else keys[i])
                yield_gil_at(i)
        except BaseException:
            self.retract_adopted(futures, results, keys)
            raise
        return futures

    def retract_adopted(self, list futures not None, list results not None, list keys=None):
        """Forget what `adopt_many` made, and nobody was given. The list of futures is emptied.

        What has `keys` is on record afterwards as it was before; those of tasks that have ended meanwhile are replaced.
        """
        cdef Py_ssize_t i
        for i in range(len(futures)):
            if futures[i] is not None:
                if keys is None:
                    self.retract(futures[i])
                else:
                    keys[i] = put_back(self, futures[i], results[i], keys[i])
            yield_gil_at(i)
        drop(futures)

    def cancel_all(self):
        """Cancel every future that is not done, asking nobody, for the end of the interpreter: all stays on record."""
        cdef list tasks = self.tasks()
        cdef Py_ssize_t ended = 0
        self.leaving = True
        for task in tasks:
            end_on_record(task)
            ended += 1
            yield_gil_at(ended)
        drop(tasks)

    cdef FutureCore adopt_one(self, object executor, object result, double timeout, unsigned long long key):
        cdef PollDescriptor task = PollDescriptor.__new__(PollDescriptor)
        cdef FutureCore future
        refuse_coroutine(result, False)
        future = self.admit(task, executor)
        try:
            self.start_polling(task, result, timeout, key)
        except BaseException as error:
            if not isinstance(error, Exception) or isinstance(error, MemoryError):
                if key:
                    put_back(self, future, result, key)
                else:
                    self.retract(future)
                raise
            settle(future, ERROR, error, NULL)
            if key:
                report_ended(self.recorder, key)
        return future

    cdef int start_polling(self, PollDescriptor task, object value, double timeout, unsigned long long key) except -1:
        """Begin to poll `task`, unless its future is done; `value` is what it is known by elsewhere.

        It is on record under `key` already, unless that is 0.
        """
        cdef PollState poll_state
        cdef bint closed, keyed
        if timeout < 0.0:
            timeout = self.timeout
        poll_state = self.new_poll_state(task, value, timeout >= 0.0)
        if poll_state is not None:
            poll_state.joined = coarse_now()
            poll_state.key = key
        if self.recorder is None or key:
            return self.begin(task, value, timeout, poll_state)
        key, keyed = number_of_start(task), number_of_start(task) != 0
        with cython.critical_section(self):
            if not keyed:
                self.last_key += 1
                key = self.last_key
            poll_state.key = key
            self.recording += 1
        try:
            if keyed:
                report_on_start(self.recorder, "started", (key, value))
            else:
                report_joined(self.recorder, key, value)
            if not self.begin(task, value, timeout, poll_state) and not keyed:
                report_ended(self.recorder, key)
        finally:
            with cython.critical_section(self):
                self.recording -= 1
                closed = self.refusal is not None
            if closed:
                self.waker.set()
        return 0

    cdef bint begin(self, PollDescriptor task, object value, double timeout, PollState poll_state) except -1:
        """Have `task` join, unless its future is done; whether it has."""
        if task.go_on_its_own(value, poll_state):
            self.join(task)
            if timeout >= 0.0 and task.set_timer(self.deadlines, monotonic() + timeout):
                self.waker.set()
            if self.leaves:
                self.leave_joined(task)
            return True
        if poll_state is not None:
            with cython.critical_section(self):
                self.detach(poll_state)
        return False

    cdef PollState new_poll_state(self, PollDescriptor task, object value, bint timed):
        """What is to be kept of `task`, or None for nothing; may raise."""
        return new_poll_state(task) if self.counts_failures or timed or self.recorder is not None else None

    cdef void join(self, PollDescriptor task) noexcept:
        cdef double now = now_or_never() if self.joins_to_note > 0 else -INFINITY
        cdef PollState poll_state = task.current_poll_state()   # who gives it one from now on calls `note_poll_state`
        with cython.critical_section(self):
            self.move_on_with_value(task, poll_state)
            self.count_join(now)
        if not self.coalescing:
            self.waker.set()

    cdef void move_on_with_value(self, PollDescriptor task, PollState poll_state) noexcept:
        """Inside the section: `move_on`, and note what `show_as_done` is to know. `poll_state` is that of `task`."""
        self.move_on(task)
        if may_refer(<PyObject *>task.value):
            task.where |= VALUE_REFERS
        if poll_state is not None:
            self.hide_with(task)

    cdef void note_poll_state(self, PollDescriptor task) noexcept:
        """`task` has a poll state, since just now."""
        with cython.critical_section(self):
            self.hide_with(task)

    cdef void hide_with(self, PollDescriptor task) noexcept:
        """Inside the section: see to it that the poll state of `task` is hidden if that is."""
        task.where |= HAS_POLL_STATE
        if self.hidden:
            hide(<PyObject *>task.poll_state)

    cdef void count_join(self, double now) noexcept:
        """Inside the section: a task has joined, at `now` if that is to be noted."""
        self.joins += 1
        if self.joins_to_note > 0:
            self.joins_to_note -= 1
            self.last_noted = max(self.last_noted, now)

    cdef int leave_joined(self, PollDescriptor task) except -1:
        """What has joined is to be left."""

    cdef void detach(self, PollState poll_state) noexcept:
        """Inside the section: what `poll_state` belongs to will not be polled, or not any more."""

    cdef void show_or_hide_timers(self, bint seen) noexcept:
        self.deadlines.show_or_hide_all(seen)

    cdef void vacate(self) noexcept:
        PollTableBase.vacate(self)
        vacate_section(<PyObject *>self.deadlines)

    cdef void record_end(self, PollDescriptor task, bint is_held) noexcept:
        """The future of `task`, which may be held, is done; called by the winner, and as good as once."""
        cdef PollState poll_state
        cdef unsigned long long key
        if self.recorder is not None:
            poll_state = task.current_poll_state()
            if poll_state is not None and poll_state.key:
                key = poll_state.key
                poll_state.key = 0
                if key < FIRST_START:
                    report_ended(self.recorder, key)
                else:
                    report_concluded(self, key, task.future, poll_state.goes_on, is_held)

    cdef Task new_task(self):
        return PollDescriptor.__new__(PollDescriptor)

    def request_poll_all(self):
        """Have everything polled now, whenever it would be due: wakes who does so, once for all calls before that."""
        with cython.critical_section(self):
            self.asked = True
        self.waker.set()

    def take_request(self):
        """Whether somebody has asked for that since the last call of this."""
        return self.request_taken()

    cdef inline bint request_taken(self) noexcept:
        cdef bint asked
        with cython.critical_section(self):
            asked = self.asked
            self.asked = False
        return asked

    def begin_to_count(self, Py_ssize_t noted):
        """How many tasks have joined so far. Of the next `noted`, it is noted when they join."""
        return self.count_from_now(noted)

    cdef inline Py_ssize_t count_from_now(self, Py_ssize_t noted) noexcept:
        with cython.critical_section(self):
            self.joins_to_note = noted
        return self.joins
