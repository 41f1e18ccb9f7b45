"""The tasks that a client has on its shards, found by what they are known by at the service."""


@cython.final
@cython.no_gc       # see ShardTask
cdef class TaskRegister(TaskChains):
    """Tasks by the identity of their `result`. All methods may be called from any thread.

    An object may be the result of several: an int that is equal to another one is often the same. Such tasks are one
    and the same for the service, so it does not matter which of them is found.

    Nothing of the user's is called inside the section: whoever takes a task out has a reference to it.
    """
    cdef object plain

    def __init__(self, plain=frozenset()):
        """`plain` are the types of values that are as they were sent."""
        self.plain = plain

    def add_all(self, list tasks not None):
        """Note `tasks`, which have a `result`."""
        cdef Py_ssize_t i = 0
        for task in tasks:
            with cython.critical_section(self):
                self.add(<ShardTask>task)
            i += 1
            yield_gil_at(i)

    def remove(self, ShardTask task not None):
        """Do without `task`, if it is there."""
        with cython.critical_section(self):
            self.take_out(task)

    def of(self, result):
        """A task that is known as `result`, or None."""
        cdef ShardTask found
        with cython.critical_section(self):
            found = self.first_of(<PyObject *>result)
        return found

    def claim_all(self, list descriptors not None):
        """The task of each of `descriptors`, which nobody has asked for before; None if it was not started here."""
        cdef list claimed = []
        cdef ShardTask found
        cdef Py_ssize_t i = 0
        for descriptor in descriptors:
            result = (<PollDescriptor?>descriptor).value
            with cython.critical_section(self):
                found = self.first_of(<PyObject *>result)
                while found is not None and (found.result is not result or found.descriptor is not None):
                    found = <ShardTask>found.next_known
                if found is not None:
                    found.descriptor = descriptor
            claimed.append(found)
            i += 1
            yield_gil_at(i)
        return claimed

    cdef bint claim(self, PollDescriptor descriptor) noexcept:
        """Have `descriptor` stand for a task that nobody has asked for before; False if there is none.

        Nor is there, for this, if it has ended.
        """
        cdef ShardTask found
        with cython.critical_section(self):
            found = self.first_of(<PyObject *>descriptor.value)
            while found is not None and (<PyObject *>found.result != <PyObject *>descriptor.value
                                         or found.descriptor is not None or found.outcome is not None):
                found = <ShardTask>found.next_known
            if found is not None:
                found.descriptor = descriptor
        return found is not None

    cdef bint has_claimed(self, PollDescriptor descriptor):
        """Whether `descriptor` stands for a task here."""
        cdef ShardTask found
        with cython.critical_section(self):
            found = self.first_of(<PyObject *>descriptor.value)
            while found is not None and found.descriptor is not descriptor:
                found = <ShardTask>found.next_known
        return found is not None

    def create_all(self, list calls not None, list tasks not None):
        """`calls`, each a RemoteCall or None, have started `tasks`: note them and have the futures of `calls` say so.

        Returns a list of the others: pairs of which the task is not known by what was sent, or the call has a start.
        """
        cdef list others = []
        cdef RemoteCall call
        cdef ShardTask task
        cdef Py_ssize_t i
        for i in range(len(calls)):
            call, task = calls[i], tasks[i]
            yield_gil_at(i)
            if call is None:
                continue
            if call.start is not None or type(task.sent) not in self.plain:
                others.append((call, task))
                continue
            task.result = task.sent
            with cython.critical_section(self):
                self.add(task)
            settle(<FutureCore?>call.future, RESULT, task.result, NULL)
        return others

    def end_all(self, list tasks not None, list outcomes not None):
        """`tasks`, each a ShardTask or None, have ended with what was sent, `outcomes`.

        Those that ended with what was sent as it is are ended here. Returns a list of the others whose descriptor is
        there: pairs of a task and its outcome. Who claims a task later finds the outcome.
        """
        cdef list others = []
        cdef list kept
        cdef ShardTask task
        cdef PollDescriptor descriptor
        cdef Py_ssize_t i
        for i in range(len(tasks)):
            task = tasks[i]
            yield_gil_at(i)
            if task is None:
                continue
            outcome = outcomes[i]
            with cython.critical_section(self):
                descriptor = task.descriptor
            if descriptor is None:
                kept = [outcome]
                with cython.critical_section(self):
                    descriptor = task.descriptor
                    if descriptor is None:
                        task.outcome = kept
            if descriptor is None:
                continue
            if type(outcome) not in self.plain:
                others.append((task, outcome))
                continue
            with cython.critical_section(self):
                self.take_out(task)
            if descriptor.future is not None:
                settle(descriptor.future, RESULT, outcome, NULL)
        return others

    # -- inside the section ----------------------------------------------------------------------------------------

    cdef ShardTask first_of(self, PyObject *result):
        cdef ShardTask found = <ShardTask>self.buckets[self.place(mixed_up(<size_t>result >> 4))]
        while found is not None and <PyObject *>found.result != result:
            found = <ShardTask>found.next_known
        return found

    cdef size_t hashed(self, NumberedTask task) noexcept:
        return mixed_up(<size_t><PyObject *>(<ShardTask>task).result >> 4)

    cdef NumberedTask next_of(self, NumberedTask task):
        return (<ShardTask>task).next_known

    cdef void set_next(self, NumberedTask task, NumberedTask following) noexcept:
        (<ShardTask>task).next_known = following
