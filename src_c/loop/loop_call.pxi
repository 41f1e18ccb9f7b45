"""A call of an `async def`: first it waits in line, then it is the coroutine that a task on the event loop runs.

Whatever the user's coroutine does is known in its last step: so there is no callback of the task, and the task never
keeps an exception that nobody retrieves.
"""

cdef extern from "Python.h":
    int send_into "PyIter_Send"(object coroutine, object value, PyObject **result) except -1    # 0: it has returned
    bint is_coroutine "PyCoro_CheckExact"(object thing) noexcept
    object copied_context "PyContext_CopyCurrent"()

cdef double SLOW_SECONDS = 0.1      # that a step may take without being reported; see `watched.py`


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class LoopCall(Task):
    """One call. While it waits, anybody may end it; once it has begun, it ends with its coroutine.

    From then on it keeps itself alive, whatever becomes of the future: a loop knows its tasks weakly only.
    """
    cdef object fn              # section(future), as are the next three, while it waits; then the loop's thread alone
    cdef tuple args
    cdef dict kwargs
    cdef object context
    cdef object coroutine       # of the loop's thread alone, as are the next: None before the first step
    cdef object loop_task
    cdef Py_ssize_t steps       # so far
    cdef bint was_cancelled     # it has been asked to end
    cdef bint is_over

    # -- on the loop's thread ----------------------------------------------------------------------------------------

    cdef bint begin(self, object loop) noexcept:
        """Make the task on `loop`: False if the future is done already."""
        cdef LoopCallTable table = <LoopCallTable>self.future_source
        cdef bint waiting
        with cython.critical_section(self.future):
            waiting = self.future.state <= RUNNING
            if waiting:
                self.phase = CALLING
        if not waiting:
            return False
        count_up(<PyObject *>self)
        try:
            self.loop_task = table.new_loop_task(self, loop)
        except BaseException as error:      # there may be a task all the same: it finds that this is over
            self.finish(ERROR, without_our_frames(error))
        return True

    cdef int make_coroutine(self) except -1:
        cdef LoopCallTable table = <LoopCallTable>self.future_source
        cdef object coroutine
        if not table.resource.is_open:
            coroutine = table.resource.called_once_open(self.fn, self.args, self.kwargs or {})
        elif self.kwargs is None:
            coroutine = self.fn(*self.args)
        else:
            coroutine = self.fn(*self.args, **self.kwargs)
        self.args = None
        self.kwargs = None
        if not is_coroutine(coroutine) and not isinstance(coroutine, Coroutine):
            coroutine = coroutine.__await__()
        self.coroutine = coroutine
        return 0

    cdef object step(self, object value, object error):
        """What the coroutine waits for next. StopIteration once it is over, and CancelledError if it ended so."""
        cdef LoopCallTable table = <LoopCallTable>self.future_source
        cdef PyObject *sent = NULL
        cdef object found = None
        cdef State state = RUNNING
        cdef double seconds, began = coarse_now()
        if self.is_over:
            raise StopIteration
        self.steps += 1
        try:
            if self.coroutine is None and error is None:
                self.make_coroutine()
            if error is None:
                if send_into(self.coroutine, value, &sent) == 0:
                    state = RESULT
                found = <object>sent
                count_down(sent)
            elif self.coroutine is None:
                state, found = ERROR, error
            else:
                found = self.coroutine.throw(error)
        except StopIteration as stop:
            state, found = RESULT, stop.value
        except BaseException as raised:
            state, found = ERROR, raised
        seconds = coarse_now() - began
        if seconds > SLOW_SECONDS:
            self.complain(seconds)
        if state == RUNNING:
            return found
        if state == ERROR:
            try:
                found = without_our_frames(found)
            except MemoryError:
                pass
        if state == ERROR and isinstance(found, table.cancelled_error):
            self.finish(CANCELLED_AND_NOTIFIED, None)
            raise found
        self.finish(state, found)
        raise StopIteration

    cdef void complain(self, double seconds) noexcept:
        """Have it reported that a step took so long. Without memory, the report is lost."""
        try:
            (<LoopCallTable>self.future_source).complain_of(self.fn, seconds)
        except BaseException as error:
            complain(self.fn, error)

    cdef void finish(self, State state, object outcome) noexcept:
        """End the future so, once the coroutine is over, and have the next call begin."""
        self.is_over = True
        self.fn = self.args = self.kwargs = self.context = self.coroutine = self.loop_task = None
        settle(self.future, state, outcome, NULL)
        (<LoopCallTable>self.future_source).one_is_over()
        count_down(<PyObject *>self)

    def cancel_on_loop(self):
        """Cancel the coroutine, once; again if it has taken that back, by `uncancel`."""
        if self.loop_task is None:
            return
        if not self.was_cancelled or (hasattr(self.loop_task, "cancelling") and not self.loop_task.cancelling()):
            self.was_cancelled = True
            self.loop_task.cancel()

    cdef bint seems_lost(self) except -1:
        """Whether the loop has to make a step, or has forgotten about it."""
        if self.loop_task is None:
            return False
        waiter = self.loop_task._fut_waiter
        return waiter is None or waiter.done()

    cdef int go_on(self, object loop) except -1:
        """The loop has forgotten about it: make another task."""
        cdef LoopCallTable table = <LoopCallTable>self.future_source
        try:
            sys.modules["asyncio.tasks"]._unregister_task(self.loop_task)   # nobody ends the first one
            self.loop_task._log_destroy_pending = False
            self.loop_task = table.new_loop_task(self, loop)
            if self.was_cancelled:
                self.loop_task.cancel()
        except BaseException as error:      # as in `begin`
            if self.was_cancelled:
                self.finish(CANCELLED_AND_NOTIFIED, None)
            else:
                self.finish(ERROR, without_our_frames(error))
        return 0

    # What a task does with its coroutine.

    def __next__(self):
        return self.step(None, None)

    def send(self, value, /):
        return self.step(value, None)

    def throw(self, kind, value=None, trace=None, /):
        if value is None:
            value = kind() if isinstance(kind, type) else kind
        return self.step(None, value if trace is None else value.with_traceback(trace))

    def close(self):
        """Do nothing: the coroutine is seen to its end."""

    def __await__(self):
        return self

    # For who looks what a task is at. No `__getattr__`: with that, to call a method takes memory.

    @property
    def __name__(self):
        return getattr(self.fn, "__name__", type(self.fn).__name__)

    @property
    def __qualname__(self):
        return getattr(self.fn, "__qualname__", type(self.fn).__name__)

    @property
    def cr_frame(self):
        return getattr(self.coroutine, "cr_frame", None)

    @property
    def cr_code(self):
        return getattr(self.coroutine, "cr_code", None)

    @property
    def cr_running(self):
        return getattr(self.coroutine, "cr_running", False)

    @property
    def cr_await(self):
        return getattr(self.coroutine, "cr_await", None)

    def __repr__(self):
        return f"<call of {shown(self.fn)}>"

    # -- on any thread -----------------------------------------------------------------------------------------------

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        """One that waits is cancelled. Else the coroutine decides, and how it ends is waited for where that can be."""
        cdef LoopCallTable table = <LoopCallTable>self.future_source
        cdef Claim won
        if claim(future, CANCELLED_AND_NOTIFIED, None, WAITING, &won):
            conclude(future, &won, delivery)
            return 1
        if future.state > RUNNING:
            return is_cancelled(future)
        try:
            table.run_on_loop(self.cancel_on_loop)
        except RuntimeError:    # the loop has ended, and with it the coroutine
            pass
        if table.running_loop() is None and not interrupts_here().hurries:
            await_done(future, None)
        return is_cancelled(future)

    cdef void ended(self, State state) noexcept:
        cdef object fn = None, context = None       # to be dropped outside
        cdef tuple args = None
        cdef dict kwargs = None
        with cython.critical_section(self.future):
            if self.phase == WAITING:
                fn, args, kwargs, context = self.fn, self.args, self.kwargs, self.context
                self.fn = self.args = self.kwargs = self.context = None
        self.future_source.leave(self, state)


cdef int cancel_in_haste(FutureCore future, Delivery *delivery) except -1:
    """`cancel_along`, without waiting for a coroutine to end: 0 then, for now."""
    cdef Interrupts *here = interrupts_here()
    cdef bint before = here.hurries
    here.hurries = True
    try:
        return cancel_along(future, delivery)
    finally:
        here.hurries = before
