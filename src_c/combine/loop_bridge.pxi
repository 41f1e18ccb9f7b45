"""From our threads to an asyncio event loop: all that ended since the loop looked last crosses in one go."""


@cython.final
@cython.internal
@cython.no_gc_clear
@cython.trashcan(True)      # they may form a long queue
cdef class Crossing(DoneHook):
    """An outcome on its way to the asyncio future `target`."""
    cdef LoopBridge bridge
    cdef object target
    cdef object value
    cdef Crossing following     # in the queue; section(bridge)
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
    cdef Crossing first         # the queue of those that have arrived; section(self), as are the next
    cdef Crossing last
    cdef bint announced

    def __cinit__(self, loop):
        self.loop = weakref.ref(loop)

    def connect(self, source, target):
        """Have the asyncio future `target` end as `source` does; until then, its `source` refers to that.

        Raises TypeError if `source` is no future.
        """
        cdef Crossing crossing = Crossing.__new__(Crossing)
        check_future("the delegate's submit must return a future, not", source)
        crossing.bridge = self
        crossing.target = target
        target.source = reference_to(source)
        hook_onto(crossing, source, NULL)

    cdef void send(self, Crossing crossing) noexcept:
        cdef bint fresh
        with cython.critical_section(self):
            fresh = not self.announced
            self.announced = True
            if self.first is None:
                self.first = crossing
            else:
                self.last.following = crossing
            self.last = crossing
        if fresh:
            self.announce()

    cdef void announce(self) noexcept:
        """Wake the loop. If that cannot be done, as it is closed, what has arrived is dropped."""
        cdef object loop = self.loop()
        cdef Crossing dropped
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

    cdef Crossing take(self):
        """The first of all that have arrived. What arrives after this announces itself."""
        cdef Crossing first
        with cython.critical_section(self):
            first = self.first
            self.first = self.last = None
            self.announced = False
        return first

    cdef void put_back(self, Crossing first) noexcept:
        """Have a queue that was taken come first again."""
        cdef Crossing last = first
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
        cdef Crossing crossing = self.take(), following
        cdef Py_ssize_t i = 0
        try:
            while crossing is not None:
                following = unlinked(crossing)
                end_on_loop(crossing)
                crossing = following
                yield_gil_at(i)
                i += 1
        except MemoryError:
            crossing.following = following      # it once more: the loop may not know of it
            self.put_back(crossing)
            raise
        except BaseException:
            self.put_back(following)
            raise


cdef Crossing unlinked(Crossing crossing):
    """What comes after `crossing` in a queue that was taken."""
    cdef Crossing following = crossing.following
    crossing.following = None
    return following


cdef int end_on_loop(Crossing crossing) except -1:
    cdef object target = crossing.target
    cdef object raised
    target.source = None
    if target.done():
        return 0
    if crossing.state == RESULT:
        target.set_result(crossing.value)
    elif crossing.state == ERROR:
        raised = unshared(crossing.value)
        if isinstance(raised, StopIteration):
            error = RuntimeError(f"a task raised {shown(raised)}, which asyncio futures cannot")
            error.__cause__ = raised
            target.set_exception(error)
        else:
            target.set_exception(raised)
    else:
        target.cancel()
    return 0
