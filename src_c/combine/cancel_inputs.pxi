"""Cancelling the inputs of gathers, which may be gathers too, without recursion."""


cdef void cancel_without_recursion(list references, object logger, Delivery *delivery) noexcept:
    """Try to cancel what `references` refer to, and empty that list.

    What this cancels may be a gather, whose inputs are to be cancelled too, and so on: the outermost call within the
    delivery does it for all of them.
    """
    cdef Delivery fresh
    cdef list lists
    if delivery is NULL:
        fresh = Delivery(0, NULL, NULL)
        delivery = &fresh
    try:
        if delivery.cancelling != NULL:
            (<list>delivery.cancelling).append(references)
            return
        lists = [references]
    except MemoryError:
        lists = None
    if lists is None:
        cancel_each(references, logger, delivery)       # deeper, then
        return
    delivery.cancelling = <PyObject *>lists
    while lists:
        cancel_each(lists.pop(), logger, delivery)
    delivery.cancelling = NULL


cdef void cancel_each(list references, object logger, Delivery *delivery) noexcept:
    cdef Py_ssize_t i
    cdef object source
    for i in range(len(references)):
        source = referent(references[i])
        references[i] = None
        if source is not None:
            enter_user_code()
            try:
                if is_plain(source):
                    cancel_along(<FutureCore>source, delivery)
                else:
                    source.cancel()
            except BaseException as error:
                report(logger, "Exception during cancel on %s", (source,), error)
            finally:
                leave_user_code()
        yield_gil_at(i)
