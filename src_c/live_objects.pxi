# How many objects there are of each class here, in a debug build: the last file, as it has to know them all.

cdef extern from "live_objects.h":
    const int COUNTS_LIVE_OBJECTS
    int count_objects_of(object counted) except -1
    long live_objects_of(int row) nogil

cdef list counted_classes = []

if COUNTS_LIVE_OBJECTS:
    for thing in list(globals().values()):
        if isinstance(thing, type) and thing.__module__ == __name__ and thing not in counted_classes:
            count_objects_of(thing)
            counted_classes.append(thing)
    del thing


def live_objects():
    """How many objects there are of each class of this module that has any: the names, and the numbers.

    Of those that were made before the module was there, none is counted. Empty unless this is a debug build.
    """
    cdef dict found = {}
    cdef int row
    cdef long live
    for row in range(len(counted_classes)):
        live = live_objects_of(row)
        if live:
            found[counted_classes[row].__name__] = live
    return found
