"""What an executor's thread does when it wakes, up to the work itself: as little as can be."""


def next_turn(waker, seconds, reference):
    """Sleep on `waker` for so long, then call `_run_once` of what `reference` refers to, weakly; None if it is gone.

    Nothing of this refers to the executor while it sleeps.
    """
    cdef object executor
    waker.wait(seconds)
    executor = reference()
    return None if executor is None else executor._run_once()


def run_once(self):
    """The `_run_once` of a ThreadedExecutor."""
    cdef TaskTable table = self._table
    if table.is_open() or not self._is_over():
        return after_turn(self, table, self._work())
    self._end_itself()
    return None


cdef object after_turn(object executor, TaskTable table, object seconds):
    """What `_run_once` is to return, after a turn that returned `seconds`."""
    if table.is_open() or not executor._is_over():
        return INFINITY if seconds is None else seconds
    executor._end_itself()
    return None
