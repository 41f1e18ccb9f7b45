"""An interrupt that hits the main thread in user code which is called for a future: it gets out a little later.

A signal handler may raise KeyboardInterrupt, SystemExit or a class of its own in whatever the main thread is at, be it
a callback, a function that maps, or a logger. Then this library first does for all futures what is to be done. When the
thread is in none of those functions any more, the interpreter is asked to raise the interrupt in it again. Where
threads are greenlets, that is in the greenlet that the program began in, whatever others are at.
"""

import functools
import signal
import sys

cdef list interrupts = []       # that are to be raised, the first first; of the main thread alone


cdef inline void enter_user_code() noexcept:
    """Before a call of anybody's function that may raise nothing to the caller. Followed by `leave_user_code`."""
    if not greenlets or in_first_greenlet():
        interrupts_here().depth += 1


cdef inline void leave_user_code() noexcept:
    cdef Interrupts *here = interrupts_here()
    if greenlets and not in_first_greenlet():
        return
    here.depth -= 1
    if here.waiting and here.depth == 0:
        ask_for_interrupt(here)


cdef void ask_for_interrupt(Interrupts *here) noexcept:
    # Only so many can be asked for at a time: then it is tried again when this thread leaves user code next.
    here.waiting = Py_AddPendingCall(raise_interrupt, NULL) < 0


cdef int raise_interrupt(void *nothing) except -1:
    """In the main thread, between two of its instructions: raise what waits for that, unless it is in user code."""
    cdef Interrupts *here = interrupts_here()
    if not interrupts or ending:
        return 0
    if here.depth > 0:
        here.waiting = True
        return 0
    error = interrupts.pop(0)
    if interrupts:
        ask_for_interrupt(here)
    if greenlets and not in_first_greenlet():
        raise_in_first_greenlet(error)
        return 0
    raise error


cdef bint is_interrupt(object error) except -1:
    """Whether `error`, out of a function that was called here, is an interrupt: a Ctrl-C, or a signal handler's.

    Anything else was raised by the function itself, which was asked something: it has not said yes.
    """
    if isinstance(error, KeyboardInterrupt):
        return True
    if isinstance(error, (Exception, GeneratorExit)) or get_ident() != threading.main_thread().ident:
        return False
    return raised_by_handler(error)


cdef bint raised_by_handler(object error) except -1:
    cdef set codes = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        while isinstance(handler, functools.partial):
            handler = handler.func
        for function in (handler, getattr(type(handler), "__call__", None)):
            code = getattr(getattr(function, "__func__", function), "__code__", None)
            if code is not None:
                codes.add(code)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            return True
        trace = trace.tb_next
    return False


cdef bint interrupt_later(object error) noexcept:
    """If `error` is an interrupt of the main thread, have it raised there again; whether it is one."""
    cdef Interrupts *here
    if isinstance(error, (Exception, GeneratorExit)) or not on_main_thread():
        return False
    if greenlets and not isinstance(error, (KeyboardInterrupt, SystemExit)):
        return False    # it is for this greenlet, as is a time-out, or the end of it
    asyncio_exceptions = sys.modules.get("asyncio.exceptions")
    if asyncio_exceptions is not None and isinstance(error, asyncio_exceptions.CancelledError):
        return False
    for other in interrupts:
        if other is error:      # it has come through another function of the user's
            return True
    interrupts.append(error)
    here = interrupts_here()
    here.waiting = True
    if here.depth == 0:
        ask_for_interrupt(here)
    return True
