"""The tasks of one executor that are not done, and how they end with it."""


@cython.no_gc_clear
cdef class TaskTable(FutureSource):
    """Which futures of an executor are outstanding. Everything is O(1) except listing or ending them all.

    Guarantees:

    * A task is in the table from before its delegate is asked until its future is done.
    * While one is outstanding, the table keeps the executor alive; when the last one leaves, it lets go.
    * After `close`, no task gets in; when the last one has left, the waker is set.
    * A task that got in can move on to the polled list without memory being asked for: it cannot be lost so.
    """
    cdef readonly Waker waker
    cdef SlotArray first_stage      # in the order they began; see TwoStageTable for those that move on
    cdef object executor        # section(self): kept while anything is outstanding
    cdef object refusal         # section(self): None, or once closed the RuntimeError's message
    cdef SharedSize count        # section(self)
    cdef bint may_hide          # section(self): it is among the `large_tables`
    cdef Py_ssize_t many        # if there are more tasks, they are hidden from the collector
    cdef object __weakref__

    def __cinit__(self, logger, *args, **kwargs):
        self.waker = Waker()
        self.first_stage = SlotArray.__new__(SlotArray)
        self.many = MANY

    def __len__(self):
        self.empty_boxes()
        return self.count

    @property
    def closed(self):
        """Why no more tasks are taken, or None while they are."""
        cdef object refusal
        with cython.critical_section(self):
            refusal = self.refusal
        return refusal

    cdef inline bint is_open(self) noexcept:
        """Whether it takes tasks."""
        cdef bint is_open
        with cython.critical_section(self):
            is_open = self.refusal is None
        return is_open

    def submit(self, executor, delegate, fn, tuple args not None, dict kwargs not None):
        """Have `delegate` call `fn(*args, **kwargs)`; returns a future of `executor`, outstanding until it is done.

        Raises RuntimeError after `close`, whatever `delegate.submit` raises, TypeError if that returns no future.
        """
        return self.take_in(executor, delegate, fn, args, kwargs)

    cdef object take_in(self, object executor, object delegate, object fn, tuple args, dict kwargs):
        return self.begin_with(self.new_task(), executor, delegate, fn, args, kwargs)

    cdef FutureCore begin_with(self, Task task, object executor, object delegate, object fn, tuple args, dict kwargs):
        cdef FutureCore future
        task.value = self.number_of_caller()
        future = self.admit(task, executor)
        try:
            follow(task, submitted(delegate, fn, args, kwargs), NULL)
        except BaseException:
            self.retract(future)
            raise
        return future

    def close(self, str reason not None):
        """Take no more tasks: `submit` raises RuntimeError(reason). False if it was closed before."""
        cdef bint first, over
        with cython.critical_section(self):
            first = self.refusal is None
            if first:
                self.refusal = reason
            over = self.count == 0
        if over:
            self.waker.set()
        return first

    def hide_if_more(self, Py_ssize_t many):
        """Hide what is in here from the collector if there are more tasks than so many, from the next task on."""
        if not self.may_hide:
            watch_large(self)
        self.many = many

    def needs_this_thread(self):
        """Whether a future waits for the calling thread: it is in `submit`, or in a function called for a future."""
        for task in self.tasks():
            if (<Task>task).occupies(this_thread()):
                return True
        return False

    cdef object number_of_caller(self):
        return this_thread_number()

    def futures(self):
        """A new list of the futures that are not done."""
        cdef list tasks = self.tasks()
        cdef list futures = []
        for task in tasks:
            futures.append((<Task>task).future)
            yield_gil_at(len(futures))
        drop(tasks)
        return futures

    def cancel_all(self):
        """Cancel every future that is not done, asking nobody: for the end of the interpreter."""
        self.end_all(self.tasks(), CANCELLED_AND_NOTIFIED, None)

    def vacate_after_fork(self):
        """In a forked child, before anything else is done with this: no thread of the parent is in a section."""
        self.vacate()

    def abandon_after_fork(self):
        """In a forked child: mark every future cancelled, as nobody is left to complete it.

        Those made from them are cancelled with them. Callbacks are dropped, not called.
        """
        global in_forked_child
        cdef list tasks = self.tasks()
        for task in tasks:
            vacate_section(<PyObject *>task)
            vacate_section(<PyObject *>(<Task>task).future)
        in_forked_child = True
        self.end_all(tasks, CANCELLED_AND_NOTIFIED, None)
        in_forked_child = False

    # -- for the tasks ---------------------------------------------------------------------------------------

    cdef Task new_task(self):
        return Task.__new__(Task)

    cdef FutureCore admit(self, Task task, object executor):
        cdef FutureCore future = new_future()
        cdef object refusal
        cdef bint entered
        self.tie(task, future)
        while True:
            with cython.critical_section(self):
                refusal = self.refusal
                entered = refusal is None and not self.is_full()
                if entered:
                    self.enter(task, executor)
            if entered:
                self.counters.begin()
                return future
            if refusal is not None:
                future.outcome = None
                raise RuntimeError(refusal)
            self.make_room()

    cdef void enter(self, Task task, object executor) noexcept:
        """Inside the section: put `task` in; there is room, see `is_full`."""
        count_up(<PyObject *>task)
        self.first_stage.take(task)
        if self.count == 0:
            self.executor = executor
        self.count += 1
        if self.hidden:
            hide(<PyObject *>task)
            hide(<PyObject *>task.future)
        elif self.count > self.many and self.may_hide:
            self.hidden = True
            self.show_or_hide_stages(False)

    cdef void show_or_hide_all(self, bint seen) noexcept:
        """Have the collector see what is in here, or not see it any more, if that is hidden."""
        cdef bint concerned
        self.empty_boxes()
        with cython.critical_section(self):
            concerned = self.hidden
            if concerned:
                self.show_or_hide_stages(seen)
        if concerned:
            self.show_or_hide_timers(seen)

    cdef void show_or_hide_timers(self, bint seen) noexcept:
        """The same for timers of tasks, outside the section."""

    cdef void vacate(self) noexcept:
        FutureSource.vacate(self)
        vacate_section(<PyObject *>self.waker)

    cdef void show_or_hide_stages(self, bint seen) noexcept:
        self.first_stage.show_or_hide(seen)

    cdef void leave(self, Task task, State state) noexcept:
        take_out(self, task, state, False)

    cdef void empty_boxes(self) noexcept:
        """Take out what is in the boxes of a BoxedTable."""

    cdef void withdraw(self, Task task) noexcept:
        """Inside the section: take `task` out for good; the table's reference to it is the caller's then."""
        task.where |= REMOVED
        self.leave_stage(task)

    cdef void leave_stage(self, Task task) noexcept:
        self.first_stage.leave(task)

    cdef bint is_full(self) noexcept:
        """Inside the section: whether `make_room` is needed before one more task gets in."""
        return self.first_stage.needs_resize(self.first_stage.count + 1)

    cdef int make_room(self) except -1:
        self.resize(self.first_stage, self.first_stage.count + 1)
        return 0

    cdef int resize(self, SlotArray slots, Py_ssize_t tasks) except -1:
        cdef list places = [None] * (tasks + (tasks >> 1) + 16)
        if len(places) > self.many and not self.may_hide:
            watch_large(self)
        with cython.critical_section(self):
            if len(places) >= self.may_hold(slots):     # else another thread needs more by now, and has seen to it
                places = slots.move_to(places)
            if self.hidden:
                hide(<PyObject *>slots.places)
        return 0

    cdef Py_ssize_t may_hold(self, SlotArray slots) noexcept:
        """Inside the section: how many tasks may be put in `slots` without room being made."""
        return slots.count

    cdef list tasks(self):
        return self.listed(self.first_stage)

    cdef list listed(self, SlotArray slots):
        """A new list of the tasks in `slots`."""
        cdef list tasks
        cdef Py_ssize_t expected, count = -1
        self.empty_boxes()
        while count < 0:
            expected = slots.count
            tasks = PyList_New(expected)
            hide_if_long(tasks)
            with cython.critical_section(self):
                if slots.count <= expected:
                    slots.close_holes()
                    count = slots.copy_into(tasks)
        return shortened(tasks, count)

    cdef int end_all(self, list tasks, State state, object outcome) except -1:
        """End the futures of `tasks`, a list of nobody else's, that are not done."""
        cdef Py_ssize_t ended = 0
        for task in tasks:
            settle((<Task>task).future, state, outcome, NULL)
            ended += 1
            yield_gil_at(ended)
        drop(tasks)
        return 0
