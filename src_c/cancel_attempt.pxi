"""A `cancel()` of a polled task, which is being decided by a user's function: others wait for it and share it."""


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


cdef CancelAttempt begin_attempt(PollDescriptor task):
    """Be the one who finds out whether `task` can be cancelled; None if it is done, or another is at it."""
    cdef CancelAttempt fresh = CancelAttempt()
    with cython.critical_section(task.future):
        if task.future.state > RUNNING or task.attempt is not None:
            fresh = None
        else:
            task.attempt = fresh
    return fresh


cdef int end_attempt(PollDescriptor task, CancelAttempt attempt, bint agreed) except -1:
    """Cancel `task` if that was `agreed` and it is not done; whether it was. Those who share the answer get it."""
    cdef FutureCore future = task.future
    cdef int won = 0
    try:
        if agreed:
            won = future.claim(CANCELLED_AND_NOTIFIED, None, ANY_PHASE)
    finally:
        with cython.critical_section(future):
            task.attempt = None
        attempt.answer.settle(RESULT, won)
    if won:
        future.conclude()
    return won


# -- many at once --------------------------------------------------------------------------------------------------


def cancel_many(list futures not None):
    """`cancel()` for each; returns how many are cancelled then. Polled tasks are asked about in bulk where they can be.

    That is so if the poll executor at the foot of a future's chain has a `cancel_many`: it gets a list of results, and
    returns as many truth values.
    """
    cdef dict by_table = {}
    cdef list asked = []
    cdef Py_ssize_t count = 0
    for future in futures:
        asked.append(begin_in_bulk(future, by_table))
        breathe_at(len(asked))
    for table, pairs in by_table.items():
        ask_in_bulk(<PollTable>table, pairs)
    for future, in_bulk in zip(futures, asked):
        if future.cancelled() if in_bulk else future.cancel():
            count += 1
    return count


cdef bint begin_in_bulk(object future, dict by_table) except -1:
    """Whether the task at the foot of `future` is to be asked about in bulk; then it is in `by_table`."""
    cdef FutureCore foot = foot_of(future, True, None) if is_plain(future) else None
    cdef Task task = None if foot is None else pending_task(foot)
    cdef CancelAttempt attempt
    if not isinstance(task, PollDescriptor) or task.phase != ON_ITS_OWN:
        return False
    if (<PollTable>task.origin).cancel_many is None:
        return False
    attempt = begin_attempt(<PollDescriptor>task)
    if attempt is None:
        return False
    by_table.setdefault(task.origin, []).append((task, attempt))
    return True


cdef int ask_in_bulk(PollTable table, list pairs) except -1:
    cdef list answers = []
    cdef Py_ssize_t i
    try:
        answers = list(table.cancel_many([(<PollDescriptor>task).value for task, _ in pairs]))
    except BaseException as error:
        report(table.logger, "Exception during cancel of %d tasks", (len(pairs),), error)
    for i, (task, attempt) in enumerate(pairs):
        end_attempt(task, attempt, i < len(answers) and bool(answers[i]))
        breathe_at(i)
    return 0
