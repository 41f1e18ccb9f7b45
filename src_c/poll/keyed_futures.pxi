"""Futures by key, for as long as anybody has them: what is asked for twice is given twice, and nothing is kept."""


class KeyedReference(weakref.ref):
    """A weak reference to a future that knows its key."""
    __slots__ = ("key",)


@cython.final
cdef class KeyedFutures:
    """Futures that are pending or that somebody has, by key. All methods may be called from any thread."""
    cdef dict references        # section(self)

    def __cinit__(self):
        self.references = {}

    def __len__(self):
        return len(self.references)

    def get(self, str key not None):
        """The future of `key`, or None."""
        cdef object reference
        with cython.critical_section(self):
            reference = self.references.get(key)
        return None if reference is None else reference()

    def claim(self, str key not None, future not None):
        """The future of `key`: `future` if there was none. Of several threads that claim it, one gets its own."""
        cdef object fresh = KeyedReference(future, self.forget)
        cdef object before, found = None
        fresh.key = key
        with cython.critical_section(self):
            before = self.references.get(key)
            if before is not None:
                found = before()
            if found is None:
                self.references[key] = fresh
        return future if found is None else found

    def forget(self, reference not None):
        """Let another future be claimed for the key of `reference`, a KeyedReference, which is not used any more."""
        cdef object key = reference.key
        with cython.critical_section(self):
            if self.references.get(key) is reference:
                del self.references[key]

    def give_up(self, str key not None, future not None):
        """Let another future be claimed for `key`, whoever has this one: it has failed, but its task goes on."""
        cdef object reference = None    # to be dropped outside
        with cython.critical_section(self):
            reference = self.references.get(key)
            if reference is not None and reference() is future:
                del self.references[key]


def remove_item(dict items not None, key, value):
    """Delete `items[key]` if that is `value`, which no other thread puts another in the place of meanwhile."""
    with cython.critical_section(items):
        if items.get(key) is value:
            del items[key]
