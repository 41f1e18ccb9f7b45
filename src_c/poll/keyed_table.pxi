"""Tasks with keys: their futures are there before it is known whether anything is to be started for them."""

cdef unsigned long long FIRST_START = <unsigned long long>1 << 62    # numbers on record from here on are of such tasks


@cython.no_gc_clear
cdef class KeyedTable(JoiningTable):
    """A JoiningTable that reserves futures. Each is begun, adopted or ended later, or cancelled meanwhile.

    Of the `recorder`, `started(number, result)` and `concluded(number, succeeded, cancelled, outcome, goes_on)` are
    called for these tasks, not `joined` and `ended`. A task `goes_on` if its future failed for another reason than that
    it did, as when a poll failed. When the delegate fails one, `take_doubtful(number, error)` is asked first: if that
    is true, the future waits for a decision again.
    """

    def reserve(self, executor, start not None):
        """Have a future of `executor` wait for a decision: it is `start.future` from now on.

        Raises RuntimeError after `close`.
        """
        cdef PollDescriptor task = PollDescriptor.__new__(PollDescriptor)
        cdef FutureCore future
        task.poll_state = new_poll_state(task)
        task.where |= HAS_POLL_STATE
        task.phase = WAITING
        future = self.admit(task, executor)
        try:
            start.future = future
        except BaseException:
            self.retract(future)
            raise

    def check_startable(self, fn):
        """Raise TypeError if `fn` is an `async def`, and the delegate would only call it."""
        self.check_fn(fn)

    def begin_reserved(self, FutureCore future not None, unsigned long long number, delegate, fn):
        """Have `delegate` call `fn()`, and `future` go on with what that returns. False if that does not wait any more.

        `number` is that of the task on record. Raises what `delegate.submit` raises, and TypeError if that returns no
        future.
        """
        cdef PollDescriptor task = self.take_reserved(future, number)
        if task is not None:
            try:
                follow(task, submitted(delegate, fn, (), {}), NULL)
            except BaseException as error:
                settle(future, ERROR, error, NULL)
                raise
        return task is not None

    def adopt_reserved(self, FutureCore future not None, unsigned long long number, result, bint on_record):
        """Poll `result` for `future`, or return False if that does not wait any more.

        Unless it is `on_record`, it is reported as started.
        """
        cdef PollDescriptor task = self.take_reserved(future, number)
        if task is not None:
            try:
                self.start_polling(task, result, -1.0, number if on_record else 0)
            except Exception as error:
                note_going_on(task)
                settle(future, ERROR, error, NULL)
        return task is not None

    def end_reserved(self, FutureCore future not None, outcome, bint failed=False):
        """End `future`, if that waits, as the task ended earlier; nothing is reported."""
        if self.take_reserved(future, 0) is not None:
            settle(future, ERROR if failed else RESULT, outcome, NULL)

    def fail_reserved(self, FutureCore future not None, error):
        """Fail `future`, as submitting it came to nothing; but not if it has been begun, or adopted."""
        cdef Claim won
        if claim(future, ERROR, error, WAITING, &won) or claim(future, ERROR, error, STARTING, &won):
            conclude(future, &won, NULL)

    def retract_reserved(self, FutureCore future not None):
        """Forget `future`, which nobody was given."""
        if self.take_reserved(future, 0) is not None:
            self.retract(future)

    cdef PollDescriptor take_reserved(self, FutureCore future, unsigned long long number):
        """The task of `future`, which is `number` on record and waits no more; None if it did not wait, or is done."""
        cdef PollDescriptor task = None
        cdef object me = self.number_of_caller()
        with cython.critical_section(future):
            if future.state <= RUNNING and task_of(future).phase == WAITING:
                task = <PollDescriptor>task_of(future)
                task.poll_state.key = number
                task.value = me
                task.phase = STARTING
        return task

    cdef bint waits_again(self, PollDescriptor task, State state, object value) noexcept:
        """Whether `task`, whose delegate has failed it with `value`, waits for another decision."""
        cdef PollState poll_state = task.current_poll_state()
        cdef object before = None       # to be dropped outside
        cdef bint pending, taken = False
        if state != ERROR or poll_state is None or poll_state.key < FIRST_START:
            return False
        with cython.critical_section(task.future):
            pending = task.future.state <= RUNNING
            if pending:
                before = task.value
                task.value = None
                task.phase = WAITING
        if pending:
            enter_user_code()
            try:
                taken = self.recorder.take_doubtful(poll_state.key, value)
            except BaseException as error:
                interrupt_later(error)
            finally:
                leave_user_code()
        return taken


cdef unsigned long long number_of_start(PollDescriptor task) noexcept:
    """The number on record of a task with a key that was not polled yet; 0 of others."""
    cdef PollState poll_state = task.current_poll_state()
    return 0 if poll_state is None else poll_state.key


cdef void note_going_on(PollDescriptor task) noexcept:
    """The future of `task` is about to fail, unless it is done, but not because the task has."""
    cdef PollState poll_state = task.current_poll_state()
    if poll_state is not None:
        poll_state.goes_on = True


cdef object report_on_start(object recorder, str method, tuple arguments):
    """Report to `recorder` what has become of a task with a key, and return its answer; it may hear of it twice.

    Raises nothing.
    """
    cdef Py_ssize_t tries = 0
    cdef object answer = None
    while tries < MOST_TRIES:
        enter_user_code()
        try:
            answer = getattr(recorder, method)(*arguments)
            break
        except BaseException as error:
            tries = after_failed_report(recorder, tries, error)
        finally:
            leave_user_code()
    return answer


cdef void report_concluded(JoiningTable table, unsigned long long number, FutureCore future, bint goes_on,
                           bint is_held) noexcept:
    """The future of the task that is `number` on record has ended. If it `is_held`, what started the task is kept."""
    cdef State state = <State>future.state
    cdef object outcome = future.outcome if state >= RESULT else None
    cdef object event, start
    if isinstance(outcome, SharedError):
        outcome = (<SharedError>outcome).error
    try:
        event = (number, state == RESULT, state < RESULT, outcome, goes_on)
        start = report_on_start(table.recorder, "concluded", event)
        if is_held and start is not None:
            keep_until_ended(table, start)
    except MemoryError:     # for the tuple
        call_or_write_unraisable(table.recorder, "miss", (), {})


cdef void keep_until_ended(JoiningTable table, object start) noexcept:
    """Keep `start`, with which the recorder is done, until `let_go_of_starts`."""
    try:
        with cython.critical_section(table):
            start.next_done = table.done_with   # no memory is taken for that
            table.done_with = start
    except BaseException as error:
        interrupt_later(error)


cdef inline void let_go_of_starts(JoiningTable table) noexcept:
    """Called with nothing held, as destructors of the user's may follow."""
    cdef object done_with = None
    with cython.critical_section(table):
        done_with = table.done_with
        table.done_with = None
