"""When the polled tasks of a group are due: two heaps, so that many who are due much later burden nobody else."""


cdef enum:
    MANY_FAR = 1024             # in the heap of those who are far from due: with less, there is no other one
    NEARER = 16                 # who waits so many times less long than others do is near


@cython.final
@cython.internal
@cython.no_gc
cdef class DueHeap:
    """The poll states of one group of tasks that wait, the one due first on top. section(table) guards all of it.

    Joining and leaving cost the logarithm of their number, or for who is `near`, of the number of those. Where somebody
    is makes no difference but that. `reserve` a place for each member before it is pushed, or set aside: neither can
    fail. Who is set aside waits for `let_in`, and is not due before that.
    """
    cdef EntryHeap near         # those with a short delay, if most have a much longer one
    cdef EntryHeap far          # all others; in the last places of its room, who is set aside, the last one first
    cdef Py_ssize_t aside
    cdef Py_ssize_t room        # in `far`, enough for all
    cdef Py_ssize_t near_room
    cdef Py_ssize_t members     # who is in there, or in a call
    cdef bint listed            # among the heaps of its table
    cdef SharedByte dropped     # nobody looks here any more

    def __dealloc__(self):
        PyMem_RawFree(self.near.entries)
        PyMem_RawFree(self.far.entries)

    cdef bint reserve(self) noexcept:
        """Make room for one more member; False if there is no memory."""
        cdef Py_ssize_t room = self.room
        cdef Entry *entries
        if self.members == room:
            room += (room >> 1) + 8
            entries = <Entry *>PyMem_RawRealloc(self.far.entries, room * sizeof(Entry))
            if entries == NULL:
                return False
            self.far.entries = entries
            self.move_aside(room - self.room)
            self.room = room
            if room > MANY_FAR:
                self.reserve_near(room >> 3)
        self.members += 1
        return True

    cdef void reserve_near(self, Py_ssize_t room) noexcept:
        """If there is memory: it goes without."""
        cdef Entry *entries = <Entry *>PyMem_RawRealloc(self.near.entries, room * sizeof(Entry))
        if entries != NULL:
            self.near.entries = entries
            self.near_room = room

    cdef void move_aside(self, Py_ssize_t by) noexcept:
        """Have who is set aside be so many places further on, where there is nobody."""
        cdef Py_ssize_t i
        for i in range(self.room - 1, self.room - 1 - self.aside, -1):
            put_entry(&self.far, i + by, self.far.entries[i])

    cdef Py_ssize_t waiting(self) noexcept:
        """How many there are who are not set aside."""
        return self.near.size + self.far.size

    cdef EntryHeap *earlier(self) noexcept:
        """The heap with the one due first, or an empty one."""
        if self.near.size and (self.far.size == 0 or self.near.entries[0].when <= self.far.entries[0].when):
            return &self.near
        return &self.far

    cdef double first(self) noexcept:
        """When the first is due, or infinity."""
        cdef EntryHeap *heap = self.earlier()
        return heap.entries[0].when if heap.size else INFINITY

    cdef void push(self, PollState poll_state, double when, double now) noexcept:
        """Have `poll_state` be due at `when`; `now` says how long that is, and no more than that."""
        poll_state.is_near = self.far.size >= MANY_FAR and self.is_near(when - now, now)
        push_entry(&self.near if poll_state.is_near else &self.far, poll_state, when)

    cdef bint is_near(self, double delay, double now) noexcept:
        """Whether who is to wait so long does much less so than others. What is last in `far` stands for them."""
        cdef double longer = self.far.entries[self.far.size - 1].when - now - 0.001
        return NEARER * delay < longer and self.near.size < self.near_room

    cdef void set_aside(self, PollState poll_state) noexcept:
        cdef Entry entry
        entry.when = INFINITY
        entry.poll_state = <PyObject *>poll_state
        poll_state.is_near = False
        self.aside += 1
        put_entry(&self.far, self.room - self.aside, entry)

    cdef Py_ssize_t let_in(self, double when, Py_ssize_t at_most) noexcept:
        """Have those who were set aside be due at `when`, so many at most; returns how many.

        The last one comes first, and each after that a nanosecond earlier: then they come out in their order.
        """
        cdef PyObject *poll_state
        cdef Py_ssize_t i, count = min(self.aside, at_most)
        for i in range(count):
            poll_state = self.far.entries[self.room - self.aside].poll_state
            self.aside -= 1
            self.push(<PollState>poll_state, when - 1e-9 * i, when)
        return count

    cdef Py_ssize_t pop(self, double until, PyObject **popped, Py_ssize_t at_most) noexcept:
        """Have the first ones in `popped`, as far as they are due at `until`; returns how many.

        They are borrowed, as their tasks are in the table.
        """
        cdef EntryHeap *heap
        cdef Py_ssize_t i
        for i in range(at_most):
            heap = self.earlier()
            if heap.size == 0 or heap.entries[0].when > until:
                return i
            popped[i] = heap.entries[0].poll_state
            fetch_early(popped[i])
            (<PollState>popped[i]).place = -1
            remove_entry(heap, 0)
        return at_most

    cdef void remove(self, PollState poll_state) noexcept:
        cdef Py_ssize_t place = poll_state.place
        poll_state.place = -1
        if poll_state.is_near:
            remove_entry(&self.near, place)
        elif place < self.far.size:
            remove_entry(&self.far, place)
        else:
            if place > self.room - self.aside:
                put_entry(&self.far, place, self.far.entries[self.room - self.aside])
            self.aside -= 1

    cdef double when(self, PollState poll_state) noexcept:
        """When `poll_state`, which waits, is due."""
        return (self.near if poll_state.is_near else self.far).entries[poll_state.place].when

    cdef void move(self, PollState poll_state, double when) noexcept:
        """Have `poll_state`, which waits, be due at `when`."""
        if poll_state.is_near:
            move_entry(&self.near, poll_state.place, when)
        elif poll_state.place < self.far.size:
            move_entry(&self.far, poll_state.place, when)
        else:
            self.remove(poll_state)
            push_entry(&self.far, poll_state, when)

    cdef void clip(self, double now) noexcept:
        """Have all who wait be due at `now` at the latest."""
        self.let_in(now, self.aside)
        clip_entries(&self.near, now)
        clip_entries(&self.far, now)

    cdef Py_ssize_t due(self, double now) noexcept:
        """How many are due at `now`."""
        return due_entries(&self.near, now) + due_entries(&self.far, now)
