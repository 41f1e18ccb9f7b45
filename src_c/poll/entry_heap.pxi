"""Heaps of when polled tasks are due: 16 bytes a task. They move numbers, not objects."""

from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class PollState:
    """What is kept of a polled task beyond its value, where there is a schedule, a deadline, a journal or the like.

    section(table) guards all of it but the first two and the last two, which section(future) does.
    """
    cdef Timer timer            # of its deadline, or None
    cdef CancelAttempt attempt  # the cancel() that is being decided, or None
    cdef PyObject *task         # borrowed: the task has this
    cdef DueHeap heap           # the one it is in while it waits, or None where the whole list is polled
    cdef Py_ssize_t place       # in there, or -1
    cdef SharedDouble due       # asked for by hand, for when it is in no call; 0.0: not asked
    cdef double joined          # the polled list, by the coarse clock
    cdef SharedKey key          # on record in a journal, or 0
    cdef SharedCount polls      # calls it was in
    cdef SharedCount step       # the same since its back-off began
    cdef SharedCount failures   # in a row
    cdef unsigned int poll_all_epoch      # how often everything had been asked for when it was handed out
    cdef unsigned char is_near  # the one of its two heaps that `place` is in
    cdef SharedByte look        # a Look: how it is with the last one before its deadline fails it
    cdef SharedByte goes_on     # the task, although its future fails: set before that does
    cdef unsigned char state    # that was reported, as numbered in the table's ReportedStates; 0 for none
    cdef unsigned int progress  # that was reported, one more than billionths; 0 for none

    def __cinit__(self):
        self.place = -1


cdef struct Entry:
    double when
    PyObject *poll_state              # borrowed: who is in the heap belongs to a task in the table


cdef enum:
    ARITY = 4                   # children of an entry: half as many levels as with two, in as many cache lines
    LIKELY_CACHED = 1024        # entries at the top, which are looked at often


cdef struct EntryHeap:
    Entry *entries              # [0:size], the one due first on top
    Py_ssize_t size


cdef inline void put_entry(EntryHeap *heap, Py_ssize_t i, Entry entry) noexcept:
    heap.entries[i] = entry
    (<PollState>entry.poll_state).place = i


cdef void push_entry(EntryHeap *heap, PollState poll_state, double when) noexcept:
    """There must be room for it."""
    cdef Entry entry
    entry.when = when
    entry.poll_state = <PyObject *>poll_state
    heap.size += 1
    raise_entry(heap, heap.size - 1, entry)


cdef void remove_entry(EntryHeap *heap, Py_ssize_t place) noexcept:
    heap.size -= 1
    if place < heap.size:
        settle_entry(heap, place, heap.entries[heap.size])


cdef void move_entry(EntryHeap *heap, Py_ssize_t place, double when) noexcept:
    """Have it be due at `when`."""
    cdef Entry entry = heap.entries[place]
    entry.when = when
    settle_entry(heap, place, entry)


cdef void clip_entries(EntryHeap *heap, double now) noexcept:
    """Have all be due at `now` at the latest. A heap stays one when its large numbers become equal."""
    cdef Py_ssize_t i
    for i in range(heap.size):
        if heap.entries[i].when > now:
            heap.entries[i].when = now


cdef Py_ssize_t due_entries(EntryHeap *heap, double now, Py_ssize_t at=0) noexcept:
    """How many of the entry at `at` and those below it are due at `now`."""
    cdef Py_ssize_t count = 1, child
    if at >= heap.size or heap.entries[at].when > now:
        return 0
    for child in range(ARITY * at + 1, ARITY * at + 1 + ARITY):
        count += due_entries(heap, now, child)
    return count


cdef void settle_entry(EntryHeap *heap, Py_ssize_t hole, Entry entry) noexcept:
    """Put `entry` in the place `hole`, which is free, or where it belongs from there."""
    if hole > 0 and entry.when < heap.entries[(hole - 1) // ARITY].when:
        raise_entry(heap, hole, entry)
    else:
        sink_entry(heap, hole, entry)


cdef void raise_entry(EntryHeap *heap, Py_ssize_t hole, Entry entry) noexcept:
    cdef Py_ssize_t above
    while hole > 0:
        above = (hole - 1) // ARITY
        if heap.entries[above].when <= entry.when:
            break
        put_entry(heap, hole, heap.entries[above])
        hole = above
    put_entry(heap, hole, entry)


cdef void sink_entry(EntryHeap *heap, Py_ssize_t hole, Entry entry) noexcept:
    cdef Py_ssize_t child = ARITY * hole + 1, grandchild, i
    while child < heap.size:
        grandchild = ARITY * child + 1
        if LIKELY_CACHED <= grandchild <= heap.size - ARITY * ARITY:    # four of them are next: nobody knows which
            for i in range(ARITY):
                fetch_early(heap.entries + grandchild + ARITY * i)
            fetch_early(heap.entries + grandchild + ARITY * ARITY - 1)
        child = first_child(heap, child)
        if heap.entries[child].when >= entry.when:
            break
        put_entry(heap, hole, heap.entries[child])
        hole = child
        child = ARITY * hole + 1
    put_entry(heap, hole, entry)


cdef inline Py_ssize_t first_child(EntryHeap *heap, Py_ssize_t child) noexcept:
    """Which of the children from `child` on is due first. No branch depends on that: none could be foretold."""
    cdef Entry *of = heap.entries + child
    cdef Py_ssize_t left, right, end
    if child + ARITY <= heap.size:
        left = of[1].when < of[0].when
        right = 2 + (of[3].when < of[2].when)
        return child + left + (of[right].when < of[left].when) * (right - left)
    left = 0
    end = heap.size - child
    for right in range(1, end):
        if of[right].when < of[left].when:
            left = right
    return child + left
