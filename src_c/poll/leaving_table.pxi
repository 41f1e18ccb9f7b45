"""Tasks that are left to somebody else: they go on elsewhere and stay on record, while their futures end here."""


@cython.no_gc_clear
cdef class LeavingTable(KeyedTable):
    """A KeyedTable whose tasks can be left: their futures are cancelled, and nobody is asked or told.

    Of a task that is left, its end is not reported: it stays on record as it is. One with a key is known as going on.
    """
    cdef list left      # results of what was left by `leave_all`, or as it joined after that; set before `leaves`

    def __cinit__(self):
        self.left = []

    def release(self, list futures not None):
        """Leave the tasks of `futures` that are polled here; returns their results, in the same order."""
        cdef list results = []
        cdef PollDescriptor task
        cdef Py_ssize_t i
        for i in range(len(futures)):
            task = self.polled_here(futures[i])
            if task is not None:
                self.leave_one(task, results)
            yield_gil_at(i)
        return results

    def start_leaving(self):
        """From now on, leave what joins."""
        self.leaves = True

    def leave_all(self):
        """After `start_leaving`: leave all that is polled, and have the delegate cancel what it has not begun."""
        cdef list tasks = self.listed(self.second_stage)
        cdef Py_ssize_t i = 0
        for task in tasks:
            self.leave_one(<PollDescriptor>task, self.left)
            i += 1
            yield_gil_at(i)
        drop(tasks)
        tasks = self.listed(self.first_stage)
        while tasks:
            cancel_start(tasks.pop())   # the newest first: meanwhile, the delegate begins with the oldest
            yield_gil_at(len(tasks))

    def results_left(self):
        """A new list of the results of what was left by `leave_all`, and as it joined."""
        return self.left.copy()

    cdef int leave_joined(self, PollDescriptor task) except -1:
        self.leave_one(task, self.left)
        return 0

    cdef int leave_one(self, PollDescriptor task, list results) except -1:
        """Leave `task`, unless its future is done; `results` gets what it is known by."""
        cdef Claim won
        cdef unsigned long long key
        cdef list one = [task.value]    # now: later, it must not fail
        cdef tuple event = None
        if self.recorder is not None:
            event = (number_of_start(task), False, False, None, True)
        if not claim_on_record(task, ON_ITS_OWN, &won, &key):
            return 0
        try:
            results += one
        finally:
            if key >= FIRST_START:
                start = report_on_start(self.recorder, "concluded", event)  # dropped at the end, with nothing held
            conclude(task.future, &won, NULL)
        return 1

    cdef PollDescriptor polled_here(self, object future):
        """The task of this table that is polled for `future`, or for what that was made from; or None."""
        cdef FutureCore deciding = <FutureCore>future if is_plain(future) else None
        cdef Task task
        cdef Py_ssize_t links
        for links in range(LONGEST_CHAIN):
            task = None if deciding is None else pending_task(deciding)
            if task is None:
                break
            if task.future_source is self:
                return <PollDescriptor>task if task.phase == ON_ITS_OWN else None
            deciding = task.upstream_any()
        return None


cdef int cancel_start(PollDescriptor task) except -1:
    """Cancel `task` if nothing has been started for it. It is never asked of the service."""
    if task.phase == WAITING:
        task.cancel_waiting(task.future, NULL)
    elif task.phase == WITH_DELEGATE:
        cancel_delegate(task, task.future, NULL)
    return 0
