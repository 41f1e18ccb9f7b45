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
    thread whose claim won, outside. These are functions, not methods: it takes a pointer less a future.
    """
    cdef SharedByte state
    cdef unsigned char handed_on        # section(self), as is the next: a future made from this has the exception
    cdef unsigned char seen_running     # its delegate's has said so
    cdef SharedByte has_attributes      # somebody has set one
    cdef unsigned int started   # when its task was tied to it, by `coarse_ticks`
    cdef object outcome         # the result, or the exception, which may be a SharedError
    cdef Task task              # what may cancel it and wants to know when it is done, or None
    cdef object callbacks       # None, one callback, or a list of them; a Task is one for a future made from this
    cdef Waiter waiter          # the first of the blocked threads, or None
    cdef FutureCondition condition      # once asked for, then for good


cdef bint is_cancelled(FutureCore future) noexcept:
    return CANCELLED <= future.state <= CANCELLED_AND_NOTIFIED


cdef bint decide(FutureCore future, State state, object outcome, Phase phase) noexcept:
    """Inside the section: end the future unless it is too late for that, or its task is in another phase."""
    if future.state > (PENDING if state == CANCELLED else RUNNING):
        return False
    if phase != ANY_PHASE and (future.task is None or future.task.phase != phase):
        return False
    future.outcome = outcome
    future.state = state
    if future.task is not None:
        future.task.over = True
    return True


cdef int claim(FutureCore future, State state, object outcome, Phase phase) except -1:
    """Try to end the future so, while its task is in `phase`: 1 if this call did, 0 if it came too late.

    The winner calls `conclude`.
    """
    cdef bint won = False
    cdef FutureCondition condition
    with cython.critical_section(future):
        condition = future.condition
        if condition is None:
            won = decide(future, state, outcome, phase)
        elif future.state > RUNNING:
            condition = None    # too late, without waiting for who holds it
    if condition is None:
        return won
    if in_forked_child:
        condition._at_fork_reinit()
    condition.hold()
    with cython.critical_section(future):
        won = decide(future, state, outcome, phase)
    if won:
        if future.task is not None:
            future.task.claimed()
        notify_watchers(condition, future, state)
    condition.unhold()
    return won


cdef void conclude(FutureCore future, Delivery *delivery) noexcept:
    """What the winner does, with nothing held: leave the executor's table, wake threads, run callbacks."""
    cdef Task task = future.task
    cdef Waiter waiter
    cdef object callbacks
    if task is not None:
        future.task = None
        task.ended(<State>future.state)
    waiter = future.waiter
    if waiter is not None:
        future.waiter = None
        while waiter is not None:
            waiter.lock.release()
            waiter = waiter.following
    show_as_done(future, task)
    callbacks = future.callbacks
    if callbacks is not None:
        future.callbacks = None
        run_callbacks(future, callbacks, delivery)


cdef int settle(FutureCore future, State state, object outcome, Delivery *delivery) except -1:
    """`claim`, and `conclude` if that won: 1, else 0. For `delivery` see `delivery.pxi`."""
    if not claim(future, state, outcome, ANY_PHASE):
        return 0
    conclude(future, delivery)
    return 1


cdef State advance(FutureCore future) noexcept:
    """Inside the section: take it up, or take note that it is cancelled; returns the state it was in."""
    cdef State state = <State>future.state
    if state == PENDING:
        future.state = RUNNING
    elif state == CANCELLED:
        future.state = CANCELLED_AND_NOTIFIED
    return state


cdef State take_up(FutureCore future) except? ERROR:
    """`advance`, when nobody holds the condition."""
    cdef State state = ERROR
    cdef FutureCondition condition
    with cython.critical_section(future):
        condition = future.condition
        if condition is None:
            state = advance(future)
    if condition is not None:
        condition.hold()
        with cython.critical_section(future):
            state = advance(future)
        if state == CANCELLED:
            notify_watchers(condition, future, CANCELLED_AND_NOTIFIED)
        condition.unhold()
    return state


cdef int subscribe(FutureCore future, object callback) except -1:
    """Keep `callback` for when the future is done: 1, or 0 if it is done already."""
    cdef object first = None
    cdef list several = None
    while True:
        with cython.critical_section(future):
            if future.state > RUNNING:
                return 0
            if future.callbacks is None:
                future.callbacks = callback
                return 1
            if type(future.callbacks) is list:
                (<list>future.callbacks).append(callback)
                return 1
            if several is not None:
                first = future.callbacks
                several.append(first)
                several.append(callback)
                future.callbacks = several
                return 1
        several = []


cdef State await_done(FutureCore future, object timeout) except? PENDING:
    """Sleep until the future is done; returns its state, or PENDING or RUNNING if `timeout` seconds passed."""
    cdef Waiter waiter
    cdef double seconds
    cdef State state
    state = <State>future.state
    if state > RUNNING:
        return state
    seconds = seconds_or_forever(timeout)
    if seconds == 0.0:
        return state
    waiter = Waiter.__new__(Waiter)
    with cython.critical_section(future):
        state = <State>future.state
        if state <= RUNNING:
            waiter.following = future.waiter
            future.waiter = waiter
    if state <= RUNNING:
        try:
            waiter.lock.acquire(True, seconds)
        finally:
            forget(future, waiter)
        state = <State>future.state
    return state


cdef void forget(FutureCore future, Waiter waiter) noexcept:
    """Take `waiter` out of the list, unless the future is done: then the list is the winner's."""
    cdef Waiter other
    with cython.critical_section(future):
        if future.state <= RUNNING:
            if future.waiter is waiter:
                future.waiter = waiter.following
            else:
                other = future.waiter
                while other.following is not waiter:
                    other = other.following
                other.following = waiter.following
