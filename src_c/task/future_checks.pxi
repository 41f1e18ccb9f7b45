"""What counts as a future: whatever has as much of one as is needed, and can be used from any thread."""

cdef tuple NEEDED = ("add_done_callback", "cancel", "cancelled", "exception", "result")
cdef str BELONGS_TO_LOOP = (
    "it belongs to an event loop and the thread of that; asyncio.run_coroutine_threadsafe(coroutine, loop) gives "
    "a future for all threads"
)


cdef inline bint is_future(object thing) except -1:
    """Whether `thing` is a future; `lacking` says why not."""
    if isinstance(thing, FutureCore) or isinstance(thing, concurrent.futures.Future):
        return True
    return what_lacks(thing) is None


cdef str lacking(object thing):
    """To be put behind a message that `thing`, which is shown there, is no future: what would have to be different."""
    cdef str what = what_lacks(thing)
    return f": {what}" if what else ""


cdef str what_lacks(object thing):
    """Why `thing` is no future: empty if it is nothing like one, None if it is one."""
    cdef list missing = None
    try:
        if getattr(type(thing), "_asyncio_future_blocking", None) is not None:
            return BELONGS_TO_LOOP      # as asyncio.isfuture tells
        missing = [name for name in NEEDED if not hasattr(thing, name)]
    except Exception:       # of the thing's own: whatever it is, it is no future
        pass
    if missing is None or (missing and missing[0] == NEEDED[0]):
        return ""
    return f"it has no {', '.join(missing)}" if missing else None


def check_future(str what not None, thing):
    """Raise TypeError unless `thing` is a future, with a message that begins with `what` and goes on with the thing."""
    if not is_future(thing):
        raise TypeError(f"{what} {shown(thing)}{lacking(thing)}")
