/* SPDX-License-Identifier: Apache-2.0
 *
 * A node is in a table under (index of its parent, id of its code), a function in another one under
 * the id of its code. Lookups are the owner's alone; readers go by the lists.
 */
#include "calltree/nodes.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK 16
#define LARGEST_CHUNK 1024
#define SMALL_CHUNKS 32                   /* at most so many, see nodes_bytes() */
#define MOST_CONTEXTS (UINT64_C(1) << 40) /* of a bound: more than fit anywhere */

#define FIRST_SLOTS 4 /* of a histogram: one cache line */

/* How often a function may be among the contexts that a new one is in, before its recursion is
 * folded: with memory in plenty, and when it is scarce. */
#define FOLD_BEYOND 8u
#define FOLD_BEYOND_SCARCE 1u

/* Nodes are never moved: tracers and frames point at them. Each chunk doubles the one before. */
struct chunk {
    _Alignas(64) _Atomic(struct chunk *) next; /* newer */
    uint32_t capacity;
    _Atomic uint32_t used;
    struct node nodes[];
};

static _Atomic int64_t *left(const struct nodes *n, enum nodes_memory of) {
    struct calltree_budget *b = n->budget;

    return of == NODES_OF_CONTEXTS    ? &b->contexts
           : of == NODES_OF_FUNCTIONS ? &b->functions
           : of == NODES_OF_LINES     ? &b->lines
                                      : &b->histograms;
}

struct budget nodes_budget(struct nodes *n, enum nodes_memory of) {
    return (struct budget){left(n, of), &n->spent[of]};
}

static void *claim(struct nodes *n, enum nodes_memory of, size_t size) {
    return budget_claim(nodes_budget(n, of), size);
}

static void give_back(struct nodes *n, enum nodes_memory of, void *memory, size_t size) {
    budget_give_back(nodes_budget(n, of), memory, size);
}

static size_t round_up(size_t size) {
    return (size + 63) & ~(size_t)63;
}

static struct node *node_of(struct link *link) {
    return (struct node *)((char *)link - offsetof(struct node, link));
}

static struct function *function_of(struct link *link) {
    return (struct function *)((char *)link - offsetof(struct function, link));
}

static void init_table(struct table *t, enum nodes_memory memory) {
    t->buckets = t->first_buckets;
    t->shift = 64 - NODES_FIRST_BUCKETS_LOG2;
    t->memory = memory;
}

static struct link *find(const struct table *t, uint64_t key) {
    struct link *link = *nodes_bucket(t, key);

    while (link && link->key != key)
        link = link->next;
    return link;
}

/* The first buckets are not on the heap: they cost nothing to give up. */
static void free_table(struct nodes *n, struct table *t, struct link **buckets, size_t count) {
    if (buckets != t->first_buckets)
        give_back(n, t->memory, buckets, count * sizeof *buckets);
}

/* When it fails, the chains grow longer instead: that is no error. */
static void grow_table(struct nodes *n, struct table *t) {
    size_t count = (size_t)1 << (64 - t->shift);
    struct link **old = t->buckets;
    struct link **new = claim(n, t->memory, 2 * count * sizeof *new);

    if (!new)
        return;
    t->buckets = new;
    t->shift--;
    for (size_t i = 0; i < count; i++) {
        for (struct link *link = old[i], *next; link; link = next) {
            struct link **bucket = nodes_bucket(t, link->key);

            next = link->next;
            link->next = *bucket;
            *bucket = link;
        }
    }
    free_table(n, t, old, count);
}

static void insert(struct nodes *n, struct table *t, struct link *link, uint64_t key) {
    struct link **bucket;

    if (t->links++ >> (64 - t->shift) != 0)
        grow_table(n, t);
    bucket = nodes_bucket(t, key);
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
        chunk = claim(n, NODES_OF_CONTEXTS, chunk_size(capacity));
        if (chunk)
            chunk->capacity = capacity;
    }
    if (!chunk)
        return NULL;
    atomic_store_explicit(n->newest ? &n->newest->next : &n->chunks, chunk, memory_order_release);
    n->newest = chunk;
    return chunk;
}

/* The chunks' heads are at most those of the first, small ones, of large ones, and, near the end of
 * the budget, of small ones again. */
int64_t nodes_bytes(uint64_t contexts) {
    uint64_t buckets = (uint64_t)1 << NODES_FIRST_BUCKETS_LOG2, heads;

    if (contexts > MOST_CONTEXTS)
        contexts = MOST_CONTEXTS;
    heads = (contexts / LARGEST_CHUNK + SMALL_CHUNKS) * sizeof(struct chunk);
    while (buckets < contexts)
        buckets *= 2;
    return (int64_t)(contexts * sizeof(struct node) + heads + buckets * sizeof(struct link *));
}

static struct function *add_function(struct nodes *n, struct code_record *code) {
    struct function *f = claim(n, NODES_OF_FUNCTIONS, sizeof *f);

    if (!f)
        return NULL;
    code_record_pin(code);
    f->code = code;
    atomic_init(&f->lines, &lines_none);
    f->next = atomic_load_explicit(&n->functions, memory_order_relaxed);
    insert(n, &n->by_code, &f->link, code->id);
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
    insert(n, &n->contexts, &node->link, nodes_key(parent, f->code->id));
    atomic_store_explicit(&chunk->used, used + 1, memory_order_release);
    return node;
}

/* The context in which the calls of `f` are counted where theirs is given up. */
static struct node *others_of(struct nodes *n, struct function *f) {
    struct node *node = atomic_load_explicit(&f->others, memory_order_relaxed);

    if (node)
        return node;
    node = claim(n, NODES_OF_FUNCTIONS, sizeof *node);
    if (!node)
        return &n->others;
    node->public = n->others.public;
    node->function = f;
    node->hot = &n->root;
    atomic_store_explicit(&f->others, node, memory_order_release);
    return node;
}

static bool is_scarce(const struct nodes *n) {
    return atomic_load_explicit(&n->budget->contexts, memory_order_relaxed) <
           atomic_load_explicit(&n->budget->scarce, memory_order_relaxed);
}

/* The nearest context of `f` among `parent` and those that it is in, when there are so many that
 * the recursion is folded. It is an ancestor always: the thread is in it whenever it is in
 * `parent`, so that parent->hot may keep it. */
static struct node *fold(const struct nodes *n, struct node *parent, const struct function *f) {
    unsigned most = is_scarce(n) ? FOLD_BEYOND_SCARCE : FOLD_BEYOND, found = 0;
    struct node *nearest = NULL;

    if (!f->last)
        return NULL;
    for (struct node *node = parent; node->function; node = (struct node *)node->public.parent) {
        if (node->function != f)
            continue;
        if (!nearest)
            nearest = node;
        if (++found == most)
            return nearest;
    }
    return NULL;
}

static void name_node(struct nodes *n, struct node *node, const char *qualname, uint32_t id) {
    node->public.qualname = qualname;
    node->public.file = node->public.module = "";
    node->public.id = id;
    node->public.index = n->next_index++;
    node->hot = &n->root;
}

void nodes_init(struct nodes *n, struct calltree_budget *budget) {
    memset(n, 0, sizeof *n);
    n->budget = budget;
    init_table(&n->contexts, NODES_OF_CONTEXTS);
    init_table(&n->by_code, NODES_OF_FUNCTIONS);
    name_node(n, &n->root, "(thread)", PYUSDT_ID_THREAD);
    name_node(n, &n->others, "(others)", PYUSDT_ID_OTHERS);
    n->others.public.parent = &n->root.public;
    n->others.public.depth = 1;
    n->others.function = &n->nameless;
    atomic_init(&n->nameless.lines, &lines_none);
    atomic_store(&n->nameless.others, &n->others);
}

static void free_histograms(struct histogram *h) {
    for (struct histogram *older; h; h = older) {
        older = h->older;
        free(h);
    }
}

static void free_functions(struct nodes *n) {
    struct function *next, *f = atomic_load(&n->functions);

    for (; f; f = next) {
        next = f->next;
        code_record_unpin(f->code);
        free_histograms(atomic_load(&f->histogram));
        free_histograms(atomic_load(&f->latency));
        lines_free(&f->lines);
        free(atomic_load(&f->others));
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
    free_table(n, &n->contexts, n->contexts.buckets, (size_t)1 << (64 - n->contexts.shift));
    free_table(n, &n->by_code, n->by_code.buckets, (size_t)1 << (64 - n->by_code.shift));
    for (int of = 0; of < NODES_MEMORIES; of++)
        atomic_fetch_add_explicit(left(n, of), n->spent[of], memory_order_relaxed);
}

struct node *nodes_visit(struct nodes *n, struct node *parent, struct code_record *code) {
    bool given_up = node_is_given_up(parent);
    struct link *link = given_up ? NULL : find(&n->contexts, nodes_key(parent, code->id));
    struct function *f;
    struct node *node = NULL;

    if (link)
        return node_of(link);
    f = nodes_function(n, code);
    if (!f)
        f = add_function(n, code);
    if (!f)
        return &n->others;
    if (!given_up)
        node = fold(n, parent, f);
    if (!given_up && !node)
        node = add_node(n, parent, f);
    return node ? node : others_of(n, f);
}

struct function *nodes_function(struct nodes *n, const struct code_record *code) {
    struct link *link = find(&n->by_code, code->id);

    return link ? function_of(link) : NULL;
}

static size_t histogram_bytes(uint32_t slots) {
    return round_up(histogram_size(slots));
}

static void give_back_older(struct nodes *n, struct histogram *h) {
    for (struct histogram *old = h->older, *older; old; old = older) {
        older = old->older;
        give_back(n, NODES_OF_HISTOGRAMS, old, histogram_bytes(old->mask + 1));
    }
    h->older = NULL;
}

/* Who reads after that sees the new one: both sides write, and then read what the other one writes,
 * in the one order that these operations have. In the child of a fork a reader may have been left:
 * then all are kept. */
struct histogram *nodes_grow_histogram(struct nodes *n, _Atomic(struct histogram *) *place) {
    struct histogram *old = atomic_load_explicit(place, memory_order_relaxed), *h;
    uint32_t slots = old ? 2 * (old->mask + 1) : FIRST_SLOTS;

    h = claim(n, NODES_OF_HISTOGRAMS, histogram_bytes(slots));
    if (!h)
        return NULL;
    histogram_init(h, slots);
    if (old)
        histogram_copy(h, old);
    h->older = old;
    atomic_store(place, h);
    if (atomic_load(&n->readers) == 0)
        give_back_older(n, h);
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
