/* SPDX-License-Identifier: Apache-2.0 */
#include "control/shadow.h"

#include <stdlib.h>
#include <string.h>

/* Make room for element `i` in an array of zeros. */
static bool make_room(void **data, size_t *room, size_t i, size_t size) {
    size_t wanted = *room ? *room : 64;
    char *grown;

    if (i < *room)
        return true;
    while (wanted <= i)
        wanted *= 2;
    grown = realloc(*data, wanted * size);
    if (!grown)
        return false;
    memset(grown + *room * size, 0, (wanted - *room) * size);
    *data = grown;
    *room = wanted;
    return true;
}

bool bits_add(struct bits *bits, size_t i, bool *failed) {
    unsigned char bit = (unsigned char)(1 << i % 8);
    void *data = bits->data;

    if (!make_room(&data, &bits->size, i / 8, 1)) {
        *failed = true;
        return true;
    }
    bits->data = data;
    if (bits->data[i / 8] & bit)
        return false;
    bits->data[i / 8] |= bit;
    return true;
}

bool bits_has(const struct bits *bits, size_t i) {
    return i / 8 < bits->size && bits->data[i / 8] >> i % 8 & 1;
}

void bits_free(struct bits *bits) {
    free(bits->data);
    *bits = (struct bits){0};
}

struct shadow_thread *shadow_thread_of(struct shadow *shadow, uint32_t serial) {
    struct shadow_thread *thread = shadow->threads;

    while (thread && thread->serial != serial)
        thread = thread->next;
    if (thread)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (!thread) {
        shadow->failed = true;
        return NULL;
    }
    thread->serial = serial;
    thread->next = shadow->threads;
    shadow->threads = thread;
    return thread;
}

bool shadow_is_new(struct shadow *shadow, struct signatures *known, size_t i, uint64_t signature) {
    void *data = known->data;

    if (!shadow->signs)
        return true;
    signature = signature ? signature : 1;
    if (!make_room(&data, &known->room, i, sizeof *known->data)) {
        shadow->failed = true;
        return true;
    }
    known->data = data;
    if (known->data[i] == signature)
        return false;
    known->data[i] = signature;
    return true;
}

struct shadow *shadow_new(void) {
    struct shadow *shadow = calloc(1, sizeof *shadow);

    if (shadow)
        shadow->signs = true;
    return shadow;
}

void shadow_free(struct shadow *shadow) {
    struct shadow_thread *thread, *next;

    if (!shadow)
        return;
    for (thread = shadow->threads; thread; thread = next) {
        next = thread->next;
        free(thread->nodes.data);
        free(thread->functions.data);
        free(thread->charges.data);
        free(thread->lined.data);
        free(thread);
    }
    bits_free(&shadow->named);
    free(shadow->memory.data);
    free(shadow);
}
