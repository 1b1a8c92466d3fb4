/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"

#include "../../src/control/charges.c"
#include "../../src/control/timesheet.c"

#define MS 1000000u

const struct code_record *calltree_function(const struct pyusdt_node *node) {
    (void)node;
    return NULL;
}

static struct charge_place at(uint32_t index) {
    return (struct charge_place){index, index, 0, NULL};
}

struct wanted {
    uint32_t index;
    unsigned kind; /* PYUSDT_CHARGES: all CPU time */
    uint64_t ns;
};

static int add(const struct charge *charge, uint32_t number, void *arg) {
    struct wanted *w = arg;

    (void)number;
    if (charge->place.index == w->index &&
        (charge->kind == w->kind || (w->kind == PYUSDT_CHARGES && charge->kind <= 1)))
        w->ns += charge->ns;
    return 0;
}

static uint64_t charged(const struct charges *c, uint32_t index, unsigned kind) {
    struct wanted w = {index, kind, 0};

    charges_walk(c, add, &w);
    return w.ns;
}

static int sum_up(const struct charge *charge, uint32_t number, void *arg) {
    uint64_t *sums = arg;

    (void)number;
    sums[charge->kind] += charge->ns;
    return 0;
}

/* A thread that was never there: turns of running, waiting and being ready, one after the other. */
enum { RUN, WAIT, READY };
struct turn {
    int what;
    uint32_t place;
    uint64_t ns;
};

struct actor {
    uint64_t now, cpu, delay; /* delay: without the turn that lasts */
    int what;
    uint32_t place;
    bool preempted; /* it was running before it became ready */
};

/* A look at it now. */
static void look(const struct actor *a, struct timesheet *sheet, struct charges *charges) {
    struct timesheet_look l = {
        .wall = a->now,
        .cpu = a->cpu,
        .state = a->what == RUN    ? TIMESHEET_RUNS
                 : a->what == WAIT ? TIMESHEET_WAITS
                                   : TIMESHEET_READY,
        .preempted = a->what == READY && a->preempted,
        .place = at(a->place),
        .kind = {PYUSDT_CHARGE_SLEEP, 0},
        .knows_delay = true,
        .delay = a->delay,
    };

    timesheet_look(sheet, &l, charges);
}

/* Plays a turn, with looks every 5 ms or so. */
static void play(struct actor *a, const struct turn *turn, uint64_t *next, uint64_t *random,
                 struct timesheet *sheet, struct charges *charges) {
    uint64_t end = a->now + turn->ns;

    a->preempted = a->what == RUN;
    a->what = turn->what;
    a->place = turn->place;
    while (a->now < end) {
        uint64_t until = *next < end ? *next : end;

        if (turn->what == RUN)
            a->cpu += until - a->now;
        a->now = until;
        if (until == *next) {
            look(a, sheet, charges);
            *next = until + 2500000u + next_random(random) % 5000000u;
        }
    }
    if (turn->what == READY)
        a->delay += turn->ns;
}

static void long_turns_get_their_time_to_the_moment(void) {
    static const struct turn turns[] = {
        {RUN, 2, 500 * MS},  {WAIT, 3, 500 * MS}, {RUN, 4, 1 * MS},
        {WAIT, 5, 500 * MS}, {RUN, 2, 1 * MS},    {READY, 2, 40 * MS},
        {RUN, 2, 500 * MS},  {READY, 2, 40 * MS}, {RUN, 2, 20 * MS},
    };
    struct timesheet sheet;
    struct charges charges = {0};
    struct actor a = {.now = 1};
    uint64_t random = 7, next = 1;
    struct charge_place last = at(2);

    timesheet_begin(&sheet, a.now, 0, false);
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        play(&a, &turns[i], &next, &random, &sheet, &charges);
    timesheet_settle(&sheet, a.now, a.cpu, &last, false, true, &charges);
    CHECK(charged(&charges, 2, PYUSDT_CHARGES) >= 1020 * MS);
    CHECK(charged(&charges, 2, PYUSDT_CHARGES) + charged(&charges, 4, PYUSDT_CHARGES) == 1022 * MS);
    CHECK(charged(&charges, 3, PYUSDT_CHARGE_SLEEP) >= 495 * MS);
    CHECK(charged(&charges, 5, PYUSDT_CHARGE_SLEEP) >= 495 * MS);
    CHECK_EQUAL(charged(&charges, 3, PYUSDT_CHARGE_SLEEP) +
                    charged(&charges, 5, PYUSDT_CHARGE_SLEEP),
                1000 * MS);
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGE_RUNNABLE), 80 * MS);
    charges_clear(&charges);
}

static void is_near(uint64_t is, uint64_t wanted, unsigned percent) {
    uint64_t off = is > wanted ? is - wanted : wanted - is;

    if (off * 100 > wanted * percent)
        fprintf(stderr, "%llu, wanted %llu\n", (unsigned long long)is, (unsigned long long)wanted);
    CHECK(off * 100 <= wanted * percent);
}

/* Turns that are much shorter than the time between looks, at three places. */
static void short_turns_get_their_share(void) {
    uint64_t random = 3, next = 1, sums[PYUSDT_CHARGES] = {0};
    uint64_t truth[3][5] = {{0}};
    struct timesheet sheet;
    struct charges charges = {0};
    struct actor a = {.now = 1};
    struct charge_place last = at(2);
    unsigned n = turns(400000);

    timesheet_begin(&sheet, a.now, 0, false);
    for (unsigned i = 0; i < n; i++) {
        uint32_t place = 2 + next_random(&random) % 3;
        struct turn turn = {(int)(next_random(&random) % 3), place,
                            1000u + next_random(&random) % (place * 500000u)};

        play(&a, &turn, &next, &random, &sheet, &charges);
        truth[turn.what][place] += turn.ns;
    }
    timesheet_settle(&sheet, a.now, a.cpu, &last, false, true, &charges);
    charges_walk(&charges, sum_up, sums);
    CHECK_EQUAL(sums[PYUSDT_CHARGE_USER] + sums[PYUSDT_CHARGE_SYSTEM], a.cpu);
    is_near(sums[PYUSDT_CHARGE_SLEEP], truth[WAIT][2] + truth[WAIT][3] + truth[WAIT][4], 1);
    CHECK(sums[PYUSDT_CHARGE_RUNNABLE] <= a.delay);
    is_near(sums[PYUSDT_CHARGE_RUNNABLE], a.delay, 1);
    for (uint32_t place = 2; n == 400000 && place < 5; place++) {
        is_near(charged(&charges, place, PYUSDT_CHARGES), truth[RUN][place], 6);
        is_near(charged(&charges, place, PYUSDT_CHARGE_SLEEP), truth[WAIT][place], 6);
        is_near(charged(&charges, place, PYUSDT_CHARGE_RUNNABLE), truth[READY][place], 6);
    }
    charges_clear(&charges);
}

static void settling_loses_nothing(void) {
    struct timesheet sheet;
    struct charges charges = {0};
    struct charge_place root = {0}, two = at(2);
    struct timesheet_look late = {.wall = 2, .cpu = 1, .state = TIMESHEET_RUNS, .place = two};

    timesheet_begin(&sheet, 100, 30, true); /* it began at 70 */
    timesheet_settle(&sheet, 200, 80, &two, false, false, &charges);
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGES), 80);
    timesheet_look(&sheet, &late, &charges); /* begun before that: it counts for nothing */
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGES), 80);
    timesheet_settle(&sheet, 300, 90, &root, false, true, &charges);
    CHECK_EQUAL(charged(&charges, 0, PYUSDT_CHARGES), 10);
    CHECK_EQUAL(charged(&charges, 0, PYUSDT_CHARGE_OTHER), 300 - 70 - 90);
    charges_clear(&charges);

    timesheet_begin(&sheet, 100, 30, false);
    timesheet_settle(&sheet, 200, 80, &two, true, false, &charges);
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGES), 50);
    timesheet_settle(&sheet, 0, 0, &two, false, true, &charges); /* gone, nobody knows since when */
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGES), 50);
    charges_clear(&charges);
}

static void system_time_is_part_of_cpu_time(void) {
    struct timesheet sheet;
    struct charges charges = {0};
    struct timesheet_look l = {
        .wall = 10 * MS, .cpu = 8 * MS, .place = at(2), .knows_system = true, .system = 20 * MS};

    timesheet_begin(&sheet, 0, 0, true);
    timesheet_look(&sheet, &l, &charges); /* the kernel is ahead: the rest comes later */
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGE_SYSTEM), 8 * MS);
    l.wall += 30 * MS;
    l.cpu += 30 * MS;
    timesheet_look(&sheet, &l, &charges);
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGE_SYSTEM), 20 * MS);
    CHECK_EQUAL(charged(&charges, 2, PYUSDT_CHARGE_USER), 18 * MS);
    charges_clear(&charges);
}

static void tables_grow_and_find_again(void) {
    struct charges charges = {0};
    uint64_t sums[PYUSDT_CHARGES] = {0};
    struct charge_kind kind = {PYUSDT_CHARGE_OTHER, 0};

    for (unsigned turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < 5000; i++) {
            struct charge_place place = at(i);

            kind.syscall = i % 3;
            charges_add(&charges, &place, kind, 1, i);
        }
    }
    CHECK_EQUAL(charges.n, 4999);
    CHECK_EQUAL(charged(&charges, 4711, PYUSDT_CHARGE_OTHER), 3 * 4711);
    charges_walk(&charges, sum_up, sums);
    CHECK_EQUAL(sums[PYUSDT_CHARGE_OTHER], 3u * 5000 * 4999 / 2);
    charges_clear(&charges);
    CHECK_EQUAL(s_left, BYTES_MAX);
}

/* Sum of the charges of a line. */
struct of_line {
    int32_t line;
    uint64_t ns;
};

static int add_line(const struct charge *charge, uint32_t number, void *of_line) {
    struct of_line *of = of_line;

    (void)number;
    if (charge->place.line == of->line)
        of->ns += charge->ns;
    return 0;
}

static uint64_t charged_to_line(const struct charges *charges, int32_t line) {
    struct of_line of = {.line = line};

    charges_walk(charges, add_line, &of);
    return of.ns;
}

static void lines_of_a_context_are_places_of_their_own(void) {
    struct charges charges = {0};
    struct charge_kind kind = {PYUSDT_CHARGE_USER, 0};

    for (unsigned turn = 0; turn < 2; turn++) {
        for (int32_t line = 0; line < 500; line++) {
            struct charge_place place = at(7);

            place.line = line;
            charges_add(&charges, &place, kind, 1, (uint64_t)line);
        }
    }
    CHECK_EQUAL(charges.n, 500);
    CHECK_EQUAL(charged_to_line(&charges, 499), 2u * 499);
    CHECK_EQUAL(charged_to_line(&charges, 1), 2);
    CHECK_EQUAL(charged(&charges, 7, PYUSDT_CHARGE_USER), 499u * 500);
    charges_clear(&charges);
}

/* From line to line it is as from context to context, but for the time without a CPU: a thread that
 * ran in one context before and after has not been elsewhere. */
static void running_goes_from_line_to_line(void) {
    struct timesheet sheet;
    struct charges charges = {0};
    struct timesheet_look look = {.state = TIMESHEET_RUNS, .place = at(3), .knows_delay = true};

    timesheet_begin(&sheet, 0, 0, true);
    look.place.line = 10;
    look.wall = look.cpu = 4 * MS;
    timesheet_look(&sheet, &look, &charges);
    look.place.line = 11;
    look.wall = 10 * MS;
    look.cpu = 8 * MS;
    look.delay = 2 * MS;
    timesheet_look(&sheet, &look, &charges);
    CHECK_EQUAL(charged_to_line(&charges, 10), 6 * MS);
    CHECK_EQUAL(charged_to_line(&charges, 11), 4 * MS);
    CHECK_EQUAL(charged(&charges, 3, PYUSDT_CHARGE_RUNNABLE), 2 * MS);
    CHECK_EQUAL(charged(&charges, 3, PYUSDT_CHARGE_USER), 8 * MS);
    charges_clear(&charges);
}

static void beyond_the_bound_it_is_the_threads(void) {
    struct charges charges = {0};
    struct charge_kind kind = {PYUSDT_CHARGE_LOCK, 0};
    uint64_t sums[PYUSDT_CHARGES] = {0};
    uint32_t n = (uint32_t)(BYTES_MAX / BYTES_A_ROW) + 1000;

    for (uint32_t i = 1; i <= n; i++) {
        struct charge_place place = at(i);

        charges_add(&charges, &place, kind, 1, 2);
    }
    CHECK(charges_lost() >= 1000);
    CHECK_EQUAL(charges.n + charges_lost(), n);
    CHECK_EQUAL(charged(&charges, 0, PYUSDT_CHARGE_LOCK), 2 * charges_lost());
    charges_walk(&charges, sum_up, sums);
    CHECK_EQUAL(sums[PYUSDT_CHARGE_LOCK], 2u * n);
    charges_clear(&charges);
    CHECK_EQUAL(s_left, BYTES_MAX);
}

int main(void) {
    static const struct test tests[] = {
        TEST(long_turns_get_their_time_to_the_moment),
        TEST(short_turns_get_their_share),
        TEST(settling_loses_nothing),
        TEST(system_time_is_part_of_cpu_time),
        TEST(tables_grow_and_find_again),
        TEST(lines_of_a_context_are_places_of_their_own),
        TEST(running_goes_from_line_to_line),
        TEST(beyond_the_bound_it_is_the_threads),
    };

    return run_tests(tests, sizeof tests / sizeof *tests);
}
