"""The table of a poll executor that polls whole lists."""


@cython.final
@cython.no_gc_clear
cdef class FullListTable(BoxedTable):
    """A BoxedTable that hands out all polled tasks at once, but those that were put off."""
    cdef SharedByte postponed       # section(self): some may be left out of the list
    cdef SharedDouble first_postponed   # section(self): when the first of those is due again, or infinity
    cdef SharedByte looking         # section(self): some have their last look in the call that goes on

    def __cinit__(self):
        self.first_postponed = INFINITY

    def take_all(self, bint everything=False):
        """A new list of the polled tasks that are not done, in order of arrival.

        Without those that are postponed by `poll_after` or a failed call, unless it is to be `everything`.
        """
        return self.all_tasks(everything)

    cdef list all_tasks(self, bint everything):
        cdef list tasks = self.listed(self.second_stage)
        if HAS_NO_GIL and len(tasks) > MANY_TO_BOX:
            self.use_boxes()
        return self.without_postponed(tasks, everything) if self.postponed else tasks

    cdef list without_postponed(self, list tasks, bint everything):
        cdef list due = []
        cdef double now = monotonic(), first = INFINITY, when
        cdef PollState poll_state
        cdef bint left_out = False
        with cython.critical_section(self):
            self.postponed = False
            self.first_postponed = INFINITY
        for task in tasks:
            poll_state = (<PollDescriptor>task).current_poll_state()
            when = 0.0
            if poll_state is not None:
                with cython.critical_section(self):
                    if everything or poll_state.due <= now:
                        poll_state.due = 0.0
                    when = poll_state.due
                    if when == 0.0 and poll_state.look == WANTED:
                        poll_state.look = UNDER_WAY
                        self.looking = True
            if when == 0.0:
                due.append(task)
            else:
                left_out = True
                first = min(first, when)
            yield_gil_at(len(due))
        with cython.critical_section(self):
            self.postponed = self.postponed or left_out
            self.first_postponed = min(self.first_postponed, first)
        hide_if_long(due)
        return due

    def next_due(self):
        """See PollTable: of what does not wait for the interval."""
        return self.first_postponed

    cdef int poll_after(self, PollDescriptor task, double when) except -1:
        cdef PollState poll_state = task.current_poll_state()
        if poll_state is None:
            poll_state = task.poll_state_or(new_poll_state(task))
        if poll_state is None:
            return 0
        with cython.critical_section(self):
            poll_state.due = when
            self.postponed = True
            self.first_postponed = min(self.first_postponed, when)
        self.waker.set()
        return 0

    def reschedule(self, list tasks not None, double began, double seconds, double default):
        """See PollTable. The whole list stays where it is."""
        if self.looking:
            self.end_looks(tasks)
            self.looking = False    # last: if that raised, they are repeated

    cdef int make_due_soon(self, PollDescriptor task) except -1:
        cdef PollState poll_state = task.current_poll_state()
        cdef double now = monotonic()
        with cython.critical_section(self):
            poll_state.due = 0.0
            self.postponed = True
            self.first_postponed = min(self.first_postponed, now)
        return 0

    cdef int repeat_looks(self, list tasks) except -1:
        """A call with `tasks` failed, or was throttled."""
        cdef PollState poll_state
        cdef Py_ssize_t i = 0
        for task in tasks:
            poll_state = (<PollDescriptor>task).current_poll_state()
            if poll_state is not None:
                with cython.critical_section(self):
                    if poll_state.look == UNDER_WAY:
                        poll_state.look = WANTED
            i += 1
            yield_gil_at(i)
        with cython.critical_section(self):
            self.postponed = True
        return 0

    def postpone(self, list tasks not None, double seconds, bint throttled=False):
        cdef double when = monotonic() + seconds
        cdef PollState poll_state
        cdef Py_ssize_t i = 0
        if self.looking:        # and go on: `tasks` may be some of the call's
            self.repeat_looks(tasks)
        if seconds == 0.0:      # nothing is left out of the next list
            with cython.critical_section(self):
                self.postponed = True
                self.first_postponed = min(self.first_postponed, when)
            return
        for task in tasks:
            if not (<PollDescriptor>task).over:
                poll_state = (<PollDescriptor>task).current_poll_state()
                if poll_state is None or poll_state.due < when:
                    self.poll_after(<PollDescriptor>task, when)
            i += 1
            yield_gil_at(i)
