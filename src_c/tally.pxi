"""What an executor has done so far, counted where it happens and read when somebody asks."""


@cython.final
cdef class Tally:
    """How many futures an executor made and how they ended. Guarded by section(table) of the table it is in.

    `seconds` sums, over all that are done, the time from their creation to their end, by the coarse clock.
    """
    cdef readonly Py_ssize_t started
    cdef readonly Py_ssize_t finished
    cdef readonly Py_ssize_t failed
    cdef readonly Py_ssize_t cancelled
    cdef readonly double seconds

    cdef void count(self, State state, double seconds) noexcept:
        if state == RESULT:
            self.finished += 1
        elif state == ERROR:
            self.failed += 1
        else:
            self.cancelled += 1
        self.seconds += seconds

    def __repr__(self):
        return (f"<Tally started={self.started} finished={self.finished} failed={self.failed}"
                f" cancelled={self.cancelled} seconds={self.seconds:.3f}>")
