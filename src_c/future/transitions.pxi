"""How a future changes state: the fields and the transitions that the public class stands on."""

cdef enum State:
    PENDING
    RUNNING
    CANCELLED                 # by cancel(); whoever runs it has not noticed yet
    CANCELLED_AND_NOTIFIED
    RESULT                    # the two that concurrent.futures calls FINISHED
    ERROR

cdef tuple STATE_NAMES = ("PENDING", "RUNNING", "CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED", "FINISHED")


@cython.internal
cdef class FutureCore:
    """The fields of a future and what moves it from one state to the next.

    A pending future that nobody waits for is this one object: `condition`, `waiter` and a list of callbacks
    exist once somebody needs them. A transition is `claim`, decided in the section, then `conclude` by the
    thread whose claim won, outside.
    """
    cdef SharedByte state
    cdef unsigned char handed_on        # section(self), as is the next: a future made from this has the exception
    cdef unsigned char seen_running     # its delegate's has said so
    cdef SharedByte has_attributes      # somebody has set one
    cdef object outcome         # the result, or the exception, which may be a SharedError
    cdef Task task              # what may cancel it and wants to know when it is done, or None
    cdef object callbacks       # None, one callback, or a list of them; a Task is one for a future made from this
    cdef Waiter waiter          # the first of the blocked threads, or None
    cdef object watchers        # who wait()s and is to be notified: None, one, or a tuple; guarded by the condition
    cdef FutureCondition condition      # once asked for, then for good

    cdef State current(self) noexcept:
        """The state, read so that the outcome read after it is the one that belongs to it."""
        return <State>self.state

    cdef bint cancelled_now(self) noexcept:
        return CANCELLED <= self.state <= CANCELLED_AND_NOTIFIED

    cdef bint decide(self, State state, object outcome, Phase phase) noexcept:
        """Inside the section: end the future unless it is too late for that, or its task is in another phase."""
        if self.state > (PENDING if state == CANCELLED else RUNNING):
            return False
        if phase != ANY_PHASE and (self.task is None or self.task.phase != phase):
            return False
        self.outcome = outcome
        self.state = state
        if self.task is not None:
            self.task.over = True
        return True

    cdef int claim(self, State state, object outcome, Phase phase) except -1:
        """Try to end the future so, while its task is in `phase`: 1 if this call did, 0 if it came too late.

        The winner calls `conclude`.
        """
        cdef bint won = False
        cdef FutureCondition condition
        with cython.critical_section(self):
            condition = self.condition
            if condition is None:
                won = self.decide(state, outcome, phase)
            elif self.state > RUNNING:
                condition = None    # too late, without waiting for who holds it
        if condition is None:
            return won
        if in_forked_child:
            condition._at_fork_reinit()
            self.watchers = None
        condition.hold()
        with cython.critical_section(self):
            won = self.decide(state, outcome, phase)
        if won:
            if self.task is not None:
                self.task.claimed()
            notify_watchers(condition, self, state)
        condition.unhold()
        return won

    cdef void conclude(self, Delivery *delivery) noexcept:
        """What the winner does, with nothing held: leave the executor's table, wake threads, run callbacks."""
        cdef Task task = self.task
        cdef Waiter waiter
        cdef object callbacks
        if task is not None:
            self.task = None
            task.ended(<State>self.state)
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            while waiter is not None:
                waiter.lock.release()
                waiter = waiter.following
        show_as_done(self, task)
        callbacks = self.callbacks
        if callbacks is not None:
            self.callbacks = None
            run_callbacks(self, callbacks, delivery)

    cdef int settle(self, State state, object outcome, Delivery *delivery) except -1:
        """`claim`, and `conclude` if that won: 1, else 0. For `delivery` see `delivery.pxi`."""
        if not self.claim(state, outcome, ANY_PHASE):
            return 0
        self.conclude(delivery)
        return 1

    cdef State advance(self) noexcept:
        """Inside the section: take it up, or take note that it is cancelled; returns the state it was in."""
        cdef State state = <State>self.state
        if state == PENDING:
            self.state = RUNNING
        elif state == CANCELLED:
            self.state = CANCELLED_AND_NOTIFIED
        return state

    cdef State start(self) except? ERROR:
        """`advance`, when nobody holds the condition."""
        cdef State state = ERROR
        cdef FutureCondition condition
        with cython.critical_section(self):
            condition = self.condition
            if condition is None:
                state = self.advance()
        if condition is not None:
            condition.hold()
            with cython.critical_section(self):
                state = self.advance()
            if state == CANCELLED:
                notify_watchers(condition, self, CANCELLED_AND_NOTIFIED)
            condition.unhold()
        return state

    cdef int subscribe(self, object callback) except -1:
        """Keep `callback` for when the future is done: 1, or 0 if it is done already."""
        cdef object first = None
        cdef list several = None
        while True:
            with cython.critical_section(self):
                if self.state > RUNNING:
                    return 0
                if self.callbacks is None:
                    self.callbacks = callback
                    return 1
                if type(self.callbacks) is list:
                    (<list>self.callbacks).append(callback)
                    return 1
                if several is not None:
                    first = self.callbacks
                    several.append(first)
                    several.append(callback)
                    self.callbacks = several
                    return 1
            several = []

    cdef State await_done(self, object timeout) except? PENDING:
        """Sleep until the future is done; returns its state, or PENDING or RUNNING if `timeout` seconds passed."""
        cdef Waiter waiter
        cdef double seconds
        cdef State state
        state = self.current()
        if state > RUNNING:
            return state
        seconds = seconds_or_forever(timeout)
        if seconds == 0.0:
            return state
        waiter = Waiter.__new__(Waiter)
        with cython.critical_section(self):
            state = <State>self.state
            if state <= RUNNING:
                waiter.following = self.waiter
                self.waiter = waiter
        if state <= RUNNING:
            try:
                waiter.lock.acquire(True, seconds)
            finally:
                self.forget(waiter)
            state = self.current()
        return state

    cdef void forget(self, Waiter waiter) noexcept:
        """Take `waiter` out of the list, unless the future is done: then the list is the winner's."""
        cdef Waiter other
        with cython.critical_section(self):
            if self.state <= RUNNING:
                if self.waiter is waiter:
                    self.waiter = waiter.following
                else:
                    other = self.waiter
                    while other.following is not waiter:
                        other = other.following
                    other.following = waiter.following
