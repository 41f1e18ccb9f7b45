"""Which thread this is: a greenlet, where gevent or eventlet have made greenlets of all threads."""

ctypedef size_t ThreadId        # to be compared only with a thread's own

cdef extern from "pythread.h" nogil:
    unsigned long PyThread_get_thread_ident()

cdef extern from "Python.h":
    PyObject *long_of "PyLong_FromSize_t"(size_t number) noexcept
    void PyErr_Clear()

# Python's own is a method of the module; what replaced it is not.
cdef bint greenlets = getattr(get_ident, "__self__", None) is not _thread
cdef object current_greenlet = None
if greenlets:
    from greenlet import getcurrent as current_greenlet


cdef inline ThreadId this_thread() noexcept:
    """Never 0. Calls no Python code."""
    return this_greenlet() if greenlets else PyThread_get_thread_ident()


# The last thread that asked, and its number: mostly it is the same that asks again. Where there is a GIL.
cdef ThreadId last_thread = 0
cdef object last_number = None


cdef object this_thread_number():
    """The same as an object, or None if there is no memory for one."""
    global last_thread, last_number
    cdef ThreadId me = this_thread()
    cdef PyObject *made
    if me == last_thread:
        return last_number
    made = long_of(me)
    if made == NULL:
        PyErr_Clear()
        return None
    number = <object>made
    count_down(made)
    if not HAS_NO_GIL:
        last_thread = me
        last_number = number
    return number


cdef ThreadId this_greenlet() noexcept:
    cdef object current = current_greenlet()
    return <ThreadId><PyObject *>current


cdef bint on_main_thread():
    """Whether this is the main thread of the process, or one of its greenlets."""
    main = threading.main_thread()
    if greenlets:
        return main.native_id == threading.get_native_id()
    return main.ident == get_ident()


cdef bint in_first_greenlet() noexcept:
    """Whether this is the greenlet that the program, or its thread, began in."""
    return current_greenlet().parent is None


cdef int raise_in_first_greenlet(object error) except -1:
    """Have `error` raised there, when it waits for something or does next."""
    cdef object first = current_greenlet()
    while first.parent is not None:
        first = first.parent
    if threads_are_greenlets() == "eventlet":
        from eventlet.hubs import get_hub
        get_hub().schedule_call_global(0, first.throw, error)
    else:
        from gevent import get_hub
        get_hub().loop.run_callback(first.throw, error)
    return 0


def threads_are_greenlets():
    """The name of what has made greenlets of threads, before this was imported, or None."""
    return get_ident.__module__.partition(".")[0] if greenlets else None


def check_threads():
    """Raise RuntimeError if threads have been made greenlets since this was imported.

    What was taken from the standard library before would block all of them at once.
    """
    if _thread.get_ident is not get_ident:
        library = getattr(_thread.get_ident, "__module__", "").partition(".")[0]
        raise RuntimeError(
            f"more_executors was imported before {library or 'something'} replaced the threads of Python:"
            " have it patch them first, and import more_executors, and concurrent.futures, after that")
