"""Making something else of an outcome: a function of the result, another one of the exception."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class MapTask(Task):
    """Ends as `fn(result)` or `error_fn(exception)` ends; either may be None, and then passes through.

    A flat one goes on with the future that the function returns, and ends as that does.
    """
    cdef object fn
    cdef object error_fn
    cdef bint flat

    cdef void delegate_ended(self, object delegate_future, State state, object value, Delivery *delivery) noexcept:
        cdef FutureCore future = self.future
        cdef object function = self.fn if state == RESULT else self.error_fn if state == ERROR else None
        cdef object made
        self.fn = self.error_fn = None      # what comes next, if anything, passes through
        if function is None:
            settle(future, state, value, delivery)
            return
        if not self.enter(CALLING):
            return
        given = unshared(value) if state == ERROR else value
        traceback = given.__traceback__ if state == ERROR else None
        enter_user_code()
        try:
            made = function(given)
            if self.flat:
                self.go_on_with(function, made, delivery)
            else:
                settle(future, RESULT, made, delivery)
        except BaseException as error:
            interrupt_later(error)
            if error is given:
                error.__traceback__ = traceback
                settle(future, ERROR, value, delivery)
            else:
                settle(future, ERROR, without_our_frames(error), delivery)
        finally:
            leave_user_code()

    cdef int go_on_with(self, object function, object made, Delivery *delivery) except -1:
        if made is self.future:
            raise RuntimeError(f"{shown(function)} returned the very future that it is to make a result for")
        if not is_future(made):
            done(function, made)
            raise TypeError(f"{shown(function)} must return a future for a flat map, not {shown(made)}{lacking(made)}")
        return follow(self, made, delivery)


cdef object without_our_frames(object error):
    """`error`, caught right where it came out of user code, with its traceback beginning there."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals is module_globals:
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    return error


cdef dict module_globals = globals()


cdef class MapTable(TaskTable):
    """A TaskTable whose futures are `fn` or `error_fn` of their delegate's outcomes; see MapTask."""
    cdef object fn
    cdef object error_fn
    cdef bint flat

    def __cinit__(self, logger, fn, error_fn, bint flat):
        self.fn = fn
        self.error_fn = error_fn
        self.flat = flat

    cdef Task new_task(self):
        return map_task(self.fn, self.error_fn, self.flat)


cdef MapTask map_task(object fn, object error_fn, bint flat):
    cdef MapTask task = MapTask.__new__(MapTask)
    task.fn = fn
    task.error_fn = error_fn
    task.flat = flat
    return task
