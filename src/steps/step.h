/* SPDX-License-Identifier: Apache-2.0
 *
 * Reporting steps: what the objects behind pyusdt.step() and pyusdt.steps() share.
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

#include "steps/step_memory.h"

/* Room for a name as readers get it: UTF-8 and NUL. A longer one is cut, and ends with "...". */
#define STEP_NAME_SIZE 1024

/* The reader inside the process. Called beside the probes, within the user's program: it must run
 * no user code and leave no exception. All arguments are borrowed for the call. */
struct step_sink {
    /* A step is over, `start` and `elapsed` in ticks of clock.h; `failed`: see step_failed().
     * `memory` is NULL where it is not known. */
    void (*step)(const char *name, uint64_t start, uint64_t elapsed, bool failed,
                 const struct step_memory *memory);
    /* pyusdt.mark(name, value), at a time in ticks. `value` is None where there is none. */
    void (*mark)(const char *name, uint64_t at, PyObject *value);
};

/* NULL: there is none. Written under the GIL; never freed. */
extern const struct step_sink *step_sink;

/* The text of a str as readers get it: in `buf`, or in memory that lives as long as `name`. No
 * exception set on entry. */
const char *step_text(PyObject *name, char buf[STEP_NAME_SIZE]);

/* A step starts: fire step__start. */
struct step_start step_begin(PyObject *name);

/* Whether a step that ends by `error`, an exception, its type, None or NULL, has failed. Closing a
 * generator is no failure: CPython does not always raise an exception for it. */
bool step_failed(PyObject *error);

/* The step that started at `start` ends: fire step__done, even if step__start was not watched. */
void step_end(PyObject *name, const struct step_start *start, bool failed);

/* What __reduce__ returns for an object that `function` of our module makes of `arguments`, which
 * it takes over; NULL: passes on. A new reference, or NULL with an exception set. */
PyObject *step_reduce(const char *function, PyObject *arguments);

#endif
