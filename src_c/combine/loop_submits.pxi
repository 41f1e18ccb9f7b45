"""How what is submitted gets an asyncio future."""


@cython.final
@cython.no_gc_clear
cdef class LoopSubmits:
    """Submits to a delegate, and makes asyncio futures that end as what that returns does.

    `bridges` has a LoopBridge for each loop, weakly. `future_type(loop=loop)` makes a future, with slots `source` and
    `logger`. If no loop is given it is that of `running_loop()`, or if that raises RuntimeError of `other_loop()`.
    `only_called` says that the delegate awaits nothing: then an `async def` is refused.
    """
    cdef object submits_to      # the delegate, or a WayIn
    cdef object future_type
    cdef object logger
    cdef object bridges
    cdef object running_loop
    cdef object other_loop
    cdef bint only_called
    cdef LoopBridge latest      # section(self): that of the loop that was used last, or None

    def __cinit__(self, submits_to, future_type, logger, bridges, running_loop, other_loop,
                  only_called):
        self.submits_to = submits_to
        self.future_type = future_type
        self.logger = logger
        self.bridges = bridges
        self.running_loop = running_loop
        self.other_loop = other_loop
        self.only_called = only_called

    def submit(self, loop, fn, tuple args not None, dict kwargs not None):
        """An asyncio future of `loop`, None for the current one, that ends as `submit(fn, *args, **kwargs)` does."""
        if self.only_called and is_async_def(fn):
            refuse_async(fn, "the delegate")
        return self.submit_to(self.submits_to, loop, fn, args, kwargs)

    cpdef object submit_to(self, submits_to, loop, fn, tuple args, dict kwargs):
        """The same, with the `submit` of `submits_to`."""
        cdef object source, target
        cdef LoopBridge bridge
        if loop is None:
            try:
                loop = self.running_loop()
            except RuntimeError:
                pass
            if loop is None:
                loop = self.other_loop()
        bridge = self.bridge_to(loop)
        source = submitted(submits_to, fn, args, kwargs)
        target = self.future_type(loop=loop)
        target.logger = self.logger
        bridge.connect_to(source, target)
        return target

    cdef LoopBridge bridge_to(self, object loop):
        cdef LoopBridge bridge, last
        with cython.critical_section(self):
            bridge = self.latest
        if bridge is None or bridge.loop() is not loop:
            bridge = self.bridges.get(loop)
            if bridge is None:
                bridge = self.bridges.setdefault(loop, LoopBridge(loop))
            with cython.critical_section(self):
                last = self.latest      # dropped outside
                self.latest = bridge
        return bridge
