"""Tasks by number: on a client those of a shard, and on a worker those that a shard has."""


@cython.no_gc       # see ShardTask
cdef class NumberedTasks(TaskChains):
    """NumberedTasks by their number. `put`, `get`, `pop`, `all` and `len` may be called from any thread."""

    def __contains__(self, unsigned long long number):
        return self.get(number) is not None

    cpdef put(self, NumberedTask task):
        """Have `task` here, which is not."""
        with cython.critical_section(self):
            self.add(task)

    cpdef get(self, unsigned long long number):
        """The task of this number, or None."""
        cdef NumberedTask found
        with cython.critical_section(self):
            found = self.of(number)
        return found

    cpdef pop(self, unsigned long long number):
        """Do without the task of this number; returns it, or None if it was not there."""
        cdef NumberedTask task
        with cython.critical_section(self):
            task = self.of(number)
            if task is not None:
                self.take_out(task)
        return task

    def pop_all(self, list numbers not None):
        """`pop` for each: a new list."""
        cdef list found = [None] * len(numbers)
        cdef Py_ssize_t i
        for i in range(len(numbers)):
            found[i] = self.pop(numbers[i])
        return found

    def all(self):
        """A new list of the tasks, in any order. What comes meanwhile may be left out; any may be there twice."""
        cdef list found = []
        cdef NumberedTask task
        cdef Py_ssize_t i = 0
        cdef bint more = True
        while more:
            with cython.critical_section(self):
                more = i < len(self.buckets)
                task = self.buckets[i] if more else None
                while task is not None:
                    found.append(task)
                    task = task.next_numbered
            i += 1
            yield_gil_at(i)
        return found

    cdef NumberedTask of(self, unsigned long long number):
        """Inside the section."""
        cdef NumberedTask found = self.buckets[self.place(mixed_up(number))]
        while found is not None and found.number != number:
            found = found.next_numbered
        return found

    cdef size_t hashed(self, NumberedTask task) noexcept:
        return mixed_up(task.number)

    cdef NumberedTask next_of(self, NumberedTask task):
        return task.next_numbered

    cdef void set_next(self, NumberedTask task, NumberedTask following) noexcept:
        task.next_numbered = following


@cython.final
@cython.no_gc       # likewise
cdef class ShardTasks(NumberedTasks):
    """The tasks of one shard, as its client knows them."""

    def create_all(self, dict starting not None, link, list numbers not None, list sent not None):
        """The calls with `numbers`, which are in `starting`, have created tasks, each known as what was `sent`.

        Returns two lists: the calls, which are not in `starting` any more, and their tasks, which are here and belong
        to `link`. For a number that was not there, both have None.
        """
        cdef list calls = [None] * len(numbers), tasks = [None] * len(numbers)
        cdef ShardTask task
        cdef Py_ssize_t i
        if len(sent) != len(numbers):
            raise ValueError("there are not as many tasks as numbers")
        for i in range(len(numbers)):
            call = starting.pop(numbers[i], None)
            if call is not None:
                task = ShardTask.__new__(ShardTask)
                task.number = numbers[i]
                task.link = link
                task.sent = sent[i]
                self.put(task)
                calls[i], tasks[i] = call, task
        return calls, tasks
