"""Polled tasks that wait to be due, in groups: which do, and since when, but not how they are polled."""


@cython.no_gc_clear
cdef class GroupedTable(PollTable):
    """A PollTable in which each task waits for a time of its own, in the heap of its group, or of all."""
    cdef DueGroups groups
    cdef readonly SharedSize in_calls       # section(self), as is the next
    cdef unsigned int poll_all_epoch  # how often all was asked for: what was in a call then is due right after it
    cdef public SharedByte sets_aside   # what joins is due after `let_in` or `make_all_due` only

    def __cinit__(self):
        self.groups = DueGroups()

    cdef PollState new_poll_state(self, PollDescriptor task, object value, bint timed):
        cdef PollState poll_state = new_poll_state(task)
        cdef object key = None if self.group_by is None else done(self.group_by, self.group_by(value))
        cdef DueHeap heap
        cdef int joined = 0
        while joined == 0:      # the heap may be dropped meanwhile
            heap = self.groups.of(key)
            with cython.critical_section(self):
                joined = self.groups.admit(poll_state, heap)
        if joined < 0:
            raise MemoryError
        return poll_state

    cdef void join(self, PollDescriptor task) noexcept:
        cdef bint set_aside = self.sets_aside
        cdef double now = -INFINITY if set_aside and self.joins_to_note == 0 else now_or_never()
        with cython.critical_section(self):
            self.move_on_with_value(task, task.poll_state)
            if task.where & (REMOVED | IN_SECOND_STAGE) == IN_SECOND_STAGE:
                if set_aside:
                    task.poll_state.heap.set_aside(task.poll_state)
                else:
                    task.poll_state.heap.push(task.poll_state, now, now)
            self.count_join(now)
        if not self.coalescing:
            self.waker.set()

    def let_in(self, double now):
        """Have everything that was set aside be due at `now`. Costs the number of groups, and logarithms for each."""
        cdef Py_ssize_t i = 0, count = YIELD_EVERY
        cdef double when = now
        while count >= 0:
            with cython.critical_section(self):
                count = self.groups.at(i).let_in(when, YIELD_EVERY) if i < len(self.groups.heaps) else -1
            if count == YIELD_EVERY:
                when -= 1e-9 * count
                yield_gil()
            else:
                i += 1
                when = now
                yield_gil_at(i)

    cdef void withdraw(self, Task task) noexcept:
        cdef PollState poll_state = (<PollDescriptor>task).poll_state
        TaskTable.withdraw(self, task)
        if poll_state is not None:
            self.detach(poll_state)

    cdef void detach(self, PollState poll_state) noexcept:
        if poll_state.heap is not None:
            if poll_state.place < 0 and (<Task>poll_state.task).where & IN_SECOND_STAGE:
                self.in_calls -= 1
            self.groups.leave(poll_state)

    def has_due(self, double until):
        """Whether something is due at `until`. Costs the number of groups if nothing is, little if much is."""
        cdef bint has
        with cython.critical_section(self):
            has = self.groups.have_due(until)
        return has

    def next_due(self):
        """See PollTable. Costs the number of groups."""
        cdef double first
        with cython.critical_section(self):
            first = self.groups.first()
        return first

    def due(self, double now):
        """How many wait to be handed out at `now`. Costs their number, and that of the groups."""
        cdef Py_ssize_t count
        with cython.critical_section(self):
            count = self.groups.due(now)
        return count

    def make_all_due(self):
        """Have everything that waits be due now, and what is in a call as soon as that is over."""
        cdef double now = monotonic()
        with cython.critical_section(self):
            self.poll_all_epoch += 1
            self.groups.clip(now)

    def drop_empty_groups(self):
        """Forget the groups that have no members, if they are many."""
        cdef list heaps = []
        cdef bint dropped
        with cython.critical_section(self):
            dropped = self.groups.drop_empty(heaps)
        if dropped:
            self.groups.forget_dropped()
