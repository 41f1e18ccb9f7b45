"""Calling back: what runs when a future is done, and where its errors go."""

# Callbacks that raise are reported where the standard library reports theirs.
futures_logger = logging.getLogger("concurrent.futures")


# Whether the interpreter ends: what its end brings about is nobody's fault.
cdef SharedByte ending = False


def end_quietly():
    """From now on, log at DEBUG only: the interpreter ends."""
    global ending
    ending = True


def log(logger, level, message, *arguments, error=None):
    """Log at `level`, with the traceback of `error` if given, also if there is no text of an argument.

    What the logger raises goes to `sys.unraisablehook`. It raises nothing: without memory for it, a message is lost.
    """
    cdef list given
    try:
        given = [logging.DEBUG if ending else level, message]
        for argument in arguments:
            argument = logged(argument)
            given.append(argument)
        call_or_write_unraisable(logger, "log", tuple(given), {"exc_info": error})
    except MemoryError:
        pass


cdef bint call_or_write_unraisable(object thing, str name, tuple arguments, dict keywords) noexcept:
    """Call a method of anybody's; whether it did not raise. What it raises goes to `sys.unraisablehook`."""
    cdef bint succeeded = False
    enter_user_code()
    try:
        getattr(thing, name)(*arguments, **keywords)
        succeeded = True
    except BaseException as error:
        if not interrupt_later(error):
            complain(thing, error)
    finally:
        leave_user_code()
    return succeeded


cdef void report(object logger, str message, tuple arguments, object error) noexcept:
    """Log `error` at ERROR, and go on whatever it is; see `interrupts.pxi` for what happens to an interrupt."""
    log(logger, logging.ERROR, message, *arguments, error=error)
    interrupt_later(error)


cdef void run_callbacks(FutureCore future, object callbacks, Delivery *delivery) noexcept:
    """Call one callback, or a list of them in order. What they raise is logged."""
    if type(callbacks) is not list:
        run_callback(future, callbacks, delivery)
    else:
        for callback in <list>callbacks:
            run_callback(future, callback, delivery)


cdef void run_callback(FutureCore future, object callback, Delivery *delivery) noexcept:
    if isinstance(callback, DoneHook):
        deliver(<DoneHook>callback, future, delivery)
        return
    if in_forked_child:
        return
    enter_user_code()
    try:
        callback(future)
    except BaseException as error:
        report(futures_logger, "exception calling callback for %r", (future,), error)
    finally:
        leave_user_code()


cdef void notify_watchers(FutureCondition condition, FutureCore future, State state) noexcept:
    """Tell those who wait through `concurrent.futures`; the caller holds `condition`, as they expect."""
    cdef object watchers = condition.watchers
    if watchers is not None and state != CANCELLED:
        condition.watchers = None       # they may refer to the future from now on
        if type(watchers) is not tuple:
            notify_waiter(watchers, future, state)
        else:
            for watcher in <tuple>watchers:
                notify_waiter(watcher, future, state)
    condition.wake_all()


cdef void notify_waiter(object watcher, FutureCore future, State state) noexcept:
    enter_user_code()
    try:
        if state == RESULT:
            watcher.add_result(future)
        elif state == ERROR:
            watcher.add_exception(future)
        else:
            watcher.add_cancelled(future)
    except BaseException as error:
        report(futures_logger, "exception recording %r, which waits for %r", (watcher, future), error)
    finally:
        leave_user_code()


cdef object as_exception(str function, object exception):
    """`exception`, made if it is a class; TypeError if it is neither."""
    if isinstance(exception, BaseException):
        return exception
    if isinstance(exception, type) and issubclass(exception, BaseException):
        try:
            made = exception()
        except Exception as error:
            raise TypeError(f"{function}: exception must be one that is made, as {shown(exception)} cannot be made "
                            f"without arguments") from error
        if isinstance(made, BaseException):
            return made
    raise TypeError(f"{function}: exception must be an exception, not {shown(exception)}")
