/* SPDX-License-Identifier: Apache-2.0
 *
 * The account: by whom, at which line, which of it is temporary, at the peak; threads, forks.
 * Addresses are made up: nothing is read or written there.
 */
#include "calltree_under_test.h"
#include "memory_under_test.h"

#include <pthread.h>
#include <sys/wait.h>

#include "../../src/base/clock.c"
#include "../../src/memory/account.c"
#include "../../src/memory/account_read.c"

THREAD_LOCAL struct thread *t_thread;
THREAD_LOCAL bool t_hidden, t_over;

static struct calltree_budget s_budget = {
    .contexts = PLENTY, .functions = PLENTY, .histograms = PLENTY, .lines = PLENTY};

static void *at(uint64_t address) {
    return (void *)(uintptr_t)address;
}

static void allocate(uint64_t address, size_t size) {
    if (account_enter()) {
        account_allocated(at(address), size);
        account_leave();
    }
}

static void release(uint64_t address) {
    if (account_enter()) {
        account_freed(at(address));
        account_leave();
    }
}

/* Between enter and leave, as hooks call it. */
#define WITHIN(call)                                                                               \
    do {                                                                                           \
        CHECK(account_enter());                                                                    \
        call;                                                                                      \
        account_leave();                                                                           \
    } while (0)

static void begin(struct thread *thread) {
    make_codes();
    for (int i = 0; i < CODES; i++) {
        s_codes[i].lined = true;
        s_codes[i].first_line = 1;
        s_codes[i].n_lines = 10;
    }
    *thread = (struct thread){.tree = calltree_new(&s_budget, 0)};
    t_thread = thread;
    CHECK(account_open(false));
}

static void end(void) {
    account_close();
    account_clear();
    CHECK_EQUAL(s_pages_live, 0);
    calltree_free(t_thread->tree);
    t_thread = NULL;
    check_all_returned(&s_budget, PLENTY);
}

static void enter(char code) {
    calltree_enter(t_thread->tree, &s_codes[code - 'a'], 0, CALLTREE_START);
}

static void reach(char code, int32_t line) {
    calltree_line(t_thread->tree, &s_codes[code - 'a'], NULL, line, 0, false);
}

static void leave(char code) {
    struct calltree_done done;
    calltree_exit(t_thread->tree, &s_codes[code - 'a'], 0, CALLTREE_RETURN, &done);
}

/* "(native)" is the name of what has no node. Zeros: there is no such place. */
static struct account_row figures_of(const char *name, int32_t line) {
    struct account_row rows[3], found = {0};
    uint32_t first = 0;
    for (unsigned n; (n = account_read(first, rows, 3)) > 0; first += n)
        for (unsigned i = 0; i < n; i++)
            if (!strcmp(rows[i].node ? rows[i].node->qualname : "(native)", name) &&
                rows[i].line == line)
                found = rows[i];
    return found;
}

static struct account_totals totals(void) {
    struct account_totals now;
    account_totals(&now);
    return now;
}

static void blocks_are_charged_to_context_and_line(void) {
    struct thread thread;
    begin(&thread);
    allocate(0x1000, 10);
    enter('f');
    allocate(0x2000, 20);
    reach('f', 7);
    allocate(0x3000, 30);
    allocate(0x4000, 40);
    enter('g');
    release(0x3000);
    release(0x9000); /* was there before */
    allocate(0x5000, 0);
    leave('g');
    CHECK_EQUAL(figures_of("(thread)", 0).allocated_bytes, 10);
    CHECK_EQUAL(figures_of("f", 0).allocated_bytes, 20);
    CHECK_EQUAL(figures_of("f", 7).allocated_bytes, 70);
    CHECK_EQUAL(figures_of("f", 7).allocated_blocks, 2);
    CHECK_EQUAL(figures_of("f", 7).freed_bytes, 30);
    CHECK_EQUAL(figures_of("f", 7).freed_blocks, 1);
    CHECK_EQUAL(figures_of("f", 7).temporary_blocks, 0);
    CHECK_EQUAL(figures_of("f", 7).biggest, 40);
    CHECK_EQUAL(figures_of("f", 7).peak_bytes, 70);
    CHECK_EQUAL(figures_of("g", 0).allocated_blocks, 1);
    CHECK_EQUAL(figures_of("g", 0).freed_blocks, 0);
    CHECK_EQUAL(totals().bytes, 70);
    CHECK_EQUAL(totals().blocks, 4);
    CHECK_EQUAL(totals().peak_bytes, 100);
    CHECK_EQUAL(totals().peak_blocks, 4);
    CHECK_EQUAL(totals().lost, 0);
    end();
}

/* A function in C has no lines of its own: its blocks are its caller's at that line. */
static void function_in_c_has_the_line_of_its_caller(void) {
    struct thread thread;
    begin(&thread);
    enter('f');
    reach('f', 7);
    calltree_call(thread.tree, &s_codes['f' - 'a'], "f", &s_codes['c' - 'a'], "c", 0);
    allocate(0x1000, 10);
    leave('c');
    CHECK_EQUAL(figures_of("c", 7).allocated_bytes, 10);
    end();
}

/* Freed by the call that allocated: not by a later one of the same function, not by its caller. */
static void temporary_blocks_are_those_of_one_call(void) {
    struct thread thread;
    begin(&thread);
    enter('f');
    allocate(0x1000, 1);
    enter('g');
    allocate(0x2000, 2);
    allocate(0x3000, 4);
    allocate(0x4000, 8);
    release(0x2000);
    leave('g');
    allocate(0x5000, 32);
    release(0x3000);
    enter('g');
    release(0x4000);
    allocate(0x2000, 16);
    release(0x2000);
    allocate(0x6000, 64);
    leave('g');
    release(0x6000); /* a variable of the call */
    release(0x5000);
    CHECK_EQUAL(figures_of("f", 0).temporary_blocks, 1);
    CHECK_EQUAL(figures_of("g", 0).temporary_blocks, 3);
    CHECK_EQUAL(figures_of("g", 0).temporary_bytes, 18 + 64);
    CHECK_EQUAL(figures_of("g", 0).freed_bytes, 30 + 64);
    CHECK_EQUAL(totals().bytes, 1);
    end();
}

static void only_the_outermost_hook_counts(void) {
    struct thread thread;
    begin(&thread);
    CHECK(account_enter());
    CHECK(!account_enter());
    allocate(0x1000, 1);
    account_allocated(at(0x2000), 2);
    account_leave();
    release(0x1000);
    CHECK_EQUAL(totals().bytes, 2);
    CHECK_EQUAL(totals().blocks, 1);
    end();
}

/* Who entered before belongs to that account. */
static void an_account_that_is_closed_does_not_change(void) {
    struct thread thread;
    uint64_t opening;
    begin(&thread);
    allocate(0x2000, 2);
    CHECK(account_enter());
    opening = account_t_within;
    account_close();
    CHECK(!account_enter());
    account_t_within = opening;
    account_allocated(at(0x3000), 3);
    account_freed(at(0x2000));
    account_leave();
    CHECK_EQUAL(totals().bytes, 2);
    CHECK(account_open(false));
    account_t_within = opening;
    account_allocated(at(0x3000), 3);
    account_mapped(at(0x10000), 0x1000);
    account_leave();
    CHECK_EQUAL(totals().bytes, 0);
    end();
}

/* Hooks may have something else to do, and nothing of it is in an account. */
static void closed_account_may_be_entered(void) {
    struct thread thread;
    struct account_block before;
    begin(&thread);
    account_close();
    CHECK(account_enter_closed(true));
    allocate(0x1000, 1);
    WITHIN(account_moves(at(0x1000), &before));
    WITHIN(account_mapped(at(0x10000), 0x1000));
    WITHIN(CHECK(account_unmapped(at(0x10000), 0x1000) == 0));
    CHECK(account_enter());
    CHECK(account_open(false)); /* meanwhile */
    account_t_within = ACCOUNT_ASIDE;
    account_allocated(at(0x1000), 1);
    account_leave();
    CHECK(account_enter_aside());
    account_allocated(at(0x2000), 2);
    account_freed(at(0x2000));
    account_leave();
    CHECK_EQUAL(totals().blocks, 0);
    allocate(0x3000, 3);
    CHECK_EQUAL(totals().bytes, 3);
    CHECK(account_enter_closed(false));
    allocate(0x4000, 4);
    CHECK_EQUAL(totals().bytes, 7);
    account_close();
    CHECK(!account_enter() && !account_enter_aside());
    end();
}

static void block_at_a_known_address_was_freed_unseen(void) {
    struct thread thread;
    begin(&thread);
    enter('f');
    allocate(0x1000, 1);
    enter('g');
    allocate(0x1000, 2);
    CHECK_EQUAL(figures_of("f", 0).freed_bytes, 1);
    CHECK_EQUAL(figures_of("g", 0).allocated_bytes, 2);
    CHECK_EQUAL(totals().blocks, 1);
    end();
}

static void moved_block_belongs_to_who_moved_it(void) {
    struct thread thread;
    struct account_block before;
    begin(&thread);
    enter('f');
    allocate(0x1000, 100);
    enter('g');
    WITHIN(account_moves(at(0x1000), &before));
    CHECK(before.known && before.size == 100);
    WITHIN(account_restore(at(0x1000), &before));
    CHECK_EQUAL(figures_of("f", 0).freed_blocks, 0);
    CHECK_EQUAL(totals().bytes, 100);
    WITHIN(account_moves(at(0x1000), &before));
    WITHIN(account_allocated(at(0x2000), 200));
    CHECK_EQUAL(figures_of("f", 0).freed_bytes, 100);
    CHECK_EQUAL(figures_of("f", 0).temporary_blocks, 0);
    CHECK_EQUAL(figures_of("g", 0).allocated_bytes, 200);
    CHECK_EQUAL(totals().peak_bytes, 200);
    WITHIN(account_moves(NULL, &before));
    CHECK(!before.known);
    WITHIN(account_moves(at(0x9000), &before));
    CHECK(!before.known);
    WITHIN(account_restore(at(0x9000), &before));
    CHECK_EQUAL(totals().blocks, 1);
    /* The account that it belonged to is gone. */
    WITHIN(account_moves(at(0x2000), &before));
    account_close();
    CHECK(account_open(false));
    WITHIN(account_restore(at(0x2000), &before));
    CHECK_EQUAL(totals().blocks, 0);
    end();
}

static void mappings_count_once_and_are_unmapped_in_parts(void) {
    struct thread thread;
    begin(&thread);
    enter('f');
    WITHIN(account_mapped(at(0x10000), 0x5000));
    WITHIN(account_unmapped(at(0x11000), 0x1000));
    CHECK_EQUAL(totals().bytes, 0x4000);
    CHECK_EQUAL(totals().blocks, 1);
    WITHIN(account_mapped(at(0x13000), 0x4000)); /* over the end of the first */
    CHECK_EQUAL(totals().bytes, 0x1000 + 0x1000 + 0x4000);
    CHECK_EQUAL(totals().blocks, 2);
    WITHIN(account_unmapped(at(0), SIZE_MAX));
    CHECK_EQUAL(totals().bytes, 0);
    CHECK_EQUAL(totals().blocks, 0);
    CHECK_EQUAL(figures_of("f", 0).freed_bytes, 0x9000);
    WITHIN(account_unmapped(at(UINT64_MAX), 2));
    WITHIN(account_mapped(at(UINT64_MAX), 2));
    WITHIN(account_mapped(NULL, 0));
    CHECK_EQUAL(totals().blocks, 0);
    end();
}

/* As the child of one that was inside: its own account works, is empty, and the parent's goes on.
 */
static void child_has_an_account_of_its_own(void) {
    struct thread thread;
    int status;
    pid_t child;
    begin(&thread);
    enter('f');
    for (uint64_t i = 1; i <= 10000; i++)
        allocate(i * 32, 32);
    _Atomic bool *locked = spin_lock(&s_lock);
    child = fork();
    if (child == 0) {
        CHECK_EQUAL(totals().blocks, 0);
        CHECK_EQUAL(s_pages_live, 0);
        release(32);
        allocate(64, 64);
        CHECK_EQUAL(figures_of("f", 0).allocated_bytes, 64);
        CHECK_EQUAL(totals().peak_bytes, 64);
        _exit(0);
    }
    spin_unlock(locked);
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    CHECK_EQUAL(totals().blocks, 10000);
    end();
}

static void without_memory_blocks_are_lost_and_counted(void) {
    struct thread thread;
    begin(&thread);
    s_pages_left = 10;
    for (uint64_t i = 1; i <= 1000; i++)
        allocate(i << 12, 2000);
    CHECK(totals().lost > 0 && totals().lost < 1000);
    CHECK_EQUAL(totals().lost + totals().blocks, 1000);
    CHECK_EQUAL(figures_of("(thread)", 0).allocated_blocks, totals().blocks);
    for (uint64_t i = 1; i <= 1000; i++)
        release(i << 12);
    CHECK_EQUAL(totals().blocks, 0);
    s_pages_left = -1;
    end();
}

/* A hundred thousand blocks of 10 kB, of which one in fifty is in the table. */
static void samples_have_places_and_are_freed(void) {
    struct thread thread;
    uint64_t n = 100000, size = 10000, rows = 0;
    begin(&thread);
    CHECK(account_open(true));
    enter('f');
    for (uint64_t i = 1; i <= n; i++)
        allocate(i << 14, size);
    for (int i = 0; i < BLOCKS_SHARDS; i++)
        rows += s_known.blocks.shards[i].n;
    CHECK(rows > 1000 && rows < 4000);
    CHECK(figures_of("f", 0).allocated_bytes > n * size / 100 * 80);
    CHECK(figures_of("f", 0).allocated_bytes < n * size / 100 * 120);
    CHECK(figures_of("f", 0).biggest == size);
    for (uint64_t i = 1; i <= n; i++)
        release(i << 14);
    CHECK_EQUAL(totals().bytes, 0);
    CHECK_EQUAL(totals().blocks, 0);
    CHECK_EQUAL(figures_of("f", 0).temporary_bytes, figures_of("f", 0).allocated_bytes);
    for (uint64_t i = 1; i <= n; i++)
        allocate(i << 14, size);
    account_be_exact();
    allocate(1, 1);
    CHECK_EQUAL(figures_of("f", 0).biggest, size);
    rows = totals().bytes;
    allocate(2, 1);
    CHECK_EQUAL(totals().bytes, rows + 1);
    for (uint64_t i = 1; i <= n; i++)
        release(i << 14);
    CHECK_EQUAL(totals().bytes, 2);
    end();
}

/* Threads allocate, and free what others allocated; one has no tree, one has ended. */
enum { THREADS = 4, EACH = 20000 };
static pthread_barrier_t s_half;

static void *work(void *number) {
    uint64_t mine = (uint64_t)(uintptr_t)number, other = (mine + 1) % THREADS;
    struct thread thread = {.tree = mine > 0 ? calltree_new(&s_budget, 0) : NULL};
    unsigned each = turns(EACH);
    t_thread = mine > 0 ? &thread : NULL;
    t_over = mine == 1;
    if (mine > 1)
        enter((char)('a' + mine));
    for (uint64_t i = 1; i <= each; i++)
        allocate(mine << 32 | i << 5, i);
    pthread_barrier_wait(&s_half);
    for (uint64_t i = 1; i <= each; i += 2)
        release(other << 32 | i << 5);
    return thread.tree;
}

static void threads_share_the_account(void) {
    struct thread thread;
    pthread_t threads[THREADS];
    void *trees[THREADS];
    uint64_t each = turns(EACH) / 2 * 2, sum = each * (each + 1) / 2, odd = each / 2 * (each / 2);
    begin(&thread);
    pthread_barrier_init(&s_half, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], &trees[i]) == 0);
    CHECK_EQUAL(turns(EACH) % 2, 0);
    CHECK_EQUAL(figures_of("(native)", 0).allocated_bytes, 2 * sum);
    CHECK_EQUAL(figures_of("c", 0).allocated_bytes, sum);
    CHECK_EQUAL(figures_of("d", 0).freed_bytes, odd);
    CHECK_EQUAL(figures_of("d", 0).freed_blocks, each / 2);
    CHECK_EQUAL(totals().blocks, THREADS * each / 2);
    CHECK_EQUAL(totals().bytes, THREADS * (sum - odd));
    CHECK_EQUAL(totals().peak_bytes, THREADS * sum);
    CHECK_EQUAL(figures_of("c", 0).peak_bytes, sum);
    account_close();
    account_clear();
    for (int i = 0; i < THREADS; i++)
        calltree_free(trees[i]);
    end();
}

static void a_step_has_what_was_allocated_within_and_the_most(void) {
    struct account_moment none = account_step_begins(), outer, inner;
    struct account_span span;
    struct thread thread;
    CHECK_EQUAL(none.opening, 0);
    begin(&thread);
    CHECK(!account_step_ends(&none, 1, &span));
    allocate(0x1000, 1000);
    release(0x1000);
    allocate(0x2000, 10);
    outer = account_step_begins();
    allocate(0x3000, 500);
    release(0x3000);
    inner = account_step_begins();
    allocate(0x4000, 20);
    release(0x2000);
    CHECK(account_step_ends(&inner, inner.ticks + 1, &span));
    CHECK_EQUAL(span.allocated, 20);
    CHECK_EQUAL(span.freed, 10);
    CHECK_EQUAL(span.peak, 30);
    CHECK(account_step_ends(&outer, inner.ticks + 1, &span));
    CHECK_EQUAL(span.allocated, 520);
    CHECK_EQUAL(span.freed, 510);
    CHECK_EQUAL(span.peak, 510);
    CHECK_EQUAL(totals().peak_bytes, 1000);
    account_close();
    CHECK(!account_step_ends(&outer, outer.ticks + 1, &span));
    end();
    CHECK(account_open(false)); /* it is another one: nothing is known of then */
    CHECK(!account_step_ends(&outer, outer.ticks + 1, &span));
    account_close();
    account_clear();
}

/* What lives at place and epoch. */
static struct account_living lives(uint32_t place, uint32_t epoch) {
    struct account_living rows[100], sum = {place, epoch, 0, 0};
    for (unsigned piece = 0; piece < ACCOUNT_PIECES; piece++) {
        size_t n = account_read_living(piece, rows, 100);
        for (size_t i = 0; i < n && n <= 100; i++)
            if (rows[i].place == place && rows[i].epoch == epoch) {
                sum.bytes += rows[i].bytes;
                sum.blocks += rows[i].blocks;
            }
    }
    return sum;
}

static void what_lives_is_known_with_its_age(void) {
    static uint64_t began[ACCOUNT_EPOCHS];
    struct account_moment step;
    struct account_span span;
    struct account_block before;
    struct thread thread;
    begin(&thread);
    allocate(0x1000, 10);
    account_mark(100);
    allocate(0x2000, 20);
    allocate(0x3000, 30);
    step = account_step_begins();
    WITHIN(account_moves(at(0x2000), &before); account_restore(at(0x2000), &before));
    WITHIN(account_moves(at(0x3000), &before); account_allocated(at(0x8000), 33));
    WITHIN(account_mapped(at(0x100000), 8192));
    WITHIN(account_unmapped(at(0x100000), 4096));
    CHECK(account_step_ends(&step, step.ticks + 5, &span));
    allocate(0x9000, 90);
    CHECK_EQUAL(account_epochs(began), 4);
    CHECK_EQUAL(began[1], 100);
    CHECK_EQUAL(began[2], step.ticks);
    CHECK_EQUAL(began[3], step.ticks + 5);
    CHECK_EQUAL(lives(0, 0).bytes, 10);
    CHECK_EQUAL(lives(0, 1).bytes, 20);
    CHECK_EQUAL(lives(0, 2).bytes, 33 + 4096);
    CHECK_EQUAL(lives(0, 2).blocks, 2);
    CHECK_EQUAL(lives(0, 3).bytes, 90);
    CHECK_EQUAL(totals().bytes, 10 + 20 + 33 + 4096 + 90);
    CHECK_EQUAL(account_read_living(ACCOUNT_PIECES - 1, NULL, 0), 1);
    end();
}

/* Small blocks in cells, such that are too large for one, and some that are not aligned, at ages
 * that a model knows: allocated, freed, moved, replaced unseen, in regions that are old and new. */
enum { AGED = 3000, MOST_AGES = 300 };
static uint64_t s_bytes_of_age[MOST_AGES], s_blocks_of_age[MOST_AGES];

static void count_living(void) {
    size_t room = CELLS_IN_REGION;
    struct account_living *rows = malloc(room * sizeof *rows);
    memset(s_bytes_of_age, 0, sizeof s_bytes_of_age);
    memset(s_blocks_of_age, 0, sizeof s_blocks_of_age);
    for (unsigned piece = 0; piece < ACCOUNT_PIECES; piece++) {
        size_t n = account_read_living(piece, rows, room);
        CHECK(n <= room);
        for (size_t i = 0; i < n; i++) {
            CHECK(rows[i].place == 0 && rows[i].epoch < MOST_AGES);
            s_bytes_of_age[rows[i].epoch] += rows[i].bytes;
            s_blocks_of_age[rows[i].epoch] += rows[i].blocks;
        }
    }
    free(rows);
}

static void blocks_small_and_large_have_the_age_of_a_model(void) {
    static struct {
        uint64_t size, age;
        bool lives;
    } model[AGED];
    static uint64_t bytes[MOST_AGES], blocks[MOST_AGES];
    struct account_block before;
    struct thread thread;
    uint64_t seed = 29, age = 0;
    begin(&thread);
    for (unsigned turn = 0; turn < turns(100000); turn++) {
        uint32_t i = next_random(&seed) % AGED, what = next_random(&seed) % 8;
        /* Later ones lie in regions that nobody has used in the first epoch. */
        uint64_t address = 0x100000 + (uint64_t)i * 2048 + (i % 50 == 0 ? 8 : 0);
        uint64_t size = next_random(&seed) % (next_random(&seed) % 4 ? 600 : 3000);
        if (i >= AGED / 2 && turn < turns(100000) / 4)
            continue;
        if (turn >= turns(100000) / 8 && next_random(&seed) % 400 == 0 && age < MOST_AGES - 1) {
            allocate(0x10, 1);
            account_mark(++age);
            release(0x10);
        }
        if (what < 4) {
            allocate(address, size);
            model[i].size = size;
            model[i].age = age;
            model[i].lives = true;
        } else if (what < 6) {
            release(address);
            model[i].lives = false;
        } else {
            WITHIN(account_moves(at(address), &before); account_restore(at(address), &before));
        }
    }
    for (uint32_t i = 0; i < AGED; i++)
        if (model[i].lives) {
            bytes[model[i].age] += model[i].size;
            blocks[model[i].age]++;
        }
    count_living();
    CHECK(age > turns(100000) / 1000);
    for (uint64_t i = 0; i < MOST_AGES; i++) {
        CHECK_EQUAL(s_bytes_of_age[i], bytes[i]);
        CHECK_EQUAL(s_blocks_of_age[i], blocks[i]);
    }
    end();
}

static void points_are_read_unless_they_change(void) {
    static struct account_point points[ACCOUNT_POINTS];
    static uint64_t bytes[2 * ACCOUNT_POINTS];
    uint64_t version, address = 0x10000;
    struct thread thread;
    begin(&thread);
    account_step_of(3); /* nothing is known of places yet */
    for (int i = 0; i < 5; i++) {
        allocate(address += 0x100, 7);
        enter('f');
        allocate(address += 0x100, 100);
        leave('f');
        account_step_of(3);
    }
    CHECK_EQUAL(account_points(points, &version), 6);
    CHECK_EQUAL(account_read_points(version, 0, 2, bytes), 2);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQUAL(points[i].iteration, i + 1);
        CHECK_EQUAL(points[i].name, 3);
        CHECK_EQUAL(points[i].bytes, 107 * i);
        CHECK_EQUAL(bytes[i], 7 * i);
        CHECK_EQUAL(bytes[6 + i], 100 * i);
    }
    CHECK_EQUAL(account_read_points(version, 2, 2, bytes), 0);
    account_step_of(3);
    CHECK_EQUAL(account_read_points(version, 0, 2, bytes), -1);
    end();
}

int main(void) {
    static const struct test tests[] = {
        TEST(blocks_are_charged_to_context_and_line),
        TEST(function_in_c_has_the_line_of_its_caller),
        TEST(temporary_blocks_are_those_of_one_call),
        TEST(only_the_outermost_hook_counts),
        TEST(an_account_that_is_closed_does_not_change),
        TEST(closed_account_may_be_entered),
        TEST(block_at_a_known_address_was_freed_unseen),
        TEST(moved_block_belongs_to_who_moved_it),
        TEST(mappings_count_once_and_are_unmapped_in_parts),
        TEST(child_has_an_account_of_its_own),
        TEST(without_memory_blocks_are_lost_and_counted),
        TEST(samples_have_places_and_are_freed),
        TEST(threads_share_the_account),
        TEST(a_step_has_what_was_allocated_within_and_the_most),
        TEST(what_lives_is_known_with_its_age),
        TEST(blocks_small_and_large_have_the_age_of_a_model),
        TEST(points_are_read_unless_they_change),
    };
    return run_tests(tests, sizeof tests / sizeof *tests);
}
