/* SPDX-License-Identifier: Apache-2.0 */
#include "control/timesheet.h"

static const struct charge_kind s_user = {PYUSDT_CHARGE_USER, 0};
static const struct charge_kind s_system = {PYUSDT_CHARGE_SYSTEM, 0};
static const struct charge_kind s_runnable = {PYUSDT_CHARGE_RUNNABLE, 0};
static const struct charge_kind s_unknown = {PYUSDT_CHARGE_OTHER, UINT32_MAX};

void timesheet_begin(struct timesheet *sheet, uint64_t wall, uint64_t cpu, bool whole) {
    *sheet = (struct timesheet){.wall = wall, .cpu = whole ? 0 : cpu, .knows_system = whole};
    if (whole) /* this long it ran before it was seen */
        sheet->wall -= cpu;
    sheet->knows_delay = whole;
}

/* The kernel knows the share of the system in coarse steps: what it has more than is charged comes
 * first. */
static void charge_cpu(struct timesheet *sheet, const struct charge_place *place, uint32_t samples,
                       struct charges *charges) {
    uint64_t ns = sheet->cpu_left, system = 0;

    if (sheet->knows_system && sheet->system > sheet->system_charged)
        system = sheet->system - sheet->system_charged;
    if (system > ns)
        system = ns;
    sheet->system_charged += system;
    sheet->cpu_left = 0;
    if (ns - system)
        charges_add(charges, place, s_user, system * 2 < ns ? samples : 0, ns - system);
    if (system)
        charges_add(charges, place, s_system, system * 2 < ns ? 0 : samples, system);
}

static void charge_wait(struct timesheet *sheet, const struct charge_place *place,
                        struct charge_kind kind, uint32_t samples, struct charges *charges) {
    if (sheet->wait_left <= 0)
        return;
    charges_add(charges, place, kind, samples, (uint64_t)sheet->wait_left);
    sheet->wait_left = 0;
}

/* It has got a CPU since it was seen ready. */
static void charge_ready(struct timesheet *sheet, struct charges *charges) {
    if (sheet->ready_left)
        charges_add(charges, &sheet->ready, s_runnable, sheet->ready_looks, sheet->ready_left);
    sheet->ready_left = 0;
    sheet->was_ready = false;
}

/* The time since the last look. */
static void add_time(struct timesheet *sheet, uint64_t wall, uint64_t cpu) {
    uint64_t ran = cpu > sheet->cpu ? cpu - sheet->cpu : 0;

    sheet->cpu_left += ran;
    sheet->wait_left += (int64_t)(wall - sheet->wall) - (int64_t)ran;
    sheet->wall = wall;
    sheet->cpu += ran;
}

static void add_delay(struct timesheet *sheet, uint64_t delay, struct charges *charges) {
    uint64_t more = delay > sheet->delay ? delay - sheet->delay : 0;

    sheet->delay = delay;
    if (!sheet->knows_delay)
        more = 0;
    sheet->knows_delay = true;
    sheet->ready_left += more;
    sheet->wait_left -= (int64_t)more;
    if (more && sheet->was_ready)
        charge_ready(sheet, charges);
}

static void add_system(struct timesheet *sheet, uint64_t system) {
    if (!sheet->knows_system)
        sheet->system_charged = system;
    sheet->knows_system = true;
    sheet->system = system;
}

/* One that is older than what has been settled meanwhile is worth nothing. */
void timesheet_look(struct timesheet *sheet, const struct timesheet_look *look,
                    struct charges *charges) {
    if (look->wall < sheet->wall || look->cpu < sheet->cpu)
        return;
    add_time(sheet, look->wall, look->cpu);
    if (look->knows_delay)
        add_delay(sheet, look->delay, charges);
    if (look->knows_system)
        add_system(sheet, look->system);
    sheet->state = look->state;
    if (look->state == TIMESHEET_ON_CPU) {
        sheet->was_on_cpu = true;
        sheet->on_cpu = look->place;
        charge_cpu(sheet, &look->place, 1, charges);
    } else if (look->state == TIMESHEET_READY) {
        sheet->ready_looks = sheet->was_ready ? sheet->ready_looks + 1 : 1;
        sheet->was_ready = true;
        sheet->ready = look->place;
    } else {
        sheet->was_waiting = true;
        sheet->waiting = look->place;
        sheet->kind = look->kind;
        charge_wait(sheet, &look->place, look->kind, 1, charges);
    }
}

void timesheet_settle(struct timesheet *sheet, uint64_t wall, uint64_t cpu,
                      const struct charge_place *place, bool itself, bool ends,
                      struct charges *charges) {
    if (wall > sheet->wall)
        add_time(sheet, wall, cpu);
    if (sheet->cpu_left)
        charge_cpu(sheet, sheet->was_on_cpu && !itself ? &sheet->on_cpu : place, 0, charges);
    if (sheet->state == TIMESHEET_READY && !ends)
        return; /* part of what is left is no waiting, how much is not known yet */
    if (sheet->was_waiting)
        charge_wait(sheet, &sheet->waiting, sheet->kind, 0, charges);
    else if (ends)
        charge_wait(sheet, place, s_unknown, 0, charges);
}
