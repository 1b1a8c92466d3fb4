/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider python: its probes are the interpreter's own or, if that has none, our library's.
 *
 * GIL held. Never leaves an exception set.
 */
#ifndef PYUSDT_PROVIDER_H
#define PYUSDT_PROVIDER_H

enum provider {
    PROVIDER_OURS,         /* libpyusdt_compat.so is loaded */
    PROVIDER_INTERPRETER,  /* the interpreter has them, or may have: a name that exists twice is
                              worse than one that is missing */
    PROVIDER_MISSING = -1, /* our library is not beside the core, or does not load */
};

/* Find out whether the interpreter has the probes; if not, load our library and connect it. Called
 * once, while no other thread uses probes. */
enum provider provider_load(void);

#endif
