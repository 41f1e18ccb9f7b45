"""What the tables of poll executors share: how tasks join the polled list, and what fails them."""


CANCEL_LATER = object()

cdef tuple NEWS = ((False, False), (False, True), (True, False), (True, True))


cdef double now_or_never() noexcept:
    """`monotonic()`, or a time long past if there is no memory to tell it."""
    cdef double now = -INFINITY
    try:
        now = monotonic()
    except MemoryError:
        pass
    return now


cdef enum Look:
    NOT_YET
    WANTED          # the deadline has passed
    UNDER_WAY       # handed out after that


@cython.no_gc_clear
cdef class PolledTable(StagedTable):
    """A table whose tasks move on to a polled list, in order of arrival, when their delegate is done.

    `cancel_fn(result)`, or None, decides whether a polled task is cancelled, `cancel_many(bulk)`, or None, about the
    several of a BulkCancel. Instead of waiting, `cancel_fn` may answer `CANCEL_LATER`: then `cancel_later(future)` is
    called, and the answer is no for now. `cannot_wait(future)`, or None, says whether the calling thread must not wait
    for an answer that another one is finding out. Of a `recorder` it is `joined(key, result)` and `ended(key)` that are
    called, for each task. A task fails `timeout` seconds after it joined, unless that is negative: somebody has to
    `fail_late` them. Before that it is handed out once more, and fails when that call is over, or `last_look` seconds
    later at the latest; with 0, it fails at once. `too_late(results, executor)`, or None, hears of what fails so.

    A subclass hands out what is to be polled. It never hands out a task that is done, or one that is handed out.
    """
    cdef readonly object cancel_fn
    cdef readonly object cancel_many
    cdef readonly object recorder
    cdef readonly object cannot_wait
    cdef readonly object cancel_later
    cdef readonly double timeout
    cdef readonly double last_look
    cdef readonly object too_late
    cdef readonly bint counting     # failures
    cdef bint only_called       # what is submitted: the delegate awaits nothing
    cdef Timers deadlines
    cdef public SharedDouble quiet_until    # what joins before that, by `monotonic`, need not wake who wakes up then
    cdef unsigned long long last_key        # section(self), as are the next
    cdef readonly SharedSize telling    # threads that are telling the recorder of a task, which may have ended
    cdef object last_yielded    # a weak reference to the SharedError that a descriptor was failed with, or None
    cdef SharedByte leaving     # all on record, as the program ends, or this is a forked child
    cdef readonly SharedSize reporting      # threads that are telling `too_late` of tasks, which may have ended
    cdef bint joined            # since `news`
    cdef bint asked             # for a poll now, since `news`

    def __cinit__(self, logger, cancel_fn=None, cancel_many=None, *, recorder=None, cannot_wait=None,
                  cancel_later=None, double timeout=-1.0, double last_look=0.0, too_late=None, bint counting=False, bint only_called=False, **_):
        self.cancel_fn = cancel_fn
        self.cancel_many = cancel_many
        self.recorder = recorder
        self.cannot_wait = cannot_wait
        self.cancel_later = cancel_later
        self.quiet_until = -INFINITY
        self.timeout = timeout
        self.last_look = last_look
        self.too_late = too_late
        self.counting = counting
        self.only_called = only_called
        self.deadlines = Timers()
        self.last_key = 0 if recorder is None else recorder.first_key - 1

    # -- joining ---------------------------------------------------------------------------------------------

    def submit(self, executor, delegate, fn, tuple args not None, dict kwargs not None):
        """As in TaskTable; TypeError for an `async def` that the delegate would only call."""
        if self.only_called and is_async_def(fn):
            raise TypeError(f"submit: fn must not be async, as the delegate only calls it: write {shown(fn)} without "
                            "async, or submit a function that awaits it, such as one that calls asyncio.run")
        return self.begin_with(self.new_task(), executor, delegate, fn, args, kwargs)

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
                breathe_at(i)
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
            breathe_at(i)
        drop(futures)

    def cancel_all(self):
        """Cancel every future that is not done, asking nobody, for the end of the interpreter: all stays on record."""
        cdef list tasks = self.tasks()
        cdef Py_ssize_t ended = 0
        self.leaving = True
        for task in tasks:
            end_on_record(task)
            ended += 1
            breathe_at(ended)
        drop(tasks)

    cdef FutureCore adopt_one(self, object executor, object result, double timeout, unsigned long long key):
        cdef PollDescriptor task = PollDescriptor.__new__(PollDescriptor)
        cdef FutureCore future
        refuse_coroutine(result, False)
        future = self.admit(task, executor)
        try:
            self.take_up(task, result, timeout, key)
        except BaseException as error:
            if not isinstance(error, Exception) or isinstance(error, MemoryError):
                if key:
                    put_back(self, future, result, key)
                else:
                    self.retract(future)
                raise
            future.settle(ERROR, error, NULL)
            if key:
                call_or_complain(self.recorder, "ended", (key,), {})
        return future

    cdef int take_up(self, PollDescriptor task, object value, double timeout, unsigned long long key) except -1:
        """Begin to poll `task`, unless its future is done; `value` is what it is known by elsewhere."""
        cdef Pace pace
        cdef bint closed
        if timeout < 0.0:
            timeout = self.timeout
        pace = self.new_pace(task, value, timeout >= 0.0)
        if pace is not None:
            pace.joined = coarse_now()
            pace.key = key
        if self.recorder is None or key:
            return self.begin(task, value, timeout, pace)
        with cython.critical_section(self):
            self.last_key += 1
            pace.key = key = self.last_key
            self.telling += 1
        try:
            call_or_complain(self.recorder, "joined", (key, value), {})
            if not self.begin(task, value, timeout, pace):
                call_or_complain(self.recorder, "ended", (key,), {})
        finally:
            with cython.critical_section(self):
                self.telling -= 1
                closed = self.refusal is not None
            if closed:
                self.waker.set()
        return 0

    cdef bint begin(self, PollDescriptor task, object value, double timeout, Pace pace) except -1:
        """Have `task` join, unless its future is done; whether it has."""
        if task.go_on_its_own(value, pace):
            self.join(task)
            if timeout >= 0.0 and task.set_timer(self.deadlines, monotonic() + timeout):
                self.waker.set()
            return True
        if pace is not None:
            with cython.critical_section(self):
                self.part(pace)
        return False

    cdef Pace new_pace(self, PollDescriptor task, object value, bint timed):
        """What is to be kept of `task`, or None for nothing; may raise."""
        cdef Pace pace
        if not (self.counting or timed) and self.recorder is None:
            return None
        pace = Pace.__new__(Pace)
        pace.task = <PyObject *>task
        return pace

    cdef void join(self, PollDescriptor task) noexcept:
        with cython.critical_section(self):
            self.move_on(task)
            self.joined = True
        if self.quiet_until == -INFINITY or not now_or_never() < self.quiet_until:
            self.waker.set()

    cdef void part(self, Pace pace) noexcept:
        """Inside the section: what `pace` belongs to will not be polled, or not any more."""

    cdef void record_end(self, PollDescriptor task) noexcept:
        """The future of `task` is done; called by the winner, and as good as once."""
        cdef Pace pace
        cdef unsigned long long key
        if self.recorder is not None:
            pace = task.paced()
            if pace is not None and pace.key:
                key = pace.key
                pace.key = 0
                call_or_complain(self.recorder, "ended", (key,), {})

    cdef Task new_task(self):
        return PollDescriptor.__new__(PollDescriptor)

    def ask(self):
        """Have everything polled now, whenever it would be due: wakes who does so, once for all calls before that."""
        with cython.critical_section(self):
            self.asked = True
        self.waker.set()

    def news(self):
        """Whether something has joined, and whether somebody has asked for a poll, since the last call of this."""
        cdef bint joined, asked
        with cython.critical_section(self):
            joined, asked = self.joined, self.asked
            self.joined = self.asked = False
        return NEWS[2 * joined + asked]

    @property
    def polling(self):
        """How many tasks are in the polled list."""
        return self.moved_on.live

    def polled_tasks(self):
        """A new list of tuples, of each polled task: result, age in seconds, polls, failures, and the future."""
        cdef list tasks = self.listed(self.moved_on)
        cdef list rows = []
        cdef double now = coarse_now()
        cdef PollDescriptor task
        for item in tasks:
            task = item
            rows.append((task.value, now - task.started, task.polls, task.failures, task.future))
            breathe_at(len(rows))
        drop(tasks)
        return rows

    # -- what has waited too long ----------------------------------------------------------------------------

    def fail_late(self):
        """Fail what has been polled for too long: returns the results of some, and when to call again; may be inf."""
        cdef list results = []
        cdef PollDescriptor task
        for item in self.deadlines.pop_due(monotonic(), BREATH):
            task = item
            if not self.look_again(task):
                self.fail_overdue(task, results)
        return results, self.deadlines.earliest()

    cdef int fail_overdue(self, PollDescriptor task, list results) except -1:
        result = task.value
        error = overdue(result, coarse_now() - task.paced().joined)
        if task.future.settle(ERROR, error, NULL):
            results.append(result)
        return 0

    cdef bint look_again(self, PollDescriptor task) except -1:
        """Have `task`, whose deadline has passed, handed out once more; False if it has been, or is not to be."""
        cdef Pace pace = task.paced()
        if task.over or pace.look != NOT_YET or self.last_look <= 0.0:
            return False
        with cython.critical_section(self):
            pace.look = WANTED
        task.set_timer(self.deadlines, monotonic() + self.last_look)
        self.hand_out_soon(task)
        return True

    cdef int end_looks(self, list tasks) except -1:
        """Fail those of `tasks`, which were in a call, that had their last look in it."""
        cdef list results = []
        cdef object executor
        cdef PollDescriptor task
        cdef Pace pace
        cdef Py_ssize_t i = 0
        with cython.critical_section(self):
            self.reporting += 1
            executor = self.executor    # kept meanwhile
        try:
            for item in tasks:
                task = item
                pace = task.paced()
                if not task.over and pace is not None and pace.look == UNDER_WAY:
                    self.fail_overdue(task, results)
                i += 1
                breathe_at(i)
        finally:
            if self.too_late is not None and results:
                call_or_complain(self.too_late, "__call__", (results, executor), {})
            with cython.critical_section(self):
                self.reporting -= 1
            if self.refusal is not None:
                self.waker.set()
        return 0

    # -- after a call ----------------------------------------------------------------------------------------

    def fail_all(self, list tasks not None, exception):
        """Fail the futures of `tasks` that are not done with what `outcome_for` says. The list is emptied."""
        self.end_all(tasks, ERROR, exception)

    def outcome_for(self, list tasks not None, exception):
        """What `tasks` are to fail with: the exception, or a SharedError if it is for several that are not done."""
        cdef Py_ssize_t i, pending = 0
        for i in range(len(tasks)):
            pending += not (<PollDescriptor>tasks[i]).over
            if pending > 1:
                return SharedError(exception)
            breathe_at(i)
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
        if self.counting:
            for task in tasks:
                (<PollDescriptor>task).paced().failures = 0
                i += 1
                breathe_at(i)

    def count_failures(self, list tasks not None):
        """A call with `tasks` has failed: a dict of the tasks that are not done, by how often in a row theirs have."""
        cdef dict by_count = {}
        cdef Pace pace
        for task in tasks:
            pace = (<PollDescriptor>task).paced()
            if not (<PollDescriptor>task).over and pace is not None:
                pace.failures += 1
                by_count.setdefault(pace.failures, []).append(task)
        return by_count

    # -- what a subclass does ----------------------------------------------------------------------------------

    cdef int poll_after(self, PollDescriptor task, double when) except -1:
        """Have `task` be polled at `when`, and no sooner."""
        return 0

    cdef int restart(self, PollDescriptor task) except -1:
        """Begin anew with the schedule of `task`."""
        return 0

    cdef int hand_out_soon(self, PollDescriptor task) except -1:
        """Have `task` be due now, or as soon as the call that it is in is over."""
        return 0


cdef object overdue(object result, double seconds):
    return builtins.TimeoutError(f"{shown(result)} is not done after {seconds:.1f} s")
