"""Futures that end, on any thread, for a coroutine that takes them as they come."""


@cython.final
@cython.no_gc_clear
cdef class Arrivals(DoneHook):
    """Which of `most` futures have ended, in that order, and have not been taken.

    The loop is woken only while somebody waits there, and once for all that have ended until it looks.
    """
    cdef list places            # section(self), as is the rest: [:count] are those that ended; None once it is closed
    cdef Py_ssize_t count
    cdef Py_ssize_t taken
    cdef bint wanted            # somebody waits
    cdef object loop
    cdef object waiter          # an asyncio future, of the loop's thread alone

    def __cinit__(self, loop, Py_ssize_t most):
        self.places = [None] * most     # now: later, nothing takes memory
        self.loop = loop

    def watch(self, future):
        """Take note of it when `future` ends, or now if it has. Returns False, and does not, if it is none of ours."""
        if not isinstance(future, FutureCore):
            return False
        if not subscribe(<FutureCore>future, self):
            self.note(future)
        return True

    def forget(self, future):
        """Do without `future`. Returns False if it is none of ours: nothing is done."""
        if not isinstance(future, FutureCore):
            return False
        unsubscribe(<FutureCore>future, self)
        return True

    def note(self, future):
        """`future` has ended. May be called on any thread."""
        cdef object loop = None
        cdef bint wanted = False
        with cython.critical_section(self):
            if self.places is not None and self.count < len(self.places):
                set_item(self.places, self.count, future)
                self.count += 1
                wanted = self.wanted
                self.wanted = False
                loop = self.loop
        if wanted:
            try:
                loop.call_soon_threadsafe(self.rouse)
            except MemoryError:
                with cython.critical_section(self):
                    self.wanted = True      # whatever ends next tries again
            except RuntimeError:    # the loop is closed
                pass

    cdef void delegate_done(self, object future, Delivery *delivery) noexcept:
        enter_user_code()
        try:
            self.note(future)
        except BaseException as error:
            report(futures_logger, "exception telling a loop of %r", (future,), error)
        finally:
            leave_user_code()

    # -- on the thread of the loop -----------------------------------------------------------------------------------

    def take(self):
        """A new list of those that have ended since the last call."""
        cdef list found = []
        cdef Py_ssize_t count
        with cython.critical_section(self):
            count = self.count
        while self.taken < count:
            found.append(self.places[self.taken])
            self.places[self.taken] = None
            self.taken += 1
        return found

    def wait(self):
        """An asyncio future that is done once there is something to take, or `rouse` was called."""
        cdef bint is_there
        if self.waiter is not None and not self.waiter.done():
            raise RuntimeError("another coroutine waits for the next of these futures already")
        self.waiter = waiter = self.loop.create_future()
        with cython.critical_section(self):
            is_there = self.count > self.taken
            self.wanted = not is_there
        if is_there:
            self.rouse()
        return waiter

    def rouse(self):
        """End the wait."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def close(self):
        """Take note of nothing any more."""
        cdef object places, loop
        with cython.critical_section(self):
            places, loop = self.places, self.loop
            self.places = self.loop = None
            self.wanted = False
            self.count = self.taken = 0
