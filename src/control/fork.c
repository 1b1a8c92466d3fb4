/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fork.h"

#include <Python.h>
#include <stdbool.h>

#include "base/osthread.h"
#include "capture/thread.h"
#include "capture/tracking.h"
#include "control/audit.h"
#include "control/control.h"
#include "control/endings.h"
#include "control/recorder.h"
#include "control/remote_recording.h"
#include "control/sampler.h"
#include "control/save.h"
#include "control/watcher.h"
#include "python/gil.h"

/* How often the start after a fork is put off while other hooks run: about 10 ms of our own time.
 * After that, the program may get a warning about a thread. */
enum { WAITS_MAX = 20000 };

/* Written under the GIL. */
static int s_waits;    /* times that the start after a fork was put off */
static void *s_forker; /* the frame of the main thread that forks; only compared */

void fork_prefork(void) {
    if (osthread_is_main())
        s_forker = PyEval_GetFrame();
    watcher_prefork();
}

/* Whether the frame that forks is a caller of the running one: then a later hook than ours runs. */
static bool os_fork_runs(void) {
    PyObject *frame = Py_XNewRef((PyObject *)PyEval_GetFrame());
    int depth = 0;

    for (; frame && frame != s_forker; depth++) {
        PyObject *caller = PyObject_GetAttrString(frame, "f_back"); /* None has none */

        Py_DECREF(frame);
        frame = caller;
    }
    PyErr_Clear();
    Py_XDECREF(frame);
    return frame && depth > 0;
}

static int resume_pending(void *unused) {
    bool wait = s_waits++ < WAITS_MAX && os_fork_runs();

    if (!wait || Py_AddPendingCall(resume_pending, unused) < 0)
        watcher_resume();
    return 0;
}

/* If the thread cannot be started again, the events stay as they are: there is nowhere to report
 * it.
 *
 * Python 3.13 counts the threads, to warn about fork, after it has called this hook. So the start
 * is made a pending call, which the main thread runs once os.fork() has returned, or within another
 * module's hook. A fork in another thread starts it at once: it is warned about anyway. */
void fork_postfork_parent(void) {
    watcher_postfork_parent();
    s_waits = 0;
    if (!osthread_is_main() || Py_AddPendingCall(resume_pending, NULL) < 0)
        watcher_resume();
}

void fork_postfork_child(void) {
    gil_postfork_child();
    watcher_postfork_child();
    thread_postfork_child();
    sampler_postfork_child();
    recorder_postfork_child();
    remote_recording_postfork_child();
    tracking_postfork_child();
    save_postfork_child();
    endings_postfork_child();
    audit_postfork_child();
    /* The child may be over before the first tick. */
    if (tracking_has_news())
        tracking_fire_states(false);
    control_postfork_child();
    watcher_publish();
    watcher_resume();
}
