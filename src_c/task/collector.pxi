"""What the garbage collector is to look at: of large tables nothing, except now and then.

The collector goes through all that it knows of again and again. But a task and its future are alive while their table
is. So those in a table of more than `MANY` tasks are hidden from it: it takes what they refer to for alive, as it does
with what the C stack refers to. In every `EVERY`-th full collection they are seen, so that an executor is found that
was dropped with all its futures; until then it is not collected. The tasks of a smaller table are always seen, unless
whoever keeps its executor says otherwise.

A future that is done, wherever it came from, is hidden if its outcome is of a kind that cannot refer to others.
"""

import gc

cdef extern from "Python.h":
    void hide "PyObject_GC_UnTrack"(PyObject *thing) noexcept       # nothing if it is not tracked
    bint is_seen "PyObject_GC_IsTracked"(PyObject *thing) noexcept

cdef extern from "platform.h":
    void show(PyObject *thing) noexcept         # nothing if it is tracked
    bint may_refer(PyObject *thing) noexcept

cdef enum:
    MANY = 2_000            # tasks in a table
    EVERY = 8               # full collections

# Tables that have had many tasks, by their `id`.
cdef object large_tables = weakref.WeakValueDictionary()
cdef Py_ssize_t full_collections = 0
cdef bint looking_at_all = False


cdef inline void show_or_hide(PyObject *thing, bint seen) noexcept:
    if seen:
        show(thing)
    else:
        hide(thing)


cdef inline bint refers_to_others(FutureCore future) noexcept:
    """Whether a future that is done may be part of a cycle."""
    return may_refer(<PyObject *>future.outcome) or future.has_attributes or not is_exactly_future(future)


cdef inline void show_as_done(FutureCore future, Task task) noexcept:
    """See to it that what may refer to others is seen, of a `future` that is done, and its `task`, or None.

    Neither is in a table any more.
    """
    cdef bint refers = refers_to_others(future)
    if refers:
        show(<PyObject *>future)
    elif task is None or not task.future_source.hidden:     # else it is hidden already
        hide(<PyObject *>future)
    if task is not None and (refers or task.where & VALUE_REFERS):
        show(<PyObject *>task)


cdef int watch_large(TaskTable table) except -1:
    """From now on, `table` may hide what is in it."""
    large_tables[id(table)] = table
    if at_collection not in gc.callbacks:
        gc.callbacks.append(at_collection)
    table.may_hide = True
    return 0


def at_collection(phase, info):
    """What the collector calls at the start and the stop of a collection, once there has been a large table."""
    global full_collections, looking_at_all
    if info["generation"] != 2:
        return
    if phase == "start":
        full_collections += 1
        looking_at_all = full_collections % EVERY == 0
    if looking_at_all:
        for reference in large_tables.valuerefs():      # a list: other threads may add to what there is
            table = reference()
            if table is not None:
                (<TaskTable>table).show_or_hide_all(phase == "start")


if HAS_NO_GIL:      # now: later, other threads may collect, and go through the list meanwhile
    gc.callbacks.append(at_collection)


# -- lists of tasks -------------------------------------------------------------------------------------------------


cdef inline void hide_if_long(list tasks) noexcept:
    """Of a list that nobody else gets, and that is not kept: each collection of the young would look through it."""
    if len(tasks) > MANY:
        hide(<PyObject *>tasks)


def copy_for_call(list tasks not None):
    """A copy of `tasks` for a function that is about to be called. The caller keeps it, and then says `call_over`.

    A long one is hidden meanwhile, when it is alive in any case.
    """
    return copied_for_call(tasks)


cdef list copied_for_call(list tasks):
    cdef list copy = PyList_GetSlice(tasks, 0, len(tasks))
    hide_if_long(copy)
    return copy


def call_over(list copy not None, bint failed=False):
    """The call with `copy` is over: from now on the collector is to see whether anybody refers to it.

    If it `failed`, the frames of its error do, and so to the tasks, which may be done: those are to be seen then, too.
    """
    show(<PyObject *>copy)
    if failed:
        for task in copy:
            show(<PyObject *>task)
