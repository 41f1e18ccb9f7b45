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

    A pending future that nobody waits for is this one object; see `followers.pxi` for who does. A transition is
    `claim`, decided in the section, then `conclude` by the thread whose claim won, outside. These are functions, not
    methods: it takes a pointer less a future.
    """
    cdef SharedByte state
    cdef unsigned char handed_on        # section(self), as is the next: a future made from this has the exception
    cdef unsigned char seen_running     # its delegate's has said so
    cdef SharedByte has_attributes      # somebody has set one
    cdef unsigned int started   # when its task was tied to it, by `coarse_ticks`
    cdef object outcome         # until it is done its Task, or None; then the result, or exception, maybe a SharedError
    cdef object followers       # who waits for it; once it is done, its condition, or None


cdef struct Claim:              # what the winner got
    PyObject *task              # a reference, as is the other: to the task, or None
    PyObject *followers


cdef bint is_cancelled(FutureCore future) noexcept:
    return CANCELLED <= future.state <= CANCELLED_AND_NOTIFIED


cdef inline Task task_of(FutureCore future):
    """Inside the section, of one that is not done: what may cancel it and wants to know when it is done, or None."""
    return <Task>future.outcome


cdef inline bint decide(FutureCore future, State state, object outcome, Phase phase, Claim *won) noexcept:
    """Inside the section: end the future unless it is too late for that, or its task is in another phase."""
    cdef PyObject *task
    if future.state > (PENDING if state == CANCELLED else RUNNING):
        return False
    task = <PyObject *>future.outcome
    if phase != ANY_PHASE and (task == <PyObject *>None or (<Task>task).phase != phase):
        return False
    count_up(task)
    won.task = task
    won.followers = <PyObject *>future.followers
    count_up(won.followers)
    future.outcome = outcome
    if won.followers != <PyObject *>None:
        future.followers = <object>condition_in(won.followers)
    future.state = state
    if task != <PyObject *>None:
        (<Task>task).over = True
    return True


cdef int claim(FutureCore future, State state, object outcome, Phase phase, Claim *won) except -1:
    """Try to end the future so, while its task is in `phase`: 1 if this call did, 0 if it came too late.

    The winner calls `conclude` with what it `won`.
    """
    cdef bint succeeded = False
    cdef FutureCondition condition = None
    with cython.critical_section(future):
        if future.followers is not None:
            condition = <FutureCondition>condition_in(<PyObject *>future.followers)
        if condition is None:
            succeeded = decide(future, state, outcome, phase, won)
        elif future.state > RUNNING:
            condition = None    # too late, without waiting for who holds it
    if condition is None:
        return succeeded
    if in_forked_child:
        condition._at_fork_reinit()
    condition.hold()
    with cython.critical_section(future):
        succeeded = decide(future, state, outcome, phase, won)
    if succeeded:
        if won.task != <PyObject *>None:
            (<Task>won.task).claimed()
        notify_watchers(condition, future, state)
    condition.unhold()
    return succeeded


cdef void conclude(FutureCore future, Claim *won, Delivery *delivery) noexcept:
    """What the winner does, with nothing held: leave the executor's table, wake threads, run callbacks."""
    cdef PyObject *task = won.task
    cdef PyObject *followers = won.followers
    cdef PyObject *callbacks
    cdef PyObject *sleepers
    if task != <PyObject *>None:
        (<Task>task).ended(<State>future.state)
    show_as_done(future, <Task>task)
    if followers != <PyObject *>None:
        sleepers = sleepers_in(followers)
        if sleepers != <PyObject *>None:
            wake(<object>sleepers)
        callbacks = callbacks_in(followers)
        if callbacks != <PyObject *>None:
            run_callbacks(future, <object>callbacks, delivery)
    count_down(followers)
    count_down(task)


cdef int settle(FutureCore future, State state, object outcome, Delivery *delivery) except -1:
    """`claim`, and `conclude` if that won: 1, else 0. For `delivery` see `delivery.pxi`."""
    cdef Claim won
    if not claim(future, state, outcome, ANY_PHASE, &won):
        return 0
    conclude(future, &won, delivery)
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
    cdef FutureCondition condition = None
    with cython.critical_section(future):
        if future.followers is not None:
            condition = condition_among(future.followers)
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
    if put_to_sleep(future, waiter):
        try:
            waiter.lock.acquire(True, seconds)
        finally:
            forget(future, waiter)
    return <State>future.state
