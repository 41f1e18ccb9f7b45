"""What ``concurrent.futures.wait`` and ``as_completed`` reach into a future for, made only when they do."""


class FutureCondition(RLock):
    """The ``_condition`` of a future, with its ``_waiters``: a re-entrant lock that can do the rest on demand.

    Whoever holds it sees no transition of the future: that is how the standard library looks at many futures
    at once. It is a lock at the price of a lock; the queue of a real ``threading.Condition`` is made when
    somebody waits on it.
    """
    __slots__ = ("_queue", "waiters")

    def __init__(self):
        self._queue = None
        self.waiters = []

    def _condition(self):
        if self._queue is None:
            self._queue = threading.Condition(self)
        return self._queue

    def wait(self, timeout=None):
        return self._condition().wait(timeout)

    def wait_for(self, predicate, timeout=None):
        return self._condition().wait_for(predicate, timeout)

    def notify(self, n=1):
        if self._queue is not None:
            self._queue.notify(n)

    def notify_all(self):
        if self._queue is not None:
            self._queue.notify_all()
