"""Calls as they are sent to a worker, by the thousand: what many have in common is said once.

A run is a tuple: the place of a function among those that are sent, how many arguments each of its calls has, and a
list of the arguments of all. With one argument each, that is a value for a call, and nothing else. A call without any
is a None there; those of ENCODED are bytes, the arguments and keywords of a call.
"""

cdef enum:
    ENCODED = -1


@cython.final
cdef class CallRuns:
    """Gathers calls in `runs`. For one thread at a time."""
    cdef readonly list runs
    cdef list values        # of the last run, as are the next
    cdef Py_ssize_t place
    cdef Py_ssize_t width

    def __cinit__(self):
        self.runs = []

    def add(self, Py_ssize_t place, tuple args not None):
        """A call of the function at `place`."""
        self.append(place, args)

    def add_encoded(self, Py_ssize_t place, bytes encoded not None):
        """The same, with arguments and keywords that had to be pickled."""
        self.go_on(place, ENCODED)
        self.values.append(encoded)

    cdef int append(self, Py_ssize_t place, tuple args) except -1:
        self.go_on(place, len(args))
        if args:
            self.values.extend(args)    # all or, for a lack of memory, none: the others stay where they are
        else:
            self.values.append(None)
        return 0

    cdef int go_on(self, Py_ssize_t place, Py_ssize_t width) except -1:
        if self.values is None or place != self.place or width != self.width:
            self.values = []
            self.place = place
            self.width = width
            self.runs.append((place, width, self.values))
        return 0


@cython.final
cdef class CallEntries:
    """The calls in `runs`, one after another. For one thread at a time."""
    cdef list runs
    cdef Py_ssize_t run             # of the next call, as are the others
    cdef readonly Py_ssize_t place
    cdef Py_ssize_t width
    cdef list values                # None after the last
    cdef Py_ssize_t at

    def __init__(self, list runs not None):
        self.runs = runs
        self.values = None
        self.run = -1
        self.next_run()

    def __len__(self):
        """How many there are in all."""
        cdef Py_ssize_t count = 0
        for _, width, values in self.runs:
            count += len(values) // max(1, width)
        return count

    @property
    def is_plain(self):
        """Whether the next call's arguments are sent as they are."""
        return self.values is not None and self.width != ENCODED

    def next(self):
        """The arguments of the next call, or bytes that have these and keywords."""
        if self.values is None:
            raise IndexError("there are no more calls")
        return self.take(self.width == ENCODED)

    cdef object take(self, bint as_it_is):
        """The next call's arguments; or if it has one only, and that is wanted `as_it_is`, that."""
        cdef object found
        if as_it_is:
            found = self.values[self.at]
        elif self.width == 0:
            found = ()
        else:
            found = tuple(self.values[self.at:self.at + self.width])
        self.at += max(1, self.width)
        if self.at >= len(self.values):
            self.next_run()
        return found

    cdef int next_run(self) except -1:
        self.at = 0
        self.values = []
        while not self.values:      # a run has no calls if there was no memory for its first one
            self.run += 1
            if self.run >= len(self.runs):
                self.values = None
                break
            self.place, self.width, self.values = self.runs[self.run]
        return 0
