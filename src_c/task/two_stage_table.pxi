"""A table with two lists: tasks begin in the first, and may move on to the second."""


@cython.no_gc_clear
cdef class TwoStageTable(TaskTable):
    """A TaskTable whose tasks can move on, at the end of the second list, without memory being asked for."""
    cdef SlotArray second_stage

    def __cinit__(self, logger, *args, **kwargs):
        self.second_stage = SlotArray.__new__(SlotArray)

    cdef void move_on(self, Task task) noexcept:
        """Inside the section: move `task`, unless its future is done."""
        if not task.where & (REMOVED | IN_SECOND_STAGE):
            self.first_stage.leave(task)
            self.second_stage.take(task)
            task.where |= IN_SECOND_STAGE

    def oldest_age(self):
        """For how many seconds the one has been outstanding that is first in its list; 0.0 if there is none. O(1)."""
        cdef Task task
        cdef double age = 0.0
        self.empty_boxes()
        with cython.critical_section(self):
            task = self.first_stage.first()
            if task is not None:
                age = max(age, seconds_since(task.future.started))
            task = self.second_stage.first()
            if task is not None:
                age = max(age, seconds_since(task.future.started))
        return age

    cdef void show_or_hide_stages(self, bint seen) noexcept:
        self.first_stage.show_or_hide(seen)
        self.second_stage.show_or_hide(seen)

    cdef void leave_stage(self, Task task) noexcept:
        if task.where & IN_SECOND_STAGE:
            self.second_stage.leave(task)
        else:
            self.first_stage.leave(task)

    cdef Py_ssize_t may_hold(self, SlotArray slots) noexcept:
        return self.count if slots is self.second_stage else slots.count

    cdef bint is_full(self) noexcept:
        return (self.second_stage.needs_resize(self.count + 1)
                or self.first_stage.needs_resize(self.first_stage.count + 1))

    cdef int make_room(self) except -1:
        self.resize(self.second_stage, self.count + 1)
        self.resize(self.first_stage, self.first_stage.count + 1)
        return 0

    cdef list tasks(self):
        cdef list tasks = self.listed(self.first_stage)
        tasks += self.listed(self.second_stage)
        return tasks
