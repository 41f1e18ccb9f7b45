"""Futures that end, on any thread, for a thread that takes them as they come, many at a time."""


@cython.final
@cython.no_gc_clear
cdef class Completions(DoneHook):
    """Gives futures as they are done, in lists: of all that have ended since the last one was taken.

        for batch in Completions(executor.adopt_many(ids)):
            for future in batch:
                print(future.result())

    It is an iterator: the next list, never an empty one, comes as soon as a future is done, and the last one when all
    are. `add` may be called at any time, from any thread, also during the iteration. One thread at a time may take
    lists. A future costs some tenths of a microsecond in all, and a thread is woken once for all that end until it
    looks: it is for programs with very many futures, which else would have a callback for each.
    """
    cdef list places            # section(self), as is the rest: a ring of those that have ended
    cdef Py_ssize_t first       # the place of the first of them
    cdef Py_ssize_t ready       # so many
    cdef SharedSize pending     # so many may follow
    cdef Waker waker

    def __cinit__(self, *args, **kwargs):
        self.places = []
        self.waker = Waker()

    def __init__(self, futures=()):
        """Make it, and `add` the futures."""
        self.add(futures)

    def add(self, futures):
        """Give these, too, when they are done; one that is given to it twice, twice. Futures may be anybody's.

        Raises TypeError if `futures` is no iterable of futures; then none is added. And what `add_done_callback` of
        somebody else's futures raises; then those before are added.
        """
        cdef list found = list(iterated("futures", futures, "futures"))
        cdef Py_ssize_t i
        for i in range(len(found)):
            check_future("Completions are of futures, not of", found[i])
            yield_gil_at(i)
        self.make_room(len(found))
        i = 0
        try:
            while i < len(found):
                future = found[i]
                if not isinstance(future, FutureCore):
                    future.add_done_callback(self.note)
                elif not subscribe(<FutureCore>future, self):
                    self.note_end(future)
                i += 1
                yield_gil_at(i)
        except BaseException:
            with cython.critical_section(self):
                self.pending -= len(found) - i      # nobody is to wait for those
            raise

    def __len__(self):
        """How many futures have not been taken, done or not."""
        cdef Py_ssize_t count
        with cython.critical_section(self):
            count = self.ready + self.pending
        return count

    def __bool__(self):
        """Whether there are any."""
        return len(self) > 0

    __class_getitem__ = classmethod(types.GenericAlias)

    def __reduce_ex__(self, protocol):
        raise TypeError("a Completions cannot be copied or pickled: share it, or send results of futures")

    def __iter__(self):
        return self

    def __next__(self):
        cdef list found
        while len(self) > 0:
            found = self.take()
            if found:
                return found
        raise StopIteration

    def take(self, timeout=None):
        """A new list of the futures that have ended since the last one; waits until there is one.

        It waits for `timeout` seconds at most, None is for as long as it takes, and then returns an empty list. With 0
        it does not wait. Raises TypeError if that is no number.
        """
        cdef double seconds = seconds_or_forever(timeout)
        cdef double deadline = 0.0 if seconds <= 0.0 else monotonic() + seconds
        cdef list found = self.taken()
        while not found and seconds != 0.0 and self.waker.wait(None if seconds < 0.0 else seconds):
            found = self.taken()
            if seconds > 0.0:
                seconds = max(0.0, deadline - monotonic())
        return found

    def note(self, future):
        """`future`, which was added, has ended."""
        self.note_end(future)

    cdef int note_end(self, object future) except -1:
        cdef bint noted
        with cython.critical_section(self):
            noted = self.pending > 0    # else somebody's future calls back twice
            if noted:
                set_item(self.places, (self.first + self.ready) % len(self.places), future)
                self.ready += 1
                self.pending -= 1
        if noted:
            self.waker.set()
        return 0

    cdef void delegate_done(self, object future, Delivery *delivery) noexcept:
        enter_user_code()
        try:
            self.note_end(future)
        except BaseException as error:
            report(futures_logger, "exception noting the end of %r", (future,), error)
        finally:
            leave_user_code()

    cdef list taken(self):
        cdef list found = [None] * self.ready
        cdef Py_ssize_t i, count = len(found)
        with cython.critical_section(self):
            for i in range(count):      # one thread takes: there are as many by now
                set_item(found, i, <object>peek(self.places, self.first))
                set_item(self.places, self.first, None)
                self.first = (self.first + 1) % len(self.places)
            self.ready -= count
        return found

    cdef int make_room(self, Py_ssize_t more) except -1:
        """Expect so many more: later, nothing takes memory."""
        cdef list fresh = None
        cdef Py_ssize_t i, used, wanted = 0
        while True:
            with cython.critical_section(self):
                used = self.ready + self.pending + more
                if used > len(self.places) and fresh is not None and used <= len(fresh):
                    for i in range(self.ready):
                        set_item(fresh, i, <object>peek(self.places, (self.first + i) % len(self.places)))
                    self.places, fresh = fresh, self.places
                    self.first = 0
                if used <= len(self.places):
                    self.pending += more
                    wanted = 0
                else:
                    wanted = used
            if wanted == 0:
                return 0
            fresh = [None] * (wanted + (wanted >> 1) + 16)
