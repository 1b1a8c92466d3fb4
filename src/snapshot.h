/* SPDX-License-Identifier: Apache-2.0
 *
 * What the call trees of all threads have counted, as Python objects.
 */
#ifndef PYUSDT_SNAPSHOT_H
#define PYUSDT_SNAPSHOT_H

#include <Python.h>

/* (ns per tick, threads, nodes, histograms, losses), all counted since following began, running
 * frames included; times in ticks, so that two of them can be subtracted:
 *
 *     threads     [(serial, ident, tid, name, elapsed)]; ident is 0 when it has ended
 *     nodes       [(serial, index, index of the parent or -1, id, calls, resumes, errors, elapsed,
 *                   self)], parents before their children
 *     histograms  [(serial, id, bucket, count)], buckets as in recording/histogram.py
 *     losses      {name: count}
 *
 * A thread keeps its serial, and a node its index, while somebody follows. Adds the code records
 * that nodes name to the dict `functions`, where they are missing:
 * {id: (id, module, qualname, name, file, line)}. GIL held. NULL with an exception set: no memory.
 */
PyObject *snapshot_take(PyObject *functions);

#endif
