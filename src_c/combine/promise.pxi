"""A future that somebody else ends, who is asked when it is to be cancelled."""

cdef FutureSource promise_source = FutureSource(logging.getLogger("more_executors.futures"))
PROMISES = promise_source


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class PromisedTask(Task):
    """Ends as its Promise says. Whoever cancels it has `cancel_fn` decide; others who do meanwhile share the answer."""
    cdef object cancel_fn           # section(future), as is the next, until that is done; or None
    cdef CancelAttempt attempt      # that goes on, or None

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        cdef CancelAttempt fresh = CancelAttempt.__new__(CancelAttempt)
        cdef CancelAttempt other = None
        cdef object cancel_fn = None
        cdef bint pending, agreed = False
        fresh.thread = this_thread()
        with cython.critical_section(future):
            pending = future.state <= RUNNING
            if pending:
                cancel_fn = self.cancel_fn
                other = self.attempt
                if other is None:
                    self.attempt = fresh
        if not pending:
            return is_cancelled(future)
        if other is not None:
            return other.share()
        try:
            agreed = cancel_fn is None or done(cancel_fn, cancel_fn())
        except BaseException as error:
            refused(promise_source.logger, "Exception during cancel on %s", (future,), error)
        finally:
            agreed = self.end_attempt(fresh, agreed, delivery)
        return agreed

    cdef int end_attempt(self, CancelAttempt attempt, bint agreed, Delivery *delivery) except -1:
        """Cancel the future if that was `agreed`; returns whether it is cancelled, also if somebody else did that."""
        cdef FutureCore future = self.future
        cdef Claim claimed
        cdef int won = 0
        try:
            if agreed:
                won = claim(future, CANCELLED_AND_NOTIFIED, None, ANY_PHASE, &claimed)
        finally:
            with cython.critical_section(future):
                if self.attempt is attempt:
                    self.attempt = None
            attempt.decide(won)
        if won:
            conclude(future, &claimed, delivery)
        return is_cancelled(future)

    cdef void ended(self, State state) noexcept:
        cdef CancelAttempt attempt
        cdef object cancel_fn       # dropped at the end, with nothing held
        with cython.critical_section(self.future):
            attempt = self.attempt
            cancel_fn = self.cancel_fn
            self.attempt = None
            self.cancel_fn = None
        if attempt is not None:
            attempt.decide(state == CANCELLED_AND_NOTIFIED)
        Task.ended(self, state)


@cython.final
@cython.no_gc_clear
cdef class Promise:
    """Has a `future` that its holder ends, and nobody else: for work that no executor knows of.

        promise = Promise(cancel_fn=connection.abort)
        connection.when_over(promise.yield_result)
        return promise.future

    `future.cancel()` asks `cancel_fn()`, once at a time: if that is true, the future is cancelled and `cancel()` says
    so; if not, or if it raises, the future goes on. Other calls meanwhile wait for the answer and share it; on the
    thread that is finding it out, that is no. Without a `cancel_fn`, the future is cancelled at once.

    The first of all the calls ends the future, and those that come too late do nothing. A promise that nobody refers
    to any more has its future cancelled: it would be pending for ever. All methods may be called from any thread, also
    by `cancel_fn`.
    """
    cdef FutureCore kept

    def __cinit__(self, cancel_fn=None):
        cdef PromisedTask task = PromisedTask.__new__(PromisedTask)
        cdef FutureCore future = new_future()
        check_optional_callable("cancel_fn", cancel_fn)
        task.cancel_fn = cancel_fn
        task.phase = ON_ITS_OWN
        promise_source.tie(task, future)
        promise_source.counters.begin()
        self.kept = future

    def __init__(self, cancel_fn=None):
        """Make it.

        `cancel_fn` is called without arguments and says whether what the future stands for is cancelled. It is called
        with nothing held, and may take its time. What it raises is logged, and means no. If it can only ask for that,
        let it return False, and call `yield_cancelled` when it has come to that. Raises TypeError if it cannot be
        called, or is an `async def`.
        """

    @property
    def future(self):
        """The future, for those who wait."""
        return self.kept

    @property
    def done(self):
        """Whether the future is done: then there is nothing left to do for it."""
        return self.kept.state > RUNNING

    def yield_result(self, result=None):
        """End the future with `result`. Returns whether this call ended it."""
        return settle(self.kept, RESULT, result, NULL) == 1

    def yield_exception(self, exception, traceback=None):
        """Fail the future with `exception`, an instance or a class, as if raised at `traceback` if given.

        Returns whether this call ended it. Raises TypeError if `exception` is not an exception, or `traceback` not a
        traceback.
        """
        exception = as_exception("yield_exception", exception)
        if traceback is not None and not isinstance(traceback, types.TracebackType):
            raise TypeError(f"yield_exception: traceback must be a traceback, not {shown(traceback)}")
        if self.kept.state > RUNNING:
            return False
        if traceback is not None:
            exception = exception.with_traceback(traceback)
        return settle(self.kept, ERROR, exception, NULL) == 1

    def yield_cancelled(self):
        """Cancel the future, without asking anybody. Returns whether this call ended it."""
        return settle(self.kept, CANCELLED_AND_NOTIFIED, None, NULL) == 1

    def __del__(self):
        if self.kept is not None:
            settle(self.kept, CANCELLED_AND_NOTIFIED, None, NULL)

    __class_getitem__ = classmethod(types.GenericAlias)

    def __reduce_ex__(self, protocol):
        raise TypeError("a Promise cannot be copied or pickled: share it, and send its result from another process")

    def __repr__(self):
        return f"<Promise of {self.kept!r}>"
