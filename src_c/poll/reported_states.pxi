"""What services say of tasks that go on: `descriptor.report`. Nothing of this is there until somebody reports."""

cdef extern from "Python.h":
    int compare_texts "PyUnicode_Compare"(PyObject *one, PyObject *other) noexcept

cdef enum:
    STATES_KEPT = 254       # different ones for a table, each under a number from 1 on; all others are OTHER
    OTHER = 255
    LONGEST_STATE = 100     # characters
    BILLION = 1_000_000_000     # what progress is kept in, so that as many decimal places are as they were reported


@cython.final
@cython.internal
@cython.no_gc       # nothing in it refers to others
cdef class ReportedStates:
    """How many tasks of a table are in each state that was reported of any. section(self) guards all of it.

    A task is counted in a state before it is in that, and until it is not any more: at most for a moment, a task that
    goes from one to another is counted twice.
    """
    cdef list texts         # [0:known]; those beyond are None. They never change, and are exact strs
    cdef Py_ssize_t known
    cdef Py_ssize_t counts[OTHER + 1]

    def __cinit__(self):
        self.texts = [None] * STATES_KEPT

    cdef unsigned char enter(self, str text) except 0:
        """Count one task more in the state `text`; returns the number of that."""
        cdef unsigned char number = self.enter_known(text, False)
        if number == 0:
            number = self.enter_known(checked_state(text), True)
        return number

    cdef unsigned char enter_known(self, str text, bint make_known) noexcept:
        """The same, or 0 if it is not known, unless `make_known`."""
        cdef unsigned char number
        with cython.critical_section(self):
            number = self.number_of(text)
            if number == 0 and make_known:
                number = OTHER
                if self.known < STATES_KEPT:
                    set_item(self.texts, self.known, text)
                    self.known += 1
                    number = <unsigned char>self.known
            if number:
                self.counts[number] += 1
        return number

    cdef unsigned char number_of(self, str text) noexcept:
        """Inside the section: 0 if it is not known."""
        cdef Py_ssize_t i
        for i in range(self.known):
            if peek(self.texts, i) == <PyObject *>text:
                return <unsigned char>(i + 1)
        for i in range(self.known):
            if compare_texts(peek(self.texts, i), <PyObject *>text) == 0:
                return <unsigned char>(i + 1)
        return 0

    cdef void leave(self, unsigned char number) noexcept:
        """Count one task less in this state."""
        with cython.critical_section(self):
            self.counts[number] -= 1

    cdef object text_of(self, unsigned char number):
        return "other" if number == OTHER else self.texts[number - 1]

    cdef dict by_text(self):
        """How many tasks are in each state, in the order in which the states were first reported; 0 as well."""
        cdef dict found = {}
        cdef Py_ssize_t counts[OTHER + 1]
        cdef Py_ssize_t i, known
        with cython.critical_section(self):
            known = self.known
            for i in range(OTHER + 1):
                counts[i] = self.counts[i]
        for i in range(1, known + 1):
            found[self.texts[i - 1]] = counts[i]
        if counts[OTHER]:
            found["other"] = found.get("other", 0) + counts[OTHER]
        return found


cdef str exact_text(object state):
    """`state` as a str and no instance of a subclass, such as a member of an enum, or an error if it cannot be one."""
    cdef Py_ssize_t length
    if not isinstance(state, str):
        raise TypeError(f"report: state must be a str or None, not {shown(state)}")
    length = len(<str>state)
    if not 0 < length <= LONGEST_STATE:
        raise ValueError(f"report: state must have 1 to {LONGEST_STATE} characters, not {length}: {shown(state)}")
    return state if type(state) is str else str.__str__(state)


cdef str checked_state(str text):
    """`text`, or ValueError if metrics, which are in UTF-8, cannot have it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"report: state must be text that can be encoded in UTF-8, not {shown(text)}") from None
    return text


cdef unsigned int in_billionths(object progress) except 0:
    """`progress` as it is kept: one more than billionths."""
    cdef double part = number_of("report: progress", progress)
    if not 0.0 <= part <= 1.0:
        raise ValueError(f"report: progress must be from 0 to 1, not {shown(progress)}")
    return <unsigned int>(part * BILLION + 0.5) + 1


cdef int report_progress(PollDescriptor task, str text, unsigned int progress) except -1:
    """Note the state `text`, or None, and `progress`, or 0, of `task`, unless its future is done."""
    cdef PollState poll_state = task.current_poll_state()
    cdef ReportedStates states = None
    cdef unsigned char number = 0, left = 0
    if text is not None:
        states = (<WatchedTable>task.future_source).states_reported()
        number = states.enter(text)
    try:
        if poll_state is None:
            poll_state = task.poll_state_or(new_poll_state(task))
    finally:
        left = number
        if poll_state is not None:
            with cython.critical_section(task.future):
                if task.future.state <= RUNNING:
                    if progress:
                        poll_state.progress = progress
                    if number:
                        left = poll_state.state
                        poll_state.state = number
        if left:
            states.leave(left)
    return 0


cdef object state_of(PollDescriptor task):
    """The state that was last reported of `task`, or None."""
    cdef PollState poll_state = task.current_poll_state()
    cdef unsigned char number = 0
    if poll_state is not None:
        with cython.critical_section(task.future):
            number = poll_state.state
    return (<WatchedTable>task.future_source).reported.text_of(number) if number else None


cdef object progress_of(PollDescriptor task):
    """The progress that was last reported of `task`, or None."""
    cdef PollState poll_state = task.current_poll_state()
    cdef unsigned int progress = 0
    if poll_state is not None:
        with cython.critical_section(task.future):
            progress = poll_state.progress
    return <double>(progress - 1) / BILLION if progress else None
