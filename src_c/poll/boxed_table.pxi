"""Without a GIL: tasks whose futures are done leave a large table many at a time, and its threads meet there seldom."""

cdef extern from "Python.h":
    void *PyMem_RawCalloc(size_t number, size_t size) nogil

cdef enum:
    MANY_TO_BOX = 20_000        # tasks that are polled at the beginning of a call
    FEW_TO_BOX = 10_000         # so many left, and boxes are not used until then

cdef enum Boxing:
    NO_BOXES
    BOXES_RESTING
    BOXES_IN_USE


@cython.no_gc_clear
cdef class BoxedTable(PollTable):
    """A PollTable that does not go into its section for every task that leaves, if there are very many.

    Each thread puts tasks whose futures are done in a box, and takes them all out of the table once that is full.
    Until then they are in the table as far as its lists are concerned, which have the only reference. Boxes are emptied
    before anybody counts or lists tasks, so nobody finds any of those.
    """
    cdef Box *boxes             # SHARES of them, which do not change once there are any
    cdef SharedByte boxing      # section(self): a Boxing

    def __dealloc__(self):
        PyMem_RawFree(self.boxes)

    cdef void use_boxes(self) noexcept:
        """From now on, if there is memory for them, until few tasks are left."""
        cdef Box *boxes = NULL
        if self.boxing == NO_BOXES:
            boxes = <Box *>PyMem_RawCalloc(SHARES, sizeof(Box))
            if boxes == NULL:
                return
        with cython.critical_section(self):
            if self.boxing == NO_BOXES:
                self.boxes = boxes
                boxes = NULL
            if self.count > MANY_TO_BOX:
                self.boxing = BOXES_IN_USE
            elif self.boxing == NO_BOXES:
                self.boxing = BOXES_RESTING
        PyMem_RawFree(boxes)

    cdef void leave(self, Task task, State state) noexcept:
        cdef PyObject *tasks[BOX_PLACES]
        cdef int boxed = 0
        if HAS_NO_GIL and self.boxing == BOXES_IN_USE:
            if self.put_in_box(task, tasks, &boxed):
                FutureSource.leave(self, task, state)
                return
            self.take_out_boxed(tasks, boxed)
        take_out(self, task, state, False)

    cdef bint put_in_box(self, Task task, PyObject **tasks, int *boxed) noexcept:
        """False if it has to leave by itself: with all that were in the box, if that is full, which are in `tasks`."""
        cdef Box *box = &self.boxes[share_here()]
        cdef bint has_room
        hold_box(box)
        has_room = self.boxing == BOXES_IN_USE and box.count < BOX_PLACES
        if has_room:
            box.tasks[box.count] = <PyObject *>task
            box.count += 1
        else:
            boxed[0] = emptied(box, tasks)
        release_box(box)
        return has_room

    cdef void take_out_boxed(self, PyObject **tasks, int count) noexcept:
        """Take these out of the table, which have been counted as done."""
        cdef Section section
        cdef bint few
        cdef int i
        if count == 0:
            return
        enter_section(&section, <PyObject *>self)
        for i in range(count - 1):
            self.withdraw(<Task>tasks[i])
        self.count -= count - 1
        few = self.count < FEW_TO_BOX and self.boxing == BOXES_IN_USE
        if few:
            self.boxing = BOXES_RESTING
        leave_section(&section)
        for i in range(count - 1):
            show_if_it_refers(<Task>tasks[i])
            count_down(tasks[i])
        show_if_it_refers(<Task>tasks[count - 1])
        take_out(self, <Task>tasks[count - 1], RESULT, True)
        if few:
            self.empty_boxes()

    cdef void empty_boxes(self) noexcept:
        cdef PyObject *tasks[BOX_PLACES]
        cdef int i, count
        if self.boxing == NO_BOXES:
            return
        for i in range(SHARES):
            hold_box(&self.boxes[i])
            count = emptied(&self.boxes[i], tasks)
            release_box(&self.boxes[i])
            self.take_out_boxed(tasks, count)


cdef int emptied(Box *box, PyObject **tasks) noexcept:
    """For who holds the box: put what is in it into `tasks`, and return how many."""
    cdef int i, count = box.count
    for i in range(count):
        tasks[i] = box.tasks[i]
    box.count = 0
    return count


cdef void show_if_it_refers(Task task) noexcept:
    """See to it that the collector sees what may refer to others, of a task that was done before it left the table."""
    cdef bint refers = refers_to_others(task.future)
    if refers:
        show(<PyObject *>task.future)
    if refers or task.where & VALUE_REFERS:
        show(<PyObject *>task)
