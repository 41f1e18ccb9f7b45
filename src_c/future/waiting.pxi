"""How a thread sleeps: a Waiter until one future is done, a Waker until there is something to do."""


@cython.final
@cython.internal
@cython.no_gc
cdef class Waiter:
    """One thread blocked in ``result()`` or ``exception()``; it brings this along and takes it away again.

    The lock is a semaphore that starts at zero: the thread acquires it to sleep, the winner of the future
    releases it once. Waiters of one future form a list through ``following``, guarded by section(future).
    """
    cdef object lock
    cdef Waiter following

    def __cinit__(self):
        self.lock = new_sleep_lock()


cdef object new_sleep_lock():
    """A lock that is held: who acquires it sleeps, until another thread releases it."""
    check_threads()
    try:
        lock = allocate_lock()
    except RuntimeError as error:       # "can't allocate lock"
        raise MemoryError(str(error))
    lock.acquire()
    return lock


cdef double seconds_or_forever(object timeout) except? -2.0:
    """`timeout` as a lock's acquire takes it: seconds, 0.0 also for NaN, or -1.0 for ever."""
    cdef double seconds
    if timeout is None:
        return -1.0
    seconds = number_of("timeout", timeout)
    if not seconds > 0.0:
        return 0.0
    if seconds > threading.TIMEOUT_MAX:
        return -1.0
    return seconds


@cython.final
cdef class Waker:
    """Wakes the one thread that sleeps on it; a wake-up that comes while it is awake is not lost.

    `set` may be called from any thread, a garbage collection or a weak reference's callback: it takes no
    lock and never blocks. Any number of calls before the sleeper wakes are one.
    """
    cdef object lock        # locked exactly while `raised` is false
    cdef bint raised        # guarded by section(self)

    def __cinit__(self):
        self.lock = new_sleep_lock()

    cpdef void set(self) noexcept:
        """Wake the sleeper, or keep it from falling asleep. Cheap when it has been called already."""
        cdef bint first
        with cython.critical_section(self):
            first = not self.raised
            self.raised = True
        if first:
            self.lock.release()

    def wait(self, timeout=None):
        """Sleep until `set` is called or `timeout` seconds have passed (None or inf: for ever).

        Returns True if it was woken, and forgets the wake-up, False if the time was up.
        """
        cdef double seconds = seconds_or_forever(timeout)
        cdef bint woken
        if seconds == 0.0:
            woken = self.lock.acquire(False)
        else:
            woken = self.lock.acquire(True, seconds)
        if woken:
            with cython.critical_section(self):
                self.raised = False
        return woken
