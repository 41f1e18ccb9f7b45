"""What a table of polled tasks is made with: the same, whichever way they are polled."""

CANCEL_LATER = object()


cdef double now_or_never() noexcept:
    """`monotonic()`, or a time long past if there is no memory for that."""
    cdef double now = -INFINITY
    try:
        now = monotonic()
    except MemoryError:
        pass
    return now


@cython.no_gc_clear
cdef class PollTableBase(TwoStageTable):
    """A table of tasks that are polled, as it is made.

    Cancelling:

    * `cancel_fn(result)`, or None, decides whether a polled task is cancelled. Instead of waiting, it may answer
      `CANCEL_LATER`: then `cancel_later(future)` is called, and the answer is no for now.
    * `cancel_in_turn(result)`, or None, is called instead from the first `pause` on: it waits until that is over.
    * `fault_of(error)`, or None, gets what `cancel_fn` raises; it returns what to log of that, or None.
    * `cancel_many(bulk)`, or None, decides about the several of a BulkCancel.
    * `cannot_wait(future)`, or None, says whether the calling thread must not wait for an answer that another one is
      finding out.

    Time:

    * A task is late `timeout` seconds after it joined, unless that is negative. It is handed out once more, and fails
      when that call is over, or `last_look` seconds later at the latest; with 0, it fails at once. `too_late(results,
      executor)`, or None, gets what failed so.
    * `group_by(result)`, or None, `schedule`, or None, and `spacing`, which gets the delays, are for a DueTable.

    Other:

    * Of a `recorder`, or None, `joined(key, result)` and `ended(key)` are called, for each task.
    * If it `counts_failures`, each task knows how many of its calls in a row have failed.
    * If what is submitted is `only_called`, the delegate awaits nothing.
    """
    cdef readonly object cancel_fn
    cdef readonly object cancel_many
    cdef readonly object cancel_in_turn
    cdef readonly object fault_of
    cdef readonly object cannot_wait
    cdef readonly object cancel_later
    cdef readonly Pause pause
    cdef readonly object recorder
    cdef readonly double timeout
    cdef readonly double last_look
    cdef readonly object too_late
    cdef readonly bint counts_failures
    cdef bint only_called
    cdef object group_by
    cdef object schedule
    cdef RoundSpacing spacing

    def __cinit__(self, logger, cancel_fn=None, cancel_many=None, *, cancel_in_turn=None, fault_of=None,
                  cannot_wait=None, cancel_later=None, Pause pause=None, recorder=None, double timeout=-1.0,
                  double last_look=0.0, too_late=None, bint counts_failures=False, bint only_called=False,
                  group_by=None, schedule=None, RoundSpacing spacing=None):
        self.cancel_fn = cancel_fn
        self.cancel_many = cancel_many
        self.cancel_in_turn = cancel_in_turn
        self.fault_of = fault_of
        self.cannot_wait = cannot_wait
        self.cancel_later = cancel_later
        self.pause = Pause() if pause is None else pause
        self.recorder = recorder
        self.timeout = timeout
        self.last_look = last_look
        self.too_late = too_late
        self.counts_failures = counts_failures
        self.only_called = only_called
        self.group_by = group_by
        self.schedule = schedule
        self.spacing = RoundSpacing(0.0, 0.0) if spacing is None else spacing
