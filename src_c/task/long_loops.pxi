"""Loops over all tasks, which let other threads run, and the lists that they fill and drop."""


cdef enum:
    YIELD_EVERY = 4096       # after so many tasks, the clock is looked at


cdef void yield_gil() noexcept:
    """Yield the GIL if this thread has not done so for twice as long as another one waits before it insists on it.

    Sooner, it would do harm. Who waits for the GIL is woken whenever it is given up, mostly finds that this thread has
    it again already, and begins to wait anew; only who has waited for `sys.getswitchinterval()` is sure to be next.
    """
    if is_time_to_yield(switch_interval()):
        with nogil:
            pass


cdef double switch_interval() noexcept:
    cdef double seconds = 0.005
    try:
        seconds = getswitchinterval()
    except MemoryError:
        pass
    return seconds


cdef void yield_gil_at(Py_ssize_t i) noexcept:
    """In a loop that is at `i`: `yield_gil` now and then."""
    if i % YIELD_EVERY == YIELD_EVERY - 1:
        yield_gil()


cdef void drop(list items) noexcept:
    """Empty a list of nobody else's, a piece at a time: each item may be the last reference to much."""
    while items:
        del items[-YIELD_EVERY:]
        yield_gil()


cdef list shortened(list items, Py_ssize_t count):
    """`items`, new, without what is missing from `count` on."""
    cdef Py_ssize_t i
    if count == len(items):
        return items
    for i in range(count, len(items)):
        count_up(<PyObject *>None)
        put(items, i, <PyObject *>None)
    del items[count:]
    return items
