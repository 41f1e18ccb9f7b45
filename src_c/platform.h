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
#if defined(_WIN32)
#include <windows.h>
static double coarse_now(void) { return (double)GetTickCount64() * 1e-3; }
#else
#include <time.h>
#if defined(CLOCK_MONOTONIC_COARSE) /* Linux */
#define MORE_EXECUTORS_CLOCK CLOCK_MONOTONIC_COARSE
#elif defined(CLOCK_MONOTONIC_RAW_APPROX) /* macOS */
#define MORE_EXECUTORS_CLOCK CLOCK_MONOTONIC_RAW_APPROX
#else
#define MORE_EXECUTORS_CLOCK CLOCK_MONOTONIC
#endif
static double coarse_now(void)
{
    struct timespec now;
    clock_gettime(MORE_EXECUTORS_CLOCK, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
#endif

/* What `type()` does before it looks for an `__init__`. */
static PyObject *new_instance(PyObject *type, PyObject *no_arguments)
{
    return ((PyTypeObject *)type)->tp_new((PyTypeObject *)type, no_arguments, NULL);
}

/* Call a method of anybody's, and hand what it raises to sys.unraisablehook: also a SystemExit, at which what Cython
 * does with an error that it cannot raise would end the process. */
static void call_or_complain(PyObject *object, PyObject *name, PyObject *arguments, PyObject *keywords)
{
    PyObject *method = PyObject_GetAttr(object, name);
    PyObject *result = method ? PyObject_Call(method, arguments, keywords) : NULL;
    if (result == NULL)
        PyErr_WriteUnraisable(object);
    Py_XDECREF(result);
    Py_XDECREF(method);
}

#endif
