/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling of steps: what the objects behind pyusdt.step() and pyusdt.steps() share.
 *
 * GIL held for everything here, no user code run.
 *
 * Private to: steps
 */
#ifndef PYUSDT_STEPS_STEP_H
#define PYUSDT_STEPS_STEP_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* Room for a name as readers get it: UTF-8 and NUL, cut and ended with "..." where it is longer. */
#define STEP_NAME_SIZE 1024

/* The reader inside the process. Called beside the probes, in the midst of the user's program: no
 * user code, no exception left. All arguments are borrowed for the call. */
struct step_sink {
    /* A step is over, `start` and `elapsed` in ticks of clock.h; `failed`: see step_failed(). */
    void (*step)(const char *name, uint64_t start, uint64_t elapsed, bool failed);
    /* pyusdt.mark(name, value), at a time in ticks. `value` is None where there is none. */
    void (*mark)(const char *name, uint64_t at, PyObject *value);
};

/* NULL: nobody. Written under the GIL; what it points at is never freed. */
extern const struct step_sink *step_sink;

/* The text of a str, as readers get it: `buf`, or memory that lives as long as `name`. No exception
 * set on entry. */
const char *step_text(PyObject *name, char buf[STEP_NAME_SIZE]);

/* A step starts: fires step__start. Returns when, in ticks. */
uint64_t step_begin(PyObject *name);

/* Whether this, an exception or its type, NULL or None, is a failure of the step that it ends. That
 * a generator is closed is none, of which CPython does not always tell by an exception. */
bool step_failed(PyObject *error);

/* The step that started then is over: fires step__done. Also for one whose start nobody watched. */
void step_end(PyObject *name, uint64_t start, bool failed);

#endif
