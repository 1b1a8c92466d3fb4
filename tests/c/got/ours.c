/* SPDX-License-Identifier: Apache-2.0 */
#include "ours.h"

int give(void);
int take(void);

static int my_give(void) {
    return give() + REPLACED;
}

static int my_take(void) {
    return take() + REPLACED;
}

static struct got_hook s_hooks[] = {
    {"give", (void *)(uintptr_t)my_give, NULL, NULL},
    {"take", (void *)(uintptr_t)my_take, NULL, NULL},
    {"never_called", (void *)(uintptr_t)my_take, NULL, NULL},
};
struct got ours_got = {.hooks = s_hooks, .n_hooks = 3};

int ours_give(void) {
    return give() + 0;
}

int ours_take(void) {
    return take() + 0;
}
