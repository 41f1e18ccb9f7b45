"""What is to happen at a time: one heap, the earliest first, cancelled in O(1)."""


@cython.final
cdef class Timer:
    """An item that falls due at `when`; made by `Timers.add`."""
    cdef readonly double when       # seconds, by whatever clock its user goes by
    cdef unsigned long long serial  # first come, first served among equals
    cdef object item                # section(timers) while it is pending, then whoever changed that
    cdef SharedByte pending         # section(timers)
    cdef Timers timers

    def __init__(self, *args, **kwargs):
        raise TypeError("Timer objects are made by Timers.add")

    def cancel(self):
        """Take it out: True, or False if it fell due or was cancelled before. O(1)."""
        return self.timers is not None and self.timers.cancel(self)

    def __repr__(self):
        return f"<Timer when={self.when}{'' if self.pending else ' over'}>"


@cython.final
@cython.no_gc_clear
cdef class Timers:
    """A heap of timers. Adding and falling due cost the logarithm of their number, cancelling O(1).

    A cancelled timer stays in the heap, empty, until it surfaces or more than half are such.
    """
    cdef list heap                  # section(self), as is all of this
    cdef Py_ssize_t cancelled
    cdef unsigned long long serial

    def __cinit__(self):
        self.heap = []

    def __len__(self):
        cdef Py_ssize_t pending
        with cython.critical_section(self):
            pending = len(self.heap) - self.cancelled
        return pending

    def add(self, double when, item):
        """Have `item` fall due at `when`; returns its Timer. Raises ValueError if `when` is NaN."""
        cdef Timer timer
        if when != when:
            raise ValueError("when must not be NaN")
        timer = Timer.__new__(Timer)
        timer.when = when
        timer.item = item
        timer.pending = True
        timer.timers = self
        with cython.critical_section(self):
            timer.serial = self.serial
            self.serial += 1
            self.heap.append(timer)
            self.rise(len(self.heap) - 1)
        return timer

    def next(self):
        """When the earliest falls due, or None if there is none."""
        cdef double when = self.earliest()
        return None if when == INFINITY and not len(self) else when

    cdef double earliest(self) noexcept:
        """`next()`, or infinity."""
        cdef double when
        cdef Timer dropped
        while True:
            when = INFINITY
            dropped = None
            with cython.critical_section(self):
                if len(self.heap) > 0:
                    if self.at(0).pending:
                        when = self.at(0).when
                    else:
                        try:
                            dropped = self.remove_first()
                        except MemoryError:
                            when = self.at(0).when
            if dropped is None:
                return when

    def pop_due(self, double now, Py_ssize_t at_most=PY_SSIZE_T_MAX):
        """A list of the items due at `now` or before, the earliest first, `at_most` so many; they are taken out."""
        cdef list due = []
        cdef Timer timer
        cdef Py_ssize_t i
        try:
            with cython.critical_section(self):
                while self.heap and len(due) < at_most and (self.at(0).when <= now or not self.at(0).pending):
                    timer = self.at(0)
                    if timer.pending:
                        due.append(timer)       # first: this may fail
                    self.remove_first()
                    timer.pending = False
        except MemoryError:
            if due and (<Timer>due[len(due) - 1]).pending:
                due.pop()
            if not due:
                raise
        for i in range(len(due)):
            due[i] = self.emptied(<Timer>due[i])
        return due

    cdef void show_or_hide_all(self, bint seen) noexcept:
        """Have the collector see the timers, or not."""
        cdef Py_ssize_t i
        with cython.critical_section(self):
            show_or_hide(<PyObject *>self.heap, seen)
            for i in range(len(self.heap)):
                show_or_hide(peek(self.heap, i), seen)

    cdef bint leads(self, Timer timer) noexcept:
        """Whether `timer` is the next to fall due."""
        cdef bint first
        with cython.critical_section(self):
            first = len(self.heap) > 0 and self.at(0) is timer
        return first

    cdef object emptied(self, Timer timer):
        item, timer.item = timer.item, None
        return item

    cdef bint cancel(self, Timer timer):
        cdef object item = None
        cdef list dropped = None
        cdef bint was_pending, crowded
        with cython.critical_section(self):
            was_pending = timer.pending
            if was_pending:
                timer.pending = False
                item = timer.item
                timer.item = None
                self.cancelled += 1
            crowded = self.cancelled > 32 and self.cancelled * 2 > len(self.heap)
        if crowded:
            try:
                dropped = self.without_cancelled()
            except MemoryError:
                pass    # the next will try
        return was_pending

    cdef list without_cancelled(self):
        """Rebuild the heap of what is pending; returns the old one, to be dropped outside."""
        cdef list pending = []
        cdef list old
        cdef Py_ssize_t i
        with cython.critical_section(self):
            old = self.heap
            for timer in old:
                if (<Timer>timer).pending:
                    pending.append(timer)
            self.heap = pending
            self.cancelled = 0
            for i in range(len(pending) // 2 - 1, -1, -1):
                self.sink(i)
        return old

    # -- the heap, inside the section ----------------------------------------------------------------------

    cdef Timer at(self, Py_ssize_t i):
        return <Timer><object>peek(self.heap, i)

    cdef bint before(self, Py_ssize_t i, Py_ssize_t j) noexcept:
        cdef Timer a = self.at(i), b = self.at(j)
        return a.when < b.when or (a.when == b.when and a.serial < b.serial)

    cdef void swap(self, Py_ssize_t i, Py_ssize_t j) noexcept:
        cdef PyObject *item = peek(self.heap, i)
        put(self.heap, i, peek(self.heap, j))
        put(self.heap, j, item)

    cdef void rise(self, Py_ssize_t i) noexcept:
        while i > 0 and self.before(i, (i - 1) // 2):
            self.swap(i, (i - 1) // 2)
            i = (i - 1) // 2

    cdef void sink(self, Py_ssize_t i) noexcept:
        cdef Py_ssize_t n = len(self.heap), child
        while True:
            child = 2 * i + 1
            if child >= n:
                return
            if child + 1 < n and self.before(child + 1, child):
                child += 1
            if not self.before(child, i):
                return
            self.swap(i, child)
            i = child

    cdef Timer remove_first(self):
        cdef Timer first
        self.swap(0, len(self.heap) - 1)
        try:
            first = self.heap.pop()
        except MemoryError:     # for a smaller list: it stays as it is
            self.swap(0, len(self.heap) - 1)
            raise
        self.sink(0)
        if not first.pending:
            self.cancelled -= 1
        return first
