"""What a poll function gets for each outstanding task, and what it resolves the future with."""


@cython.final
@cython.no_gc_clear
cdef class PollDescriptor(Task):
    """One outstanding task, as the poll function sees it; made by the executor, not by users.

    `yield_result` and `yield_exception` may be called from any thread, at any time, also after the poll
    function has returned, and do nothing once the future is done. Each costs tens of nanoseconds, plus the
    callbacks of the future, which run in the call.
    """

    cdef CancelAttempt attempt  # section(future): the cancel() that is being decided, or None

    def __init__(self, *args, **kwargs):
        raise TypeError("PollDescriptor objects are made by PollExecutor")

    @property
    def result(self):
        """What the delegate's callable returned: typically a task id."""
        return self.value

    def yield_result(self, result=None):
        """Resolve the future with `result`."""
        if self.future is not None:
            settle_now(self.future, RESULT, result)

    def yield_exception(self, exception, traceback=None):
        """Fail the future with `exception`, an instance or a class, as if raised at `traceback` if given.

        Raises TypeError if `exception` is not an exception, or `traceback` not a traceback.
        """
        exception = as_exception("yield_exception", exception)
        if traceback is not None and not isinstance(traceback, types.TracebackType):
            raise TypeError(f"yield_exception: traceback must be a traceback, not {traceback!r}")
        if self.over or self.future is None:
            return
        if traceback is not None:
            exception = exception.with_traceback(traceback)
        settle_now(self.future, ERROR, exception)

    __class_getitem__ = classmethod(types.GenericAlias)

    def __repr__(self):
        return f"<PollDescriptor of {self.value!r}>"

    cdef void delegate_ended(self, object delegate_future, State state, object value) noexcept:
        """Join the polled list, unless the delegate did not succeed."""
        cdef FutureCore future = self.future
        cdef object reference
        if state != RESULT:
            future.settle(state, value)
            return
        with cython.critical_section(future):
            if future.state > RUNNING:
                return
            reference = self.value
            self.value = value
            self.phase = ON_ITS_OWN
        (<PollTable>self.origin).join(self)

    cdef FutureCore below(self, bint cancelling):
        return None if cancelling else Task.below(self, False)

    cdef int cancel(self, FutureCore future) except -1:
        """Whoever has the task decides; if it moved on from the delegate meanwhile, ask again."""
        while True:
            if self.phase == ON_ITS_OWN:
                return self.cancel_polled(future)
            if cancel_delegate(self, future):
                return 1
            if self.phase != ON_ITS_OWN or future.state > RUNNING:
                return 0

    cdef int cancel_polled(self, FutureCore future) except -1:
        cdef object cancel_fn = (<PollTable>self.origin).cancel_fn
        cdef CancelAttempt fresh, attempt
        cdef int won = 0
        if cancel_fn is None:
            future.settle(CANCELLED_AND_NOTIFIED, None)
            return future.cancelled_now()
        fresh = CancelAttempt()
        with cython.critical_section(future):
            if future.state > RUNNING:
                fresh = None
            attempt = self.attempt
            if attempt is None:
                self.attempt = fresh
        if attempt is not None:
            return attempt.share()
        if fresh is None:
            return future.cancelled_now()
        try:
            if cancel_fn(self.value):
                won = future.claim(CANCELLED_AND_NOTIFIED, None, ANY_PHASE)
        except Exception as error:
            report(self.origin.logger, "Exception during cancel on %s/%s", (future, self.value), error)
        finally:
            with cython.critical_section(future):
                self.attempt = None
            fresh.answer.settle(RESULT, won)
        if won:
            future.conclude()
        return won

    cdef void ended(self, State state) noexcept:
        """The answer of a cancel() that is being decided is known now, to those who share it."""
        cdef CancelAttempt attempt
        with cython.critical_section(self.future):
            attempt = self.attempt
            self.attempt = None
        if attempt is not None:
            attempt.answer.settle(RESULT, state == CANCELLED_AND_NOTIFIED)
        Task.ended(self, state)

    cdef int running(self, FutureCore future) except -1:
        return 0 if self.phase == ON_ITS_OWN else delegate_running(self, future)


@cython.final
@cython.internal
cdef class CancelAttempt:
    """A `cancel()` whose answer is being found out; other calls meanwhile wait for it and share the answer."""
    cdef FutureCore answer
    cdef object thread

    def __cinit__(self):
        self.answer = new_future()
        self.thread = get_ident()

    cdef int share(self) except -1:
        """The answer, once it is there. On the thread that is finding it out, that is no."""
        if self.thread == get_ident():
            return 0
        self.answer.await_done(None)
        return self.answer.outcome
