"""One exception that ends many futures: each who asks one of them is given a copy.

Whoever raises an exception adds to its traceback, and what is in a traceback stays alive. A thousand who asked for the
same object would leave a thousand frames in it, which each of them then logs.
"""

cdef extern from "Python.h":
    PyObject *PyException_GetTraceback(object error)    # these give a reference to be counted down, or NULL
    PyObject *PyException_GetContext(object error)
    PyObject *PyException_GetCause(object error)
    object PyWeakref_NewRef(object thing, PyObject *callback)

cdef object of_base = vars(BaseException)
cdef object dict_of = of_base["__dict__"]
cdef object args_of = of_base["args"]
cdef object traceback_of = of_base["__traceback__"]
cdef object context_of = of_base["__context__"]
cdef object cause_of = of_base["__cause__"]
cdef object suppresses_context = of_base["__suppress_context__"]
cdef object BaseExceptionGroup = getattr(builtins, "BaseExceptionGroup", None)


cdef inline object taken(PyObject *reference):
    """What a new `reference`, or NULL, refers to."""
    cdef object thing
    if reference is NULL:
        return None
    thing = <object>reference
    count_down(reference)
    return thing


@cython.final
@cython.no_gc_clear
cdef class SharedError:
    """What futures end with, in the state ERROR, that fail for one and the same reason: `error`, as it is now.

    `fresh` is for one who asks. It runs no code of the exception's class.
    """
    cdef object __weakref__
    cdef readonly object error
    cdef object traceback
    cdef object context
    cdef object cause
    cdef bint suppressing
    cdef bint alone             # section(self), as is the next: it has ended one future only, so far
    cdef Likeness likeness      # how to copy it, once somebody has asked

    def __cinit__(self, error not None, bint alone=False):
        self.error = error
        self.traceback = taken(PyException_GetTraceback(error))
        self.context = taken(PyException_GetContext(error))
        self.cause = taken(PyException_GetCause(error))
        self.suppressing = suppresses_context.__get__(error)
        self.alone = alone

    cdef void share(self) noexcept:
        """It is to end another future."""
        with cython.critical_section(self):
            self.alone = False

    cdef object fresh(self):
        """A copy, with the traceback from before anybody asked; where none can be made, `error` itself, set back."""
        cdef object copy = None
        cdef bint alone
        with cython.critical_section(self):
            alone = self.alone
        if alone:
            return self.error
        try:
            copy = self.likeness_of_it().copy(self.error)
        except Exception:
            pass
        if copy is None:
            copy = self.error
        traceback_of.__set__(copy, self.traceback)
        context_of.__set__(copy, self.context)
        cause_of.__set__(copy, self.cause)
        suppresses_context.__set__(copy, self.suppressing)      # which the cause has set
        return copy

    cdef Likeness likeness_of_it(self):
        cdef Likeness likeness
        with cython.critical_section(self):
            likeness = self.likeness
        if likeness is None:
            likeness = Likeness(type(self.error))
            with cython.critical_section(self):
                self.likeness = likeness
        return likeness


@cython.final
@cython.internal
cdef class Likeness:
    """How to make another exception of a class, with all that is in the first, past `__new__` and `__init__` of users.

    Not possible where a class has fields that only its own C code knows, or wants to know when an instance goes.
    """
    cdef object kind
    cdef object new             # of the built-in class that it comes from; None if there can be no copy
    cdef list fields            # descriptors of what built-in classes have, which is None if it is not set
    cdef list slots

    def __cinit__(self, kind):
        cdef object base = kind
        self.kind = kind
        self.fields = []
        self.slots = []
        if hasattr(kind, "__del__"):
            return
        for one in kind.__mro__:
            if is_builtin(one):
                self.add_fields(one)
            elif not self.add_slots(one):
                return
        while not is_builtin(base):
            base = base.__base__
        self.new = base.__new__

    cdef int add_fields(self, object base) except -1:
        if base is BaseException or base is object or base is BaseExceptionGroup:
            return 0
        for name, field in vars(base).items():
            if isinstance(field, (types.MemberDescriptorType, types.GetSetDescriptorType)):
                if name not in ("__dict__", "__weakref__"):
                    self.fields.append(field)
        return 0

    cdef bint add_slots(self, object base) except -1:
        """Whether `base` has nothing but slots, and what all instances have."""
        cdef list slots = [field for field in vars(base).values() if isinstance(field, types.MemberDescriptorType)]
        cdef Py_ssize_t size = base.__basicsize__ - base.__base__.__basicsize__
        size -= <Py_ssize_t>sizeof(void *) * len(slots)
        self.slots += slots
        return size == 0 or (size == sizeof(void *) and "__weakref__" in vars(base))

    cdef object copy(self, object error):
        """A copy of `error`, but for its traceback and what it was raised from; None if there can be none."""
        cdef object copy
        cdef dict attributes
        if self.new is None:
            return None
        if BaseExceptionGroup is not None and isinstance(error, BaseExceptionGroup):
            copy = self.new(self.kind, BaseExceptionGroup.message.__get__(error),
                            BaseExceptionGroup.exceptions.__get__(error))
        else:
            copy = self.new(self.kind)
        args_of.__set__(copy, args_of.__get__(error))
        for field in self.fields:
            value = None
            try:
                value = field.__get__(error)
            except (AttributeError, TypeError):     # it is not set
                pass
            if value is not None:
                field.__set__(copy, value)
        for field in self.slots:
            try:
                value = field.__get__(error)
                field.__set__(copy, value)
            except AttributeError:      # it is not set
                pass
        attributes = dict(dict_of.__get__(error))
        if attributes:
            if type(attributes.get("__notes__")) is list:
                attributes["__notes__"] = attributes["__notes__"].copy()
            dict_of.__set__(copy, attributes)
        return copy


cdef bint is_builtin(object kind) except -1:
    return vars(builtins).get(kind.__name__) is kind


cdef object unshared(object outcome):
    """The exception for one who asks a future whose outcome in the state ERROR is `outcome`."""
    return (<SharedError>outcome).fresh() if type(outcome) is SharedError else outcome


cdef type type_of_error(object outcome):
    return type((<SharedError>outcome).error if type(outcome) is SharedError else outcome)


cdef object handed_on(FutureCore future):
    """The outcome of a future that failed, for one made from it.

    The first gets the exception itself, as do all in a chain; what others get is shared.
    """
    cdef object outcome = future.outcome
    cdef bint first
    if type(outcome) is SharedError:
        return outcome
    with cython.critical_section(future):
        first = not future.handed_on
        future.handed_on = True
    return outcome if first else shared(outcome)


cdef object shared(object error):
    """`error`, to be given to many. Itself, if there is no memory."""
    cdef object outcome = error
    try:
        outcome = SharedError(error)
    except MemoryError:
        pass
    return outcome


def failed_future(error not None):
    """A future that has failed with `error`, an exception or a SharedError: for who decides what follows from it."""
    cdef FutureCore future = new_future()
    future.outcome = error
    future.state = ERROR
    return future
