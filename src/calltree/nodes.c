/* SPDX-License-Identifier: Apache-2.0
 *
 * One table holds both kinds: a node under (index of its parent, id of its code), a function under
 * (no parent, id of its code). Lookups are the owner's alone; readers go by the lists.
 */
#include "calltree/nodes.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK 16
#define LARGEST_CHUNK 1024
#define NO_PARENT UINT32_MAX

/* Nodes are never moved: tracers and frames point at them. Each chunk doubles the one before. */
struct chunk {
    _Alignas(64) _Atomic(struct chunk *) next; /* newer */
    uint32_t capacity;
    _Atomic uint32_t used;
    struct node nodes[];
};

/* `size` bytes, aligned and zeroed, charged to the budget; NULL when either says no. The budget
 * is looked at first, so that a spent one costs no shared write. */
static void *claim(struct nodes *n, size_t size) {
    int64_t bytes = (int64_t)size;
    void *memory = NULL;

    if (atomic_load_explicit(n->budget, memory_order_relaxed) < bytes)
        return NULL;
    if (atomic_fetch_sub_explicit(n->budget, bytes, memory_order_relaxed) >= bytes)
        memory = aligned_alloc(64, size);
    if (!memory) {
        atomic_fetch_add_explicit(n->budget, bytes, memory_order_relaxed);
        return NULL;
    }
    n->spent += bytes;
    return memset(memory, 0, size);
}

static void give_back(struct nodes *n, void *memory, size_t size) {
    free(memory);
    n->spent -= (int64_t)size;
    atomic_fetch_add_explicit(n->budget, (int64_t)size, memory_order_relaxed);
}

static size_t round_up(size_t size) {
    return (size + 63) & ~(size_t)63;
}

static struct node *node_of(struct link *link) {
    return (struct node *)((char *)link - offsetof(struct node, link));
}

static uint64_t key_of(uint32_t parent, uint32_t id) {
    return (uint64_t)parent << 32 | id;
}

/* Fibonacci hashing: the high bits of the product depend on every bit of the key. */
static struct link **bucket_of(const struct nodes *n, uint64_t key) {
    return &n->buckets[(key * 0x9E3779B97F4A7C15u) >> n->shift];
}

static struct link *find(const struct nodes *n, uint64_t key) {
    struct link *link = *bucket_of(n, key);

    while (link && link->key != key)
        link = link->next;
    return link;
}

/* The first table is not on the heap: it costs nothing to give up. */
static void free_table(struct nodes *n, struct link **buckets, size_t count) {
    if (buckets != n->first_buckets)
        give_back(n, buckets, count * sizeof *buckets);
}

/* When it fails, the chains grow longer instead: that is no error. */
static void grow_table(struct nodes *n) {
    size_t count = (size_t)1 << (64 - n->shift);
    struct link **old = n->buckets;
    struct link **new = claim(n, 2 * count * sizeof *new);

    if (!new)
        return;
    n->buckets = new;
    n->shift--;
    for (size_t i = 0; i < count; i++) {
        for (struct link *link = old[i], *next; link; link = next) {
            struct link **bucket = bucket_of(n, link->key);

            next = link->next;
            link->next = *bucket;
            *bucket = link;
        }
    }
    free_table(n, old, count);
}

static void insert(struct nodes *n, struct link *link, uint64_t key) {
    struct link **bucket;

    if (n->links++ >> (64 - n->shift) != 0)
        grow_table(n);
    bucket = bucket_of(n, key);
    link->key = key;
    link->next = *bucket;
    *bucket = link;
}

static size_t chunk_size(uint32_t capacity) {
    return sizeof(struct chunk) + capacity * sizeof(struct node);
}

/* As large as wanted or, near the end of the budget, as large as it allows. */
static struct chunk *add_chunk(struct nodes *n) {
    struct chunk *chunk = NULL;
    uint32_t capacity = n->newest ? 2 * n->newest->capacity : FIRST_CHUNK;

    if (capacity > LARGEST_CHUNK)
        capacity = LARGEST_CHUNK;
    for (; capacity > 0 && !chunk; capacity /= 2) {
        chunk = claim(n, chunk_size(capacity));
        if (chunk)
            chunk->capacity = capacity;
    }
    if (!chunk)
        return NULL;
    atomic_store_explicit(n->newest ? &n->newest->next : &n->chunks, chunk, memory_order_release);
    n->newest = chunk;
    return chunk;
}

static struct function *add_function(struct nodes *n, struct code_record *code) {
    struct function *f = claim(n, round_up(sizeof *f));

    if (!f)
        return NULL;
    code_record_pin(code);
    f->code = code;
    f->next = atomic_load_explicit(&n->functions, memory_order_relaxed);
    insert(n, &f->link, key_of(NO_PARENT, code->id));
    atomic_store_explicit(&n->functions, f, memory_order_release);
    return f;
}

static void fill(struct nodes *n, struct node *node, struct node *parent, struct function *f) {
    struct code_record *code = f->code;

    node->public = (struct pyusdt_node){
        .parent = &parent->public,
        .qualname = code->qualname,
        .file = code->file,
        .id = code->id,
        .line = code->line,
        .depth = parent->public.depth + 1,
        .index = n->next_index++,
        .module = code->module,
    };
    node->code = code;
    node->function = f;
    node->hot = &n->root;
}

static struct node *add_node(struct nodes *n, struct node *parent, struct function *f) {
    struct chunk *chunk = n->newest;
    uint32_t used = chunk ? atomic_load_explicit(&chunk->used, memory_order_relaxed) : 0;
    struct node *node;

    if (!chunk || used == chunk->capacity) {
        chunk = add_chunk(n);
        used = 0;
    }
    if (!chunk)
        return NULL;
    node = &chunk->nodes[used];
    fill(n, node, parent, f);
    insert(n, &node->link, key_of(parent->public.index, f->code->id));
    atomic_store_explicit(&chunk->used, used + 1, memory_order_release);
    return node;
}

static void name_node(struct nodes *n, struct node *node, const char *qualname, uint32_t id) {
    node->public.qualname = qualname;
    node->public.file = node->public.module = "";
    node->public.id = id;
    node->public.index = n->next_index++;
    node->hot = &n->root;
}

void nodes_init(struct nodes *n, _Atomic int64_t *budget) {
    memset(n, 0, sizeof *n);
    n->budget = budget;
    n->buckets = n->first_buckets;
    n->shift = 64 - NODES_FIRST_BUCKETS_LOG2;
    name_node(n, &n->root, "(thread)", PYUSDT_ID_THREAD);
    name_node(n, &n->others, "(others)", PYUSDT_ID_OTHERS);
    n->others.public.parent = &n->root.public;
    n->others.public.depth = 1;
    n->others.function = &n->others_codes;
}

static void free_functions(struct nodes *n) {
    struct function *next, *f = atomic_load(&n->functions);

    for (; f; f = next) {
        next = f->next;
        code_record_unpin(f->code);
        free(atomic_load(&f->histogram));
        free(f);
    }
}

static void free_chunks(struct nodes *n) {
    struct chunk *next, *chunk = atomic_load(&n->chunks);

    for (; chunk; chunk = next) {
        next = atomic_load(&chunk->next);
        free(chunk);
    }
}

void nodes_clear(struct nodes *n) {
    free_functions(n);
    free_chunks(n);
    free_table(n, n->buckets, (size_t)1 << (64 - n->shift));
    atomic_fetch_add_explicit(n->budget, n->spent, memory_order_relaxed);
}

struct node *nodes_visit(struct nodes *n, struct node *parent, struct code_record *code) {
    struct link *link;
    struct function *f;

    if (parent == &n->others)
        return NULL;
    link = find(n, key_of(parent->public.index, code->id));
    if (link)
        return node_of(link);
    f = nodes_function(n, code);
    if (!f)
        f = add_function(n, code);
    return f ? add_node(n, parent, f) : NULL;
}

struct function *nodes_function(struct nodes *n, const struct code_record *code) {
    return (struct function *)find(n, key_of(NO_PARENT, code->id));
}

struct histogram *nodes_histogram(struct nodes *n, struct function *f) {
    struct histogram *h = atomic_load_explicit(&f->histogram, memory_order_relaxed);

    if (!h) {
        h = claim(n, round_up(sizeof *h));
        atomic_store_explicit(&f->histogram, h, memory_order_release);
    }
    return h;
}

/* `next` is read before `used`: a chunk that has a newer one is full, and is then seen so. In the
 * other order nodes could be missed whose children are not. */
int nodes_walk(struct nodes *n, int (*fn)(struct node *, void *), void *arg) {
    int ret = fn(&n->root, arg);
    struct chunk *next, *chunk;

    if (ret == 0)
        ret = fn(&n->others, arg);
    chunk = atomic_load_explicit(&n->chunks, memory_order_acquire);
    for (; chunk && ret == 0; chunk = next) {
        uint32_t used;

        next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        used = atomic_load_explicit(&chunk->used, memory_order_acquire);
        for (uint32_t i = 0; i < used && ret == 0; i++)
            ret = fn(&chunk->nodes[i], arg);
    }
    return ret;
}
