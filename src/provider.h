/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider python: whether the interpreter has its probes, and if not, our library that does.
 *
 * GIL held. Never leaves an exception set.
 */
#ifndef PYUSDT_PROVIDER_H
#define PYUSDT_PROVIDER_H

enum provider {
    PROVIDER_OURS,         /* libpyusdt_compat.so is loaded */
    PROVIDER_INTERPRETER,  /* the interpreter has them, or it cannot be known: a name that exists
                              twice is worse than one that is missing */
    PROVIDER_MISSING = -1, /* nobody has: our library is not beside the core, or does not load */
};

/* See who has the probes; where nobody has, load our library and connect it. Called once, while no
 * other thread asks for a probe. */
enum provider provider_load(void);

#endif
