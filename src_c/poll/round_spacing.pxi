"""How far apart rounds of polling begin, where the user did not say."""

cdef enum:
    DELAY_CLASSES = 8           # of delays from so many seconds to twice as many
    ROUNDS_IN_A_DELAY = 5


@cython.final
cdef class RoundSpacing:
    """How many seconds rounds of calls are apart: at most `most`, and at most a fifth of the shortest delay in use.

    It is not less than `least`. A delay that was given to a task is in use until the task is to have been polled again.
    """
    cdef double least
    cdef double most
    cdef double in_use_until[DELAY_CLASSES]     # section(self): by `monotonic`, the shortest delays first

    def __cinit__(self, double least, double most):
        cdef int i
        self.least = least
        self.most = most
        for i in range(DELAY_CLASSES):
            self.in_use_until[i] = -INFINITY

    cdef void note(self, double delay, double now) noexcept:
        """A task is to be polled again in `delay` seconds."""
        cdef double spacing = self.least, until
        cdef int i = 0
        if self.least >= self.most or delay >= ROUNDS_IN_A_DELAY * self.most:
            return
        while 2.0 * spacing * ROUNDS_IN_A_DELAY <= delay and i < DELAY_CLASSES - 1:
            spacing *= 2.0
            i += 1
        until = now + delay + 2.0 * spacing
        with cython.critical_section(self):
            self.in_use_until[i] = max(self.in_use_until[i], until)

    def seconds(self, double now):
        """How many seconds after the last round the next one may begin, as things are at `now`."""
        cdef double spacing = self.least
        cdef int i
        with cython.critical_section(self):
            for i in range(DELAY_CLASSES):
                if now <= self.in_use_until[i] or spacing >= self.most:
                    break
                spacing *= 2.0
        return min(spacing, self.most)
