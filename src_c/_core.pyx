# cython: language_level=3
# cython: freethreading_compatible=True
# cython: auto_pickle=False
# cython: autotestdict=False
# cython: binding=True
# cython: boundscheck=False
# cython: wraparound=False
# distutils: language = c
"""What runs once per future: the future itself, the tasks behind it, their tables, timers and counters.

Sections. A change of state is decided in a short ``critical_section`` that runs no Python code: on a
build with the GIL the section is the GIL itself, on a free-threaded build it is the object's own mutex.
So inside a section nothing allocates an object, calls a method or lets go of the last reference to
anything; what has to be dropped is moved to a local and dropped outside. A list that only we know may grow and shrink
there: that takes memory, but makes no object and runs no code of anybody's. On a free-threaded build a section can even
be broken in two where a reference is counted down, if the interpreter has to wait for a lock of its own then: so what
it guards is right at every such place.

No thread enters the section of one object inside that of another, so there is no order to get wrong:

* ``section(future)`` guards the future's fields and, while the future is pending, what its task knows;
* ``section(table)`` guards which tasks are outstanding, where they are listed, when they are due, and who stands in
  line;
* ``section(counters)`` guards the counts, but for those in a ``Share``, which who holds it has to itself, as with a
  ``Box`` of a table;
  ``section(timers)`` guards the heap and every timer in it;
* ``section(call queue)`` guards how many workers a thread pool has, how many calls are not done, and why it is
  broken;
* what is not part of these has one of its own: a ``Waker``, an ``EventLog``, a ``TaskChains``, a ``SharedError``, a
  ``GoingOn``, an attempt to cancel, a ``BulkCancel``, the ``ReportedStates`` of a table, the place of a worker, a
  bridge to a loop with what is in its queue, which such bridge was used last, the ``Arrivals`` of a coroutine, a
  callback of somebody else's future, and of a ``FutureSource`` that is no table, what it has complained of and whether
  it is closed.

Outside its section a field is touched

* by anybody who reads it, if it is set before a second thread sees the object, and never after that;
* by anybody who reads it, if it is of a type called ``Shared...`` (see ``platform.h``). Who reads such a field finds
  what was written before it: with the ``state`` of a future that is done, its ``outcome``; with the ``phase`` of a
  polled task, its ``value`` and ``poll_state``;
* by the winner. Whoever moves a future out of PENDING or RUNNING has won it, and from then on is the only one to touch
  its task and its followers, and the task's ``value`` and timer: all others ask first, in the section, whether the
  future is pending. In the same way, whoever takes a timer out of the pending has its ``item``;
* by who holds the future's ``condition``: the condition's own fields, such as its ``watchers``;
* by the one thread that is notified of the end of a delegate's future, or has a task in a call, if nobody else has to
  do with it meanwhile: a map task's functions, the number of attempts, failures in a row.

``.ci/tsan`` has ThreadSanitizer watch over all of this.

Memory may be lacking anywhere, for a moment. What must not fail then asks for none. And nothing leaves an ``except``
by a ``return``, ``break`` or ``continue``: without memory for its traceback, Cython 3.3 crashes at that. Nor is what a
call returns an item of a list comprehension: without memory for the list, Cython 3.3 drops it twice.

A future made from others hangs on them by a ``DoneHook`` among their callbacks: a ``Task`` for one that is made from
one at a time, an ``Input`` for each of those that a ``Gather`` waits for. See ``delivery.pxi`` for how it is notified.
"""

import _thread
import builtins
import concurrent.futures
import logging
import threading
import types
import weakref
from _thread import allocate_lock, get_ident
from concurrent.futures import BrokenExecutor, CancelledError, InvalidStateError, TimeoutError
from sys import getswitchinterval
from time import monotonic

from more_executors._callables import check_optional_callable, done_at_all, done_by
from more_executors._checks import checked_count, iterated, real_number, shown

cimport cython
from cpython.list cimport PyList_GetSlice, PyList_New
from cpython.object cimport PyObject, PyTypeObject, Py_TYPE
from libc.math cimport INFINITY

cdef extern from "platform.h" nogil:
    double coarse_now()
    enum:
        TICKS_PER_SECOND
    unsigned int coarse_ticks()
    double seconds_since(unsigned int ticks)
    const char *BUILD_PROFILE_NAME
    const bint HAS_NO_GIL
    ctypedef struct Share:
        Py_ssize_t started
        Py_ssize_t finished
        Py_ssize_t failed
        Py_ssize_t cancelled
        double seconds
        long long ticks
    enum:
        SHARES
    void hold_share(Share *share)
    void release_share(Share *share)
    int share_here()
    enum:
        BOX_PLACES
    ctypedef struct Box:
        PyObject *tasks[BOX_PLACES]
        int count
    void hold_box(Box *box)
    void release_box(Box *box)
cdef extern from "platform.h":
    ctypedef struct Section:
        pass
    void enter_section(Section *section, PyObject *thing) noexcept
    void leave_section(Section *section) noexcept
    void vacate_section(PyObject *thing) noexcept
    ctypedef unsigned char SharedByte
    ctypedef unsigned int SharedCount
    ctypedef size_t SharedThread
    ctypedef unsigned long long SharedKey
    ctypedef Py_ssize_t SharedSize
    ctypedef double SharedDouble
    void disown(PyObject *thing) noexcept
    void lend(PyObject *thing) noexcept
    void make_immortal(PyObject *thing) noexcept
    object new_instance(object type, tuple no_arguments)
    bint is_awaitable(object thing)
    bint is_async_def(object function)
    void complain(object thing, object error)
    ctypedef struct Interrupts:
        int depth
        bint waiting
        bint hurries
    Interrupts *interrupts_here() nogil
    bint is_time_to_yield(double interval) nogil
    void fetch_early(const void *memory) noexcept nogil

cdef extern from "Python.h":
    int Py_AddPendingCall(int (*function)(void *) except -1, void *argument) noexcept
    Py_ssize_t PY_SSIZE_T_MAX

BUILD_PROFILE = BUILD_PROFILE_NAME.decode("ascii")

include "checks.pxi"
include "future/greenlets.pxi"
include "future/waiting.pxi"
include "future/condition.pxi"
include "future/transitions.pxi"
include "future/followers.pxi"
include "future/interrupts.pxi"
include "future/callbacks.pxi"
include "future/logged_value.pxi"
include "future/shared_error.pxi"
include "future/delivery.pxi"
include "future/future.pxi"
include "task/collector.pxi"
include "task/counters.pxi"
include "task/future_source.pxi"
include "task/going_on.pxi"
include "task/slot_array.pxi"
include "task/timers.pxi"
include "task/task.pxi"
include "task/long_loops.pxi"
include "task/task_table.pxi"
include "task/take_out.pxi"
include "task/turns.pxi"
include "task/two_stage_table.pxi"
include "task/future_checks.pxi"
include "task/delegate.pxi"
include "task/way_in.pxi"
include "task/chain.pxi"
include "loop/loop_call.pxi"
include "loop/loop_call_table.pxi"
include "poll/entry_heap.pxi"
include "poll/due_heap.pxi"
include "poll/backoff.pxi"
include "poll/poll_descriptor.pxi"
include "poll/cancel_attempt.pxi"
include "poll/reported_states.pxi"
include "poll/bulk_cancel.pxi"
include "poll/pause.pxi"
include "poll/round_spacing.pxi"
include "poll/poll_table_base.pxi"
include "poll/joining_table.pxi"
include "poll/keyed_table.pxi"
include "poll/keyed_futures.pxi"
include "poll/start_change.pxi"
include "shards/task_chains.pxi"
include "shards/numbered_tasks.pxi"
include "shards/shard_task.pxi"
include "shards/call_runs.pxi"
include "shards/remote_call.pxi"
include "shards/remote_calls.pxi"
include "shards/hosted_tasks.pxi"
include "poll/leaving_table.pxi"
include "poll/watched_table.pxi"
include "poll/poll_table.pxi"
include "poll/boxed_table.pxi"
include "poll/on_record.pxi"
include "poll/full_list_table.pxi"
include "poll/poll_call.pxi"
include "poll/full_list_scheduler.pxi"
include "poll/due_groups.pxi"
include "poll/schedule.pxi"
include "poll/grouped_table.pxi"
include "poll/due_table.pxi"
include "shards/task_register.pxi"
include "shards/sharded_table.pxi"
include "poll/cancel_many.pxi"
include "layers/map_task.pxi"
include "layers/deferred_task.pxi"
include "layers/retry_table.pxi"
include "layers/throttle_table.pxi"
include "layers/timeout_table.pxi"
include "combine/derived.pxi"
include "combine/promise.pxi"
include "combine/gather.pxi"
include "combine/cancel_inputs.pxi"
include "combine/apply.pxi"
include "combine/loop_bridge.pxi"
include "combine/loop_submits.pxi"
include "combine/arrivals.pxi"
include "combine/completions.pxi"
include "pool/pooled_call.pxi"
include "pool/worker_place.pxi"
include "pool/call_queue.pxi"
include "class_attributes.pxi"
include "live_objects.pxi"
