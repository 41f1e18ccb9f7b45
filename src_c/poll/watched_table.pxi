"""What a table tells of tasks that are polled."""


@cython.no_gc_clear
cdef class WatchedTable(LeavingTable):
    """A LeavingTable that says what is polled, and what was reported of that."""
    cdef ReportedStates reported    # section(self): None until somebody reports, and then for good the same

    @property
    def polling(self):
        """How many tasks are in the polled list."""
        self.empty_boxes()
        return self.second_stage.count

    @property
    def with_delegate(self):
        """How many tasks have not joined that yet."""
        self.empty_boxes()
        return self.first_stage.count

    def polled_tasks(self):
        """A new list of tuples: result, age in seconds, polls, failures, the future, reported state and progress."""
        cdef list tasks = self.listed(self.second_stage)
        cdef list rows = []
        cdef PollDescriptor task
        for item in tasks:
            task = item
            rows.append((task.value, seconds_since(task.future.started), task.polls, task.failures, task.future,
                         state_of(task), progress_of(task)))
            yield_gil_at(len(rows))
        drop(tasks)
        return rows

    def states(self):
        """A new dict: how many tasks are in each state that was ever reported, in the order of that."""
        cdef ReportedStates reported
        with cython.critical_section(self):
            reported = self.reported
        return {} if reported is None else reported.by_text()

    cdef void vacate(self) noexcept:
        LeavingTable.vacate(self)
        if self.reported is not None:
            vacate_section(<PyObject *>self.reported)

    cdef ReportedStates states_reported(self):
        """Where reported states are counted, from now on."""
        cdef ReportedStates reported, fresh
        with cython.critical_section(self):
            reported = self.reported
        if reported is None:
            fresh = ReportedStates.__new__(ReportedStates)
            with cython.critical_section(self):
                if self.reported is None:
                    self.reported = fresh
                reported = self.reported
        return reported
