/* SPDX-License-Identifier: MIT */
/* What the types of the module know of each other (docs/decisions/0018-python.md). */
#ifndef BINDINGS_PYTHON_WEFT_H
#define BINDINGS_PYTHON_WEFT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include <weft/loop.h>
#include <weft/timer.h>

struct place;
struct told;

/* weft.Poll */
struct poll {
    PyObject_HEAD weft_loop *loop; /* NULL: it is closed */
    weft_timer timer;
    struct place **places; /* by descriptor */
    struct told *told;     /* what is ready; there is room for all */
    size_t size;           /* of both */
    size_t told_count;
    unsigned inside; /* calls into Weft that may run Python */
    bool late;       /* the timer has fired */
    bool sleeping;   /* a thread is in poll() */
    bool called;     /* Python has run in a turn: whoever is in poll() may have to do with it */
    bool closing;    /* to be closed when nothing is inside any more */
};

/* Raises what @p status says. @return NULL */
PyObject *raise_error(int status);
/* Raises ValueError if it is closed. */
bool poll_is_open(const struct poll *self);
/* Around calls into Weft that may run Python: until they have returned nothing is closed or freed. */
void poll_enter(struct poll *self);
void poll_leave(struct poll *self);
/* @p object if it is a Poll, for the type @p type of this module or one that is made of it; NULL with an exception */
struct poll *poll_of(PyTypeObject *type, PyObject *object);
/* How long @p delay from now is for a timer, which begins when the loop's last turn did, which may be long ago. */
weft_time poll_delay(const struct poll *self, weft_time delay);
/* None and what is negative are for ever; so is what is later than anybody will see. @return -1 with an exception */
weft_time seconds_of(PyObject *object);
extern PyType_Spec deferred_spec;

#endif
