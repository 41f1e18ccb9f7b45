"""What happens to the tasks of a shard, on its worker, on its way into messages for the client."""


@cython.final
@cython.no_gc       # it is alive until its future is done, or what has it is told that there will be none
cdef class HostedTask(NumberedTask):
    """A task of a shard.

    Called without arguments, it is started. Called by its `future`, when that is done, it says so to its `events`.
    """
    cdef EventLog events
    cdef object kept            # section(self): once there is one, else None
    cdef object fn              # what starts it, until that is called; or None
    cdef object args            # for that: a tuple, or if it has `one_argument`, that
    cdef bint one_argument
    cdef SharedByte started     # what it is known by has been noted, or it was adopted
    cdef public bint is_given_up    # the client has cancelled it, or released it

    def __init__(self, EventLog events not None, unsigned long long number, bint is_started=False):
        self.events = events
        self.number = number
        self.started = is_started

    @property
    def future(self):
        """What stands for it: None if there is nothing yet, or not any more."""
        with cython.critical_section(self):
            future = self.kept
        return future

    @property
    def is_started(self):
        """Whether it is known at the service."""
        return self.started

    def to_call(self, fn, tuple args not None):
        """It is to be started by `fn(*args)`, unless the lease is over then; what that returns is noted."""
        self.fn = fn
        self.args = args

    cdef object start(self):
        cdef object fn = self.fn, args = self.args
        self.fn = self.args = None
        self.events.check()
        task = fn(args) if self.one_argument else fn(*<tuple>args)
        self.events.created(self, task)
        return task

    def keep(self, future not None):
        """`future` stands for it."""
        self.stand_for(future)

    cdef int stand_for(self, object future) except -1:
        with cython.critical_section(self):
            self.kept = future
        if not isinstance(future, FutureCore):
            future.add_done_callback(self)
        elif not subscribe(<FutureCore>future, self):
            self.events.note_end(self)
        return 0

    cpdef let_go(self):
        """Do without its future: the garbage collector would not see that they refer to each other."""
        with cython.critical_section(self):     # and drop it outside: what it refers to may have destructors
            future, self.kept = self.kept, None

    def __call__(self, future=None):
        if future is None:
            return self.start()
        self.events.note_end(self)


cdef class EventLog:
    """What happened to tasks, until a message is made of that.

    `check_lease` raises an error if nothing is to be started any more. It is called if `clock()` says more than
    `expires`, or if it `is_stopped`. `waker` is that of who makes messages; it is set for any event if that
    `is_waiting`, else once there are `enough`.
    """
    cdef readonly Waker waker
    cdef public SharedByte is_waiting
    cdef public SharedByte is_stopped
    cdef SharedByte over        # section(self), as are the lists: no message will be made of what is noted
    cdef public SharedDouble expires
    cdef object clock
    cdef object check_lease
    cdef object plain
    cdef Py_ssize_t enough
    cdef list numbers           # of tasks that were created
    cdef list created_tasks     # what those are known by
    cdef list ended             # tasks whose future is done

    def __init__(self, clock, check_lease, plain, Py_ssize_t enough):
        self.waker = Waker()
        self.is_waiting = True
        self.clock = clock
        self.check_lease = check_lease
        self.plain = plain
        self.enough = enough
        self.numbers = []
        self.created_tasks = []
        self.ended = []

    def __len__(self):
        cdef Py_ssize_t count
        with cython.critical_section(self):
            count = len(self.numbers) + len(self.ended)
        return count

    cpdef check(self):
        """Raise an error if nothing is to be started any more."""
        if self.is_stopped or <double>self.clock() > self.expires:
            self.check_lease()

    cpdef created(self, HostedTask task, known_as):
        """Note that `task` was started."""
        cdef object number = task.number
        cdef Py_ssize_t count
        task.started = True
        with cython.critical_section(self):
            self.numbers.append(number)
            self.created_tasks.append(known_as)
            count = len(self.numbers)
        if self.is_waiting or count >= self.enough:
            self.waker.set()

    cdef int note_end(self, HostedTask task) except -1:
        cdef Py_ssize_t count = 0
        cdef bint over
        with cython.critical_section(self):
            over = self.over
            if not over:
                self.ended.append(task)
                count = len(self.ended)
        if over:
            task.let_go()
        elif self.is_waiting or count >= self.enough:
            self.waker.set()
        return 0

    def end(self):
        """Take note of no more ends: no message will be made of them."""
        with cython.critical_section(self):
            self.over = True

    def take(self, NumberedTasks tasks not None):
        """All that was noted, as five lists; of what ended, nothing is in `tasks` any more.

        The numbers of tasks that were created, and what they are known by, which may not be plain; the numbers of those
        that ended with a plain result, and these; and the others that ended.
        """
        cdef list fresh_numbers = [], fresh_created = [], fresh_ended = []
        cdef list numbers, created, ended
        cdef list plain_numbers = [], results = [], others = []
        cdef HostedTask task
        cdef FutureCore future
        cdef Py_ssize_t i
        with cython.critical_section(self):
            numbers, self.numbers = self.numbers, fresh_numbers
            created, self.created_tasks = self.created_tasks, fresh_created
            ended, self.ended = self.ended, fresh_ended
        for i in range(len(ended)):
            task = ended[i]
            tasks.pop(task.number)
            kept = task.kept     # which nobody else drops before `end`
            future = kept if isinstance(kept, FutureCore) else None
            if (future is not None and task.started and future.state == RESULT
                    and type(future.outcome) in self.plain):
                plain_numbers.append(task.number)
                results.append(future.outcome)
                task.let_go()
            else:
                others.append(task)
            yield_gil_at(i)
        return numbers, created, plain_numbers, results, others


cdef dict NO_KEYWORDS = {}


def start_run(EventLog events not None, NumberedTasks tasks not None, way not None, fn,
              CallEntries entries not None, list numbers not None, Py_ssize_t first, not_started):
    """Start those of `entries` that are in the same run as the next one, by `fn`; returns how many there were.

    Each is a HostedTask in `tasks`, with the next of `numbers`, from the place `first` on; its future is what `submit`
    of `way` returns. `not_started(task, error)` is called for each for which there is none.
    """
    cdef HostedTask task
    cdef Py_ssize_t i = first, run = entries.run
    while entries.run == run and i < len(numbers):
        task = HostedTask.__new__(HostedTask)
        task.events = events
        task.number = numbers[i]
        task.fn = fn
        task.one_argument = entries.width == 1
        task.args = entries.take(task.one_argument)
        tasks.put(task)
        try:
            task.stand_for(submitted(way, task, (), NO_KEYWORDS))
        except BaseException as error:
            not_started(task, error)
        i += 1
        yield_gil_at(i)
    return i - first
