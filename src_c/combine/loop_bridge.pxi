"""From our threads to an asyncio event loop: all that ended since the loop looked last crosses in one go."""


@cython.final
@cython.internal
@cython.no_gc_clear
@cython.trashcan(True)      # they may form a long queue
cdef class PendingOutcome(DoneHook):
    """An outcome on its way to the asyncio future `target`."""
    cdef LoopBridge bridge
    cdef object target
    cdef object value
    cdef PendingOutcome following     # in the queue; section(bridge)
    cdef unsigned char state

    cdef void delegate_ended(self, object future, State state, object value, Delivery *delivery) noexcept:
        self.state = state
        self.value = value
        self.bridge.send(self)

    cdef void lost(self) noexcept:
        self.delegate_ended(None, CANCELLED_AND_NOTIFIED, None, NULL)


@cython.final
cdef class LoopBridge:
    """Ends asyncio futures of one loop, on that loop, as others end that may do so on any thread.

    However many end, the loop is woken once until it has taken them over. Once it is closed, they are dropped.
    """
    cdef object loop            # weak: the loop may keep what keeps this
    cdef PendingOutcome first         # the queue of those that have arrived; section(self), as are the next
    cdef PendingOutcome last
    cdef bint announced

    def __cinit__(self, loop):
        self.loop = weakref.ref(loop)

    def connect(self, source, target):
        """Have the asyncio future `target` end as `source` does; until then, its `source` refers to that.

        Raises TypeError if `source` is no future.
        """
        self.connect_to(source, target)

    cdef int connect_to(self, object source, object target) except -1:
        cdef PendingOutcome outcome = PendingOutcome.__new__(PendingOutcome)
        if not isinstance(source, FutureCore):
            check_future("the delegate's submit must return a future, not", source)
        outcome.bridge = self
        outcome.target = target
        target.source = reference_to(source)
        return hook_onto(outcome, source, NULL)

    cdef void send(self, PendingOutcome outcome) noexcept:
        cdef bint fresh
        with cython.critical_section(self):
            fresh = not self.announced
            self.announced = True
            if self.first is None:
                self.first = outcome
            else:
                self.last.following = outcome
            self.last = outcome
        if fresh:
            self.announce()

    cdef void announce(self) noexcept:
        """Wake the loop. If that cannot be done, as it is closed, what has arrived is dropped."""
        cdef object loop = self.loop()
        cdef PendingOutcome dropped
        enter_user_code()
        try:
            loop.call_soon_threadsafe(self.hand_over)
        except MemoryError:
            with cython.critical_section(self):
                self.announced = False      # whatever arrives next tries again
        except BaseException as error:
            dropped = self.take()
            while dropped is not None:
                dropped = unlinked(dropped)
            if loop is not None and not loop.is_closed():
                report(futures_logger, "exception waking %r", (loop,), error)
            else:
                interrupt_later(error)
        finally:
            leave_user_code()

    cdef PendingOutcome take(self):
        """The first of all that have arrived. What arrives after this announces itself."""
        cdef PendingOutcome first
        with cython.critical_section(self):
            first = self.first
            self.first = self.last = None
            self.announced = False
        return first

    cdef void put_back(self, PendingOutcome first) noexcept:
        """Have a queue that was taken come first again."""
        cdef PendingOutcome last = first
        if first is None:
            return
        while last.following is not None:
            last = last.following
        with cython.critical_section(self):
            last.following = self.first
            self.first = first
            if self.last is None:
                self.last = last
            self.announced = True
        self.announce()

    def hand_over(self):
        """On the loop: end what has arrived."""
        cdef PendingOutcome outcome = self.take(), following
        cdef Py_ssize_t i = 0
        try:
            while outcome is not None:
                following = unlinked(outcome)
                end_on_loop(outcome)
                outcome = following
                yield_gil_at(i)
                i += 1
        except MemoryError:
            outcome.following = following      # it once more: the loop may not know of it
            self.put_back(outcome)
            raise
        except BaseException:
            self.put_back(following)
            raise


cdef PendingOutcome unlinked(PendingOutcome outcome):
    """What comes after `outcome` in a queue that was taken."""
    cdef PendingOutcome following = outcome.following
    outcome.following = None
    return following


cdef int end_on_loop(PendingOutcome outcome) except -1:
    cdef object target = outcome.target
    cdef object raised
    target.source = None
    if target.done():
        return 0
    if outcome.state == RESULT:
        target.set_result(outcome.value)
    elif outcome.state == ERROR:
        raised = unshared(outcome.value)
        if isinstance(raised, StopIteration):
            error = RuntimeError(f"a task raised {shown(raised)}, which asyncio futures cannot")
            error.__cause__ = raised
            target.set_exception(error)
        else:
            target.set_exception(raised)
    else:
        target.cancel()
    return 0
