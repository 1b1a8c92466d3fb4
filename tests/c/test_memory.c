/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the account, each against a model that searches everything; and their bounds.
 */
#include "memory_under_test.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>

#define ADDRESSES 4096u

static uint64_t address_of(uint32_t i) {
    return UINT64_C(0x7f0000000000) + (i % 7 ? (uint64_t)i * 16 : (uint64_t)i << 21);
}

enum put { NEW, REPLACED, FULL };

static enum put put(struct blocks *b, const struct block *block, struct block *was) {
    struct block *row = blocks_row(b, block->address);
    enum put found = !row ? FULL : row->address ? REPLACED : NEW;
    if (row) {
        *was = *row;
        *row = *block;
    }
    return found;
}

static bool take(struct blocks *b, uint64_t address, struct block *was) {
    struct block *row = blocks_find(b, address);
    if (row) {
        *was = *row;
        blocks_drop(b, row);
    }
    return row;
}

static void check_block(struct blocks *b, uint32_t i, const struct block *wanted) {
    struct block *found = blocks_find(b, address_of(i));
    CHECK((found != NULL) == (wanted->address != 0));
    CHECK(!found || memcmp(found, wanted, sizeof *found) == 0);
}

static void blocks_are_found_until_they_are_taken(void) {
    static struct blocks b;
    static struct block model[ADDRESSES];
    uint64_t seed = 17;
    for (unsigned turn = 0; turn < turns(400000); turn++) {
        uint32_t i = next_random(&seed) % ADDRESSES;
        struct block was = {0};
        if (next_random(&seed) % 2) {
            struct block block = {.address = address_of(i),
                                  .size = next_random(&seed),
                                  .epoch = turn % EPOCHS_MAX,
                                  .place = turn,
                                  .call = turn / 2};
            CHECK(put(&b, &block, &was) == (model[i].address ? REPLACED : NEW));
            CHECK(was.address == model[i].address);
            CHECK(!was.address || memcmp(&was, &model[i], sizeof was) == 0);
            model[i] = block;
        } else {
            CHECK(take(&b, address_of(i), &was) == (model[i].address != 0));
            CHECK(memcmp(&was, &model[i], sizeof was) == 0);
            model[i] = (struct block){0};
        }
        if (turn % 50000 == 0)
            for (uint32_t j = 0; j < ADDRESSES; j++)
                check_block(&b, j, &model[j]);
    }
    blocks_clear(&b);
    CHECK_EQUAL(s_pages_live, 0);
}

/* Any address that is not 0, also with the same hash: one after the other. */
static void blocks_at_any_address(void) {
    static const uint64_t addresses[] = {1, 2, 15, 16, 17, UINT64_MAX, UINT64_MAX - 15};
    static struct blocks b;
    struct block was;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct block block = {addresses[i], BLOCK_SIZES, EPOCHS_MAX - 1, 1, UINT32_MAX, UINT32_MAX};
        CHECK(!take(&b, addresses[i], &was));
        CHECK(put(&b, &block, &was) == NEW);
    }
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        CHECK(take(&b, addresses[i], &was) && was.address == addresses[i]);
    blocks_clear(&b);
}

/* Without memory for more, those that are there stay, and can be taken and replaced. */
static void blocks_beyond_memory_are_refused(void) {
    static struct blocks b;
    uint64_t n = 0, refused = 0;
    struct block was;
    s_pages_left = 2 * BLOCKS_SHARDS;
    for (uint64_t i = 1; i <= 40000; i++) {
        struct block block = {.address = i * 48, .size = i};
        if (put(&b, &block, &was) == FULL)
            refused++;
        else
            n++;
    }
    CHECK(n > 80 * BLOCKS_SHARDS && refused > 0);
    for (uint64_t i = 1; i <= 40000; i++)
        n -= take(&b, i * 48, &was) && was.size == i;
    CHECK_EQUAL(n, 0);
    s_pages_left = -1;
    blocks_clear(&b);
    CHECK_EQUAL(s_pages_live, 0);
}

static void pages_have_a_bound(void) {
    void *all = pages_map(PAGES_MAX - PAGES_HEAD);
    CHECK(all);
    CHECK(!pages_map(1));
    pages_unmap(all);
    CHECK(!pages_map(PAGES_MAX));
    CHECK(!pages_map(SIZE_MAX));
    all = pages_map(PAGES_MAX - PAGES_HEAD);
    CHECK(all && (uintptr_t)all % 64 == 0);
    pages_unmap(all);
}

/* Bytes of an address space, one by one: the number of the mapping that has it. */
enum { SPACE = 400 };

static void check_mappings(const struct mappings *m, const uint32_t space[SPACE]) {
    uint32_t at = 0, row = 0;
    for (; row < m->n; row++) {
        CHECK(m->rows[row].begin < m->rows[row].end);
        for (; at < m->rows[row].begin; at++)
            CHECK_EQUAL(space[at], 0);
        for (; at < m->rows[row].end; at++)
            CHECK_EQUAL(space[at], m->rows[row].place);
    }
    for (; at < SPACE; at++)
        CHECK_EQUAL(space[at], 0);
}

static void mappings_are_taken_piece_by_piece(void) {
    static struct mappings m;
    static uint32_t space[SPACE];
    uint32_t added = 0, blocks = 0;
    uint64_t seed = 5;
    for (unsigned turn = 1; turn < turns(100000) + 1; turn++) {
        uint32_t begin = next_random(&seed) % SPACE, end = begin + next_random(&seed) % 20 + 1;
        struct mapping piece;
        if (end > SPACE)
            end = SPACE;
        while (mappings_take(&m, begin, end, &piece)) {
            CHECK(begin <= piece.begin && piece.begin < piece.end && piece.end <= end);
            blocks += piece.counts;
            for (uint64_t i = piece.begin; i < piece.end; i++) {
                CHECK_EQUAL(space[i], piece.place);
                space[i] = 0;
            }
        }
        if (turn % 2) {
            added++;
            CHECK(mappings_add(&m, &(struct mapping){begin, end, turn, true, 0}));
            for (uint32_t i = begin; i < end; i++)
                space[i] = turn;
        }
        check_mappings(&m, space);
    }
    for (struct mapping piece; mappings_take(&m, 0, SPACE, &piece);)
        blocks += piece.counts;
    CHECK_EQUAL(blocks, added);
    mappings_clear(&m);
    CHECK_EQUAL(s_pages_live, 0);
}

/* What follows a hole that there is no memory for is taken with it. */
static void mapping_without_memory_for_a_hole(void) {
    static struct mappings m;
    struct mapping piece;
    for (uint64_t i = 0; i < FIRST_ROOM; i++)
        CHECK(mappings_add(&m, &(struct mapping){i * 100, i * 100 + 90, 1, true, 0}));
    s_pages_left = 0;
    CHECK(!mappings_add(&m, &(struct mapping){90, 95, 1, true, 0}));
    CHECK(mappings_take(&m, 10, 20, &piece));
    CHECK(piece.begin == 10 && piece.end == 90 && !piece.counts);
    CHECK(!mappings_take(&m, 10, 100, &piece));
    CHECK(mappings_take(&m, 0, 100, &piece) && piece.end == 10 && piece.counts);
    s_pages_left = -1;
    mappings_clear(&m);
}

/* Each place's live bytes at each moment that was a new peak; the last such moment is right. */
enum { PLACES = 300, LIVE = 2000 };

static void peak_is_that_of_a_model(void) {
    static struct pyusdt_node nodes[PLACES];
    static struct places p;
    static struct amount live[PLACES], peak[PLACES];
    static struct {
        uint32_t place;
        uint64_t size;
    } blocks[LIVE];
    struct amount sum = {0}, most = {0};
    uint64_t seed = 23;
    uint32_t n = 0;
    for (unsigned turn = 0; turn < turns(60000); turn++) {
        /* Phases in which it grows, and falls. */
        bool grows = n == 0 || (n < LIVE && next_random(&seed) % 100 < (turn / 1500 % 2 ? 40 : 62));
        if (grows) {
            uint32_t i = next_random(&seed) % (1 + turn * PLACES / turns(60000));
            uint64_t size = next_random(&seed) % 1000;
            blocks[n].place = i;
            blocks[n++].size = size;
            places_add(&p, places_of(&p, NULL, &nodes[i], (int32_t)i), (struct amount){size, 1});
            live[i].bytes += size;
            live[i].blocks++;
            sum.bytes += size;
            sum.blocks++;
        } else {
            uint32_t which = next_random(&seed) % n, i = blocks[which].place;
            struct amount amount = {blocks[which].size, 1};
            struct place *place = places_of(&p, NULL, &nodes[i], (int32_t)i);
            places_remove(&p, place, amount);
            if (next_random(&seed) % 10 == 0) {
                places_put_back(&p, place, amount);
                continue;
            }
            blocks[which] = blocks[--n];
            live[i].bytes -= amount.bytes;
            live[i].blocks--;
            sum.bytes -= amount.bytes;
            sum.blocks--;
        }
        if (grows && sum.bytes >= most.bytes) {
            most = sum;
            memcpy(peak, live, sizeof peak);
        }
        CHECK_EQUAL(p.live.bytes, sum.bytes);
        CHECK_EQUAL(p.most.bytes, most.bytes);
        CHECK_EQUAL(p.most.blocks, most.blocks);
        for (uint32_t i = turn % 97; i < p.n; i += 97) {
            const struct place *place = places_number(&p, i);
            uint64_t number = (uint64_t)place->line;
            CHECK_EQUAL(places_live(place).bytes, live[number].bytes);
            CHECK_EQUAL(places_live(place).blocks, live[number].blocks);
            CHECK_EQUAL(places_at_peak(&p, place).bytes, peak[number].bytes);
            CHECK_EQUAL(places_at_peak(&p, place).blocks, peak[number].blocks);
        }
    }
    places_clear(&p);
    CHECK_EQUAL(s_pages_live, 0);
}

static void places_beyond_memory_are_refused(void) {
    static struct pyusdt_node nodes[10 * PLACES_IN_CHUNK];
    static struct places p;
    uint32_t n = 0;
    s_pages_left = 4;
    for (int i = 0; i < 10 * PLACES_IN_CHUNK; i++)
        n += places_of(&p, NULL, &nodes[i], 0) != NULL;
    CHECK(n > PLACES_IN_CHUNK && n < 4 * PLACES_IN_CHUNK);
    CHECK_EQUAL(p.n, n);
    for (uint32_t i = 0; i < n; i++)
        CHECK(places_of(&p, NULL, &nodes[i], 0) == places_number(&p, i));
    s_pages_left = -1;
    places_clear(&p);
    CHECK_EQUAL(s_pages_live, 0);
}

/* Of many blocks of one size, what the samples stand for is what there was, within five standard
 * deviations; of a block far larger than the distance, it is that block alone. */
static void check_samples(uint64_t size, uint64_t n) {
    struct sampling sampling = {0};
    double bytes = 0, blocks = 0, taken = 0, p = 1 - exp(-(double)size / (double)SAMPLE_BYTES);
    for (uint64_t i = 0; i < n; i++) {
        if (sample_passes(&sampling, size) || !sample_next(&sampling, size, 42 + size))
            continue;
        struct amount weight = sample_weight(size, i << 4);
        taken++;
        bytes += (double)weight.bytes;
        blocks += (double)weight.blocks;
    }
    double deviation = sqrt((1 - p) / p / (double)n) + 1e-3;
    CHECK(fabs(taken / (double)n / p - 1) < 5 * deviation);
    CHECK(fabs(bytes / (double)(n * size) - 1) < 5 * deviation);
    CHECK(fabs(blocks / (double)n - 1) < 5 * deviation);
}

static void samples_stand_for_all(void) {
    check_samples(16, 100000000 / 100 * turns(100));
    check_samples(1000, 10000000 / 100 * turns(100));
    check_samples(SAMPLE_BYTES / 3, 300000);
    check_samples(SAMPLE_BYTES, 300000);
    check_samples(3 * SAMPLE_BYTES, 300000);
    check_samples(1 << 30, 1000);
    struct amount large = sample_weight((uint64_t)1 << 40, 16);
    CHECK(large.bytes == (uint64_t)1 << 40 && large.blocks == 1);
}

static void filter_has_all_that_is_in_it(void) {
    static struct sample_filter f;
    for (uint64_t i = 1; i <= 100000; i++)
        sample_filter_add(&f, i * 48);
    for (uint64_t i = 1; i <= 100000; i += 2)
        sample_filter_remove(&f, i * 48);
    for (uint64_t i = 2; i <= 100000; i += 2)
        CHECK(sample_filter_has(&f, i * 48));
    for (uint64_t i = 2; i <= 100000; i += 2)
        sample_filter_remove(&f, i * 48);
    for (uint64_t i = 1; i <= 100000; i++)
        CHECK(!sample_filter_has(&f, i * 48));
    for (int i = 0; i < 1000; i++) /* more than it can count: they are never gone */
        sample_filter_add(&f, 16);
    for (int i = 0; i < 1000; i++)
        sample_filter_remove(&f, 16);
    CHECK(sample_filter_has(&f, 16));
}

/* Threads that take turns in bursts, so that each becomes the owner and is ended by the next: what
 * each of them adds is there at the end. */
enum { CONTENDERS = 4 };
static struct spin s_spin;
static volatile uint64_t s_sum, s_twice; /* of no atomic type: only the lock protects them */
static _Atomic unsigned s_owned;

static void *contend(void *number) {
    uint64_t seed = (uint64_t)(uintptr_t)number + 1;
    for (unsigned burst = 0; burst < turns(2000); burst++) {
        uint32_t n = next_random(&seed) % 200;
        for (uint32_t i = 0; i < n; i++) {
            _Atomic bool *locked = spin_lock(&s_spin);
            CHECK_EQUAL(s_twice, 2 * s_sum);
            s_sum++;
            s_twice += 2;
            s_owned += atomic_load(&s_spin.owner) == spin_t_seat;
            spin_unlock(locked);
        }
        if (n % 7 == 0)
            sched_yield();
    }
    return NULL;
}

static void lock_excludes_whoever_owns_it(void) {
    pthread_t threads[CONTENDERS];
    uint64_t sum = 0;
    spin_allow_owner();
    for (uintptr_t i = 0; i < CONTENDERS; i++)
        CHECK(pthread_create(&threads[i], NULL, contend, (void *)i) == 0);
    for (int i = 0; i < CONTENDERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (uint64_t i = 0; i < CONTENDERS; i++) {
        uint64_t seed = i + 1;
        for (unsigned burst = 0; burst < turns(2000); burst++)
            sum += next_random(&seed) % 200;
    }
    CHECK_EQUAL(s_sum, sum);
    CHECK(s_owned > 0 || !s_allowed || turns(2000) < 100);
    CHECK(!s_spin.held);
}

#define STRETCHES 400u

static void most_since_any_moment_is_that_of_a_model(void) {
    static struct highs h;
    static uint64_t most[STRETCHES];
    uint64_t seed = 18, bytes = 0;
    for (unsigned i = 0; i < STRETCHES; i++) {
        most[i] = next_random(&seed) % 50;
        CHECK_EQUAL(highs_next(&h, most[i]), i + 1);
        for (unsigned first = 0; first <= i; first++) {
            uint64_t model = 0;
            for (unsigned j = first; j <= i; j++)
                model = most[j] > model ? most[j] : model;
            CHECK(highs_since(&h, first, &bytes));
            CHECK_EQUAL(bytes, model);
        }
        CHECK(!highs_since(&h, i + 1, &bytes));
    }
}

static void most_since_long_ago_is_forgotten_and_not_made_up(void) {
    static struct highs h;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < HIGHS_MAX + 10; i++)
        highs_next(&h, 1000 - i);
    for (unsigned i = 0; i < 10; i++)
        CHECK(!highs_since(&h, i, &bytes));
    for (unsigned i = 10; i < HIGHS_MAX + 10; i++)
        CHECK(highs_since(&h, i, &bytes) && bytes == 1000 - i);
}

static void epochs_begin_where_something_is_new(void) {
    static struct epochs e;
    epochs_mark(&e, 10, 0); /* nothing was allocated before: it is the first one still */
    CHECK_EQUAL(e.now, 0);
    epochs_mark(&e, 20, 5);
    CHECK_EQUAL(e.now, 1);
    epochs_step(&e, 30, 5);
    epochs_step(&e, 40, 6);
    CHECK_EQUAL(e.now, 2);
    CHECK_EQUAL(e.began[0], 10);
    CHECK_EQUAL(e.began[1], 30);
    CHECK_EQUAL(e.began[2], 40);
}

static void epochs_of_steps_become_longer_and_leave_room_for_marks(void) {
    static struct epochs e;
    uint64_t i = 1;
    for (; i <= 256; i++)
        epochs_step(&e, i, i);
    CHECK_EQUAL(e.now, 256);
    for (; i <= 256 + 3; i++)
        epochs_step(&e, i, i);
    CHECK(e.now <= 257);
    for (; i <= 20000000; i++)
        epochs_step(&e, i, i);
    CHECK_EQUAL(e.now, EPOCHS_MAX / 2);
    for (unsigned n = 0; n < EPOCHS_MAX; n++, i++)
        epochs_mark(&e, i, i);
    CHECK_EQUAL(e.now, EPOCHS_MAX - 1);
    for (unsigned n = 1; n < EPOCHS_MAX; n++)
        CHECK(e.began[n] > e.began[n - 1]);
}

static void points_are_few_and_apart(void) {
    static struct places p;
    static struct growth g;
    static struct pyusdt_node nodes[3];
    struct place *grows = places_look_up(&p, NULL, &nodes[0], 1);
    struct place *stays = places_look_up(&p, NULL, &nodes[1], 1), *late = NULL;
    const struct growth_series *s = &g.series[0];
    bool alike = true;
    places_add(&p, stays, (struct amount){7, 1});
    for (unsigned i = 1; i <= 100000; i++) {
        places_add(&p, grows, (struct amount){3, 1});
        if (i == 90000)
            late = places_look_up(&p, NULL, &nodes[2], 1);
        if (late)
            places_add(&p, late, (struct amount){1, 1});
        growth_step(&g, &p, 5);
        growth_step(&g, &p, 6);
        CHECK(s->n <= GROWTH_POINTS && s->n >= (i < 32 ? i : 32));
    }
    CHECK_EQUAL(g.n, 2);
    CHECK_EQUAL(s->name, 5);
    CHECK_EQUAL(s->iterations, 100000);
    for (unsigned i = 0; i < s->n; i++) {
        const struct growth_point *point = &s->points[i];
        uint64_t of_late = point->iteration < 90000 ? 0 : point->iteration - 90000 + 1;
        CHECK(i == 0 || point->iteration > point[-1].iteration);
        alike &= i < 2 || point->iteration - point[-1].iteration ==
                              point[-1].iteration - point[-2].iteration;
        CHECK_EQUAL(growth_at(point, grows->number), 3 * point->iteration);
        CHECK_EQUAL(growth_at(point, stays->number), 7);
        CHECK_EQUAL(growth_at(point, late->number), of_late);
        CHECK_EQUAL(point->total, 3 * point->iteration + 7 + of_late);
    }
    CHECK(!alike); /* what comes and goes every so many iterations must not look as if it grew */
    growth_clear(&g);
    places_clear(&p);
    CHECK_EQUAL(s_pages_live, 0);
}

static void points_have_bounds(void) {
    static struct places p;
    static struct growth g;
    static struct pyusdt_node node;
    for (uint32_t name = 0; name < 2 * GROWTH_NAMES; name++)
        growth_step(&g, &p, name);
    CHECK_EQUAL(g.n, GROWTH_NAMES);
    s_pages_left = 0;
    growth_step(&g, &p, 0);
    s_pages_left = -1;
    CHECK_EQUAL(g.series[0].n, 1);
    for (int line = 0; line <= GROWTH_PLACES; line++)
        CHECK(places_look_up(&p, NULL, &node, line));
    growth_step(&g, &p, 0);
    CHECK_EQUAL(g.series[0].n, 1);
    growth_clear(&g);
    places_clear(&p);
    CHECK_EQUAL(s_pages_live, 0);
}

int main(void) {
    static const struct test tests[] = {
        TEST(blocks_are_found_until_they_are_taken),
        TEST(blocks_at_any_address),
        TEST(blocks_beyond_memory_are_refused),
        TEST(pages_have_a_bound),
        TEST(mappings_are_taken_piece_by_piece),
        TEST(mapping_without_memory_for_a_hole),
        TEST(samples_stand_for_all),
        TEST(filter_has_all_that_is_in_it),
        TEST(lock_excludes_whoever_owns_it),
        TEST(peak_is_that_of_a_model),
        TEST(places_beyond_memory_are_refused),
        TEST(most_since_any_moment_is_that_of_a_model),
        TEST(most_since_long_ago_is_forgotten_and_not_made_up),
        TEST(epochs_begin_where_something_is_new),
        TEST(epochs_of_steps_become_longer_and_leave_room_for_marks),
        TEST(points_are_few_and_apart),
        TEST(points_have_bounds),
    };
    return run_tests(tests, sizeof tests / sizeof *tests);
}
