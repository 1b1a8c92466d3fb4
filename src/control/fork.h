/* SPDX-License-Identifier: Apache-2.0
 *
 * The hooks for os.register_at_fork(). Between prefork and either postfork there is no watcher, and
 * events stay enabled. GIL held; released while waiting. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CONTROL_FORK_H
#define PYUSDT_CONTROL_FORK_H

void fork_prefork(void);
void fork_postfork_parent(void);
void fork_postfork_child(void);

#endif
