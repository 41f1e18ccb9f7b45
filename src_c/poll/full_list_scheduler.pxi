"""When a poll function is called with the whole list."""


@cython.final
@cython.no_gc_clear
cdef class FullListScheduler:
    """Makes one call at a time, on the executor's own thread, with everything that is outstanding."""
    cdef readonly Py_ssize_t due        # always 0, see PollScheduler
    cdef readonly SharedSize in_calls
    cdef FullListTable table
    cdef PollCall calls
    cdef Pause pause
    cdef object bursts
    cdef Py_ssize_t noted       # see there
    cdef Py_ssize_t joins       # before the last poll began
    cdef double default_interval
    cdef double min_interval
    cdef double began
    cdef double next
    cdef bint wanted        # a poll, as soon as the minimum interval is over
    cdef bint asked

    def __cinit__(self, FullListTable table not None, PollCall calls not None, Pause pause not None, bursts, *,
                  double default_interval, double min_interval):
        self.table = table
        self.calls = calls
        self.pause = pause
        self.bursts = bursts
        self.noted = bursts.noted
        self.default_interval = default_interval
        self.min_interval = min_interval
        self.began = self.next = -INFINITY

    def turn(self):
        """Begin the calls that are to be made now. Returns after how many seconds to call this again."""
        cdef double now, next_due, earliest, wait
        self.table.coalescing = False   # first: who joins after this wakes us, who joined before is counted below
        now = monotonic()
        if self.table.request_taken():
            self.asked = self.wanted = True
        next_due = min(self.next, self.table.first_postponed)
        if now >= next_due:
            self.wanted = True
        if not self.wanted and self.table.joins == self.joins:
            return next_due - now
        earliest = self.pause.until
        if not self.asked:
            earliest = max(earliest, self.began + self.min_interval)
        if now < earliest:
            self.table.coalescing = True
            return earliest - now
        if not self.wanted:
            wait = self.bursts.wait(now, self.began)
            if wait > 0.0:
                self.table.coalescing = True
                return min(wait, next_due - now)
        try:
            return self.poll(now, max(0.0, now - next_due) if next_due > -INFINITY else 0.0)
        except BaseException:       # of no task is it known when it is due
            self.wanted = True
            raise

    cdef object poll(self, double now, double late):
        cdef list tasks
        cdef double delay
        self.joins = self.table.count_from_now(self.noted)
        tasks = self.table.all_tasks(self.asked)
        self.wanted = self.asked = False
        self.began = now
        self.in_calls = len(tasks)
        try:
            delay = self.calls.made(tasks, late)
            if delay < 0:
                delay = self.default_interval
            self.next = monotonic() + delay
            return min(delay, self.table.first_postponed - <double>monotonic())
        finally:
            self.in_calls = 0
            self.bursts.poll_began(self.joins)


def run_poll_once(self):
    """The `_run_once` of a PollExecutor: the shortest way, if there is nothing to do but to poll."""
    cdef PollTable table = self._table
    if not table.is_open() or table.has_deadlines():
        return run_once(self)
    return after_turn(self, table, self._scheduler.turn())
