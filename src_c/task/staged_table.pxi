"""A table with two lists: tasks begin in the first, and may move on to the second."""


@cython.no_gc_clear
cdef class StagedTable(TaskTable):
    """A TaskTable whose tasks can move on, at the end of the second list, without memory being asked for."""
    cdef Slots moved_on

    def __cinit__(self, logger, *args, **kwargs):
        self.moved_on = Slots.__new__(Slots)

    cdef void move_on(self, Task task) noexcept:
        """Inside the section: move `task`, unless its future is done."""
        if not task.gone and not task.listed:
            self.outstanding.leave(task)
            self.moved_on.take(task)
            task.listed = True

    def oldest_age(self):
        """For how many seconds the one has been outstanding that is first in its list; 0.0 if there is none. O(1)."""
        cdef Task task
        cdef double now = coarse_now(), started = now
        with cython.critical_section(self):
            task = self.outstanding.first()
            if task is not None:
                started = min(started, task.started)
            task = self.moved_on.first()
            if task is not None:
                started = min(started, task.started)
        return now - started

    cdef Slots slots_of(self, Task task):
        return self.moved_on if task.listed else self.outstanding

    cdef Py_ssize_t may_hold(self, Slots slots) noexcept:
        return self.live if slots is self.moved_on else slots.live

    cdef bint cramped(self) noexcept:
        return self.moved_on.misfit(self.live + 1) or self.outstanding.misfit(self.outstanding.live + 1)

    cdef int make_room(self) except -1:
        self.resize(self.moved_on, self.live + 1)
        self.resize(self.outstanding, self.outstanding.live + 1)
        return 0

    cdef list tasks(self):
        cdef list tasks = self.listed(self.outstanding)
        tasks += self.listed(self.moved_on)
        return tasks
