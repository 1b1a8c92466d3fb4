/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts functions of ours in the place of functions that other libraries call, while the program
 * runs: in each library's global offset table, where the dynamic linker put their addresses.
 *
 *     program, libraries --slot--> replacement (ours) --our slot--> original
 *
 * Our own library is left out, so that its calls reach the original: a replacement goes on by
 * calling the function that it replaces, by its name. A slot is replaced where a call through it
 * reaches the same original, or will once the dynamic linker has looked it up; other slots lead
 * to another function of that name, of another tool or allocator, and stay. Left alone are, too,
 * the dynamic linker, other link-map namespaces, and one library more, if asked for.
 *
 * Slots that lie in pages which the dynamic linker has made read-only are written all the same, and
 * the pages are as before afterwards.
 *
 * No Python.h, no GIL, no malloc. Any thread. Most of these functions wait for a dlopen() that
 * is under way, as dlsym() does: call them without the GIL, which its constructors may want.
 */
#ifndef PYUSDT_BASE_GOT_H
#define PYUSDT_BASE_GOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct got_hook {
    const char *name;
    void *replacement;
    void *original; /* found by got_init(); NULL: our library does not call it
                     * through its table, so it is not used */
    void **own;     /* private: our slot */
};

struct got_library {
    uintptr_t base, dynamic;
};

struct got {
    struct got_hook *hooks; /* borrowed */
    size_t n_hooks;
    const void *avoided;      /* an address in a library to be left alone, or NULL */
    _Atomic uint64_t refused; /* slots that the kernel did not let us write, so far */

    /* Private. */
    struct got_library *known; /* owned: those that have been attended to */
    size_t n_known, room;
    bool is_put;
    _Atomic uint64_t loaded, unloaded; /* libraries, as the dynamic linker counts them */
};

/* Find the originals, as got_put() and got_undo() do. Waits for nothing. False: there is no hook
 * that could be used. */
bool got_init(struct got *got);

/* Whether libraries have come or gone since the last got_put() or got_add(). Waits for nothing. */
bool got_has_news(const struct got *got);

/* Whether another tool has put its functions into our own slots, or has taken them away, since the
 * originals were found. It has done so in all libraries, and our replacements are gone. Waits for
 * nothing. */
bool got_is_overtaken(const struct got *got);

/* Put the replacements into all libraries. False: that was not possible, or not into all, and may
 * be later. */
bool got_put(struct got *got);

/* Put them into the libraries that have come since, until got_undo() is called: then nothing. As
 * for the result. */
bool got_add(struct got *got);

/* Put the originals back, wherever our replacements still are. Whoever has copied the address of a
 * replacement still calls it. */
bool got_undo(struct got *got);

/* Around a fork, so that no other thread is within these functions. */
void got_prefork(void);
void got_postfork_parent(void);
void got_postfork_child(void);

#endif
