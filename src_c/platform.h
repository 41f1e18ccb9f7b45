/* What Cython cannot say. */
#ifndef MORE_EXECUTORS_PLATFORM_H
#define MORE_EXECUTORS_PLATFORM_H

#include <Python.h>

#ifndef MORE_EXECUTORS_PROFILE
#define MORE_EXECUTORS_PROFILE "release"
#endif

static const char *const BUILD_PROFILE_NAME = MORE_EXECUTORS_PROFILE;

/* Seconds on a clock that never goes back, right to some milliseconds. It is read twice per future to sum up
 * how long futures took, so it is the clock that costs least: rounding down at both ends leaves sums unbiased. */
#define TICKS_PER_SECOND 256 /* `coarse_ticks` is that clock in four bytes, for each task: good for half a year */
#if defined(_WIN32)
#include <windows.h>
static double coarse_now(void) { return (double)GetTickCount64() * 1e-3; }
static double fine_now(void) { return coarse_now(); }
static unsigned int coarse_ticks(void) { return (unsigned int)(GetTickCount64() * TICKS_PER_SECOND / 1000); }
#else
#include <time.h>
#if defined(CLOCK_MONOTONIC_COARSE) /* Linux */
#define MORE_EXECUTORS_CLOCK CLOCK_MONOTONIC_COARSE
#elif defined(CLOCK_MONOTONIC_RAW_APPROX) /* macOS */
#define MORE_EXECUTORS_CLOCK CLOCK_MONOTONIC_RAW_APPROX
#else
#define MORE_EXECUTORS_CLOCK CLOCK_MONOTONIC
#endif
static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
static double coarse_now(void) { return seconds_of(MORE_EXECUTORS_CLOCK); }
static double fine_now(void) { return seconds_of(CLOCK_MONOTONIC); }
static unsigned int coarse_ticks(void)
{
    struct timespec now;
    clock_gettime(MORE_EXECUTORS_CLOCK, &now);
    return (unsigned int)now.tv_sec * TICKS_PER_SECOND + (unsigned int)now.tv_nsec / (1000000000 / TICKS_PER_SECOND);
}
#endif
static double seconds_since(unsigned int ticks) { return (double)(coarse_ticks() - ticks) / TICKS_PER_SECOND; }

#if defined(_MSC_VER)
#define MORE_EXECUTORS_THREAD_LOCAL __declspec(thread)
#else
#define MORE_EXECUTORS_THREAD_LOCAL __thread
#endif

#ifdef Py_GIL_DISABLED
static const int HAS_NO_GIL = 1; /* by how it was built */
#else
static const int HAS_NO_GIL = 0;
#endif

/* Fields that are written in a section, and read outside it too: whoever reads what was written there also finds all that
 * was written before. Where there is a GIL, that is so in any case. Where threads add to one, they are in the section. */
#if !defined(Py_GIL_DISABLED)
#define MORE_EXECUTORS_SHARED
#elif defined(_MSC_VER)
#define MORE_EXECUTORS_SHARED volatile /* with /volatile:ms, as setup.py says */
#else
#define MORE_EXECUTORS_SHARED _Atomic
#endif
typedef MORE_EXECUTORS_SHARED unsigned char SharedByte;
typedef MORE_EXECUTORS_SHARED unsigned int SharedCount;
typedef MORE_EXECUTORS_SHARED size_t SharedThread;
typedef MORE_EXECUTORS_SHARED unsigned long long SharedKey;
typedef MORE_EXECUTORS_SHARED Py_ssize_t SharedSize;
typedef MORE_EXECUTORS_SHARED double SharedDouble;

#if defined(Py_GIL_DISABLED) && defined(_Py_REF_SHARED)
/* A free-threaded Python counts references to an object apart for the thread that made it. What another thread drops more
 * often than it took it has to leave to that one, through a queue with a lock, each time. So of what is made on one thread
 * and dropped on another, all references are counted as those of no thread: what the interpreter itself does with it when
 * it is through with that queue. Only for the thread that made the object, before another one sees it. */
static inline void disown(PyObject *thing)
{
    if (thing->ob_tid != _Py_ThreadId())
        return;
    Py_ssize_t count = Py_REFCNT(thing);
    _Py_atomic_store_ssize_relaxed(&thing->ob_ref_shared, _Py_REF_SHARED(count, _Py_REF_MERGED));
    _Py_atomic_store_uint32_relaxed(&thing->ob_ref_local, 0);
    _Py_atomic_store_uintptr_relaxed(&thing->ob_tid, 0);
}
/* The same for one of the references alone, which that thread has taken: another one is going to drop it. */
static inline void lend(PyObject *thing)
{
    if (thing->ob_tid != _Py_ThreadId() || _Py_IsImmortal(thing))
        return;
    _Py_atomic_add_ssize(&thing->ob_ref_shared, 1 << _Py_REF_SHARED_SHIFT);
    _Py_atomic_store_uint32_relaxed(&thing->ob_ref_local, thing->ob_ref_local - 1);
}
#else
static inline void disown(PyObject *thing) { (void)thing; }
static inline void lend(PyObject *thing) { (void)thing; }
#endif

/* Count no references to a method or property of a class: each call of it, on any thread, takes one and drops it, and all
 * threads would write to that count. From 3.14 on they are not counted one by one in any case. Before that, the
 * interpreter does the same with functions that are written in Python; on a build with 32 bits nothing is done. */
static void make_immortal(PyObject *thing)
{
#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX < 0x030E0000 && SIZEOF_VOID_P > 4
    if (PyObject_IS_GC(thing))
        PyObject_GC_UnTrack(thing);
    Py_SET_REFCNT(thing, (Py_ssize_t)UINT32_MAX + 1); /* too many to be counted: that is how it is said */
#else
    (void)thing;
#endif
}

/* A section, without counting a reference to the object for as long: for what all threads enter at every future. Somebody
 * must keep the object meanwhile. Who is in there comes out again soon: so who finds it taken looks again some times before
 * the interpreter has the thread give up its time, or sleep. */
#ifdef Py_GIL_DISABLED
#if defined(_WIN32)
#define MORE_EXECUTORS_GIVE_WAY() SwitchToThread()
#else
#include <sched.h>
#define MORE_EXECUTORS_GIVE_WAY() sched_yield()
#endif
#if defined(_MSC_VER)
#define MORE_EXECUTORS_PAUSE() YieldProcessor()
#elif defined(__x86_64__) || defined(__i386__)
#define MORE_EXECUTORS_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define MORE_EXECUTORS_PAUSE() __asm__ __volatile__("yield")
#else
#define MORE_EXECUTORS_PAUSE() ((void)0)
#endif
typedef PyCriticalSection Section;
static inline void enter_section(Section *section, PyObject *thing)
{
    for (int looks = 0; looks < 100 && (_Py_atomic_load_uint8_relaxed(&thing->ob_mutex._bits) & 1); looks++)
        MORE_EXECUTORS_PAUSE();
    PyCriticalSection_Begin(section, thing);
}
static inline void leave_section(Section *section) { PyCriticalSection_End(section); }
/* In a forked child: no thread is in the section of `thing`. It may be locked all the same: the lock that a thread has waited
 * for is given to it by who leaves, also once all have been stopped for the fork. That thread is not there. */
static inline void vacate_section(PyObject *thing) { _Py_atomic_store_uint8_relaxed(&thing->ob_mutex._bits, 0); }
#else
typedef char Section;
static inline void enter_section(Section *section, PyObject *thing) { (void)section; (void)thing; }
static inline void leave_section(Section *section) { (void)section; }
static inline void vacate_section(PyObject *thing) { (void)thing; }
#endif

/* What is counted at every future. Without a GIL, each thread counts in one of several shares, so that few threads write to
 * the same memory; who holds a share adds to it, or reads it, and does nothing else, so others wait without sleeping. */
typedef struct {
    Py_ssize_t started, finished, failed, cancelled;
    double seconds; /* from creation to end, by the coarse clock, and with that */
    long long ticks;
#ifdef Py_GIL_DISABLED
    int held;
    char apart[76]; /* wherever an array of them begins, no two are in the same 64 bytes */
#endif
} Share;
#ifdef Py_GIL_DISABLED
#define SHARES 8
static inline void hold(int *held)
{
    while (_Py_atomic_exchange_int(held, 1))
        for (int looks = 0; _Py_atomic_load_int_relaxed(held); looks++)
            if (looks < 1000)
                MORE_EXECUTORS_PAUSE();
            else
                MORE_EXECUTORS_GIVE_WAY();
}
static inline void hold_share(Share *share) { hold(&share->held); }
static inline void release_share(Share *share) { _Py_atomic_store_int_release(&share->held, 0); }
static inline int share_here(void)
{
    static uint32_t threads = 0;
    static MORE_EXECUTORS_THREAD_LOCAL int number = -1;
    if (number < 0)
        number = (int)(_Py_atomic_add_uint32(&threads, 1) % SHARES);
    return number;
}
#else
#define SHARES 1
static inline void hold_share(Share *share) { (void)share; }
static inline void release_share(Share *share) { (void)share; }
static inline int share_here(void) { return 0; }
#endif

/* Tasks of a table whose futures are done, and which a thread takes out of there many at a time: for builds without a GIL.
 * Who holds a box does nothing but look into it or fill it. Where there is a GIL, there are none. */
#define BOX_PLACES 64
typedef struct {
    PyObject *tasks[BOX_PLACES];
    int count;
    int held;
    char apart[56]; /* as in `Share` */
} Box;
#ifdef Py_GIL_DISABLED
static inline void hold_box(Box *box) { hold(&box->held); }
static inline void release_box(Box *box) { _Py_atomic_store_int_release(&box->held, 0); }
#else
static inline void hold_box(Box *box) { (void)box; }
static inline void release_box(Box *box) { (void)box; }
#endif

/* What `type()` does before it looks for an `__init__`. */
static PyObject *new_instance(PyObject *type, PyObject *no_arguments)
{
    return ((PyTypeObject *)type)->tp_new((PyTypeObject *)type, no_arguments, NULL);
}

/* Whether `await` would take it, but for coroutines of the time before `async def`. */
static inline int is_awaitable(PyObject *thing)
{
    PyAsyncMethods *methods = Py_TYPE(thing)->tp_as_async;
    return methods != NULL && methods->am_await != NULL;
}

/* Whether it is a function, or a method, written with `async def`. */
static inline int is_async_def(PyObject *function)
{
    if (PyMethod_Check(function))
        function = PyMethod_GET_FUNCTION(function);
    return PyFunction_Check(function) && (((PyCodeObject *)PyFunction_GET_CODE(function))->co_flags & CO_COROUTINE);
}

/* Have the garbage collector see an object, which may be tracked already. */
static void show(PyObject *thing)
{
#ifdef Py_GIL_DISABLED
    static PyMutex one_at_a_time;
    if (PyObject_GC_IsTracked(thing))
        return;
    PyMutex_Lock(&one_at_a_time);
#endif
    if (!PyObject_GC_IsTracked(thing))
        PyObject_GC_Track(thing);
#ifdef Py_GIL_DISABLED
    PyMutex_Unlock(&one_at_a_time);
#endif
}

/* Whether the garbage collector could find a cycle through it. */
static inline int may_refer(PyObject *thing) { return PyType_IS_GC(Py_TYPE(thing)); }

/* Whether it is `instance.function`, and nothing else of that name. */
static inline int is_method(PyObject *thing, PyObject *function, PyObject *instance)
{
    return PyMethod_Check(thing) && PyMethod_GET_FUNCTION(thing) == function && PyMethod_GET_SELF(thing) == instance;
}

/* Whether this thread is in user code that may raise nothing to its caller, and how deep; see interrupts.pxi. */
typedef struct {
    int depth;
    int waiting; /* an interrupt is to be raised once the thread is out of there */
    int hurries; /* it waits for no coroutine to be cancelled */
} Interrupts;
static MORE_EXECUTORS_THREAD_LOCAL Interrupts current_interrupts = {0, 0, 0};

static Interrupts *interrupts_here(void) { return &current_interrupts; }

/* Have memory that is about to be written to come into the cache, while other work is done. Use it where something else
 * is done as well: GCC drops calls of a function that does nothing but this. */
#if defined(__GNUC__)
#define fetch_early(memory) __builtin_prefetch((memory), 1)
#else
#define fetch_early(memory) ((void)(memory))
#endif

/* Whether this thread was last told so longer ago than twice `interval`. */
static int is_time_to_yield(double interval)
{
    static MORE_EXECUTORS_THREAD_LOCAL double last_yield = 0.0;
    double now = fine_now();
    if (now - last_yield < 2.0 * interval)
        return 0;
    last_yield = now;
    return 1;
}

/* Hand an error to sys.unraisablehook: also a SystemExit, at which what Cython does with an error that it cannot raise
 * would end the process. */
static void complain(PyObject *object, PyObject *error)
{
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    PyErr_WriteUnraisable(object);
}

#endif
