/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks, small ones in cells and others in the table, against a model; and their bounds.
 */
#include "memory_under_test.h"

#define ADDRESSES 4096u

/* Close together, among small ones alone, or among all, also such that are not aligned; far apart,
 * with the same row in the table of regions. */
static uint64_t address_of(uint32_t i) {
    static const uint64_t bases[] = {UINT64_C(0x7f0000400000), UINT64_C(0x7f0000000000),
                                     UINT64_C(0x7f0000000008)};

    return i % 4 < 3 ? bases[i % 4] + (uint64_t)i * 16 : (1 << 20) + ((uint64_t)i << 31);
}

static struct block any_block(uint32_t i, uint32_t epoch, uint64_t *seed) {
    static const uint64_t sizes[] = {0, 1, 16, CELLS_MOST_BYTES, CELLS_MOST_BYTES + 1, 1 << 20};

    return (struct block){
        .address = address_of(i),
        .size = sizes[next_random(seed) % (i % 4 ? 6 : 4)],
        .epoch = epoch,
        .place = next_random(seed) % (PLACES_IN_CHUNK * PLACES_CHUNKS),
        .call = (uint32_t)next_random(seed),
    };
}

static bool put_fast(struct known *k, const struct block *block) {
    return known_put_small(k, block->address, block->size, block->place, block->call, block->epoch);
}

/* The first for a while, and each of the others. */
static uint32_t epoch_at(unsigned turn) {
    unsigned first = turns(400000) / 8, all = turns(400000) - first;

    return turn < first ? 0 : (uint32_t)((uint64_t)(turn - first) * EPOCHS_MAX / all);
}

static void blocks_are_known_until_they_are_taken(void) {
    static struct known k;
    static struct block model[ADDRESSES];
    uint64_t seed = 11;
    uint32_t fast = 0;
    for (unsigned turn = 0; turn < turns(400000); turn++) {
        uint32_t i = next_random(&seed) % ADDRESSES, epoch = epoch_at(turn);
        struct block was = {0}, block = any_block(i, epoch, &seed);
        CHECK_EQUAL(known_has(&k, block.address), model[i].address != 0);
        if (next_random(&seed) % 2 && put_fast(&k, &block)) {
            CHECK(!model[i].address); /* else it would have been refused */
            fast++;
            model[i] = block;
            continue;
        }
        CHECK_EQUAL(known_take(&k, block.address, &was), model[i].address != 0);
        CHECK(memcmp(&was, &model[i], sizeof was) == 0);
        model[i] = (struct block){0};
        if (next_random(&seed) % 2) {
            if (next_random(&seed) % 4 == 0)
                block.epoch = next_random(&seed) % (epoch + 1); /* it is put back */
            block.sample = i % 4 && next_random(&seed) % 4 == 0;
            CHECK(known_put(&k, &block));
            model[i] = block;
        }
    }
    CHECK(fast > turns(400000) / 100);
    for (uint32_t i = 0; i < ADDRESSES; i++)
        if (model[i].address && known_small(&k, model[i].address))
            CHECK_EQUAL(cells_epoch(&k.cells, model[i].address), model[i].epoch);
    known_clear(&k);
    CHECK(!known_has(&k, address_of(0)));
    CHECK_EQUAL(s_pages_live, 0);
}

/* Where there are no cells for a block, it is in the table. */
static void blocks_beyond_the_regions_are_in_the_table(void) {
    static struct known k;
    struct block was;
    for (uint64_t i = 1; i <= 2 * CELLS_REGIONS; i++)
        CHECK(known_put(&k, &(struct block){i << CELLS_REGION_LOG2, 32, 0, 0, 1, 2}));
    CHECK_EQUAL(k.cells.n, CELLS_REGIONS);
    for (uint64_t i = 1; i <= 2 * CELLS_REGIONS; i++) {
        CHECK(known_take(&k, i << CELLS_REGION_LOG2, &was));
        CHECK(was.size == 32 && was.place == 1 && was.call == 2);
        CHECK(!known_take(&k, i << CELLS_REGION_LOG2, &was));
    }
    known_clear(&k);
    CHECK_EQUAL(s_pages_live, 0);
}

/* A small block where a large one was, and the other way round: never both. */
static void small_and_large_at_one_address(void) {
    static struct known k;
    struct block was, large = {1 << 20, 1 << 20, 0, 0, 1, 1}, small = {1 << 20, 32, 0, 0, 2, 2};
    CHECK(known_put(&k, &large));
    CHECK(!put_fast(&k, &small));
    CHECK(known_take(&k, small.address, &was) && was.size == large.size);
    CHECK(known_put(&k, &small));
    CHECK(!put_fast(&k, &small) && !put_fast(&k, &large));
    CHECK(known_take(&k, small.address, &was) && was.size == small.size);
    CHECK(put_fast(&k, &small));
    CHECK(known_small(&k, small.address) && !known_small(&k, small.address + 16));
    known_clear(&k);
}

static void regions_have_epochs_once_there_is_another_than_the_first(void) {
    static struct known k;
    struct block was, first = {1 << 20, 32, 0, 0, 1, 1}, later = {(1 << 20) + 32, 32, 7, 0, 1, 1};
    CHECK(known_put(&k, &first));
    CHECK_EQUAL(s_pages_live, 1);
    CHECK(!put_fast(&k, &later));
    CHECK(known_put(&k, &later));
    CHECK_EQUAL(s_pages_live, 2);
    CHECK(known_take(&k, later.address, &was) && was.epoch == 7);
    CHECK(known_put(&k, &(struct block){later.address, 32, 0, 0, 1, 1}));
    CHECK(known_take(&k, later.address, &was) && was.epoch == 0);
    CHECK(put_fast(&k, &later));
    CHECK(known_take(&k, first.address, &was) && was.epoch == 0);
    CHECK(known_take(&k, later.address, &was) && was.epoch == 7);
    known_clear(&k);
    CHECK_EQUAL(s_pages_live, 0);
}

static void without_memory_nothing_is_known(void) {
    static struct known k;
    struct block was, block = {1 << 20, 32, 0, 0, 1, 1}, later = {(1 << 20) + 32, 32, 7, 0, 1, 1};
    s_pages_left = 0;
    CHECK(!known_put(&k, &block));
    CHECK(!known_take(&k, 1 << 20, &was));
    s_pages_left = 1; /* for cells, and none for epochs or the table */
    CHECK(known_put(&k, &block));
    CHECK(!known_put(&k, &(struct block){1 << 21, 32, 0, 0, 1, 1}));
    CHECK(!known_put(&k, &later));
    CHECK(!known_has(&k, later.address));
    s_pages_left = -1;
    known_clear(&k);
    CHECK_EQUAL(s_pages_live, 0);
}

int main(void) {
    static const struct test tests[] = {
        TEST(blocks_are_known_until_they_are_taken),
        TEST(blocks_beyond_the_regions_are_in_the_table),
        TEST(small_and_large_at_one_address),
        TEST(regions_have_epochs_once_there_is_another_than_the_first),
        TEST(without_memory_nothing_is_known),
    };
    return run_tests(tests, sizeof tests / sizeof *tests);
}
