"""A future of a function applied to the results of others: whether it is running is up to one of them."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class Apply(Collect):
    """A Collect that is running while the last of its inputs that is not done is, and while `combine` is called.

    The last of the inputs is the function, which comes before its arguments in that.
    """

    cdef object awaited(self):
        """The last argument that is not done, else the function, or None."""
        cdef object reference = None
        cdef Py_ssize_t i, arguments
        with cython.critical_section(self.future):
            if self.inputs is not None:
                arguments = len(self.inputs) - 1
                for i in range(arguments):
                    reference = <object>peek(self.inputs, arguments - 1 - i)
                    if reference is not None:
                        break
                if reference is None:
                    reference = <object>peek(self.inputs, arguments)
        return referent(reference)

    cdef FutureCore upstream(self, bint cancelling):
        cdef object awaited = None if cancelling or self.phase == CALLING else self.awaited()
        return <FutureCore>awaited if is_plain(awaited) else None

    cdef int running(self, FutureCore future, bint quietly) except -1:
        return 1 if self.phase == CALLING else is_running(self.awaited(), self.future_source, quietly)


def applied(FutureSource future_source not None, list futures not None, combine not None):
    """A future of `combine(results)` of all `futures`, the function last; see Apply."""
    return begin_collecting(Apply.__new__(Apply), future_source, futures, combine)
