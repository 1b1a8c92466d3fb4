/* SPDX-License-Identifier: Apache-2.0 */
#include "calltree/code_store.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct code_record record;
    uint32_t references;
    uint64_t hash;
    struct entry *chain;           /* next in its bucket */
    struct entry *older, *younger; /* in the list of the dead, while references is 0 */
    char text[];                   /* the four strings */
};

/* Written under the caller's lock (the GIL). */
static struct {
    struct entry **buckets;
    size_t n_buckets; /* a power of two, or 0 before the first record */
    size_t n_entries;
    struct entry *oldest, *youngest; /* the dead */
    size_t n_dead;
    uint32_t last_id;
} s_store;

static struct entry *entry_of(struct code_record *record) {
    return (struct entry *)((char *)record - offsetof(struct entry, record));
}

/* FNV-1a, a string and its NUL. */
static uint64_t hash_string(uint64_t hash, const char *s) {
    do {
        hash = (hash ^ (unsigned char)*s) * 0x100000001B3u;
    } while (*s++);
    return hash;
}

static uint64_t hash_key(const struct code_record *key) {
    uint64_t hash = 0xCBF29CE484222325u ^ (uint32_t)key->line;

    hash = hash_string(hash, key->module);
    hash = hash_string(hash, key->qualname);
    hash = hash_string(hash, key->function);
    return hash_string(hash, key->file);
}

static bool same(const struct code_record *a, const struct code_record *b) {
    return a->line == b->line && !strcmp(a->qualname, b->qualname) &&
           !strcmp(a->module, b->module) && !strcmp(a->function, b->function) &&
           !strcmp(a->file, b->file);
}

static struct entry **bucket_of(uint64_t hash) {
    return &s_store.buckets[hash & (s_store.n_buckets - 1)];
}

/* Double the buckets. Failure is no error: chains get longer. */
static void grow(void) {
    size_t n_old = s_store.n_buckets, n = n_old ? n_old * 2 : 1024;
    struct entry **old = s_store.buckets, **buckets = calloc(n, sizeof *buckets);

    if (!buckets)
        return;
    s_store.buckets = buckets;
    s_store.n_buckets = n;
    for (size_t i = 0; i < n_old; i++) {
        for (struct entry *e = old[i], *next; e; e = next) {
            struct entry **bucket = bucket_of(e->hash);

            next = e->chain;
            e->chain = *bucket;
            *bucket = e;
        }
    }
    free(old);
}

static const char *copy_string(char **to, const char *s) {
    size_t size = strlen(s) + 1;
    char *copy = memcpy(*to, s, size);

    *to += size;
    return copy;
}

static struct entry *entry_new(const struct code_record *key, uint64_t hash) {
    size_t size =
        strlen(key->module) + strlen(key->function) + strlen(key->qualname) + strlen(key->file) + 4;
    struct entry *e = calloc(1, sizeof *e + size);

    if (e) {
        char *text = e->text;

        e->hash = hash;
        e->record.id = ++s_store.last_id;
        e->record.line = key->line;
        e->record.module = copy_string(&text, key->module);
        e->record.function = copy_string(&text, key->function);
        e->record.qualname = copy_string(&text, key->qualname);
        e->record.file = copy_string(&text, key->file);
    }
    return e;
}

static void bury(struct entry *e) {
    e->older = s_store.youngest;
    e->younger = NULL;
    *(e->older ? &e->older->younger : &s_store.oldest) = e;
    s_store.youngest = e;
    s_store.n_dead++;
}

static void unbury(struct entry *e) {
    *(e->older ? &e->older->younger : &s_store.oldest) = e->younger;
    *(e->younger ? &e->younger->older : &s_store.youngest) = e->older;
    s_store.n_dead--;
}

static void forget(struct entry *e) {
    struct entry **link = bucket_of(e->hash);

    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    s_store.n_entries--;
    free(e);
}

struct code_record *code_store_acquire(const struct code_record *key, bool *made) {
    uint64_t hash = hash_key(key);
    struct entry *e = NULL, **bucket;

    if (s_store.n_entries >= s_store.n_buckets)
        grow();
    if (!s_store.buckets)
        return NULL;
    bucket = bucket_of(hash);
    for (e = *bucket; e; e = e->chain)
        if (e->hash == hash && same(&e->record, key))
            break;
    *made = !e;
    if (!e) {
        e = entry_new(key, hash);
        if (!e)
            return NULL;
        e->chain = *bucket;
        *bucket = e;
        s_store.n_entries++;
    } else if (!e->references) {
        unbury(e);
    }
    e->references++;
    return &e->record;
}

void code_store_release(struct code_record *record) {
    struct entry *e = entry_of(record);

    if (--e->references)
        return;
    bury(e);
    if (s_store.n_dead <= CODE_STORE_DEAD_MAX)
        return;
    /* A pinned one goes to the end of the queue: the list outgrows its bound only by as many
     * records as the call tree names, and that has a bound of its own. */
    e = s_store.oldest;
    unbury(e);
    if (__atomic_load_n(&e->record.pins, __ATOMIC_ACQUIRE))
        bury(e);
    else
        forget(e);
}

void code_store_each(void (*visit)(struct code_record *record, void *context), void *context) {
    for (size_t i = 0; i < s_store.n_buckets; i++)
        for (struct entry *e = s_store.buckets[i]; e; e = e->chain)
            visit(&e->record, context);
}
