"""The calls that wait to be sent to other processes."""

from collections import deque
from sys import getsizeof


@cython.final
cdef class RemoteCalls(FutureSource):
    """Calls that any worker may make. They are put here by any thread, and taken by one.

    `waker` is that of who sends them: it is set for any call if that `is_waiting`, else if there are `enough`.
    """
    cdef public object waiting          # a deque of RemoteCalls
    cdef readonly Waker waker
    cdef public SharedByte is_waiting
    cdef public SharedByte is_closed    # nothing can be sent: `submit` of the delegate knows why
    cdef public SharedSize enough
    cdef object take_back

    def __cinit__(self, logger, Waker waker not None, Py_ssize_t enough, take_back):
        """`take_back(call)` is called with one that came as this was closed; it may raise an error."""
        self.waiting = deque()
        self.waker = waker
        self.is_waiting = True
        self.enough = enough
        self.take_back = take_back

    def put(self, RemoteCall call not None):
        """Have `call` sent soon. Raises what `take_back` does."""
        self.add(call)

    cdef int add(self, RemoteCall call) except -1:
        self.waiting.append(call)
        if self.is_closed:      # since just now: whoever fails what waits may have been before this
            self.take_back(call)
        if self.is_waiting or len(self.waiting) >= self.enough:
            self.waker.set()
        return 0

    cdef object take_in(self, object executor, object otherwise, object fn, tuple args, dict kwargs):
        """What is of the type `otherwise` is for the executor's own `submit`, as is all when this is closed."""
        cdef RemoteCall call
        if self.is_closed or type(fn) is otherwise:
            return executor.submit(fn, *args, **kwargs)
        call = new_call(fn, args, kwargs)
        self.add(call)
        return call.future

    def submit(self, fn, tuple args not None, dict kwargs not None):
        """Have `fn(*args, **kwargs)` sent soon; returns a future, which is counted. Raises what `take_back` does."""
        cdef RemoteCall call = new_call(fn, args, kwargs)
        cdef Counting hook = Counting.__new__(Counting)
        hook.future_source = self
        hook.began = coarse_now()
        hide(<PyObject *>hook)
        subscribe(<FutureCore>call.future, hook)
        self.counters.begin()
        try:
            self.add(call)
        except BaseException:
            self.retract(<FutureCore>call.future)
            raise
        return call.future

    def pack(self, list sent not None, CallRuns runs not None, dict places not None, plain, Py_ssize_t most,
             Py_ssize_t most_bytes, list cancelled not None):
        """Take calls, and add each to `runs`; the place of its function is in `places`, by `id`.

        Until so many are `sent`, or they have so many bytes, or there is one whose function has no place, or whose
        arguments are not `plain`: that waits. They are running from now on; those that were cancelled are in
        `cancelled`. Returns how many bytes there are.
        """
        cdef Py_ssize_t size = 0, i = 0
        cdef RemoteCall call
        cdef object known = None, place = None      # the function of the call before, and where it is
        while len(sent) < most and size < most_bytes:
            call = None
            try:
                call = self.waiting.popleft()
            except IndexError:
                pass
            if call is None:
                break
            if call.fn is not known:
                known, place = call.fn, places.get(<size_t><PyObject *>call.fn)
            if place is None or call.kwargs or not are_plain(call.args, plain):
                self.waiting.appendleft(call)
                break
            if not call.begin():
                cancelled.append(call)
                continue
            size += size_of(call.args)
            runs.append(place, <tuple>call.args)
            sent.append(call)
            i += 1
            yield_gil_at(i)
        return size


cdef RemoteCall new_call(object fn, tuple args, dict kwargs):
    cdef RemoteCall call = RemoteCall.__new__(RemoteCall)
    cdef FutureCore future = new_future()
    hide(<PyObject *>future)    # see RemoteCall
    call.future = future
    call.fn = fn
    call.args = args
    call.kwargs = kwargs
    return call


cdef bint are_plain(tuple args, plain) except -1:
    for argument in args:
        if type(argument) not in plain:
            return False
    return True


cdef Py_ssize_t size_of(tuple args) except -1:
    """About so many bytes."""
    cdef Py_ssize_t size = 0
    for argument in args:
        size += getsizeof(argument) if type(argument) is str or type(argument) is bytes else 32
    return size
