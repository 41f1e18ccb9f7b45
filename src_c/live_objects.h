/* In a debug build, how many objects there are of each class: so that a test run sees what it leaves behind, also what the
 * garbage collector does not know of. Elsewhere nothing is counted, and nothing costs anything. */
#ifndef MORE_EXECUTORS_LIVE_OBJECTS_H
#define MORE_EXECUTORS_LIVE_OBJECTS_H

#include <Python.h>

#ifdef MORE_EXECUTORS_COUNTS_LIVE_OBJECTS

#if defined(_MSC_VER)
#include <intrin.h>
#define ADD_TO_LIVE(count, number) _InterlockedExchangeAdd(count, number)
#else
#define ADD_TO_LIVE(count, number) __atomic_fetch_add(count, number, __ATOMIC_RELAXED)
#endif

#define MOST_CLASSES 128
static struct {
    PyTypeObject *type;
    allocfunc alloc; /* what the type did before it counted */
    freefunc free;
    long live;
} counted_classes[MOST_CLASSES];
static int counted_classes_count = 0;

static int counted_class(PyTypeObject *type)
{
    for (int row = 0; row < counted_classes_count; row++)
        if (counted_classes[row].type == type)
            return row;
    Py_FatalError("an object whose class is not counted");
}

static PyObject *counting_alloc(PyTypeObject *type, Py_ssize_t items)
{
    int row = counted_class(type);
    PyObject *made = counted_classes[row].alloc(type, items);
    if (made != NULL)
        ADD_TO_LIVE(&counted_classes[row].live, 1);
    return made;
}

static void counting_free(void *object)
{
    int row = counted_class(Py_TYPE((PyObject *)object));
    ADD_TO_LIVE(&counted_classes[row].live, -1);
    counted_classes[row].free(object);
}

/* Count, from now on, the objects of a class of the module; those of classes that inherit from it elsewhere are not. */
static int count_objects_of(PyObject *class_)
{
    PyTypeObject *type = (PyTypeObject *)class_;
    if (counted_classes_count == MOST_CLASSES) {
        PyErr_SetString(PyExc_SystemError, "MOST_CLASSES in live_objects.h is too small");
        return -1;
    }
    counted_classes[counted_classes_count].type = type;
    counted_classes[counted_classes_count].alloc = type->tp_alloc;
    counted_classes[counted_classes_count].free = type->tp_free;
    counted_classes_count++;
    type->tp_alloc = counting_alloc;
    type->tp_free = counting_free;
    return 0;
}

static const int COUNTS_LIVE_OBJECTS = 1;
static long live_objects_of(int row) { return counted_classes[row].live; }

#else

static const int COUNTS_LIVE_OBJECTS = 0;
static int count_objects_of(PyObject *class_) { (void)class_; return 0; }
static long live_objects_of(int row) { (void)row; return 0; }

#endif
#endif
