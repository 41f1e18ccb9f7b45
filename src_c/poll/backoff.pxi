"""How long until a task is polled again, the longer the longer it runs."""

import copyreg

from libc.math cimport pow
from libc.stdint cimport uint64_t

cdef SharedKey random_state = 0


cdef double random_unit() noexcept:
    """Between 0 and 1; for spreading things out, not for secrets. Threads that race here get numbers as good."""
    global random_state
    cdef uint64_t x = random_state
    if x == 0:
        x = <uint64_t>(coarse_now() * 1e6) | 1
    x ^= x >> 12
    x ^= x << 25
    x ^= x >> 27
    random_state = x
    return <double>((x * <uint64_t>0x2545F4914F6CDD1D) >> 11) * (1.0 / 9007199254740992.0)


cdef class Backoff:
    """Says how long to wait before a task is polled again: `initial` seconds, then `factor` times as long each time.

        PollExecutor(delegate, poll, schedule=Backoff(1.0, factor=1.5, maximum=60.0))

    Each delay is `initial * factor ** polls`, at most `maximum`, and then up to the share `jitter` of it shorter or
    longer, at random, so that tasks which began together do not stay together. It keeps nothing per task and may be
    shared by executors and threads. A subclass may override `delay`; this one costs some tens of nanoseconds.
    """
    cdef readonly double initial
    cdef readonly double factor
    cdef readonly double maximum
    cdef readonly double jitter

    def __init__(self, initial, factor=2.0, maximum=None, jitter=0.1):
        """Make it.

        Args:
            initial: seconds from the first poll to the second, more than 0.
            factor: by how much each delay is longer than the one before, at least 1.
            maximum: seconds of the longest delay, before the jitter, at least `initial`; by default 300, or `initial`
                if that is more.
            jitter: the share of a delay, from 0 to 1, that chance may add or take away.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        self.initial = number_within("initial", initial, 0.0)
        if self.initial == 0.0:
            raise ValueError(f"initial must be more than 0 s, not {shown(initial)}")
        self.factor = number_within("factor", factor, 1.0)
        self.maximum = max(300.0, self.initial) if maximum is None else number_within("maximum", maximum, self.initial)
        self.jitter = number_within("jitter", jitter, 0.0)
        if self.jitter > 1.0:
            raise ValueError(f"jitter must be from 0 to 1, not {shown(jitter)}")

    def delay(self, polls):
        """Seconds until the next poll, when the task has been polled `polls` times since its back-off began.

        The first delay is that for 0. Raises TypeError if `polls` is no int, ValueError if it is negative.
        """
        return self.after(checked_count("polls", polls, 0))

    cdef double after(self, double polls) noexcept:
        """`delay`, for those who have no other."""
        cdef double seconds = self.initial * pow(self.factor, polls)
        if not seconds < self.maximum:      # it may be infinite
            seconds = self.maximum
        return seconds * (1.0 + self.jitter * (2.0 * random_unit() - 1.0))

    def __reduce__(self):
        return copyreg.__newobj__, (type(self),), self.__getstate__()

    def __getstate__(self):
        return (self.initial, self.factor, self.maximum, self.jitter), getattr(self, "__dict__", None)

    def __setstate__(self, state):
        (self.initial, self.factor, self.maximum, self.jitter), more = state
        if more is not None:
            self.__dict__.update(more)

    def __repr__(self):
        return f"Backoff({self.initial}, factor={self.factor}, maximum={self.maximum}, jitter={self.jitter})"
