"""How many calls go on, and whether one does."""


@cython.final
cdef class GoingOn:
    """A number that any thread may have go up and down: neither can fail, as neither asks for memory."""
    cdef readonly SharedSize count      # section(self)

    def begin(self):
        """One more goes on."""
        with cython.critical_section(self):
            self.count += 1

    def end(self):
        """One is over."""
        with cython.critical_section(self):
            self.count -= 1


@cython.final
cdef class InUse:
    """Whether a `with` block of this goes on. It begins and ends at once: no signal handler raises in the middle."""
    cdef SharedByte going_on

    @property
    def now(self):
        """Whether one goes on."""
        return bool(self.going_on)

    def __enter__(self):
        self.going_on = True

    def __exit__(self, *_):
        self.going_on = False
