"""Asking a schedule of the user's for the delays of tasks."""


@cython.final
@cython.internal
cdef class Schedule:
    """What gives the delay until a task is polled again: an object of the user's, whose faults are logged once."""
    cdef object of_user
    cdef object logger
    cdef SharedByte complained

    cdef double delay(self, PollState poll_state) except? -1.0:
        """How many seconds that is, or -1.0 if it does not say."""
        cdef double delay = -1.0
        cdef Py_ssize_t step = poll_state.step - 1 if poll_state.step else 0
        enter_user_code()
        try:
            if type(self.of_user) is Backoff:
                return (<Backoff>self.of_user).after(step)
            delay = number_of("delay", self.of_user.delay(step))
            if not delay >= 0.0:
                raise ValueError(f"delay must be 0 s or more, not {delay}")
        except BaseException as error:
            delay = -1.0
            if self.complained:
                interrupt_later(error)
            else:
                self.complained = True
                report(self.logger, "Exception while evaluating schedule %r", (self.of_user,), error)
        finally:
            leave_user_code()
        return delay


cdef Schedule schedule_of(object of_user, object logger):
    """None for None."""
    cdef Schedule schedule = None
    if of_user is not None:
        schedule = Schedule.__new__(Schedule)
        schedule.of_user = of_user
        schedule.logger = logger
    return schedule
