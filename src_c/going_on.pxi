"""How many calls go on."""


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
