"""What ``concurrent.futures.wait`` and ``as_completed`` reach into a future for, made only when they do.

They make a hundred thousand at once. So these take no part in garbage collection, which would look through everything
else for so many new objects; and they refer to nothing that could refer back to them: who is to be notified knows of
the future once it is notified, and is forgotten then.
"""

cdef extern from "pythread.h" nogil:
    ctypedef void *PyThread_type_lock
    ctypedef enum PyLockStatus:
        PY_LOCK_FAILURE
        PY_LOCK_ACQUIRED
        PY_LOCK_INTR
    PyThread_type_lock PyThread_allocate_lock()
    void PyThread_free_lock(PyThread_type_lock lock)
    PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock lock, long long microseconds, int interruptible)
    void PyThread_release_lock(PyThread_type_lock lock)

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1


@cython.final
@cython.no_gc
cdef class FutureCondition:
    """The ``_condition`` of a future: whoever holds it sees no transition of the future.

    It does what a `threading.Condition` with its re-entrant lock does, at the price of a lock.
    """
    cdef PyThread_type_lock lock    # held exactly while depth > 0
    cdef object green               # the lock in place of that, where threads are greenlets; or None
    cdef SharedThread owner         # of the lock, or 0; a thread that reads its own here has written it, and holds it
    cdef Py_ssize_t depth           # guarded by the lock, as is the queue
    cdef list queue                 # None, or a lock for each thread that waits to be notified; it sleeps on that
    cdef Waiter waiter              # section(future), then the winner's: the first of the blocked threads, or None
    cdef object watchers            # who wait()s for the future and is to be notified: None, one, or a tuple

    def __cinit__(self):
        if greenlets:
            self.green = allocate_lock()
            return
        self.lock = PyThread_allocate_lock()
        if self.lock is NULL:
            raise MemoryError("cannot allocate a lock")

    def __dealloc__(self):
        if self.lock is not NULL:
            PyThread_free_lock(self.lock)

    cdef int check_mine(self) except -1:
        if self.owner != this_thread():
            raise RuntimeError("cannot release, wait on or notify a condition that is not held")
        return 0

    def acquire(self, blocking=True, timeout=-1):
        """Hold it, once more if this thread does already. False if it could not be had in `timeout` seconds."""
        cdef ThreadId me = this_thread()
        if self.owner == me:
            self.depth += 1
            return True
        if not (self.take(blocking, timeout) if self.green is None else self.green.acquire(blocking, timeout)):
            return False
        self.owner = me
        self.depth = 1
        return True

    cdef bint take(self, bint blocking, object timeout) except -1:
        cdef PyLockStatus status
        cdef double deadline
        cdef long long microseconds
        status = PyThread_acquire_lock_timed(self.lock, 0, 0)
        if status != PY_LOCK_ACQUIRED and blocking:
            microseconds = -1 if timeout < 0 else <long long>(min(timeout, threading.TIMEOUT_MAX) * 1e6)
            deadline = monotonic() + timeout
            while True:
                with nogil:
                    status = PyThread_acquire_lock_timed(self.lock, microseconds, 1)
                if status != PY_LOCK_INTR:
                    break
                PyErr_CheckSignals()
                if microseconds >= 0:
                    microseconds = <long long>(max(0.0, deadline - monotonic()) * 1e6)
        return status == PY_LOCK_ACQUIRED

    cdef int let_go(self) except -1:
        if self.green is None:
            PyThread_release_lock(self.lock)
        else:
            self.green.release()
        return 0

    cdef int hold(self) except -1:
        """`acquire`, for whoever ends a future: where threads are no greenlets it cannot fail, nor be interrupted."""
        cdef ThreadId me = this_thread()
        if self.owner == me:
            self.depth += 1
            return 0
        if self.green is not None:
            self.green.acquire()
        elif PyThread_acquire_lock_timed(self.lock, 0, 0) != PY_LOCK_ACQUIRED:
            with nogil:
                PyThread_acquire_lock_timed(self.lock, -1, 0)
        self.owner = me
        self.depth = 1
        return 0

    cdef int unhold(self) except -1:
        """`release`, after `hold`."""
        self.depth -= 1
        if self.depth == 0:
            self.owner = 0
            self.let_go()
        return 0

    def release(self):
        """Let go, as often as it was acquired. Raises RuntimeError if this thread does not hold it."""
        self.check_mine()
        self.unhold()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *error):
        self.release()

    def wait(self, timeout=None):
        """Let go, sleep until notified or `timeout` seconds have passed, hold it again; whether it was notified."""
        cdef Py_ssize_t depth
        self.check_mine()
        sleep_lock = new_sleep_lock()
        if self.queue is None:
            self.queue = []
        self.queue.append(sleep_lock)
        depth = self.depth
        self.depth = 0
        self.owner = 0
        self.let_go()
        try:
            sleep_lock.acquire(True, seconds_or_forever(timeout))
        finally:
            self.acquire()
            self.depth = depth
            notified = self.queue is None or sleep_lock not in self.queue
            if not notified:
                self.queue.remove(sleep_lock)
        return notified

    def wait_for(self, predicate, timeout=None):
        """`wait` until `predicate()` is true, or `timeout` seconds have passed; its last value."""
        deadline = None if timeout is None else monotonic() + timeout
        while not (answer := predicate()):
            left = None if deadline is None else deadline - monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
        return answer

    def notify(self, n=1):
        """Wake the first `n` of those who wait."""
        self.check_mine()
        if self.queue is not None:
            awake = self.queue[:n]
            del self.queue[:n]
            for sleep_lock in awake:
                sleep_lock.release()

    def notify_all(self):
        """Wake all who wait."""
        self.check_mine()
        self.wake_all()

    cdef void wake_all(self) noexcept:
        if self.queue is not None:
            for sleep_lock in self.queue:
                sleep_lock.release()
            self.queue = None

    def _at_fork_reinit(self):
        """In a forked child: nobody holds it, whoever held it in the parent."""
        if greenlets:
            self.green = allocate_lock()
        else:
            self.lock = PyThread_allocate_lock()
        self.owner = 0
        self.depth = 0
        self.queue = self.watchers = None


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class WaiterList:
    """The ``_waiters`` of a future, as much of a list as is needed: made for one look, and then dropped."""
    cdef FutureCore future
    cdef FutureCondition condition

    cdef tuple all(self):
        watchers = self.condition.watchers
        if type(watchers) is tuple:
            return watchers
        return () if watchers is None else (watchers,)

    cdef void keep(self, tuple watchers):
        if len(watchers) == 1 and type(watchers[0]) is not tuple:
            self.condition.watchers = watchers[0]
        else:
            self.condition.watchers = watchers or None

    def append(self, watcher):
        """Have `watcher` notified when the future is done; the caller holds the condition."""
        if self.condition.watchers is None and type(watcher) is not tuple:
            self.condition.watchers = watcher
        else:
            self.keep((*self.all(), watcher))

    def remove(self, watcher):
        """Take it out again. Raises ValueError if it is not there, unless the future is done: then it was notified."""
        if self.condition.watchers is watcher:
            self.condition.watchers = None
            return
        watchers = list(self.all())
        if watcher in watchers or self.future.state <= RUNNING:
            watchers.remove(watcher)
            self.keep(tuple(watchers))

    def __iter__(self):
        return iter(self.all())

    def __len__(self):
        return len(self.all())
