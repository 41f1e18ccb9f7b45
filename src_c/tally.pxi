"""What an executor has done so far, counted where it happens and read when somebody asks."""


@cython.final
cdef class Tally:
    """How many futures were made, how they ended, and what else an executor of some kind counts.

    `seconds` sums, over all that are done, the time from their creation to their end, by the coarse clock.
    section(tally) guards all of it. A reader sees each figure right, if not all of the same moment.
    """
    cdef readonly Py_ssize_t started
    cdef readonly Py_ssize_t finished
    cdef readonly Py_ssize_t failed
    cdef readonly Py_ssize_t cancelled
    cdef readonly double seconds
    cdef readonly Py_ssize_t calls          # of a poll function
    cdef readonly Py_ssize_t call_errors
    cdef readonly double call_seconds
    cdef readonly Py_ssize_t retries
    cdef readonly double retry_seconds      # between attempts
    cdef readonly Py_ssize_t cancels        # that worked, of those which the executor tried by itself

    @property
    def pending(self):
        """How many are not done."""
        cdef Py_ssize_t pending
        with cython.critical_section(self):
            pending = self.started - self.finished - self.failed - self.cancelled
        return pending

    cdef void begin(self) noexcept:
        with cython.critical_section(self):
            self.started += 1

    cdef void retract(self) noexcept:
        """One that was counted as cancelled was none: nobody was given it."""
        with cython.critical_section(self):
            self.started -= 1
            self.cancelled -= 1

    cdef void end(self, State state, double seconds) noexcept:
        with cython.critical_section(self):
            if state == RESULT:
                self.finished += 1
            elif state == ERROR:
                self.failed += 1
            else:
                self.cancelled += 1
            self.seconds += seconds

    def count_call(self, double seconds, bint failed):
        """Count a call of the poll function."""
        with cython.critical_section(self):
            self.calls += 1
            self.call_errors += failed
            self.call_seconds += seconds

    def count_cancels(self, Py_ssize_t cancels=1):
        """Count cancels that the executor tried by itself, and that worked."""
        with cython.critical_section(self):
            self.cancels += cancels

    cdef void count_pause(self, double seconds) noexcept:
        with cython.critical_section(self):
            self.retry_seconds += seconds

    cdef void count_retry(self) noexcept:
        with cython.critical_section(self):
            self.retries += 1

    def __repr__(self):
        return (f"<Tally started={self.started} finished={self.finished} failed={self.failed}"
                f" cancelled={self.cancelled} seconds={self.seconds:.3f}>")


cdef class Origin:
    """Where futures come from: it counts them, and says where errors around them are logged."""
    cdef readonly object logger
    cdef readonly Tally tally

    def __cinit__(self, logger, *args, **kwargs):
        self.logger = logger
        self.tally = Tally()

    def run(self, fn, tuple args not None, dict kwargs not None):
        """Call `fn(*args, **kwargs)`; returns a future that ended so. Only an Exception is caught."""
        cdef double began = coarse_now()
        try:
            return self.ended(RESULT, fn(*args, **kwargs), began)
        except Exception as error:
            return self.ended(ERROR, without_our_frames(error), began)

    def done(self, result):
        """A future that has `result` already."""
        return self.ended(RESULT, result, coarse_now())

    def failed(self, error):
        """A future that has failed already with `error`, an instance or a class. TypeError if it is neither."""
        return self.ended(ERROR, as_exception("f_return_error", error), coarse_now())

    def cancelled(self):
        """A future that is cancelled already."""
        return self.ended(CANCELLED_AND_NOTIFIED, None, coarse_now())

    cdef FutureCore ended(self, State state, object outcome, double began):
        cdef FutureCore future = new_future()
        future.outcome = outcome
        future.state = state
        self.tally.begin()
        self.tally.end(state, coarse_now() - began)
        return future

    cdef void tie(self, Task task, FutureCore future) noexcept:
        """Tie `task` to `future`, which is new: nobody has seen either."""
        task.future = future
        task.origin = self
        task.started = coarse_now()
        task.thread = PyThread_get_thread_ident()
        future.task = task

    cdef void leave(self, Task task, State state) noexcept:
        """The future of `task` is done: called once, by the winner."""
        self.tally.end(state, coarse_now() - task.started)
