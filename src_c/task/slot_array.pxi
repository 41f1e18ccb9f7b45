"""Places for tasks, kept in the order they were taken: take O(1), leave O(1), listed in one pass."""

cdef extern from "Python.h":
    # Of a private list, with pointers: these neither count references nor look at what was there.
    PyObject *peek "PyList_GET_ITEM"(list places, Py_ssize_t i)
    void put "PyList_SET_ITEM"(list places, Py_ssize_t i, PyObject *item)
    void put_at "PyList_SET_ITEM"(PyObject *places, Py_ssize_t i, PyObject *item)   # of one that is only borrowed
    void count_up "Py_INCREF"(PyObject *item)
    void count_down "Py_DECREF"(PyObject *item)


cdef void set_item(list items, Py_ssize_t i, object value) noexcept:
    """Inside a section: put `value` in the place of an item that is None, in a list of nobody else's."""
    count_up(<PyObject *>value)
    count_down(peek(items, i))
    put(items, i, <PyObject *>value)


@cython.final
@cython.internal
@cython.no_gc_clear
cdef class SlotArray:
    """An array of tasks in which each remembers its place. Guarded by section(table) of its table.

    A task that leaves leaves a hole; the holes are closed when the tasks are listed, or when the array is
    full. Taking a place cannot fail: room is made beforehand, outside the section (`needs_resize`, `move_to`).
    The array is a list, so that the garbage collector can see through it; nobody else ever has it.
    """
    cdef list places        # [0:used] tasks and holes, [used:] room; holes and room are None
    cdef Py_ssize_t used
    cdef SharedSize count    # tasks, without the holes
    cdef Py_ssize_t front   # places in [0:front] are holes

    def __cinit__(self):
        self.places = []

    cdef bint needs_resize(self, Py_ssize_t tasks) noexcept:
        """Whether the array should be replaced before it holds `tasks`: when it is small, or far too large.

        Small is with less than an eighth to spare: then a full array has holes enough to be worth closing.
        """
        cdef Py_ssize_t room = len(self.places)
        return room < tasks + (tasks >> 3) + 4 or (room > 4096 and room > 8 * tasks)

    cdef list move_to(self, list places):
        """Go on in the list `places`, all None, if it is large enough; returns the list to drop."""
        cdef list old = self.places
        cdef PyObject *room
        cdef Py_ssize_t i
        self.close_holes()
        if len(places) < self.used:
            return places
        for i in range(self.used):
            room = peek(places, i)
            put(places, i, peek(old, i))
            put(old, i, room)
        self.places = places
        return old

    cdef void take(self, Task task) noexcept:
        """Put `task` last. The caller's reference to it goes over to the array."""
        if self.used == len(self.places):
            self.close_holes()
        task.slot = <unsigned int>self.used
        count_down(peek(self.places, self.used))
        put(self.places, self.used, <PyObject *>task)
        self.used += 1
        self.count += 1

    cdef void leave(self, Task task) noexcept:
        """Take `task` out. The reference to it goes over to the caller, to be put elsewhere, or dropped outside."""
        count_up(<PyObject *>None)
        put_at(<PyObject *>self.places, task.slot, <PyObject *>None)
        self.count -= 1
        if self.count == 0:
            self.used = self.front = 0
        elif <Py_ssize_t>task.slot == self.used - 1:
            self.used -= 1

    cdef Task first(self):
        """The one that has been here longest, or None."""
        cdef PyObject *item
        while self.front < self.used:
            item = peek(self.places, self.front)
            if item != <PyObject *>None:
                return <Task>item
            self.front += 1
        return None

    cdef void close_holes(self) noexcept:
        cdef PyObject *item
        cdef PyObject *hole
        cdef Py_ssize_t i, to = 0
        if self.count == self.used:
            return
        for i in range(self.used):
            item = peek(self.places, i)
            if item == <PyObject *>None:
                continue
            if i != to:
                hole = peek(self.places, to)
                put(self.places, to, item)
                put(self.places, i, hole)
                (<Task>item).slot = <unsigned int>to
            to += 1
        self.front = 0
        self.used = to

    cdef void show_or_hide(self, bint seen) noexcept:
        """Have the collector see the array, the tasks in it, and their futures, or not.

        Those that are over are for the winner to show.
        """
        cdef PyObject *item
        cdef Py_ssize_t i
        show_or_hide(<PyObject *>self.places, seen)
        for i in range(self.used):
            item = peek(self.places, i)
            if item != <PyObject *>None and not (<Task>item).over:
                (<Task>item).show_or_hide(seen)

    cdef Py_ssize_t copy_into(self, list target) noexcept:
        """Put the tasks that are not over into `target`, new and without items; returns how many."""
        cdef PyObject *item
        cdef Py_ssize_t i, count = 0
        for i in range(self.used):
            item = peek(self.places, i)
            if item != <PyObject *>None and not (<Task>item).over:
                count_up(item)
                put(target, count, item)
                count += 1
        return count
