"""Who waits for a future: callbacks, threads that sleep until it is done, a condition. Most have one, or none.

So there is one field for them, `followers`: None; callbacks, which are one or a list of them, and a Task is one for a
future made from this; sleepers, which are the first of the Waiters of blocked threads, or a FutureCondition, which has
that then; or a Followers, which has both. A condition, once asked for, stays for good.
"""


@cython.final
@cython.internal
cdef class Followers:
    """Callbacks and sleepers of one future; section(future) guards it until that is done, then it is the winner's."""
    cdef object callbacks
    cdef object sleepers


cdef PyTypeObject *followers_type = <PyTypeObject *>Followers
cdef PyTypeObject *waiter_type = <PyTypeObject *>Waiter
cdef PyTypeObject *condition_type = <PyTypeObject *>FutureCondition


cdef inline bint are_sleepers(PyObject *thing) noexcept:
    return Py_TYPE(<object>thing) == waiter_type or Py_TYPE(<object>thing) == condition_type


cdef inline PyObject *callbacks_in(PyObject *followers) noexcept:
    """Borrowed, as is what the next returns."""
    if Py_TYPE(<object>followers) == followers_type:
        return <PyObject *>(<Followers>followers).callbacks
    return <PyObject *>None if are_sleepers(followers) else followers


cdef inline PyObject *sleepers_in(PyObject *followers) noexcept:
    if Py_TYPE(<object>followers) == followers_type:
        return <PyObject *>(<Followers>followers).sleepers
    return followers if are_sleepers(followers) else <PyObject *>None


cdef inline object callbacks_among(object followers):
    return <object>callbacks_in(<PyObject *>followers)


cdef inline object sleepers_among(object followers):
    return <object>sleepers_in(<PyObject *>followers)


cdef inline PyObject *condition_in(PyObject *followers) noexcept:
    cdef PyObject *sleepers = sleepers_in(followers)
    return sleepers if Py_TYPE(<object>sleepers) == condition_type else <PyObject *>None


cdef inline FutureCondition condition_among(object followers):
    return <FutureCondition>condition_in(<PyObject *>followers)


cdef bint set_followers(FutureCore future, object callbacks, object sleepers, Followers spare) noexcept:
    """Inside the section: have these follow. False if that takes a Followers, and `spare` is None."""
    if type(future.followers) is Followers:
        (<Followers>future.followers).callbacks = callbacks
        (<Followers>future.followers).sleepers = sleepers
    elif callbacks is None:
        future.followers = sleepers
    elif sleepers is None:
        future.followers = callbacks
    elif spare is not None:
        spare.callbacks = callbacks
        spare.sleepers = sleepers
        future.followers = spare
    else:
        return False
    return True


cdef int subscribe(FutureCore future, object callback) except -1:
    """Keep `callback` for when the future is done: 1, or 0 if it is done already."""
    with cython.critical_section(future):
        if future.state > RUNNING:
            return 0
        if future.followers is None:
            future.followers = callback
            return 1
    return subscribe_too(future, callback)


cdef int subscribe_too(FutureCore future, object callback) except -1:
    """The same, where there is something else."""
    cdef object followers, callbacks = None, sleepers
    cdef Followers spare = None
    cdef list several = None
    while True:
        with cython.critical_section(future):
            if future.state > RUNNING:
                return 0
            followers = future.followers
            callbacks = callbacks_among(followers)
            sleepers = sleepers_among(followers)
            if type(callbacks) is list:
                (<list>callbacks).append(callback)
                return 1
            if callbacks is None:
                if set_followers(future, callback, sleepers, spare):
                    return 1
            elif several is not None:
                several.append(callbacks)
                several.append(callback)
                set_followers(future, several, sleepers, None)
                return 1
        if callbacks is None:
            spare = Followers.__new__(Followers)
        else:
            several = []
        followers = callbacks = sleepers = None


cdef void unsubscribe(FutureCore future, object callback) noexcept:
    """Do without `callback`, once, unless the future is done: then it is the winner's."""
    cdef object callbacks
    cdef Py_ssize_t i
    with cython.critical_section(future):
        if future.state <= RUNNING:
            callbacks = callbacks_among(future.followers)
            if callbacks is callback:
                set_followers(future, None, sleepers_among(future.followers), None)
            elif type(callbacks) is list:
                for i in range(len(<list>callbacks)):
                    if (<list>callbacks)[i] is callback:    # the caller has it: this is not the last reference
                        del (<list>callbacks)[i]
                        break


cdef bint put_to_sleep(FutureCore future, Waiter waiter) except -1:
    """Have `waiter` woken when the future is done; False if it is."""
    cdef object followers, sleepers
    cdef FutureCondition condition
    cdef Followers spare = None
    while True:
        with cython.critical_section(future):
            if future.state > RUNNING:
                return False
            followers = future.followers
            condition = condition_among(followers)
            if condition is not None:
                waiter.following = condition.waiter
                condition.waiter = waiter
                return True
            sleepers = sleepers_among(followers)
            waiter.following = <Waiter>sleepers
            if set_followers(future, callbacks_among(followers), waiter, spare):
                return True
        followers = sleepers = None
        spare = Followers.__new__(Followers)


cdef void forget(FutureCore future, Waiter waiter) noexcept:
    """Take `waiter` out of the list, unless the future is done: then the list is the winner's."""
    cdef object followers
    cdef FutureCondition condition
    cdef Waiter other
    with cython.critical_section(future):
        if future.state <= RUNNING:
            followers = future.followers
            condition = condition_among(followers)
            other = <Waiter>sleepers_among(followers) if condition is None else condition.waiter
            if other is not waiter:
                while other.following is not waiter:
                    other = other.following
                other.following = waiter.following
            elif condition is not None:
                condition.waiter = waiter.following
            else:
                set_followers(future, callbacks_among(followers), waiter.following, None)


cdef FutureCondition condition_of(FutureCore future):
    """Its condition, made if there is none."""
    cdef FutureCondition condition
    with cython.critical_section(future):
        condition = <FutureCondition>condition_in(<PyObject *>future.followers)
    return new_condition(future) if condition is None else condition


cdef FutureCondition new_condition(FutureCore future):
    """The same, where there was none just now."""
    cdef object followers
    cdef FutureCondition condition, fresh = FutureCondition()
    cdef Followers spare = None
    while True:
        with cython.critical_section(future):
            followers = future.followers
            condition = condition_among(followers)
            if condition is not None:
                return condition
            fresh.waiter = <Waiter>sleepers_among(followers)
            if set_followers(future, callbacks_among(followers), fresh, spare):
                return fresh
        followers = None
        spare = Followers.__new__(Followers)


cdef void wake(object sleepers) noexcept:
    """For the winner: all of them."""
    cdef Waiter waiter
    if type(sleepers) is FutureCondition:
        waiter = (<FutureCondition>sleepers).waiter
        (<FutureCondition>sleepers).waiter = None
    else:
        waiter = <Waiter>sleepers
    while waiter is not None:
        waiter.lock.release()
        waiter = waiter.following
