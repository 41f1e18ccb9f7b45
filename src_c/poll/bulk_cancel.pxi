"""Polled tasks of one executor that are asked about in bulk, by one thread or several."""


@cython.final
cdef class BulkCancel:
    """Tasks to cancel. Whoever asks takes some, and then has to answer for them; each is taken once.

    An answer counts the moment it comes; another one for the same task does no harm. The thread that made it gives up
    at the end: it answers no for what nobody has taken, and for what it took last.
    """
    cdef list pairs             # of a task and its CancelAttempt
    cdef set threads            # that made it, or have taken some: they cannot wait for the answers
    cdef SharedSize taken       # section(self): so many have been
    cdef object maker           # the thread that made it
    cdef Py_ssize_t start       # of the maker alone: what it took last
    cdef Py_ssize_t end

    def __init__(self, *args, **kwargs):
        raise TypeError("BulkCancel objects are made by cancel_many")

    def __len__(self):
        return len(self.pairs)

    @property
    def asked(self):
        """How many have been taken."""
        return self.taken

    cdef Py_ssize_t advance(self, Py_ssize_t at_most) noexcept:
        cdef Py_ssize_t start, count = len(self.pairs)
        with cython.critical_section(self):
            start = self.taken
            self.taken = count if at_most > count - start else start + at_most
        return start

    def take(self, Py_ssize_t at_most):
        """The next at most so many: the number of the first, and a list of their results; None if none is left."""
        cdef Py_ssize_t start, end = len(self.pairs)
        cdef object me = get_ident()
        self.threads.add(me)
        start = self.advance(at_most)
        if at_most < end - start:
            end = start + at_most
        if start == end:
            return None
        if me == self.maker:
            self.start, self.end = start, end
        try:
            return start, [(<PollDescriptor>task).value for task, _ in self.pairs[start:end]]
        except MemoryError:     # else nobody would answer for these
            give_up(self.pairs, start, end)
            raise

    def answer(self, Py_ssize_t start, Py_ssize_t count, list answers not None):
        """What was found out about the `count` that were taken from `start` on: whether each has been cancelled.

        Where there is no answer, it is no.
        """
        cdef Py_ssize_t i
        for i in range(count):
            task, attempt = self.pairs[start + i]
            end_attempt(task, attempt, i < len(answers) and bool(answers[i]), NULL)
            yield_gil_at(i)

    def future(self, Py_ssize_t number):
        """The future of the task of that number."""
        return (<PollDescriptor>self.pairs[number][0]).future

    cdef int give_up(self) except -1:
        # An interrupt may have come between taking and answering.
        give_up(self.pairs, self.start, self.end)
        give_up(self.pairs, self.advance(len(self.pairs)), len(self.pairs))
        self.threads.discard(self.maker)        # from now on it can wait for the answers of others
        return 0


cdef int give_up(list pairs, Py_ssize_t start, Py_ssize_t end) except -1:
    """Answer no for `pairs[start:end]`."""
    cdef Py_ssize_t i
    for i in range(start, end):
        task, attempt = pairs[i]
        end_attempt(task, attempt, False, NULL)
        yield_gil_at(i)
    return 0


cdef BulkCancel bulk_cancel(list pairs):
    cdef BulkCancel bulk = BulkCancel.__new__(BulkCancel)
    bulk.pairs = pairs
    bulk.maker = get_ident()
    bulk.threads = {bulk.maker}
    for _, attempt in pairs:
        (<CancelAttempt>attempt).find_out_on(bulk.threads)
    return bulk
