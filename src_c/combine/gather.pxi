"""Futures made from many other futures: all of their results, or the first that decides."""


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class Input(DoneHook):
    """Tells a Gather that its input number `index` is done."""
    cdef Gather gather
    cdef Py_ssize_t index

    cdef void delegate_ended(self, object future, State state, object value, Delivery *delivery) noexcept:
        self.gather.arrived(self.index, state, value, delivery)

    cdef void lost(self) noexcept:
        self.gather.arrived(self.index, CANCELLED_AND_NOTIFIED, None, NULL)


@cython.internal
@cython.no_gc_clear
cdef class Gather(Task):
    """Waits for its inputs, and keeps each of them until it is done.

    Cancelling it always succeeds, and tries to cancel all inputs. A subclass says in `arrived` what ends it before
    that; `arrived` is called once for each input, by any number of threads at a time.
    """
    cdef list inputs            # section(future), as are these: what is kept of each, None once it is done; or None
    cdef SharedSize missing

    cdef int begin(self, FutureSource future_source, list futures) except -1:
        cdef FutureCore future = new_future()
        cdef Input hook
        cdef Py_ssize_t i
        self.inputs = references_to(futures)
        self.missing = len(futures)
        self.phase = ON_ITS_OWN
        future_source.tie(self, future)
        future_source.counters.begin()
        try:
            for i in range(len(futures)):
                if future.state > RUNNING:
                    break
                hook = Input.__new__(Input)
                hook.gather = self
                hook.index = i
                hook_onto(hook, futures[i], NULL)
                yield_gil_at(i)
        except BaseException:
            future_source.retract(future)
            raise
        return 0

    cdef void arrived(self, Py_ssize_t index, State state, object value, Delivery *delivery) noexcept:
        """Input number `index` is done."""

    cdef object forget(self, Py_ssize_t index):
        """Inside the section: count an input as done; returns what was kept of it, to be dropped outside."""
        cdef object reference = None
        self.missing -= 1
        if self.inputs is not None:
            reference = <object>peek(self.inputs, index)
            set_item(self.inputs, index, None)
        return reference

    cdef int cancel(self, FutureCore future, Delivery *delivery) except -1:
        if settle(future, CANCELLED_AND_NOTIFIED, None, delivery):
            self.cancel_inputs(delivery)
        return is_cancelled(future)

    cdef void cancel_inputs(self, Delivery *delivery) noexcept:
        """Try to cancel the inputs that are not done. The future is."""
        cdef list inputs
        with cython.critical_section(self.future):
            inputs = self.inputs
            self.inputs = None
        if inputs is None or in_forked_child:
            return
        cancel_without_recursion(inputs, self.future_source.logger, delivery)


@cython.internal
@cython.no_gc_clear
cdef class Collect(Gather):
    """Ends with `combine(results)`, or the list of them, or as the first input ends that does not succeed."""
    cdef list results           # section(future)
    cdef object combine

    cdef void arrived(self, Py_ssize_t index, State state, object value, Delivery *delivery) noexcept:
        cdef FutureCore future = self.future
        cdef object reference = None
        cdef list results = None
        cdef bint complete
        if state == RESULT:
            with cython.critical_section(future):
                reference = self.forget(index)
                complete = self.missing == 0
                if self.results is not None:
                    set_item(self.results, index, value)
            if complete:
                self.finish(delivery)
        else:
            with cython.critical_section(future):
                reference = self.forget(index)
                results = self.results
                self.results = None     # so that this decides, not whichever input is the last
            if settle(future, state, value, delivery) and state == CANCELLED_AND_NOTIFIED:
                self.cancel_inputs(delivery)

    cdef void finish(self, Delivery *delivery) noexcept:
        cdef FutureCore future = self.future
        cdef list results
        cdef object combined
        with cython.critical_section(future):
            results = self.results
            self.results = None
        if results is None:
            return
        if self.combine is None:
            settle(future, RESULT, results, delivery)
        elif self.enter(CALLING):
            enter_user_code()
            try:
                combined = self.combine(results)
            except BaseException as error:
                interrupt_later(error)
                settle(future, ERROR, without_our_frames(error), delivery)
            else:
                settle(future, RESULT, combined, delivery)
            finally:
                leave_user_code()

    cdef void ended(self, State state) noexcept:
        cdef list inputs = None, results
        with cython.critical_section(self.future):
            results = self.results
            self.results = None
            if state == ERROR:      # the others go on, and are nothing to this any more
                inputs = self.inputs
                self.inputs = None
        Task.ended(self, state)


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class Choose(Gather):
    """Ends as the first input ends whose truth is `wanted`, or as the last one does; cancels those not needed.

    What does not succeed is as good as false, and if that is wanted, as decisive.
    """
    cdef bint wanted
    cdef bint decided           # section(future), as is the next: an input has, which may not have ended the future yet
    cdef PyObject *failure      # what an input failed with; only to be compared with what another one does

    cdef void arrived(self, Py_ssize_t index, State state, object value, Delivery *delivery) noexcept:
        cdef FutureCore future = self.future
        cdef object reference = None
        cdef bint truth = False, decides = False, same = False
        if state == RESULT and self.missing > 1 and future.state <= RUNNING:
            enter_user_code()
            try:
                truth = bool(value)
            except BaseException as error:
                interrupt_later(error)
                state, value = ERROR, error
            finally:
                leave_user_code()
        with cython.critical_section(future):
            reference = self.forget(index)
            if state == ERROR and type(value) is not SharedError:
                self.failure = <PyObject *>value
            same = type(value) is SharedError and <PyObject *>(<SharedError>value).error == self.failure
            if not self.decided:
                self.decided = decides = truth == self.wanted or self.missing == 0
        if same:    # one future was given twice
            value = (<SharedError>value).error
        if decides and settle(future, state, value, delivery):
            self.cancel_inputs(delivery)


def collected(FutureSource future_source not None, list futures not None, combine=None):
    """A future of `combine(results)`, or of the list of results, of all `futures`; see Collect."""
    return begin_collecting(Collect.__new__(Collect), future_source, futures, combine)


cdef FutureCore begin_collecting(Collect gather, FutureSource future_source, list futures, object combine):
    gather.combine = combine
    gather.results = [None] * len(futures)
    gather.begin(future_source, futures)
    if not futures:
        gather.finish(NULL)
    return gather.future


def chosen(FutureSource future_source not None, list futures not None, bint wanted):
    """A future that ends as the first of `futures` whose truth is `wanted`, or as the last; see Choose."""
    cdef Choose gather = Choose.__new__(Choose)
    gather.wanted = wanted
    gather.begin(future_source, futures)
    return gather.future


def check_futures(str function, futures):
    """Raise TypeError unless all `futures` are such, saying that `function` was called with something else."""
    cdef Py_ssize_t i = 0
    for future in futures:
        if not is_future(future):
            check_future(f"{function} takes futures, not", future)
        yield_gil_at(i)
        i += 1


cdef list references_to(list futures):
    cdef list references = []
    for future in futures:
        references.append(reference_to(future))
        yield_gil_at(len(references))
    return references
