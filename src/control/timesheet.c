/* SPDX-License-Identifier: Apache-2.0 */
#include "control/timesheet.h"

static const struct charge_kind s_user = {PYUSDT_CHARGE_USER, 0};
static const struct charge_kind s_system = {PYUSDT_CHARGE_SYSTEM, 0};
static const struct charge_kind s_runnable = {PYUSDT_CHARGE_RUNNABLE, 0};
static const struct charge_kind s_unknown = {PYUSDT_CHARGE_OTHER, UINT32_MAX};

void timesheet_begin(struct timesheet *sheet, uint64_t wall, uint64_t cpu, bool whole) {
    *sheet = (struct timesheet){
        .wall = whole ? wall - cpu : wall,
        .cpu = whole ? 0 : cpu,
        .whole = whole,
        .knows_system = whole,
    };
}

static bool is_same_context(const struct charge_place *a, const struct charge_place *b) {
    return a->index == b->index && a->function == b->function;
}

static bool is_same(const struct charge_place *a, const struct charge_place *b) {
    return is_same_context(a, b) && a->line == b->line;
}

/* The kernel knows the share of the system in coarse steps: what it has more than is charged comes
 * first. */
static void charge_cpu(struct timesheet *sheet, const struct charge_place *place, uint32_t samples,
                       uint64_t ns, struct charges *charges) {
    uint64_t system = 0;

    if (sheet->knows_system && sheet->system > sheet->system_charged)
        system = sheet->system - sheet->system_charged;
    if (system > ns)
        system = ns;
    sheet->system_charged += system;
    if (ns - system)
        charges_add(charges, place, s_user, system * 2 < ns ? samples : 0, ns - system);
    if (system)
        charges_add(charges, place, s_system, system * 2 < ns ? 0 : samples, system);
}

/* All CPU time that is left, `ran` of it since the last look. It is found running at `place`. */
static void charge_running(struct timesheet *sheet, const struct charge_place *place,
                           uint32_t samples, uint64_t ran, struct charges *charges) {
    if (sheet->ran && !is_same(&sheet->on_cpu, place)) {
        charge_cpu(sheet, &sheet->on_cpu, 0, ran / 2, charges);
        sheet->cpu_left -= ran / 2;
    }
    charge_cpu(sheet, place, samples, sheet->cpu_left, charges);
    sheet->cpu_left = 0;
    sheet->ran = sheet->knows_on_cpu = true;
    sheet->on_cpu = *place;
}

/* It does not run now. */
static void charge_ran(struct timesheet *sheet, uint64_t ran, struct charges *charges) {
    if (sheet->ran && ran) {
        charge_cpu(sheet, &sheet->on_cpu, 0, ran, charges);
        sheet->cpu_left -= ran;
    }
}

static void charge_wait(struct timesheet *sheet, const struct charge_place *place,
                        struct charge_kind kind, uint32_t samples, int64_t ns,
                        struct charges *charges) {
    if (ns <= 0)
        return;
    charges_add(charges, place, kind, samples, (uint64_t)ns);
    sheet->wait_left -= ns;
}

static void charge_waited(struct timesheet *sheet, struct charges *charges) {
    if (sheet->waited)
        charge_wait(sheet, &sheet->waiting, sheet->kind, 0, sheet->wait_left, charges);
    sheet->waited = false;
}

static void charge_waiting(struct timesheet *sheet, const struct timesheet_look *look,
                           struct charges *charges) {
    if (sheet->waited &&
        (!is_same(&sheet->waiting, &look->place) || sheet->kind.kind != look->kind.kind))
        charge_wait(sheet, &sheet->waiting, sheet->kind, 0, sheet->wait_left / 2, charges);
    charge_wait(sheet, &look->place, look->kind, 1, sheet->wait_left, charges);
    sheet->waited = sheet->knows_waiting = true;
    sheet->waiting = look->place;
    sheet->kind = look->kind;
}

/* The CPU time since the last look. */
static uint64_t add_time(struct timesheet *sheet, uint64_t wall, uint64_t cpu) {
    uint64_t ran = cpu > sheet->cpu ? cpu - sheet->cpu : 0;

    sheet->cpu_left += ran;
    sheet->wait_left += (int64_t)(wall - sheet->wall) - (int64_t)ran;
    sheet->wall = wall;
    sheet->cpu += ran;
    return ran;
}

/* Part of it may lie before the thread's first event, from which on we know it. */
static uint64_t first_delay(const struct timesheet *sheet, uint64_t delay) {
    uint64_t most = sheet->wait_left > 0 ? (uint64_t)sheet->wait_left : 0;

    return delay < most ? delay : most;
}

/* More of it: the thread has got a CPU since it was seen ready. One that ran in the same context
 * before and after, and did not wait in between (`idle`, without a CPU for whatever reason), has
 * not been elsewhere. */
static void add_delay(struct timesheet *sheet, const struct timesheet_look *look, uint64_t idle,
                      struct charges *charges) {
    uint64_t more = look->delay > sheet->delay ? look->delay - sheet->delay : 0;
    bool stayed;

    if (!sheet->knows_delay)
        more = sheet->whole ? first_delay(sheet, more) : 0;
    stayed = sheet->ran && look->state == TIMESHEET_RUNS &&
             is_same_context(&sheet->on_cpu, &look->place) && idle < more + more / 8;
    sheet->delay = look->delay;
    sheet->knows_delay = true;
    sheet->ready_left += more;
    sheet->wait_left -= (int64_t)more;
    if (more && !sheet->ready_looks && stayed) {
        charges_add(charges, &look->place, s_runnable, 0, more);
        sheet->ready_left -= more;
    } else if (more && sheet->ready_looks) {
        charges_add(charges, &sheet->ready, s_runnable, sheet->ready_looks, sheet->ready_left);
        sheet->ready_left = sheet->ready_looks = 0;
    }
}

static void add_system(struct timesheet *sheet, uint64_t system) {
    if (!sheet->knows_system)
        sheet->system_charged = system;
    sheet->knows_system = true;
    sheet->system = system;
}

/* A look that is older than what has been settled meanwhile is worth nothing. */
void timesheet_look(struct timesheet *sheet, const struct timesheet_look *look,
                    struct charges *charges) {
    uint64_t before = sheet->wall, ran;

    if (look->wall < sheet->wall || look->cpu < sheet->cpu)
        return;
    ran = add_time(sheet, look->wall, look->cpu);
    if (look->knows_delay)
        add_delay(sheet, look, look->wall - before - ran, charges);
    if (look->knows_system)
        add_system(sheet, look->system);
    if (look->state == TIMESHEET_RUNS || look->preempted) {
        charge_running(sheet, &look->place, 1, ran, charges);
    } else if (ran || look->state == TIMESHEET_WAITS) {
        charge_ran(sheet, ran, charges);
        sheet->ran = false;
    }
    if (look->state == TIMESHEET_RUNS)
        charge_waited(sheet, charges);
    else if (look->state == TIMESHEET_WAITS)
        charge_waiting(sheet, look, charges);
    else
        sheet->ready_looks++;
    if (look->state == TIMESHEET_READY)
        sheet->ready = look->place;
    sheet->state = look->state;
}

uint64_t timesheet_unseen(struct timesheet *sheet, uint64_t wall, uint64_t cpu) {
    if (sheet->knows_on_cpu)
        return 0;
    if (wall > sheet->wall)
        add_time(sheet, wall, cpu);
    return sheet->cpu_left;
}

void timesheet_place(struct timesheet *sheet, const struct charge_place *place, uint64_t ns,
                     struct charges *charges) {
    charge_cpu(sheet, place, 0, ns, charges);
    sheet->cpu_left -= ns;
}

/* Of a thread that is ready, part of what is left is no waiting: how much is not known yet. */
void timesheet_settle(struct timesheet *sheet, uint64_t wall, uint64_t cpu,
                      const struct charge_place *place, bool itself, bool ends,
                      struct charges *charges) {
    uint64_t ran = wall > sheet->wall ? add_time(sheet, wall, cpu) : 0;

    if (itself)
        charge_running(sheet, place, 0, ran, charges);
    else if (sheet->cpu_left)
        charge_cpu(sheet, sheet->knows_on_cpu ? &sheet->on_cpu : place, 0, sheet->cpu_left,
                   charges);
    sheet->cpu_left = 0;
    if (sheet->ready_left)
        charges_add(charges, sheet->knows_on_cpu ? &sheet->on_cpu : place, s_runnable, 0,
                    sheet->ready_left);
    sheet->ready_left = 0;
    if (sheet->state == TIMESHEET_READY && !itself && !ends)
        return;
    if (sheet->knows_waiting)
        charge_wait(sheet, &sheet->waiting, sheet->kind, 0, sheet->wait_left, charges);
    else if (ends)
        charge_wait(sheet, place, s_unknown, 0, sheet->wait_left, charges);
}
