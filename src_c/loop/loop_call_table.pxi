"""Calls of `async def` functions on an event loop: so many at a time, the others wait in order."""

cdef enum:
    MOST_IN_A_TURN = 256    # calls that begin before the loop comes to do something else


@cython.final
cdef class LoopCallTable(TwoStageTable):
    """A table in whose first list calls wait, in order; those in the second have begun on the loop.

    Guarantees:

    * At most `most` coroutines go on at a time, also if the futures of some have been ended by others.
    * However many are submitted, the loop is woken once until it comes to them.
    * A call that is submitted while there is no room wakes nobody.

    `run_on_loop(function)` has the loop's thread call a function; `task_type(coroutine, loop=loop)` makes a task, and
    takes a `context` if it `takes_context`. `resource` is a LoopResource. `complain_of(fn, seconds)` is told of a step
    that blocked the loop, and `check(fn)` raises if that is no `async def`. `running_loop()` is the event loop of the
    thread, or None.
    """
    cdef Py_ssize_t most
    cdef object run_on_loop
    cdef object task_type
    cdef bint takes_context
    cdef object cancelled_error
    cdef object resource
    cdef object complain_of
    cdef object check
    cdef object running_loop
    cdef readonly SharedSize running        # section(self), as are the next two: coroutines that go on
    cdef Py_ssize_t rounds                  # in which the loop began calls
    cdef Py_ssize_t woken_at                # so many rounds: another one will come
    cdef object loop                        # of the loop's thread alone

    def __cinit__(self, logger, most, run_on_loop, task_type, takes_context, cancelled_error, resource,
                  complain_of, check, running_loop):
        self.most = most
        self.run_on_loop = run_on_loop
        self.task_type = task_type
        self.takes_context = takes_context
        self.cancelled_error = cancelled_error
        self.resource = resource
        self.complain_of = complain_of
        self.check = check
        self.running_loop = running_loop
        self.woken_at = -1

    @property
    def waiting(self):
        """How many calls wait for their turn."""
        return self.first_stage.count

    cpdef FutureCore submit_call(self, executor, fn, tuple args, dict kwargs):
        """Have the loop run the coroutine that `fn(*args, **kwargs)` returns; returns a future of `executor`.

        Raises what `check` raises, RuntimeError after `close`, and whatever keeps the loop from being woken.
        """
        cdef LoopCall call
        cdef FutureCore future
        if not is_async_def(fn):
            self.check(fn)
        call = LoopCall.__new__(LoopCall)
        call.fn = fn
        call.args = args
        call.kwargs = kwargs or None
        call.context = copied_context()
        call.phase = WAITING
        future = self.admit(call, executor)
        try:
            self.wake_loop()
        except BaseException as error:
            if self.gave_back(call) or not isinstance(error, Exception):
                raise
        return future

    cdef object take_in(self, object executor, object details, object fn, tuple args, dict kwargs):
        return self.submit_call(executor, fn, args, kwargs)

    cdef bint gave_back(self, LoopCall call) except -1:
        """Forget `call`, unless it has begun."""
        cdef FutureCore future = (<Task>call).future
        cdef Claim won
        if not claim(future, CANCELLED_AND_NOTIFIED, None, WAITING, &won):
            return False
        conclude(future, &won, NULL)
        self.counters.retract()
        return True

    cdef int wake_loop(self) except -1:
        """Have the loop begin what waits, if there is room, and unless it is about to."""
        cdef Py_ssize_t rounds
        cdef bint needed
        with cython.critical_section(self):
            rounds = self.rounds
            needed = self.woken_at != rounds and self.running < self.most
        if needed:
            self.run_on_loop(self.begin_some)
            with cython.critical_section(self):
                self.woken_at = rounds      # after it: else who interrupts this would rely on what has not been done
        return 0

    def cancel_running(self):
        """Cancel all coroutines that go on. Does not wait."""
        for call in self.listed(self.second_stage):
            try:
                self.run_on_loop((<LoopCall>call).cancel_on_loop)
            except RuntimeError:    # the loop has ended
                pass

    def forget_running(self):
        """In a forked child: no coroutine goes on here."""
        self.running = 0

    # -- on the loop's thread ----------------------------------------------------------------------------------------

    def begin_some(self):
        """Begin what waits, as far as there is room; when some have had their turn, the next."""
        cdef Py_ssize_t begun = 0
        cdef bint later = False
        with cython.critical_section(self):
            self.rounds += 1        # first: who comes from here on wakes the loop
        self.loop = self.running_loop()
        while not later and self.begin_next():
            begun += 1
            if begun % MOST_IN_A_TURN == 0 and self.first_stage.count:
                try:
                    self.loop.call_soon(self.begin_some)
                    later = True
                except MemoryError:     # go on, then
                    pass

    def look_for_lost(self):
        """After a lack of memory: have those coroutines go on whose next step the loop has lost.

        A loop makes the steps that it has to make in order. So after one turn more, each of them has been made.
        """
        cdef list calls = []
        cdef LoopCall call
        for task in self.listed(self.second_stage):
            call = <LoopCall>task
            if call.seems_lost():
                calls.append((call, call.steps))
        if calls:
            self.running_loop().call_soon(self.go_on_with_lost, calls)

    def go_on_with_lost(self, list calls not None):
        """Those of `calls`, pairs of a call and the number of its steps, that have made none."""
        cdef LoopCall call
        for task, steps in calls:
            call = <LoopCall>task
            if call.steps == steps and call.seems_lost():
                call.go_on(self.running_loop())

    cdef bint begin_next(self) noexcept:
        """Begin the first that waits: False if none does, or there is no room."""
        cdef Task call = None
        with cython.critical_section(self):
            if self.running < self.most:
                call = self.first_stage.first()
                if call is not None:
                    self.move_on(call)
                    self.running += 1
        if call is None:
            return False
        if not (<LoopCall>call).begin(self.loop):
            self.one_less()
        return True

    cdef object new_loop_task(self, LoopCall call, object loop):
        if self.takes_context:
            return self.task_type(call, loop=loop, context=call.context)
        return call.context.run(self.task_type, call, loop=loop)

    cdef void one_is_over(self) noexcept:
        self.one_less()
        self.begin_next()

    cdef void one_less(self) noexcept:
        cdef bint last
        with cython.critical_section(self):
            self.running -= 1
            last = self.running == 0 and self.refusal is not None
        if last:
            self.waker.set()
