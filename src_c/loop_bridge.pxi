"""From our threads to an asyncio event loop: all that ended since the loop looked last crosses in one go."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class Crossing(Hook):
    """An outcome on its way to the asyncio future `target`."""
    cdef LoopBridge bridge
    cdef object target
    cdef object value
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
    cdef list arrived           # section(self), as is the next
    cdef bint announced

    def __cinit__(self, loop):
        self.loop = weakref.ref(loop)
        self.arrived = []

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
        cdef bint first
        with cython.critical_section(self):
            first = not self.announced
            self.announced = True
            self.arrived.append(crossing)
        if first and not self.announce():
            self.take()

    cdef bint announce(self) noexcept:
        cdef object loop = self.loop()
        cdef bint announced = False
        enter_user_code()
        try:
            loop.call_soon_threadsafe(self.hand_over)
            announced = True
        except BaseException as error:
            if loop is not None and not loop.is_closed():
                report(futures_logger, "exception waking %r", (loop,), error)
            else:
                interrupt_later(error)
        finally:
            leave_user_code()
        return announced

    cdef list take(self):
        cdef list fresh = []
        cdef list arrived
        with cython.critical_section(self):
            arrived = self.arrived
            self.arrived = fresh
            self.announced = False
        return arrived

    def hand_over(self):
        """On the loop: end what has arrived."""
        cdef list arrived = self.take()
        cdef Py_ssize_t i = 0
        try:
            for i in range(len(arrived)):
                end_on_loop(<Crossing>arrived[i])
                breathe_at(i)
        except BaseException:
            for crossing in arrived[i + 1:]:
                self.send(crossing)
            raise


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
