# Methods and properties of the classes here: see `make_immortal`. The last file but one, as it has to know them all.


cdef int make_attributes_immortal(dict names) except -1:
    for thing in names.values():
        if isinstance(thing, type) and thing.__module__ == __name__:
            for attribute in vars(thing).values():
                if hasattr(type(attribute), "__get__"):
                    make_immortal(<PyObject *>attribute)
    return 0


if HAS_NO_GIL:
    make_attributes_immortal(globals())
