"""Not too many at a time: calls that queue until there is room with the delegate."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class QueuedThread:
    """A thread that stands in line, in `submit`, for room; section(table) guards its neighbours."""
    cdef Waker waker
    cdef QueuedThread ahead
    cdef QueuedThread behind
    cdef bint in_line

    def __cinit__(self):
        self.waker = Waker()


@cython.final
cdef class ThrottleTable(TwoStageTable):
    """A table in whose first list calls queue, in order; those in the second are with the delegate.

    With `blocking`, threads wait in line in `submit` while as many are outstanding as `limit()` allows: first come,
    first served, and the first is woken the moment one leaves. If `counts_change`, so is the waker when the delegate
    has none any more.
    """
    cdef bint blocking
    cdef bint counts_change
    cdef QueuedThread first        # section(self): the line
    cdef QueuedThread last
    cdef set threads        # in line; each puts in and takes out its own number

    def __cinit__(self, logger, bint blocking, bint counts_change):
        self.threads = set()
        self.blocking = blocking
        self.counts_change = counts_change

    @property
    def waiting(self):
        """How many wait for room with the delegate."""
        return self.first_stage.count

    @property
    def with_delegate(self):
        """How many the delegate has."""
        return self.second_stage.count

    cpdef FutureCore submit_later(self, executor, limit, fn, tuple args, dict kwargs):
        """Have `fn(*args, **kwargs)` called when there is room; returns a future.

        `limit()` says how many may be outstanding, None for any number: it is asked if the table blocks, with nothing
        held, before each look. Raises RuntimeError after `close`, also in a thread that waits in line then, and where
        it would wait in line on a thread that does already, as a signal handler may.
        """
        cdef DeferredTask task = DeferredTask.__new__(DeferredTask)
        cdef FutureCore future
        task.set_call(fn, args, kwargs)
        task.phase = WAITING
        future = self.admit_in_line(task, executor, limit) if self.blocking else self.admit(task, executor)
        self.waker.set()
        return future

    cdef object take_in(self, object executor, object limit, object fn, tuple args, dict kwargs):
        return self.submit_later(executor, limit, fn, args, kwargs)

    def start_all(self, limit, delegate):
        """`start_next` again and again, until it is False."""
        cdef Py_ssize_t started = 0
        while self.start_next(limit, delegate):
            started += 1
            yield_gil_at(started)

    cpdef bint start_next(self, limit, delegate) except -1:
        """Have `delegate` make the call that is first in the queue: False if none is, or it has `limit` already."""
        cdef Py_ssize_t most = as_limit(limit)
        cdef Task task = None
        with cython.critical_section(self):
            if self.second_stage.count < most:
                task = self.first_stage.first()
                if task is not None:
                    self.move_on(task)
        if task is None:
            return False
        (<DeferredTask>task).launch(delegate)
        return True

    def close(self, str reason not None):
        cdef bint first = TaskTable.close(self, reason)
        self.look_again()
        return first

    cpdef void look_again(self) noexcept:
        """There may be room: let the first in line see. It passes that on when it leaves the line."""
        cdef QueuedThread first
        with cython.critical_section(self):
            first = self.first
        if first is not None:
            first.waker.set()

    cdef FutureCore admit_in_line(self, DeferredTask task, object executor, object limit):
        """`admit`, once fewer than `limit()` are outstanding and nobody stands ahead."""
        cdef FutureCore future = new_future()
        cdef QueuedThread place = QueuedThread()
        cdef object refusal
        cdef Py_ssize_t most
        cdef bint entered = False, is_full = False, stuck = False
        cdef object me = get_ident()
        cdef bint waits_already = me in self.threads
        self.tie(task, future)
        try:
            while not entered:
                most = as_limit(limit())
                with cython.critical_section(self):
                    refusal = self.refusal
                    is_full = self.is_full()
                    if refusal is None:
                        if self.count < most and (self.first is None or self.first is place):
                            entered = not is_full
                            if entered:
                                self.enter(task, executor)
                        else:
                            is_full = False
                            if not place.in_line:
                                stuck = waits_already
                                if not stuck:
                                    self.stand_in_line(place)
                if refusal is not None:
                    raise RuntimeError(refusal)
                if stuck:
                    raise RuntimeError("submit: there is no room, and this thread waits for it already")
                if is_full:
                    self.make_room()
                elif not entered:
                    self.threads.add(me)
                    place.waker.wait()
        finally:
            if place.in_line:
                self.threads.discard(me)
                with cython.critical_section(self):
                    self.step_out(place)
                self.look_again()
            if not entered:
                future.outcome = None
        self.counters.begin()
        return future

    cdef void stand_in_line(self, QueuedThread place) noexcept:
        place.in_line = True
        place.ahead = self.last
        if self.last is None:
            self.first = place
        else:
            self.last.behind = place
        self.last = place

    cdef void step_out(self, QueuedThread place) noexcept:
        if place.ahead is None:
            self.first = place.behind
        else:
            place.ahead.behind = place.behind
        if place.behind is None:
            self.last = place.ahead
        else:
            place.behind.ahead = place.ahead
        place.ahead = place.behind = None

    cdef void leave(self, Task task, State state) noexcept:
        TaskTable.leave(self, task, state)
        if self.first_stage.count > 0 or (self.counts_change and self.second_stage.count == 0):
            self.waker.set()
        if self.blocking:
            self.look_again()


cdef Py_ssize_t as_limit(object limit) except? -1:
    """How many, None being any number."""
    return PY_SSIZE_T_MAX if limit is None or limit >= PY_SSIZE_T_MAX else limit
