"""Starting a worker of a pool: a Ctrl-C may come when it has begun, or before."""


@cython.final
cdef class WorkerPlace:
    """A worker's place in a pool: the worker has it once it has begun, or whoever tried in vain to start one."""
    cdef bint occupied      # section(self), as is the other
    cdef bint given_up

    def occupy(self):
        """For the worker, first of all: whether it is to work."""
        cdef bint mine
        with cython.critical_section(self):
            mine = not self.given_up
            self.occupied = mine
        return mine

    cdef bint give_up(self) noexcept:
        """Whether nobody has this place; then nobody ever has it."""
        cdef bint mine
        with cython.critical_section(self):
            mine = not self.occupied
            self.given_up = mine
        return mine

    def start(self, worker, threads, queues, queue):
        """Start the thread `worker`, and put it among the `threads` of its pool, and the `queues` of all pools.

        If it raises, the worker is among them if it has begun.
        """
        cdef object interrupt = None
        cdef bint enlisted = False
        cdef int attempts = 3
        try:
            worker.start()
        except BaseException as error:
            if self.give_up():
                raise
            interrupt = error
        while attempts and not enlisted:
            attempts -= 1
            try:
                threads.add(worker)
                queues[worker] = queue
                enlisted = True
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt
