/* SPDX-License-Identifier: MIT */
/*
 * weft.Deferred: a weft_done of which Python holds the value or the exception. It is fired from Python or by Weft; until
 * then Weft holds a reference, since it belongs to the scope of its loop, which ends it at the latest.
 */
#include "_weft.h"

#include <errno.h>

#include <weft/deferred.h>
#include <weft/error.h>
#include <weft/pace.h>

struct deferred {
    PyObject_HEAD weft_deferred *deferred; /* a reference */
    struct poll *poll;                     /* whose loop it is on; NULL: it has its result */
    PyObject *value, *error;               /* one of them, when it has it */
    PyObject *canceller, *callbacks;
    bool by_weft; /* Weft fires it */
    bool looked;  /* at its error */
    bool excused; /* it was cancelled, and whoever fires it next need not know */
};

/* -- errors, both ways -- */

/* An exception of asyncio's; borrowed. NULL with an exception, if that cannot be imported any more */
static PyObject *asyncio_class(const char *name)
{
    PyObject *exceptions = PyImport_ImportModule("asyncio.exceptions");
    PyObject *class = exceptions ? PyObject_GetAttrString(exceptions, name) : NULL;

    Py_XDECREF(exceptions);
    Py_XDECREF(class);
    return class;
}

static int error_of(PyObject *exception)
{
    int error = -EIO;

    if (PyErr_GivenExceptionMatches(exception, PyExc_MemoryError))
        return WEFT_ENOMEM;
    if (PyErr_GivenExceptionMatches(exception, asyncio_class("CancelledError")))
        return WEFT_ECANCELED;
    if (PyErr_GivenExceptionMatches(exception, PyExc_OSError)) {
        PyObject *number = PyObject_GetAttrString(exception, "errno");
        long value = number && PyLong_Check(number) ? PyLong_AsLong(number) : 0;

        if (value > 0 && value < 4096)
            error = (int)-value;
        else if (PyErr_GivenExceptionMatches(exception, PyExc_TimeoutError))
            error = WEFT_ETIMEDOUT;
        Py_XDECREF(number);
    }
    PyErr_Clear();
    return error;
}

static weft_failure *failure_of(PyObject *exception)
{
    PyObject *text = PyObject_Str(exception);
    const char *words = text ? PyUnicode_AsUTF8(text) : NULL;
    weft_failure *failure =
        weft_failure_new(error_of(exception), NULL, "%s: %s", Py_TYPE(exception)->tp_name, words ? words : "?");

    PyErr_Clear();
    Py_XDECREF(text);
    return failure;
}

/* @return a new reference: an exception, or None if there is no memory for it */
static PyObject *exception_of(int error, const weft_failure *failure)
{
    PyObject *class = error == WEFT_ENOMEM      ? PyExc_MemoryError
                      : error == WEFT_ECANCELED ? asyncio_class("CancelledError")
                                                : PyExc_OSError;
    PyObject *exception = NULL;
    char text[256];

    if (failure)
        weft_failure_describe(failure, text, sizeof text);
    else
        snprintf(text, sizeof text, "%s", weft_error_text(error));
    if (class == PyExc_OSError && error >= -4095)
        exception = PyObject_CallFunction(class, "is", -error, text);
    else if (class == PyExc_OSError)
        exception = PyObject_CallFunction(class, "s", text);
    else if (class)
        exception = PyObject_CallNoArgs(class);
    PyErr_Clear();
    return exception ? exception : Py_NewRef(Py_None);
}

/* -- what Weft calls -- */

static void call(PyObject *function, struct deferred *self)
{
    PyObject *result = PyObject_CallOneArg(function, (PyObject *)self);

    if (!result)
        PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
}

static int settled(int error, int *value, void *arg)
{
    struct deferred *self = arg;
    PyObject *callbacks = self->callbacks;

    if (error < 0 && !self->error)
        self->error = exception_of(error, weft_failure_here(value));
    if (error < 0)
        Py_CLEAR(self->value);
    else if (!self->value)
        self->value = Py_NewRef(Py_None);
    self->poll->called = true;
    self->poll = NULL;
    self->callbacks = NULL;
    Py_CLEAR(self->canceller);
    for (Py_ssize_t i = 0; callbacks && i < PyList_GET_SIZE(callbacks); i++)
        call(PyList_GET_ITEM(callbacks, i), self);
    Py_XDECREF(callbacks);
    Py_DECREF(self);
    return 0; /* Python has it, and tells of what nobody looks at */
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct deferred *self = arg;
    PyObject *canceller = self->canceller;

    (void)deferred;
    (void)reason;
    self->canceller = NULL;
    self->excused = !canceller;
    if (canceller)
        call(canceller, self);
    Py_XDECREF(canceller);
}

/* -- making -- */

/* Takes @p done, of which @p object is the other half from now on. @return @p object, or NULL with an exception */
static PyObject *adopt(PyObject *object, struct poll *poll, weft_done done)
{
    struct deferred *self = (struct deferred *)object;

    if (!done.deferred) {
        Py_DECREF(object);
        return PyErr_NoMemory();
    }
    self->poll = poll;
    self->deferred = weft_deferred_ref(done.deferred);
    Py_INCREF(self);
    (void)!weft_finally(done, settled, self); /* the first callback, which never fails */
    return object;
}

static PyObject *deferred_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char poll_name[] = "poll", canceller_name[] = "canceller";
    static char *names[] = {poll_name, canceller_name, NULL};
    PyObject *poll_object, *canceller = Py_None, *object;
    struct poll *poll;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:Deferred", names, &poll_object, &canceller))
        return NULL;
    poll = poll_of(type, poll_object);
    object = poll ? type->tp_alloc(type, 0) : NULL;
    if (!object)
        return NULL;
    if (canceller != Py_None)
        ((struct deferred *)object)->canceller = Py_NewRef(canceller);
    return adopt(object, poll, weft_deferred_new_with(weft_done, weft_loop_scope(poll->loop), 0, cancelled, object));
}

static PyObject *deferred_later(PyTypeObject *type, PyObject *args)
{
    PyObject *poll_object, *seconds, *object;
    struct poll *poll;
    weft_time delay;

    if (!PyArg_ParseTuple(args, "OO:later", &poll_object, &seconds))
        return NULL;
    poll = poll_of(type, poll_object);
    delay = poll ? seconds_of(seconds) : -1;
    object = delay < 0 ? NULL : type->tp_alloc(type, 0);
    if (!object)
        return NULL;
    ((struct deferred *)object)->by_weft = true;
    return adopt(object, poll,
                 weft_later(weft_loop_scope(poll->loop), delay == WEFT_NEVER ? delay : poll_delay(poll, delay)));
}

/* -- firing and cancelling -- */

/* Whether it can be fired; raises what asyncio does if it has been. */
static bool may_fire(struct deferred *self)
{
    PyObject *class;

    if (self->poll && !self->by_weft && !weft_deferred_fired(self->deferred))
        return true;
    class = self->excused ? NULL : asyncio_class("InvalidStateError");
    if (class)
        PyErr_SetString(class, self->by_weft ? "it is Weft that fires it" : "it has been fired already");
    self->excused = false;
    return false;
}

static PyObject *deferred_fire(struct deferred *self, PyObject *args)
{
    struct poll *poll = self->poll;
    PyObject *value = Py_None;

    if (!PyArg_ParseTuple(args, "|O:fire", &value))
        return NULL;
    if (!may_fire(self))
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    self->value = Py_NewRef(value);
    poll_enter(poll);
    (void)weft_fire((weft_done){self->deferred}, 0);
    poll_leave(poll);
    Py_RETURN_NONE;
}

static PyObject *deferred_fail(struct deferred *self, PyObject *exception)
{
    struct poll *poll = self->poll;

    if (!PyExceptionInstance_Check(exception))
        return PyErr_Format(PyExc_TypeError, "fail() takes an exception");
    if (!may_fire(self))
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    self->error = Py_NewRef(exception);
    poll_enter(poll);
    (void)weft_deferred_fail_with(self->deferred, failure_of(exception));
    poll_leave(poll);
    Py_RETURN_NONE;
}

static PyObject *deferred_cancel(struct deferred *self, PyObject *unused)
{
    struct poll *poll = self->poll;

    (void)unused;
    if (!poll)
        Py_RETURN_FALSE;
    poll_enter(poll);
    weft_cancel(self->deferred);
    poll_leave(poll);
    Py_RETURN_TRUE;
}

/* -- looking -- */

static PyObject *deferred_done(struct deferred *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(!self->poll);
}

static PyObject *deferred_result(struct deferred *self, PyObject *unused)
{
    (void)unused;
    if (self->poll) {
        PyObject *class = asyncio_class("InvalidStateError");
        return class ? PyErr_Format(class, "it has no result yet") : NULL;
    }
    if (!self->error)
        return Py_NewRef(self->value);
    self->looked = true;
    if (self->error == Py_None)
        return PyErr_NoMemory();
    PyErr_SetObject(PyExceptionInstance_Class(self->error), self->error);
    return NULL;
}

static PyObject *deferred_add_done_callback(struct deferred *self, PyObject *function)
{
    if (!self->poll)
        return PyObject_CallOneArg(function, (PyObject *)self);
    if (!self->callbacks)
        self->callbacks = PyList_New(0);
    if (!self->callbacks || PyList_Append(self->callbacks, function) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* -- the object -- */

static int deferred_traverse(struct deferred *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->value);
    Py_VISIT(self->error);
    Py_VISIT(self->canceller);
    Py_VISIT(self->callbacks);
    return 0;
}

static int deferred_clear(struct deferred *self)
{
    Py_CLEAR(self->value);
    Py_CLEAR(self->error);
    Py_CLEAR(self->canceller);
    Py_CLEAR(self->callbacks);
    return 0;
}

/* An exception that nobody has looked at is told, but for a cancellation: somebody wanted that. */
static void deferred_finalize(struct deferred *self)
{
    PyObject *type, *value, *trace;

    if (!self->error || self->error == Py_None || self->looked)
        return;
    PyErr_Fetch(&type, &value, &trace);
    if (!PyErr_GivenExceptionMatches(self->error, asyncio_class("CancelledError"))) {
        PyErr_SetObject(PyExceptionInstance_Class(self->error), self->error);
        PyErr_WriteUnraisable((PyObject *)self);
    }
    PyErr_Restore(type, value, trace);
}

static void deferred_dealloc(struct deferred *self)
{
    PyTypeObject *type = Py_TYPE(self);

    if (PyObject_CallFinalizerFromDealloc((PyObject *)self) < 0)
        return;
    PyObject_GC_UnTrack(self);
    deferred_clear(self);
    weft_deferred_unref(self->deferred);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

#define METHOD(name, flags, text)                                                   \
    {                                                                               \
#name, (PyCFunction)(void (*)(void))deferred_##name, flags, PyDoc_STR(text) \
    }

static PyMethodDef deferred_methods[] = {
    METHOD(later, METH_VARARGS | METH_CLASS,
           "later(poll, seconds)\n\nOne that Weft fires with None after so long; None: never."),
    METHOD(fire, METH_VARARGS, "fire(value=None)\n\nFires it, and calls whoever waits for it."),
    METHOD(fail, METH_O, "fail(exception)\n\nFires it with an exception."),
    METHOD(cancel, METH_NOARGS,
           "cancel() -> whether it had no result yet\n\nCalls its canceller with it, which may fire it; else it fails "
           "with CancelledError. If it has no canceller the first attempt to fire it afterwards is ignored."),
    METHOD(done, METH_NOARGS, "done() -> whether it has its result"),
    METHOD(result, METH_NOARGS, "result()\n\nIts value; or raises its exception, or InvalidStateError."),
    METHOD(add_done_callback, METH_O,
           "add_done_callback(function)\n\nCalls function(deferred) when it has its result: at once if it has."),
    {0},
};

static PyType_Slot deferred_slots[] = {
    {Py_tp_new, (void *)deferred_new},
    {Py_tp_dealloc, (void *)deferred_dealloc},
    {Py_tp_finalize, (void *)deferred_finalize},
    {Py_tp_traverse, (void *)deferred_traverse},
    {Py_tp_clear, (void *)deferred_clear},
    {Py_tp_methods, deferred_methods},
    {Py_tp_doc, (void *)(uintptr_t)PyDoc_STR("Deferred(poll, canceller=None)\n\nA result that is not there yet.")},
    {0},
};

PyType_Spec deferred_spec = {
    .name = "weft._weft.Deferred",
    .basicsize = (int)sizeof(struct deferred),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = deferred_slots,
};
