"""The checks of arguments that happen once a task: the usual case here, all others in `_checks` and `_callables`."""

from collections.abc import Coroutine


cdef inline double number_of(str what, object value) except? -1.0:
    """`value` as a float, maybe infinite or NaN. Raises TypeError if it is no real number."""
    return <double>value if type(value) is float else real_number(what, value)


cdef double number_within(str what, object number, double least) except? -1.0:
    """The same, and ValueError if it is less than `least`, NaN or infinite."""
    cdef double value = number_of(what, number)
    if not least <= value < INFINITY:
        raise ValueError(f"{what} must be {least:g} or more, and finite, not {shown(number)}")
    return value


cdef inline object done(object function, object answer):
    """`answer` of `function`. Raises TypeError if it is a coroutine, so that nothing has been done yet; closes it."""
    return done_by(function, answer) if is_awaitable(answer) else answer


cdef int refuse_async(object fn, str who) except -1:
    """Raise TypeError: `who` would call `fn`, an `async def`, and await nothing."""
    raise TypeError(f"submit: fn must not be async, as {who} only calls it: write {shown(fn)} without async, or have "
                    "Executors.event_loop() instead, which awaits it")


cdef int refuse_coroutine(object result, bint is_ours) except -1:
    """Raise TypeError if `result` of a task that is to be polled is a coroutine. One `is_ours` is closed."""
    if is_awaitable(result) and isinstance(result, Coroutine):
        text = shown(result)
        if is_ours:
            result.close()
        raise TypeError(f"what is polled is known by what was returned, and {text} is a coroutine, which nobody has "
                        "awaited: have Executors.event_loop() as the delegate, which does, or submit a function that "
                        "calls asyncio.run")
    return 0
