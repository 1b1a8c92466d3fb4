/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fork.h"

#include <Python.h>
#include <stdbool.h>

#include "base/osthread.h"
#include "capture/thread.h"
#include "capture/tracking.h"
#include "control/autosave.h"
#include "control/control.h"
#include "control/recorder.h"
#include "control/remote_recording.h"
#include "control/watcher.h"

/* How often the start after a fork is put off for a hook that takes its time: about 10 ms of ours.
 * After that the program may be warned of a thread. */
enum { WAITS_MAX = 20000 };

/* Written under the GIL. */
static int s_waits;    /* times that the start after a fork was put off */
static void *s_forker; /* the frame of the main thread that forks; only ever compared */

void fork_prefork(void) {
    if (osthread_is_main())
        s_forker = PyEval_GetFrame();
    watcher_prefork();
}

/* Does the frame that forks wait for what runs now? Then this is a hook that comes after ours. */
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

/* A thread that cannot be had again leaves the events as they are; nobody can be informed.
 *
 * Python 3.13 counts the threads, to warn of fork, after it has called this hook. The main thread
 * runs what is pending when os.fork() has returned, or a hook of somebody else's in between; a fork
 * elsewhere is warned of anyway. */
void fork_postfork_parent(void) {
    watcher_postfork_parent();
    s_waits = 0;
    if (!osthread_is_main() || Py_AddPendingCall(resume_pending, NULL) < 0)
        watcher_resume();
}

void fork_postfork_child(void) {
    watcher_postfork_child();
    thread_postfork_child();
    recorder_postfork_child();
    remote_recording_postfork_child();
    tracking_postfork_child();
    autosave_postfork_child();
    /* The child may be over before the first tick. */
    if (tracking_has_news())
        tracking_fire_states(false);
    control_postfork_child();
    watcher_publish();
    watcher_resume();
}
