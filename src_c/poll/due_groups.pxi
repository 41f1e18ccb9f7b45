"""Groups of polled tasks, each with a heap of its own, that take turns."""


@cython.final
@cython.internal
cdef class DueGroups:
    """The heaps of the groups, by key. Guarded by section(table) of its table, but for what is said to be outside.

    A key and its heap are forgotten some time after the last member has left, and then the heap is `dropped`.
    """
    cdef dict by_key            # outside the section: it compares keys of the user's
    cdef list heaps             # those that are not dropped, and have had a member
    cdef Py_ssize_t turn        # whose turn it is
    cdef Py_ssize_t empty       # heaps without members

    def __cinit__(self):
        self.by_key = {}
        self.heaps = []

    cdef DueHeap of(self, object key):
        """The heap of `key`, outside the section; it may be dropped before anybody can join it."""
        cdef DueHeap heap = self.by_key.get(key)
        if heap is None:
            heap = self.by_key.setdefault(key, DueHeap())
        elif heap.dropped:
            heap = self.by_key[key] = DueHeap()
        return heap

    cdef int admit(self, PollState poll_state, DueHeap heap) noexcept:
        """Have a place for `poll_state` in `heap`: 1, or 0 if that was dropped, or -1 if there is no memory."""
        if heap.dropped:
            return 0
        if not heap.listed:
            try:
                self.heaps.append(heap)
                heap.listed = True
            except MemoryError:
                pass
            if not heap.listed:
                return -1
            self.empty += 1
        if not heap.reserve():
            return -1
        self.empty -= heap.members == 1
        poll_state.heap = heap
        return 1

    cdef void leave(self, PollState poll_state) noexcept:
        cdef DueHeap heap = poll_state.heap
        if poll_state.place >= 0:
            heap.remove(poll_state)
        heap.members -= 1
        self.empty += heap.members == 0
        poll_state.heap = None        # not the last reference: it is among the heaps

    cdef DueHeap at(self, Py_ssize_t i):
        return <DueHeap>peek(self.heaps, i)

    cdef DueHeap next(self, double until):
        """The heap whose turn it is, of those that have something due at `until`; None if there is none."""
        cdef Py_ssize_t i, n = len(self.heaps)
        cdef DueHeap heap
        for i in range(n):
            if self.turn >= n:
                self.turn = 0
            heap = self.at(self.turn)
            self.turn += 1
            if heap.first() <= until:
                return heap
        return None

    cdef bint have_due(self, double until) noexcept:
        """Whether `next` has one to give."""
        if self.next(until) is None:
            return False
        self.turn -= 1
        return True

    cdef double first(self) noexcept:
        cdef double first = INFINITY
        cdef Py_ssize_t i
        for i in range(len(self.heaps)):
            first = min(first, self.at(i).first())
        return first

    cdef Py_ssize_t due(self, double now) noexcept:
        cdef Py_ssize_t i, count = 0
        for i in range(len(self.heaps)):
            count += self.at(i).due(now)
        return count

    cdef void clip(self, double now) noexcept:
        cdef Py_ssize_t i
        for i in range(len(self.heaps)):
            self.at(i).clip(now)

    cdef bint drop_empty(self, list kept):
        """Drop those that are empty if they are many; `kept`, a new list, is for the others. Then forget them."""
        cdef DueHeap heap
        cdef Py_ssize_t i
        if self.empty < 32 or self.empty * 2 < len(self.heaps):
            return False
        for i in range(len(self.heaps)):
            heap = self.at(i)
            if heap.members:
                kept.append(heap)
            else:
                heap.dropped = True
        self.heaps = kept       # by_key has the dropped ones still: none goes away in here
        self.empty = 0
        return True

    cdef int forget_dropped(self) except -1:
        """Outside the section. What joins a heap that goes here is in it all the same, and polled."""
        for key, heap in list(self.by_key.items()):
            if (<DueHeap>heap).dropped and self.by_key.get(key) is heap:
                self.by_key.pop(key, None)
        return 0
