"""The table of a poll executor that polls only what is due."""

cdef enum:
    AT_ONCE = 32                # who are handed out: what is known of them comes into the cache together


@cython.final
@cython.no_gc_clear
cdef class DueTable(GroupedTable):
    """A GroupedTable that hands out each task when it is due, and again some time after that call.

    Tasks that are handed out together are all of one group. Handing out k tasks, or taking them back, costs k times the
    logarithm of how many wait.
    """
    cdef Schedule delays        # or None

    def __cinit__(self):
        self.delays = schedule_of(self.schedule, self.logger)

    def take_due(self, double until, Py_ssize_t at_most, double now):
        """A new list of at most so many tasks of one group that are due at `until`, and how late the first is."""
        cdef list taken = []
        cdef list some = None
        cdef Py_ssize_t wanted, count, popped
        cdef double late = -1.0
        cdef DueHeap heap = None
        cdef PyObject *poll_states[AT_ONCE]
        cdef Py_ssize_t together, i
        try:
            while len(taken) < at_most:
                wanted = min(YIELD_EVERY, at_most - len(taken), max(256, len(taken)))    # nobody knows how many are due
                count = 0
                with cython.critical_section(self):
                    if heap is None:
                        heap = self.groups.next(until)
                    if heap is not None:
                        wanted = min(wanted, heap.waiting())
                        if late < 0.0 and wanted:
                            late = max(0.0, now - heap.first()) if heap.first() > -INFINITY else 0.0
                if heap is None:
                    break
                some = PyList_New(wanted)
                with cython.critical_section(self):
                    popped = 0
                    while popped < wanted:
                        together = heap.pop(until, poll_states, min(AT_ONCE, wanted - popped))
                        if together == 0:
                            break
                        popped += together
                        for i in range(together):
                            fetch_early((<PollState>poll_states[i]).task)
                            fetch_early(&(<PollDescriptor>(<PollState>poll_states[i]).task).over)
                        for i in range(together):
                            if self.hand_out(poll_states[i]):
                                put(some, count, (<PollState>poll_states[i]).task)
                                count += 1
                some = shortened(some, count)
                if taken:
                    taken += some
                else:
                    taken = some
                some = None
                if popped == 0 or popped < wanted:
                    break
                yield_gil()
            hide_if_long(taken)
            return taken, late
        except MemoryError:     # they would be in no call, and wait for none
            self.take_back(some, until)
            self.take_back(taken, until)
            raise

    cdef bint hand_out(self, PyObject *state) noexcept:
        """Note that it is in a call, and count a reference to its task for it; False if that is about to leave.

        No reference is counted down: what else was popped with it is borrowed still, so the section must not break.
        """
        self.in_calls += 1
        if (<PollDescriptor>(<PollState>state).task).over:
            return False
        (<PollState>state).polls = (<PollState>state).polls + 1
        (<PollState>state).step = (<PollState>state).step + 1
        (<PollState>state).due = 0.0
        (<PollState>state).poll_all_epoch = self.poll_all_epoch
        if (<PollState>state).look:
            (<PollState>state).look = UNDER_WAY
        count_up((<PollState>state).task)
        return True

    cdef void take_back(self, list tasks, double when) noexcept:
        """Have `tasks`, which may have holes and were handed out to nobody, be due at `when`."""
        if tasks is not None:
            for task in tasks:
                if task is not None:
                    self.step_back((<PollDescriptor>task).poll_state)
                    (<PollDescriptor>task).poll_state.polls -= 1      # nobody else has it in a call
                    self.wait_again(<PollDescriptor>task, when, when, True)

    # -- after a call ----------------------------------------------------------------------------------------

    def reschedule(self, list tasks not None, double began, double seconds, double default):
        """See PollTable. It is counted from the begin of the call, to keep the rhythm, but at least half is to come."""
        cdef double now = monotonic(), delay
        cdef PollDescriptor task
        cdef list looked_at = None
        cdef Py_ssize_t i = 0
        for item in tasks:
            task = item
            if task.poll_state.look == UNDER_WAY:
                if looked_at is None:
                    looked_at = []
                looked_at.append(task)
            elif not task.over:
                delay = seconds
                if delay < 0.0 and self.delays is not None:
                    delay = self.delays.delay(task.poll_state)
                if delay < 0.0:
                    delay = default
                self.spacing.note(delay, now)
                self.wait_again(task, max(began + delay, now + 0.5 * delay), now, False)
            i += 1
            yield_gil_at(i)
        if looked_at is not None:
            self.end_looks(looked_at)

    def postpone(self, list tasks not None, double seconds, bint throttled=False):
        cdef double now = now_or_never()
        cdef Py_ssize_t i = 0
        self.spacing.note(seconds, now)
        for task in tasks:
            if throttled:
                self.step_back((<PollDescriptor>task).poll_state)
            self.wait_again(<PollDescriptor>task, now + seconds, now, True)
            i += 1
            yield_gil_at(i)

    cdef void step_back(self, PollState poll_state) noexcept:
        with cython.critical_section(self):
            if poll_state.step:
                poll_state.step -= 1

    cdef void wait_again(self, PollDescriptor task, double when, double now, bint postponed) noexcept:
        cdef PollState poll_state = task.poll_state
        with cython.critical_section(self):
            if poll_state.look == UNDER_WAY:
                poll_state.look = WANTED
            if poll_state.poll_all_epoch != self.poll_all_epoch:
                when = now
            elif poll_state.due > 0.0:
                when = max(when, poll_state.due) if postponed else poll_state.due
            if not task.where & REMOVED and poll_state.heap is not None and poll_state.place < 0:
                poll_state.heap.push(poll_state, when, now)
                self.in_calls -= 1

    cdef int poll_after(self, PollDescriptor task, double when) except -1:
        cdef PollState poll_state = task.poll_state
        cdef double now = monotonic()
        self.spacing.note(when - now, now)
        with cython.critical_section(self):
            if poll_state.place >= 0:
                poll_state.heap.move(poll_state, when)
            else:
                poll_state.due = when
        self.waker.set()
        return 0

    cdef int make_due_soon(self, PollDescriptor task) except -1:
        cdef PollState poll_state = task.poll_state
        cdef double now = monotonic()
        self.spacing.note(0.0, now)
        with cython.critical_section(self):
            if poll_state.place < 0:
                poll_state.due = now
            elif poll_state.heap.when(poll_state) > now:
                poll_state.heap.move(poll_state, now)
        return 0

    cdef int restart(self, PollDescriptor task) except -1:
        cdef PollState poll_state = task.poll_state
        cdef double delay, now, when
        if self.delays is None:
            return 0
        with cython.critical_section(self):
            poll_state.step = min(poll_state.step, 1)       # the next delay after this one is the second
        delay = self.delays.delay(poll_state)
        if delay < 0.0:
            return 0
        now = monotonic()
        when = now + delay
        self.spacing.note(delay, now)
        with cython.critical_section(self):
            if poll_state.place >= 0 and when < poll_state.heap.when(poll_state):
                poll_state.heap.move(poll_state, when)
        self.waker.set()
        return 0
