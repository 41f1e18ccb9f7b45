"""The table of a poll executor that polls only what is due."""


@cython.final
@cython.no_gc_clear
cdef class PacedTable(PollTable):
    """A PollTable in which each task has a time of its own: it is handed out then, and not again before that call is over.

    With `group_by(result)`, tasks that are handed out together are all of one group. `schedule`, or None, is asked for
    delays. Handing out k tasks, and getting them back, costs k times the logarithm of how many wait.
    """
    cdef object group_by
    cdef object schedule
    cdef DueHeap ungrouped
    cdef dict by_key            # with group_by: its keys, and the heaps
    cdef list heaps             # section(self), as are the next
    cdef Py_ssize_t turn        # whose turn it is, of the heaps
    cdef readonly Py_ssize_t in_calls
    cdef bint complained        # of the schedule
    cdef double asked_at        # when everything was last asked for: what was in a call then is due right after it

    def __cinit__(self, logger, *args, group_by=None, schedule=None, **_):
        self.group_by = group_by
        self.schedule = schedule
        self.by_key = {}
        self.heaps = []
        self.asked_at = -INFINITY
        if group_by is None:
            self.ungrouped = DueHeap()

    # -- joining ---------------------------------------------------------------------------------------------

    cdef Pace new_pace(self, PollDescriptor task, object value, bint timed):
        cdef Pace pace = Pace.__new__(Pace)
        cdef object key = None if self.group_by is None else self.group_by(value)
        pace.task = <PyObject *>task
        while not self.become_member(self.heap_of(key), pace):
            pass
        return pace

    cdef DueHeap heap_of(self, object key):
        cdef DueHeap heap = self.ungrouped
        if heap is None:
            heap = self.by_key.get(key)
            if heap is None:
                heap = self.by_key.setdefault(key, DueHeap())
        return heap

    cdef bint become_member(self, DueHeap heap, Pace pace) except -1:
        """Have a place for `pace` in `heap`. False if that was dropped just now, as it was empty."""
        cdef bint dropped, reserved = True
        with cython.critical_section(self):
            dropped = heap.dropped
            if not dropped:
                if not heap.listed:
                    heap.listed = True
                    self.heaps.append(heap)
                reserved = heap.reserve()
                if reserved:
                    pace.heap = heap
        if not reserved:
            raise MemoryError
        return not dropped

    cdef void join(self, PollDescriptor task) noexcept:
        cdef double now = monotonic()
        with cython.critical_section(self):
            self.move_on(task)
            if task.listed and not task.gone:
                task.pace.heap.push(task.pace, now)
            self.joined = True
        self.waker.set()

    cdef void withdraw(self, Task task) noexcept:
        cdef Pace pace = (<PollDescriptor>task).pace
        TaskTable.withdraw(self, task)
        if pace is not None:
            self.part(pace)

    cdef void part(self, Pace pace) noexcept:
        cdef DueHeap heap = pace.heap
        if heap is None:
            return
        if pace.place >= 0:
            heap.remove(pace)
        elif (<Task>pace.task).listed:
            self.in_calls -= 1
        heap.members -= 1
        pace.heap = None        # not the last reference: it was a member

    # -- polling ---------------------------------------------------------------------------------------------

    def hand_out_due(self, double until, Py_ssize_t at_most, double now):
        """A new list of at most so many tasks of one group that are due at `until`, and how late the first is."""
        cdef list taken = []
        cdef list some
        cdef Py_ssize_t wanted, count
        cdef double late = -1.0
        cdef DueHeap heap = None
        cdef PollDescriptor task
        while len(taken) < at_most:
            wanted = min(BREATH, at_most - len(taken))
            count = 0
            with cython.critical_section(self):
                if heap is None:
                    heap = self.next_heap(until)
                if heap is not None:
                    wanted = min(wanted, heap.size)
                    if late < 0.0 and heap.size:
                        late = max(0.0, now - heap.first())
            if heap is None:
                break
            some = PyList_New(wanted)
            with cython.critical_section(self):
                while count < wanted and heap.first() <= until:
                    task = <PollDescriptor>(<Pace>heap.pop()).task
                    task.pace.polls += 1
                    task.pace.step += 1
                    task.pace.due = 0.0
                    self.in_calls += 1
                    count_up(<PyObject *>task)
                    put(some, count, <PyObject *>task)
                    count += 1
            some = shortened(some, count)
            if taken:
                taken += some
            else:
                taken = some
            if not count:
                break
            breathe()
        return taken, late

    cdef DueHeap next_heap(self, double until):
        """Inside the section: the heap whose turn it is, of those that have something due at `until`."""
        cdef Py_ssize_t i, n = len(self.heaps)
        cdef DueHeap heap
        for i in range(n):
            if self.turn >= n:
                self.turn = 0
            heap = <DueHeap>peek(self.heaps, self.turn)
            self.turn += 1
            if heap.first() <= until:
                return heap
        return None

    def next_due(self):
        cdef double first = INFINITY
        cdef Py_ssize_t i
        with cython.critical_section(self):
            for i in range(len(self.heaps)):
                first = min(first, (<DueHeap>peek(self.heaps, i)).first())
        return first

    def due(self, double now):
        """How many wait to be handed out at `now`. Costs their number, and that of the groups."""
        cdef Py_ssize_t i, count = 0
        with cython.critical_section(self):
            for i in range(len(self.heaps)):
                count += (<DueHeap>peek(self.heaps, i)).due(now)
        return count

    def make_all_due(self):
        """Have everything that waits be due now, and what is in a call as soon as that is over."""
        cdef double now = monotonic()
        cdef Py_ssize_t i
        with cython.critical_section(self):
            self.asked_at = now
            for i in range(len(self.heaps)):
                (<DueHeap>peek(self.heaps, i)).clip(now)

    def drop_empty_groups(self):
        """Forget the groups that have no members, if they are many."""
        cdef list heaps = []
        cdef list old
        cdef DueHeap heap
        cdef Py_ssize_t i, empty = 0
        with cython.critical_section(self):
            for i in range(len(self.heaps)):
                empty += (<DueHeap>peek(self.heaps, i)).members == 0
        if empty < 32 or empty * 2 < len(self.heaps):
            return
        with cython.critical_section(self):
            old = self.heaps
            for i in range(len(old)):
                heap = <DueHeap>peek(old, i)
                if heap.members:
                    heaps.append(heap)
                else:
                    heap.dropped = True
            self.heaps = heaps
        for key, group in list(self.by_key.items()):
            if (<DueHeap>group).dropped:
                del self.by_key[key]

    # -- after a call ----------------------------------------------------------------------------------------

    def hand_back(self, list tasks not None, double began, double seconds, double default):
        """A call with `tasks`, which `began` then, is over: each that is not done is due again.

        That is after `seconds` unless that is negative, else after what the schedule says, else after `default`.
        """
        cdef double now = monotonic(), delay
        cdef PollDescriptor task
        cdef Py_ssize_t i = 0
        for item in tasks:
            task = item
            if not task.over:
                delay = seconds
                if delay < 0.0 and self.schedule is not None:
                    delay = self.scheduled(task.pace)
                self.wait_again(task, now + (default if delay < 0.0 else delay), now, began)
            i += 1
            breathe_at(i)

    def postpone(self, list tasks not None, double seconds):
        cdef double now = monotonic()
        cdef Py_ssize_t i = 0
        for task in tasks:
            self.wait_again(<PollDescriptor>task, now + seconds, now, INFINITY)
            i += 1
            breathe_at(i)

    cdef double scheduled(self, Pace pace) except? -1.0:
        """What the schedule says, or -1.0 if that is nothing."""
        cdef double delay = -1.0
        try:
            delay = (<Backoff>self.schedule).delay(pace.step - 1 if pace.step else 0)
            if not delay >= 0.0:
                raise ValueError(f"delay must be 0 s or more, not {delay!r}")
        except Exception as error:
            delay = -1.0
            if not self.complained:
                self.complained = True
                report(self.logger, "Exception while evaluating schedule %r", (self.schedule,), error)
        return delay

    cdef void wait_again(self, PollDescriptor task, double when, double now, double began) noexcept:
        cdef Pace pace = task.pace
        with cython.critical_section(self):
            if began <= self.asked_at:
                when = now
            elif pace.due > 0.0 and began != INFINITY:
                when = pace.due
            if not task.gone and pace.heap is not None and pace.place < 0:
                pace.heap.push(pace, when)
                self.in_calls -= 1

    cdef int poll_after(self, PollDescriptor task, double when) except -1:
        cdef Pace pace = task.pace
        with cython.critical_section(self):
            if pace.place >= 0:
                pace.heap.move(pace, when)
            else:
                pace.due = when
        self.waker.set()
        return 0

    cdef int restart(self, PollDescriptor task) except -1:
        cdef Pace pace = task.pace
        cdef double when = 0.0
        if self.schedule is not None:
            pace.step = 0
            when = monotonic() + max(0.0, self.scheduled(pace))
            with cython.critical_section(self):
                if pace.place >= 0 and when < pace.heap.entries[pace.place].when:
                    pace.heap.move(pace, when)
            self.waker.set()
        return 0
