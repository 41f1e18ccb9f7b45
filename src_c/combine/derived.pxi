"""Futures made from one other future, without an executor."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class Shield(Task):
    """Ends as its input does, and cannot be cancelled."""

    cdef FutureCore upstream(self, bint cancelling):
        return None if cancelling else Task.upstream(self, False)

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        return 0


def mapped(FutureSource future_source not None, source, fn, error_fn, bint flat):
    """A future of `fn(result)` or `error_fn(exception)` of `source`, either of which may be None; see MapTask."""
    return derived(future_source, map_task(fn, error_fn, flat), new_future(), source)


def shielded(FutureSource future_source not None, source):
    """A future that ends as `source` does; its `cancel()` always says no."""
    return derived(future_source, Shield.__new__(Shield), new_future(), source)


def passed_on(FutureSource future_source not None, FutureCore future not None, source):
    """Have `future`, a new one, end as `source` does, and cancel what that is; returns it."""
    return derived(future_source, Task.__new__(Task), future, source)


cdef FutureCore derived(FutureSource future_source, Task task, FutureCore future, object source):
    future_source.tie(task, future)
    future_source.counters.begin()
    try:
        follow(task, source, NULL)
    except BaseException:
        future_source.retract(future)
        raise
    return future


# -- somebody else's futures ---------------------------------------------------------------------------------------


@cython.final
@cython.internal
cdef class Counting(DoneHook):
    """Counts how a future ends that somebody else made."""
    cdef FutureSource future_source
    cdef double began

    cdef void delegate_ended(self, object future, State state, object value, Delivery *delivery) noexcept:
        self.future_source.counters.end(state, coarse_now() - self.began)

    cdef void lost(self) noexcept:
        self.delegate_ended(None, CANCELLED_AND_NOTIFIED, None, NULL)


def counted(FutureSource future_source not None, future):
    """Have `future_source` count `future`, a new one; returns it. It is not counted if there is no memory for that."""
    cdef Counting hook
    try:
        hook = Counting.__new__(Counting)
        hook.future_source = future_source
        hook.began = coarse_now()
        hook_onto(hook, future, NULL)
        future_source.counters.begin()
    except MemoryError:
        pass
    return future
