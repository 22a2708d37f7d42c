/* SPDX-License-Identifier: MIT */
/*
 * weft.Poll: what Python's select.epoll does, on a loop of Weft (docs/decisions/0018-python.md).
 *
 * It hosts the loop: it sleeps on the loop's descriptor without the interpreter's lock, then makes one turn with it. So
 *
 * - nothing is done to the loop while another thread sleeps in poll(), and that one may register and unregister
 *   meanwhile, as with epoll;
 * - a signal ends the sleep, its handler in Python runs at once, and the rest is slept (PEP 475).
 *
 * What is ready in a turn is written down, and the list is made afterwards. Only a deferred (_deferred.c) runs Python in a
 * turn; therefore closing has to wait until the turn is over.
 */
#include "_weft.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include <weft/error.h>
#include <weft/log.h>
#include <weft/memory.h>
#include <weft/watch.h>

/* Of a turn that tells of so many, another is worth its system call. */
#define MANY 64

/* A descriptor that is registered. */
struct place {
    weft_watch watch;
    struct poll *poll;
    int fd;
    unsigned interest; /* that it begins with */
    size_t told;       /* one more than its index there; 0: nothing of it is told */
};

struct told {
    int fd;
    unsigned events; /* as epoll calls them */
};

PyObject *raise_error(int status)
{
    if (status == WEFT_ENOMEM)
        return PyErr_NoMemory();
    if (status >= -4095) {
        errno = -status;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyErr_Format(PyExc_OSError, "%s", weft_error_text(status));
}

bool poll_is_open(const struct poll *self)
{
    if (self->loop && !self->closing)
        return true;
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed weft.Poll object");
    return false;
}

/* -- what is ready -- */

static unsigned events_of(unsigned what)
{
    return (what & WEFT_READABLE ? (unsigned)EPOLLIN : 0U) | (what & WEFT_WRITABLE ? (unsigned)EPOLLOUT : 0U) |
           (what & WEFT_FAILED ? (unsigned)EPOLLERR : 0U) | (what & WEFT_HANGUP ? (unsigned)EPOLLHUP : 0U);
}

static void ready(weft_watch *watch, unsigned what)
{
    struct place *place = weft_container_of(watch, struct place, watch);
    struct poll *self = place->poll;

    if (!place->told) {
        self->told[self->told_count++] = (struct told){.fd = place->fd};
        place->told = self->told_count;
    }
    self->told[place->told - 1].events |= events_of(what);
}

static void timer_fired(weft_timer *timer)
{
    weft_container_of(timer, struct poll, timer)->late = true;
}

static PyObject *list_told(const struct poll *self)
{
    PyObject *list = PyList_New((Py_ssize_t)self->told_count);

    for (size_t i = 0; list && i < self->told_count; i++) {
        PyObject *pair = Py_BuildValue("(iI)", self->told[i].fd, self->told[i].events);

        if (!pair)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, pair);
    }
    return list;
}

/* -- waiting -- */

/* Sleeps until the loop has something to do, or a signal came and its handler has run. @return 0, or -1 with an
 * exception */
static int sleep_once(struct poll *self)
{
    struct pollfd descriptor = {.fd = weft_loop_fd(self->loop), .events = POLLIN};
    weft_time delay = weft_loop_prepare(self->loop);
    struct timespec time = {.tv_sec = delay / WEFT_SECONDS(1), .tv_nsec = delay % WEFT_SECONDS(1)};
    int count, error;

    if (delay == 0)
        return 0;
    Py_BEGIN_ALLOW_THREADS count = ppoll(&descriptor, 1, delay == WEFT_NEVER ? NULL : &time, NULL);
    error = count < 0 ? errno : 0;
    Py_END_ALLOW_THREADS if (error == EINTR) return PyErr_CheckSignals();
    if (error)
        raise_error(-error);
    return error ? -1 : 0;
}

static void tell_anew(struct poll *self)
{
    for (size_t i = 0; i < self->told_count; i++) {
        struct place *place = self->places[self->told[i].fd];

        if (place)
            place->told = 0;
    }
    self->told_count = 0;
}

/* Turns that do not wait. One tells of some hundred descriptors at most, and epoll's users expect all that are ready: so
 * it is followed by another while each tells of many more. @return 0, or -1 with an exception */
static int take_turns(struct poll *self)
{
    size_t before;
    int status;

    tell_anew(self);
    poll_enter(self);
    do {
        before = self->told_count;
        status = weft_loop_step(self->loop);
    } while (status >= 0 && self->told_count - before >= MANY);
    poll_leave(self);
    if (status < 0)
        raise_error(status);
    return status < 0 ? -1 : 0;
}

/* @return 0 when something is ready, Python has run, or the timer has fired; or -1 with an exception. */
static int wait_ready(struct poll *self, weft_time timeout)
{
    for (;;) {
        if (timeout != 0 && sleep_once(self) < 0)
            return -1;
        if (!poll_is_open(self)) /* another thread has closed it, or the handler of a signal */
            return -1;
        if (take_turns(self) < 0 || !poll_is_open(self)) /* or what a deferred has called */
            return -1;
        if (self->told_count > 0 || self->called || self->late || timeout == 0)
            return 0;
    }
}

weft_time poll_delay(const struct poll *self, weft_time delay)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return WEFT_SECONDS(now.tv_sec) + now.tv_nsec - weft_loop_now(self->loop) + delay;
}

weft_time seconds_of(PyObject *object)
{
    double seconds = object == Py_None ? -1 : PyFloat_AsDouble(object);

    if (PyErr_Occurred())
        return -1;
    if (seconds != seconds) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    return seconds < 0 || seconds > 1e9 ? WEFT_NEVER : (weft_time)(seconds * 1e9 + 0.999);
}

static PyObject *poll_poll(struct poll *self, PyObject *args)
{
    PyObject *timeout_object = Py_None;
    weft_time timeout;
    int most = -1, status;

    if (!PyArg_ParseTuple(args, "|Oi:poll", &timeout_object, &most) || !poll_is_open(self))
        return NULL;
    timeout = seconds_of(timeout_object);
    if (timeout < 0)
        return NULL;
    if (self->sleeping || self->inside > 0)
        return PyErr_Format(PyExc_RuntimeError, "another thread, or what a signal has interrupted, is in poll()");
    self->late = self->called = false;
    if (timeout != 0 && timeout != WEFT_NEVER)
        weft_timer_start(&self->timer, poll_delay(self, timeout));
    self->sleeping = true;
    status = wait_ready(self, timeout);
    self->sleeping = false;
    if (self->loop)
        weft_timer_stop(&self->timer);
    return status < 0 ? NULL : list_told(self);
}

/* -- what is registered -- */

/* What was changed is told to the kernel there and then: a thread may sleep in poll(), and another loop on our
 * descriptor. (An engine may keep it until the host says that it will sleep: docs/decisions/0017-hosting.md.) */
static PyObject *changed(struct poll *self)
{
    (void)weft_loop_prepare(self->loop);
    Py_RETURN_NONE;
}

static int make_room(struct poll *self, int fd)
{
    size_t size = self->size ? self->size : 64;
    struct place **places;
    struct told *told;

    if ((size_t)fd < self->size)
        return 0;
    while (size <= (size_t)fd)
        size *= 2;
    told = weft_reallocate(self->told, size * sizeof *told);
    if (!told)
        return WEFT_ENOMEM;
    self->told = told;
    places = weft_reallocate(self->places, size * sizeof *places);
    if (!places)
        return WEFT_ENOMEM;
    self->places = places;
    for (size_t i = self->size; i < size; i++)
        places[i] = NULL;
    self->size = size;
    return 0;
}

static void forget(struct poll *self, struct place *place)
{
    weft_watch_stop(&place->watch);
    if (self->places[place->fd] == place)
        self->places[place->fd] = NULL;
    weft_release(place);
}

static int start(struct place *place)
{
    return weft_watch_start(&place->watch, weft_loop_scope(place->poll->loop), place->fd, place->interest, ready);
}

/* If the number was registered, and closed without a word, and is another file's now, that one takes the place. (The end
 * of the old watch could be the new one's, if the file is the same: so that one begins once more.) */
static int start_instead(struct place *place, struct place *before)
{
    int status = start(place);

    if (status < 0 || !before)
        return status;
    weft_watch_stop(&place->watch);
    forget(place->poll, before);
    return start(place);
}

static int add(struct poll *self, int fd, unsigned interest)
{
    int status = make_room(self, fd);
    struct place *place = status < 0 ? NULL : weft_allocate_zeroed(1, sizeof *place);

    if (!place)
        return WEFT_ENOMEM;
    *place = (struct place){.poll = self, .fd = fd, .interest = interest};
    status = start_instead(place, self->places[fd]);
    if (status < 0)
        weft_release(place);
    else
        self->places[fd] = place;
    return status;
}

static int interest_of(unsigned events, unsigned *ret)
{
    if (events & ~(unsigned)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP))
        return -EINVAL;
    *ret = (events & EPOLLIN ? (unsigned)WEFT_READABLE : 0U) | (events & EPOLLOUT ? (unsigned)WEFT_WRITABLE : 0U);
    return 0;
}

/* The descriptor and the interest of a call. @return the descriptor, or -1 with an exception */
static int parse(struct poll *self, PyObject *args, unsigned *interest)
{
    PyObject *file;
    unsigned events = EPOLLIN | EPOLLOUT;
    int status;

    if (!PyArg_ParseTuple(args, "O|I", &file, &events) || !poll_is_open(self))
        return -1;
    status = interest_of(events, interest);
    if (status < 0) {
        raise_error(status);
        return -1;
    }
    return PyObject_AsFileDescriptor(file);
}

static PyObject *poll_register(struct poll *self, PyObject *args)
{
    unsigned interest;
    int fd = parse(self, args, &interest);
    int status = fd < 0 ? 0 : add(self, fd, interest);

    if (fd < 0 || status < 0)
        return fd < 0 ? NULL : raise_error(status);
    return changed(self);
}

/* @return the place of @p fd, or NULL with an exception */
static struct place *find(const struct poll *self, int fd)
{
    struct place *place = (size_t)fd < self->size ? self->places[fd] : NULL;

    if (!place)
        raise_error(fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOENT);
    return place;
}

/* A change of a watch cannot fail; but that the descriptor was closed is worth an exception, as it is with epoll. */
static PyObject *poll_modify(struct poll *self, PyObject *args)
{
    unsigned interest;
    int fd = parse(self, args, &interest);
    struct place *place = fd < 0 ? NULL : find(self, fd);

    if (!place)
        return NULL;
    if (fcntl(fd, F_GETFD) < 0)
        return raise_error(-errno);
    weft_watch_change(&place->watch, interest);
    return changed(self);
}

static PyObject *poll_unregister(struct poll *self, PyObject *args)
{
    unsigned interest;
    int fd = parse(self, args, &interest);
    struct place *place = fd < 0 ? NULL : find(self, fd);

    if (!place)
        return NULL;
    forget(self, place);
    return changed(self);
}

/* -- the object -- */

/* What deferreds call while the loop is freed finds it closed. */
static void shut(struct poll *self)
{
    weft_loop *loop = self->loop;

    self->closing = true;
    if (!loop || self->inside > 0)
        return;
    self->loop = NULL;
    for (size_t fd = 0; fd < self->size; fd++)
        if (self->places[fd])
            forget(self, self->places[fd]);
    weft_timer_fini(&self->timer);
    weft_loop_free(loop);
    weft_release(self->places);
    weft_release(self->told);
    self->places = NULL;
    self->told = NULL;
    self->size = 0;
}

void poll_enter(struct poll *self)
{
    Py_INCREF(self);
    self->inside++;
}

void poll_leave(struct poll *self)
{
    if (--self->inside == 0 && self->closing)
        shut(self);
    Py_DECREF(self);
}

static PyObject *poll_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    /* A callback of this loop writes down a number: there is nothing for a watchdog to find. */
    weft_loop_options options = {.size = sizeof options, .watchdog = WEFT_NEVER};
    int sizehint = -1, status;
    struct poll *self;

    if (keywords && PyDict_GET_SIZE(keywords) > 0)
        return PyErr_Format(PyExc_TypeError, "Poll() takes no keyword arguments");
    if (!PyArg_ParseTuple(args, "|i:Poll", &sizehint))
        return NULL;
    self = (struct poll *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    status = weft_loop_new(&options, &self->loop);
    if (status == 0)
        status = weft_timer_init(&self->timer, weft_loop_scope(self->loop), timer_fired);
    if (status == 0 && weft_loop_fd(self->loop) < 0)
        status = -ENOTSUP; /* a simulated world, where there is nothing to sleep on */
    if (status < 0) {
        Py_DECREF(self);
        return raise_error(status);
    }
    return (PyObject *)self;
}

/* (Not when it is deallocated: the end of its deferreds runs Python, which may well touch it.) */
static void poll_finalize(struct poll *self)
{
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    shut(self);
    PyErr_Restore(type, value, trace);
}

static void poll_dealloc(struct poll *self)
{
    PyTypeObject *type = Py_TYPE(self);

    if (PyObject_CallFinalizerFromDealloc((PyObject *)self) < 0)
        return;
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *poll_close(struct poll *self, PyObject *unused)
{
    (void)unused;
    shut(self);
    Py_RETURN_NONE;
}

/* Who asks will sleep on it, maybe with no poll() before; and then the loop may first want a turn. */
static PyObject *poll_fileno(struct poll *self, PyObject *unused)
{
    (void)unused;
    if (!poll_is_open(self))
        return NULL;
    if (!self->sleeping && self->inside == 0 && weft_loop_prepare(self->loop) == 0 && take_turns(self) < 0)
        return NULL;
    if (!poll_is_open(self))
        return NULL;
    return PyLong_FromLong(weft_loop_fd(self->loop));
}

static PyObject *poll_closed(struct poll *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(!self->loop || self->closing);
}

static PyObject *poll_backend(struct poll *self, void *unused)
{
    (void)unused;
    return poll_is_open(self) ? PyUnicode_FromString(weft_loop_backend(self->loop)) : NULL;
}

#define METHOD(name, flags, text)                                               \
    {                                                                           \
#name, (PyCFunction)(void (*)(void))poll_##name, flags, PyDoc_STR(text) \
    }

static PyMethodDef poll_methods[] = {
    METHOD(register, METH_VARARGS, "register(fd, events=EPOLLIN|EPOLLOUT)\n\nWatches a descriptor. Raises OSError."),
    METHOD(modify, METH_VARARGS, "modify(fd, events)\n\nChanges what a descriptor is watched for."),
    METHOD(unregister, METH_VARARGS, "unregister(fd)\n\nWatches a descriptor no longer."),
    METHOD(
        poll, METH_VARARGS,
        "poll(timeout=None, maxevents=-1) -> list of (fd, events)\n\nWaits until something is ready, at most timeout"
        " seconds; None or a negative number: for ever. All that one turn found is returned, whatever maxevents says."),
    METHOD(close, METH_NOARGS, "close()\n\nEnds it; may be called again."),
    METHOD(fileno, METH_NOARGS, "fileno() -> a descriptor that is readable when poll() has something to do"),
    {0},
};

static PyGetSetDef poll_attributes[] = {
    {.name = "closed", .get = (getter)poll_closed, .doc = PyDoc_STR("Whether it is closed.")},
    {.name = "backend", .get = (getter)poll_backend, .doc = PyDoc_STR("Which engine it runs on: \"epoll\".")},
    {0},
};

static PyType_Slot poll_slots[] = {
    {Py_tp_new, (void *)poll_new},
    {Py_tp_dealloc, (void *)poll_dealloc},
    {Py_tp_finalize, (void *)poll_finalize},
    {Py_tp_methods, poll_methods},
    {Py_tp_getset, poll_attributes},
    {Py_tp_doc, (void *)(uintptr_t)PyDoc_STR("Poll()\n\nselect.epoll on Weft's loop, for EPOLLIN and EPOLLOUT.")},
    {0},
};

static PyType_Spec poll_spec = {
    .name = "weft._weft.Poll",
    .basicsize = (int)sizeof(struct poll),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = poll_slots,
};

/* -- the module -- */

static struct PyModuleDef module;

struct poll *poll_of(PyTypeObject *type, PyObject *object)
{
    PyObject *here = PyType_GetModuleByDef(type, &module);
    PyObject *poll_type = here ? PyObject_GetAttrString(here, "Poll") : NULL;
    int is_poll = poll_type ? PyObject_IsInstance(object, poll_type) : -1;

    Py_XDECREF(poll_type);
    if (is_poll == 0)
        PyErr_SetString(PyExc_TypeError, "a weft.Poll is needed");
    return is_poll > 0 && poll_is_open((struct poll *)object) ? (struct poll *)object : NULL;
}

static int add_type(PyObject *self, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(self, spec, NULL);
    int status = type ? PyModule_AddType(self, (PyTypeObject *)type) : -1;

    Py_XDECREF(type);
    return status;
}

static int module_exec(PyObject *self)
{
    /* That a descriptor was closed while it was registered is a warning to a program in C. Python's selectors allow it. */
    weft_log_set_threshold(WEFT_LOG_ERROR);
    return add_type(self, &poll_spec) == 0 ? add_type(self, &deferred_spec) : -1;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, (void *)module_exec}, {0}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "weft._weft",
    .m_doc = PyDoc_STR("Weft's loop for Python."),
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__weft(void);

PyMODINIT_FUNC PyInit__weft(void)
{
    return PyModuleDef_Init(&module);
}
