"""What an executor has done so far, counted where it happens and read when somebody asks."""


cdef struct Figures:
    Py_ssize_t started
    Py_ssize_t finished
    Py_ssize_t failed
    Py_ssize_t cancelled
    double seconds          # from creation to end, by the coarse clock
    Py_ssize_t calls        # of a poll function
    Py_ssize_t call_errors
    double call_seconds
    Py_ssize_t retries
    double retry_seconds    # between attempts
    Py_ssize_t cancels      # that worked, of those which the executor tried by itself


@cython.final
cdef class Counters:
    """How many futures were made, how they ended, and what else an executor of some kind counts."""
    cdef Share shares[SHARES]   # by who holds each: of every future
    cdef Figures figures        # section(self): all else

    cdef Figures read(self) noexcept:
        """All of them; how many futures began and ended, as it is at one moment."""
        cdef Figures figures
        cdef Share *share
        cdef int i
        with cython.critical_section(self):
            figures = self.figures
        for i in range(SHARES):
            hold_share(&self.shares[i])
        for i in range(SHARES):
            share = &self.shares[i]
            figures.started += share.started
            figures.finished += share.finished
            figures.failed += share.failed
            figures.cancelled += share.cancelled
            figures.seconds += share.seconds + <double>share.ticks / TICKS_PER_SECOND
        for i in range(SHARES):
            release_share(&self.shares[i])
        return figures

    @property
    def pending(self):
        """How many are not done."""
        cdef Figures now = self.read()
        return now.started - now.finished - now.failed - now.cancelled

    cdef Py_ssize_t done(self) noexcept:
        """How many are done."""
        cdef Figures now = self.read()
        return now.finished + now.failed + now.cancelled

    cdef void begin(self) noexcept:
        cdef Share *share = &self.shares[share_here()]
        hold_share(share)
        share.started += 1
        release_share(share)

    cdef void retract(self) noexcept:
        """One that was counted as cancelled was none: nobody was given it."""
        cdef Share *share = &self.shares[share_here()]
        hold_share(share)
        share.started -= 1
        share.cancelled -= 1
        release_share(share)

    cdef void end(self, State state, double seconds) noexcept:
        """Count the end of a future that took so long."""
        cdef Share *share = &self.shares[share_here()]
        hold_share(share)
        count_end(share, state)
        share.seconds += seconds
        release_share(share)

    cdef void end_after(self, State state, unsigned int ticks) noexcept:
        """The same, by `coarse_ticks`."""
        cdef Share *share = &self.shares[share_here()]
        hold_share(share)
        count_end(share, state)
        share.ticks += ticks
        release_share(share)

    def count_call(self, double seconds, bint failed):
        """Count a call of the poll function."""
        with cython.critical_section(self):
            self.figures.calls += 1
            self.figures.call_errors += failed
            self.figures.call_seconds += seconds

    def count_cancels(self, Py_ssize_t cancels=1):
        """Count cancels that the executor tried by itself, and that worked."""
        with cython.critical_section(self):
            self.figures.cancels += cancels

    cdef void count_pause(self, double seconds) noexcept:
        with cython.critical_section(self):
            self.figures.retry_seconds += seconds

    cdef void count_retry(self) noexcept:
        with cython.critical_section(self):
            self.figures.retries += 1

    def __repr__(self):
        cdef Figures now = self.read()
        return (f"<Counters started={now.started} finished={now.finished} failed={now.failed}"
                f" cancelled={now.cancelled} seconds={now.seconds:.3f}>")

    @property
    def started(self):
        """How many futures were made."""
        return self.read().started

    @property
    def finished(self):
        """How many of them ended with a result."""
        return self.read().finished

    @property
    def failed(self):
        """How many ended with an exception."""
        return self.read().failed

    @property
    def cancelled(self):
        """How many ended cancelled."""
        return self.read().cancelled

    @property
    def seconds(self):
        """The time from creation to end, over all that are done."""
        return self.read().seconds

    @property
    def calls(self):
        """How many calls of the poll function there were."""
        return self.read().calls

    @property
    def call_errors(self):
        """How many of those raised."""
        return self.read().call_errors

    @property
    def call_seconds(self):
        """How long those took."""
        return self.read().call_seconds

    @property
    def retries(self):
        """How many attempts were not the first."""
        return self.read().retries

    @property
    def retry_seconds(self):
        """How long the pauses between attempts were."""
        return self.read().retry_seconds

    @property
    def cancels(self):
        """How many cancels worked, of those which the executor tried by itself."""
        return self.read().cancels


cdef inline void count_end(Share *share, State state) noexcept:
    if state == RESULT:
        share.finished += 1
    elif state == ERROR:
        share.failed += 1
    else:
        share.cancelled += 1
