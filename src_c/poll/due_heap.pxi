"""When polled tasks are due: a heap that costs 16 bytes a task, and moves numbers, not objects."""

from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc


@cython.final
@cython.internal
@cython.no_gc
cdef class PollState:
    """What is kept of a polled task beyond its value, where there is a schedule, a deadline, a journal or the like.

    section(table) guards all of it. It owns nothing that could lead back to it.
    """
    cdef PyObject *task         # borrowed: the task has this
    cdef DueHeap heap           # the one it is in while it waits, or None where the whole list is polled
    cdef Py_ssize_t place       # in the heap, or aside in the same array, or -1
    cdef SharedDouble due       # asked for by hand, for when it is in no call; 0.0: not asked
    cdef double joined          # the polled list, by the coarse clock
    cdef SharedKey key          # on record in a journal, or 0
    cdef SharedCount polls      # calls it was in
    cdef SharedCount step       # the same since its back-off began
    cdef SharedCount failures   # in a row
    cdef unsigned int poll_all_epoch      # how often everything had been asked for when it was handed out
    cdef SharedByte look        # a Look: how it is with the last one before its deadline fails it

    def __cinit__(self):
        self.place = -1


cdef struct Entry:
    double when
    PyObject *poll_state              # borrowed: who is in the heap belongs to a task in the table


cdef enum:
    ARITY = 4                   # children of an entry: half as many levels as with two, in as many cache lines


@cython.final
@cython.internal
@cython.no_gc
cdef class DueHeap:
    """The poll states of one group of tasks that wait, the one due first on top. section(table) guards all of it.

    Joining and leaving cost the logarithm of their number. `reserve` a place for each member before it is pushed, or
    set aside: neither can fail. Who is set aside waits for `let_in`, and is not due before that.
    """
    cdef Entry *entries         # [0:size] is the heap, [room - aside:room] who is set aside, the last one first
    cdef Py_ssize_t size
    cdef Py_ssize_t aside
    cdef Py_ssize_t room
    cdef Py_ssize_t members     # who is in there, or in a call
    cdef bint listed            # among the heaps of its table
    cdef SharedByte dropped     # nobody looks here any more

    def __dealloc__(self):
        PyMem_RawFree(self.entries)

    cdef bint reserve(self) noexcept:
        """Make room for one more member; False if there is no memory."""
        cdef Py_ssize_t room = self.room
        cdef Entry *entries
        if self.members == room:
            room += (room >> 1) + 8
            entries = <Entry *>PyMem_RawRealloc(self.entries, room * sizeof(Entry))
            if entries == NULL:
                return False
            self.entries = entries
            self.move_aside(room - self.room)
            self.room = room
        self.members += 1
        return True

    cdef void move_aside(self, Py_ssize_t by) noexcept:
        """Have who is set aside be so many places further on, where there is nobody."""
        cdef Py_ssize_t i
        for i in range(self.room - 1, self.room - 1 - self.aside, -1):
            self.put(i + by, self.entries[i])

    cdef double first(self) noexcept:
        """When the first is due, or infinity."""
        return self.entries[0].when if self.size else INFINITY

    cdef void push(self, PollState poll_state, double when) noexcept:
        cdef Entry entry
        entry.when = when
        entry.poll_state = <PyObject *>poll_state
        self.size += 1
        self.rise(self.size - 1, entry)

    cdef void set_aside(self, PollState poll_state) noexcept:
        cdef Entry entry
        entry.when = INFINITY
        entry.poll_state = <PyObject *>poll_state
        self.aside += 1
        self.put(self.room - self.aside, entry)

    cdef Py_ssize_t let_in(self, double when, Py_ssize_t at_most) noexcept:
        """Have those who were set aside be due at `when`, so many at most; returns how many.

        The last one comes first, and each after that a nanosecond earlier: then they come out in their order.
        """
        cdef PyObject *poll_state
        cdef Py_ssize_t i, count = min(self.aside, at_most)
        for i in range(count):
            poll_state = self.entries[self.room - self.aside].poll_state
            self.aside -= 1
            self.push(<PollState>poll_state, when - 1e-9 * i)
        return count

    cdef PyObject *pop(self) noexcept:
        """The poll state that was first; borrowed, as its task is in the table."""
        cdef PyObject *poll_state = self.entries[0].poll_state
        self.remove(<PollState>poll_state)
        return poll_state

    cdef void remove(self, PollState poll_state) noexcept:
        cdef Py_ssize_t place = poll_state.place
        poll_state.place = -1
        if place >= self.size:
            if place > self.room - self.aside:
                self.put(place, self.entries[self.room - self.aside])
            self.aside -= 1
            return
        self.size -= 1
        if place < self.size:
            self.settle(place, self.entries[self.size])

    cdef void move(self, PollState poll_state, double when) noexcept:
        """Have `poll_state`, which waits, be due at `when`."""
        cdef Entry entry
        if poll_state.place >= self.size:
            self.remove(poll_state)
            self.push(poll_state, when)
            return
        entry = self.entries[poll_state.place]
        entry.when = when
        self.settle(poll_state.place, entry)

    cdef void clip(self, double now) noexcept:
        """Have all who wait be due at `now` at the latest. A heap stays one when its large numbers become equal."""
        cdef Py_ssize_t i
        self.let_in(now, self.aside)
        for i in range(self.size):
            if self.entries[i].when > now:
                self.entries[i].when = now

    cdef Py_ssize_t due(self, double now, Py_ssize_t at=0) noexcept:
        """How many of the entry at `at` and those below it are due at `now`."""
        cdef Py_ssize_t count = 1, child
        if at >= self.size or self.entries[at].when > now:
            return 0
        for child in range(ARITY * at + 1, ARITY * at + 1 + ARITY):
            count += self.due(now, child)
        return count

    # -- the heap ------------------------------------------------------------------------------------------

    cdef void put(self, Py_ssize_t i, Entry entry) noexcept:
        self.entries[i] = entry
        (<PollState>entry.poll_state).place = i

    cdef void settle(self, Py_ssize_t hole, Entry entry) noexcept:
        """Put `entry` in the place `hole`, which is free, or where it belongs from there."""
        if hole > 0 and entry.when < self.entries[(hole - 1) // ARITY].when:
            self.rise(hole, entry)
        else:
            self.sink(hole, entry)

    cdef void rise(self, Py_ssize_t hole, Entry entry) noexcept:
        cdef Py_ssize_t above
        while hole > 0:
            above = (hole - 1) // ARITY
            if self.entries[above].when <= entry.when:
                break
            self.put(hole, self.entries[above])
            hole = above
        self.put(hole, entry)

    cdef void sink(self, Py_ssize_t hole, Entry entry) noexcept:
        cdef Py_ssize_t child, end, first
        while True:
            child = ARITY * hole + 1
            if child >= self.size:
                break
            first = child
            end = min(child + ARITY, self.size)
            while child + 1 < end:
                child += 1
                if self.entries[child].when < self.entries[first].when:
                    first = child
            if self.entries[first].when >= entry.when:
                break
            self.put(hole, self.entries[first])
            hole = first
        self.put(hole, entry)
