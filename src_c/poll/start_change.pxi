"""What the row of a task with a key is to be: made three times for each, by its thread, for the journal's."""


@cython.final
@cython.no_gc       # only what waits to be written leads back to a change, and a thread keeps that
@cython.freelist(64)
cdef class StartChange:
    """What the row of a task is to be from now on. The value is not encoded yet: that of a failure is an exception."""
    cdef readonly object number, key, state, token, value

    def __init__(self, number, key, state, token=None, value=None):
        self.number = number
        self.key = key
        self.state = state
        self.token = token
        self.value = value
