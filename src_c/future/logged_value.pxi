"""Anybody's object in a log record: the record is written also if the object has no text."""


cdef object logged(object value):
    """`value`, for a log record: so that its `repr` and `str` do not raise."""
    if type(value) is Future or type(value) in (str, int, float, bool):
        return value
    return LoggedValue(value)


@cython.final
@cython.internal
cdef class LoggedValue:
    """Is written as `value` is, or as what can be said instead. Written when it is asked for: a record may not be."""
    cdef object value

    def __cinit__(self, value):
        self.value = value

    def __repr__(self):
        return text_of(repr, self.value)

    def __str__(self):
        return text_of(str, self.value)

    def __reduce__(self):       # for handlers that send records to another process
        return str, (str(self),)


cdef str text_of(object function, object value):
    cdef str text
    try:
        text = str(function(value))
    except BaseException as error:
        interrupt_later(error)
        text = f"<{type(value).__name__} at {id(value):#x}: its text raises {type(error).__name__}>"
    return text
