"""How a task leaves its table."""


cdef inline void take_out(TaskTable table, Task task, State state, bint counted) noexcept:
    """Take `task`, whose future is done, out of `table`, and count that if it is not `counted`."""
    cdef object executor = None
    cdef bint last, few
    cdef Section section
    enter_section(&section, <PyObject *>table)
    table.withdraw(task)
    table.count -= 1
    few = table.hidden and 2 * table.count < table.many
    if few:
        table.hidden = False
        table.show_or_hide_stages(True)
    last = table.count == 0
    if last:
        executor = table.executor
        table.executor = None
        last = table.refusal is not None
    leave_section(&section)
    count_down(<PyObject *>task)
    if not counted:
        FutureSource.leave(table, task, state)
    if few:
        table.show_or_hide_timers(True)
    if last:
        table.waker.set()
