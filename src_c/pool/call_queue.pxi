"""A thread pool: the queue of what was submitted, and the loop in which a worker makes the calls."""

from concurrent.futures import thread as standard_pool
from math import ceil
from queue import Empty

cdef object StandardPool = standard_pool.ThreadPoolExecutor


@cython.final
cdef class CallQueue(FutureSource):
    """The calls that wait for the workers of a pool, and how many workers they need.

    Nothing here takes a lock that a signal handler, or a destructor, could find held: all of it may be called there.
    """
    cdef object queue_of_calls
    cdef object put
    cdef object get
    cdef object given_most
    cdef Py_ssize_t most                        # workers
    cdef readonly SharedSize workers            # section(self): that have begun, or are about to
    cdef readonly SharedSize unfinished         # section(self): calls that wait, or go on
    cdef public SharedByte is_shut_down
    cdef SharedByte is_broken
    cdef object why_broken                      # section(self)

    def __cinit__(self, logger):
        self.why_broken = False

    @property
    def queue(self):
        """What keeps the calls, a `queue.SimpleQueue`, say; None before it is set."""
        return self.queue_of_calls

    @queue.setter
    def queue(self, queue):
        self.put = queue.put
        self.get = queue.get
        self.queue_of_calls = queue

    @property
    def max_workers(self):
        """How many workers there may be, as it was given."""
        return self.given_most

    @max_workers.setter
    def max_workers(self, number):
        self.most = PY_SSIZE_T_MAX if number >= PY_SSIZE_T_MAX else ceil(number)
        self.given_most = number

    @property
    def broken(self):
        """Why nothing can be submitted; false if it can."""
        cdef object why
        with cython.critical_section(self):
            why = self.why_broken
        return why

    @broken.setter
    def broken(self, why):
        cdef object before
        with cython.critical_section(self):
            before = self.why_broken
            self.why_broken = why
        self.is_broken = bool(why)

    cdef object take_in(self, object pool, object standard, object fn, tuple args, dict kwargs):
        """`standard` is the `submit` of the standard library's class, as long as no program has replaced that."""
        if standard is StandardPool.submit:
            return self.begin(pool, fn, args, kwargs)
        return pool.submit(fn, *args, **kwargs) if kwargs else pool.submit(fn, *args)

    def submit(self, pool, fn, tuple args not None, dict kwargs not None):
        """Have a worker call `fn(*args, **kwargs)`; returns a future. `pool._add_worker(place)` starts one if need be.

        Raises TypeError if `fn` is an `async def`, what says that `pool` takes no more, and RuntimeError if it has no
        worker, and can have none.
        """
        if is_async_def(fn):    # here only: an executor on top may know what to do with coroutines
            refuse_async(fn, "a thread pool")
        return self.begin(pool, fn, args, kwargs)

    cdef FutureCore begin(self, object pool, object fn, tuple args, dict kwargs):
        cdef PooledCall call
        cdef FutureCore future
        self.check_open(pool)
        call = PooledCall.__new__(PooledCall)
        future = new_future()
        call.phase = WAITING
        call.fn = fn
        call.args = args
        call.kwargs = kwargs or None
        self.tie(call, future)
        hide(<PyObject *>call)          # the garbage collector need not see them: they are alive until they are done
        hide(<PyObject *>future)
        self.counters.begin()
        self.begun()
        try:
            self.put(call)
            if self.reserve_worker():
                self.add_worker(pool._add_worker)
            self.check_open(pool)       # once more: else the last worker may have left before the call came
        except BaseException as error:
            if not self.recover(pool, call, error):
                raise
        return future

    cdef bint recover(self, object pool, PooledCall call, object error) except -1:
        """After a submit failed with `error`: whether a worker has the call, and the caller gets its future."""
        cdef bint is_mine = call.take()
        if is_mine:
            show(<PyObject *>call)      # it is in the queue still, and there may be no worker any more
            self.finished()
            self.retract((<Task>call).future)
        if not (self.workers or self.is_shut_down):     # who else submits may rely on the one that did not come
            try:
                if isinstance(error, Exception):
                    raise error
                if self.reserve_worker():
                    self.add_worker(pool._add_worker)
            except BaseException as failure:
                self.drop_calls(failure)
        return not is_mine and isinstance(error, Exception)

    def came(self, add_worker):
        """There is one more to make that was not submitted here: `add_worker(place)` starts a worker if need be."""
        self.begun()
        if self.reserve_worker():
            self.add_worker(add_worker)

    def fail_all(self, error):
        """Have the calls in the queue fail with `error`, or be cancelled if that is None."""
        self.drop_calls(error)

    def begin_anew_after_fork(self, queue, bint is_worker):
        """In a forked child: keep calls in `queue` from now on. Futures of those that wait are cancelled, quietly.

        `is_worker` says whether the thread that forked is one, in the midst of a call.
        """
        global in_forked_child
        self.vacate()
        in_forked_child = True
        try:
            self.drop_calls(None)
        finally:
            in_forked_child = False
        self.workers = self.unfinished = is_worker
        self.queue = queue

    cdef int drop_calls(self, object error) except -1:
        cdef object item
        cdef object failure = None if error is None else shared(error)
        cdef bint is_empty = False
        while not is_empty:
            item = None
            try:
                item = self.get(False)
            except Empty:
                is_empty = True
            if type(item) is not PooledCall:
                self.drop_other(item, error)
            elif (<PooledCall>item).take():
                self.finished()
                settle((<Task>item).future, CANCELLED_AND_NOTIFIED if error is None else ERROR, failure, NULL)
        return 0

    cdef int drop_other(self, object item, object error) except -1:
        """The same for what is in the queue of the standard library's."""
        if item is None:
            return 0
        self.finished()
        if error is None:
            item.future.cancel()
        elif not item.future.done():
            item.future.set_exception(error)
        return 0

    cdef int check_open(self, object pool) except -1:
        if self.is_broken:
            raise pool.BROKEN(self.broken)
        if self.is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if standard_pool._shutdown:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        return 0

    cdef bint reserve_worker(self) noexcept:
        """Whether there is to be one more worker, as all have something to do; then it is counted."""
        cdef bint needed
        with cython.critical_section(self):
            needed = self.unfinished > self.workers and self.workers < self.most
            self.workers += needed
        return needed

    cdef int add_worker(self, object start) except -1:
        cdef WorkerPlace place = WorkerPlace.__new__(WorkerPlace)
        try:
            start(place)
        except BaseException as error:
            if place.give_up():
                self.left()
            if not (self.workers and isinstance(error, Exception)):     # else other workers come to it
                raise
        return 0

    cdef void begun(self) noexcept:
        with cython.critical_section(self):
            self.unfinished += 1

    cdef void finished(self) noexcept:
        with cython.critical_section(self):
            self.unfinished -= 1

    cdef void left(self) noexcept:
        with cython.critical_section(self):
            self.workers -= 1

    def work(self, may_end, run_other, add_worker):
        """Make calls, one after another; returns when None comes out of the queue while `may_end()`.

        What is in the queue and was not submitted here is given to `run_other`. `add_worker(place)` starts a worker. If
        an error gets out, there is a worker less.
        """
        cdef object item
        cdef bint over = False
        cdef Py_ssize_t made = 0
        try:
            while not over:
                item = self.get()
                made += 1
                yield_gil_at(made)
                if type(item) is PooledCall:
                    (<PooledCall>item).run(add_worker)
                    item = None
                elif item is not None:
                    try:
                        run_other(item)
                    finally:
                        item = None
                        self.finished()
                else:
                    over = may_end()
            self.put(None)      # for the other workers
        except BaseException:
            self.left()
            raise
