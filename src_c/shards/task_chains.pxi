"""Tasks in a hash table that grows bucket by bucket (linear hashing): no operation takes longer for all the others."""

cdef enum:
    FEWEST_BUCKETS = 8          # a power of 2


@cython.no_gc       # see ShardTask
cdef class NumberedTask:
    """What is in a NumberedTasks."""
    cdef readonly unsigned long long number
    cdef NumberedTask next_numbered


@cython.no_gc       # likewise
cdef class TaskChains:
    """Chains of NumberedTasks, one in each bucket, linked by the tasks themselves: some ten bytes beside them.

    A subclass says in `hashed` what tasks are found by, and in `next_of` and `set_next` which of their fields links
    them. All is for whoever is in section(self), or the only one to use it.
    """
    cdef list buckets
    cdef size_t base            # a power of 2: how many buckets there were when each had been divided as often
    cdef readonly SharedSize count

    def __cinit__(self, *args, **kwargs):
        self.buckets = new_buckets()
        self.base = FEWEST_BUCKETS

    def __len__(self):
        return self.count

    def clear(self):
        """Forget all: they would be kept for ever, as the garbage collector does not look into tasks."""
        cdef list fresh = new_buckets()
        cdef list buckets
        cdef Py_ssize_t i
        with cython.critical_section(self):
            buckets, self.buckets = self.buckets, fresh
            self.base = FEWEST_BUCKETS
            self.count = 0
        for i in range(len(buckets)):   # with nothing held: what tasks are known by may have destructors
            self.drop_chain(buckets[i])
            buckets[i] = None
            yield_gil_at(i)

    cdef int drop_chain(self, NumberedTask task) except -1:
        """Link by link: it may be too long to be dropped by a call within a call for each."""
        cdef NumberedTask following
        while task is not None:
            following = self.next_of(task)
            self.set_next(task, None)
            task = following
        return 0

    cdef size_t hashed(self, NumberedTask task) noexcept:
        return 0

    cdef NumberedTask next_of(self, NumberedTask task):
        return None

    cdef void set_next(self, NumberedTask task, NumberedTask following) noexcept:
        """The task that followed is kept by the caller."""

    cdef Py_ssize_t place(self, size_t mixed) noexcept:
        """The number of the bucket for tasks for which `hashed` is this."""
        cdef size_t found = mixed & (2 * self.base - 1)
        if found >= <size_t>len(self.buckets):
            found = mixed & (self.base - 1)
        return <Py_ssize_t>found

    cdef int add(self, NumberedTask task) except -1:
        cdef Py_ssize_t place
        if self.count >= len(self.buckets):
            self.divide()
        place = self.place(self.hashed(task))
        self.set_next(task, self.buckets[place])
        self.buckets[place] = task
        self.count += 1
        return 0

    cdef bint take_out(self, NumberedTask task) except -1:
        """Whether it was there."""
        cdef Py_ssize_t place = self.place(self.hashed(task))
        cdef NumberedTask found = self.buckets[place], following
        if found is task:
            self.buckets[place] = self.next_of(task)
        else:
            while found is not None:
                following = self.next_of(found)
                if following is task:
                    break
                found = following
            if found is None:
                return False
            self.set_next(found, self.next_of(task))
        self.set_next(task, None)
        self.count -= 1
        return True

    cdef int divide(self) except -1:
        """One bucket more, with about half of the tasks of another one."""
        cdef Py_ssize_t old = len(self.buckets) - <Py_ssize_t>self.base
        cdef NumberedTask task, following, kept = None, moved = None
        self.buckets.append(None)
        task = self.buckets[old]
        self.buckets[old] = None
        while task is not None:
            following = self.next_of(task)
            if self.place(self.hashed(task)) == old:
                self.set_next(task, kept)
                kept = task
            else:
                self.set_next(task, moved)
                moved = task
            task = following
        self.buckets[old] = kept
        self.buckets[len(self.buckets) - 1] = moved
        if <size_t>len(self.buckets) == 2 * self.base:
            self.base *= 2
        return 0


cdef inline size_t mixed_up(size_t number) noexcept:
    number *= <size_t>0x9E3779B97F4A7C15ULL
    return number ^ (number >> 29)


cdef list new_buckets():
    """Empty ones, which the garbage collector does not look into: there is nothing that it would look at."""
    cdef list buckets = [None] * FEWEST_BUCKETS
    hide(<PyObject *>buckets)
    return buckets
