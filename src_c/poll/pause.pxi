"""For how long a service is to be left alone."""


@cython.final
cdef class Pause:
    """A pause that a service asked for: it is over when the longest is, if several were asked for.

    May be used from any thread and from a signal handler. Takes no lock.
    """
    cdef readonly SharedDouble until    # section(self): by `monotonic`; -inf before the first

    def __cinit__(self):
        self.until = -INFINITY

    def extend(self, double until):
        """Leave the service alone until then, by `monotonic`, or longer if that was asked for before."""
        with cython.critical_section(self):
            if until > self.until:
                self.until = until
