/* SPDX-License-Identifier: Apache-2.0
 *
 * There are no threads of Python's, and none of ours.
 */
#include "capture/thread_entry.h"

THREAD_LOCAL struct thread *t_thread;
THREAD_LOCAL bool t_hidden, t_over;
