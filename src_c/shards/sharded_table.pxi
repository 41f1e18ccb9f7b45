"""The table of a poll executor whose tasks are polled elsewhere, by shards."""


@cython.final
@cython.no_gc_clear
cdef class ShardedTable(PollTable):
    """A PollTable that hands out a task once, as it joins; and those that its `register` has, which are known, not at
    all: the register is told of them by the thread on which they join.
    """
    cdef public TaskRegister register
    cdef list new_tasks         # section(self): to be handed out
    cdef bint has_missed        # section(self): one could not be put there, for a lack of memory

    def __cinit__(self):
        self.register = TaskRegister()
        self.new_tasks = []

    cdef void join(self, PollDescriptor task) noexcept:
        cdef PollState poll_state = task.current_poll_state()
        with cython.critical_section(self):
            self.move_on_with_value(task, poll_state)
            self.joins += 1
        if not self.register.claim(task):
            self.hand_out_later(task)

    cdef void hand_out_later(self, PollDescriptor task) noexcept:
        with cython.critical_section(self):
            try:
                self.new_tasks.append(task)
            except MemoryError:
                self.has_missed = True
        if not self.coalescing:
            self.waker.set()

    def has_new(self):
        """Whether `take_new` would return something."""
        cdef bint has
        with cython.critical_section(self):
            has = len(self.new_tasks) > 0 or self.has_missed
        return has

    def take_new(self):
        """A new list of the tasks that nobody knows yet."""
        cdef list fresh = []
        cdef list taken
        cdef bint has_missed
        with cython.critical_section(self):
            taken, self.new_tasks = self.new_tasks, fresh
            has_missed, self.has_missed = self.has_missed, False
        if has_missed:
            try:
                taken = self.unknown()
            except BaseException:
                with cython.critical_section(self):
                    self.has_missed = True
                raise
        return taken

    cdef list unknown(self):
        cdef list tasks = self.listed(self.second_stage)
        cdef list found = []
        cdef Py_ssize_t i
        for i in range(len(tasks)):
            if not self.register.has_claimed(<PollDescriptor>tasks[i]):
                found.append(tasks[i])
            yield_gil_at(i)
        return found

    def next_due(self):
        """See PollTable. What is due is not known here."""
        return INFINITY

    def reschedule(self, list tasks not None, double began, double seconds, double default):
        """See PollTable. They are not handed out again."""

    def postpone(self, list tasks not None, double seconds, bint throttled=False):
        """See PollTable; at once, in fact."""
        cdef Py_ssize_t i
        for i in range(len(tasks)):
            if not (<PollDescriptor>tasks[i]).over and not self.register.has_claimed(<PollDescriptor>tasks[i]):
                self.hand_out_later(<PollDescriptor>tasks[i])
            yield_gil_at(i)
