"""A call of a poll function, from the decision that there is one to its first line: as little as can be."""

cdef extern from "Python.h":
    object PyContext_Copy(object context)
    object PyContext_CopyCurrent()
    object PyObject_CallOneArg(object function, object argument)
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1


@cython.no_gc_clear
cdef class PollCall:
    """Makes calls of a poll function, any number at a time. A subclass, in Python, has what comes before and after:

    * `_before(tasks)`, only called if it `is_told`: returns what `_over` gets, at the beginning of each call;
    * `_over(tasks, times, answer, error)` when the function has returned or raised; what that returns, `call` does;
    * `_broken(tasks)` if anything else goes wrong.
    """
    cdef readonly object context    # in which the function is called: that of whoever makes this
    cdef readonly GoingOn going_on
    cdef object poll_fn
    cdef Counters counters
    cdef readonly SharedDouble last_lag     # how late the call was that began last
    cdef public bint is_told        # of each call before it is made

    def __cinit__(self, poll_fn, PollTable table not None, *args, **kwargs):
        self.poll_fn = poll_fn
        self.counters = table.counters
        self.context = PyContext_CopyCurrent()
        self.going_on = GoingOn()

    @property
    def are_going_on(self):
        """Whether a call is."""
        return self.going_on.count > 0

    def call(self, list tasks not None, double late=0.0):
        """Poll `tasks`; returns the seconds until the next call, or a negative number if the function did not say."""
        return self.made(tasks, late)

    cdef object made(self, list tasks, double late):
        cdef object answer = None, error = None, times
        cdef list descriptors
        try:
            with cython.critical_section(self.going_on):
                self.going_on.count += 1
            try:
                times = self.begin(tasks, late)
                descriptors = copied_for_call(tasks)
                try:
                    answer, error = self.called(descriptors)
                finally:
                    call_over(descriptors, error is not None)
                    descriptors = None
            finally:
                with cython.critical_section(self.going_on):
                    self.going_on.count -= 1
            return self._over(tasks, times, answer, error)
        except BaseException:   # a lack of memory, or a clock of the user's
            self._broken(tasks)
            raise

    cpdef tuple begin(self, list tasks, double late):
        """What `_over` gets of a call that begins: when, `late`, how many are done, and what `_before` returned."""
        cdef object before = self._before(tasks) if self.is_told else 0.0
        self.last_lag = late
        return monotonic(), late, self.counters.done(), before

    cdef tuple called(self, list descriptors):
        """What the function returns, and what it raises or None: see `_frames`."""
        cdef object context = PyContext_Copy(self.context), answer = None, failure = None
        PyContext_Enter(context)
        try:
            answer = PyObject_CallOneArg(self.poll_fn, descriptors)
            if answer is not None:
                answer = done_at_all(self.poll_fn, answer)
        except BaseException as error:
            failure = without_our_frames(error)
            answer = None
        finally:
            PyContext_Exit(context)
        return answer, failure
