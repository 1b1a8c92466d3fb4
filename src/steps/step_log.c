/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/step_log.h"

#include <Python.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory/account.h"
#include "python/text.h"
#include "steps/step.h"

/* Slots of the table of names: a power of two, never full. */
enum { SLOTS = 1 << 15 };
_Static_assert(SLOTS > 2 * STEP_LOG_NAMES_MAX, "a free slot is always near");

/* Written under the GIL. */
static struct {
    struct pyusdt_counts_step *steps;         /* owned */
    struct pyusdt_counts_step_memory *memory; /* owned: of those steps of which it is known */
    uint32_t *names;                          /* owned: the place of each in texts */
    uint32_t *slots; /* owned: numbers of names by hash, from 1; 0 is free */
    char *texts;     /* owned */
    size_t n_steps, steps_room, n_memory, memory_room, n_names, names_room, text_size, text_room;
    uint64_t lost;
} s_log;

/* Make room for `more` elements beyond `n`. False: there is none. */
static bool make_room(void **array, size_t *room, size_t n, size_t more, size_t size, size_t max) {
    size_t wanted = *room ? *room : 64;
    void *grown;

    if (n + more > max)
        return false;
    if (n + more <= *room)
        return true;
    while (wanted < n + more)
        wanted *= 2;
    grown = realloc(*array, wanted * size);
    if (!grown)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

/* Keep a text, and store its place in `at`. False: no room. */
static bool keep_text(const char *text, uint32_t *at) {
    size_t size = strlen(text) + 1;

    if (!make_room((void **)&s_log.texts, &s_log.text_room, s_log.text_size, size, 1,
                   STEP_LOG_TEXT_MAX))
        return false;
    memcpy(s_log.texts + s_log.text_size, text, size);
    *at = (uint32_t)s_log.text_size;
    s_log.text_size += size;
    return true;
}

/* FNV-1a. */
static uint32_t hash(const char *text) {
    uint32_t h = 0x811C9DC5u;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x01000193u;
    return h ^ h >> 15;
}

static bool add_name(const char *name, uint32_t *slot) {
    uint32_t at;

    if (!make_room((void **)&s_log.names, &s_log.names_room, s_log.n_names, 1, sizeof *s_log.names,
                   STEP_LOG_NAMES_MAX) ||
        !keep_text(name, &at))
        return false;
    s_log.names[s_log.n_names++] = at;
    *slot = (uint32_t)s_log.n_names;
    return true;
}

/* Find the number of a name, which is added if it is new. False: no room. */
static bool find_name(const char *name, uint32_t *number) {
    uint32_t i = hash(name);

    while (s_log.slots[i % SLOTS] &&
           strcmp(s_log.texts + s_log.names[s_log.slots[i % SLOTS] - 1], name) != 0)
        i++;
    if (!s_log.slots[i % SLOTS] && !add_name(name, &s_log.slots[i % SLOTS]))
        return false;
    *number = s_log.slots[i % SLOTS] - 1;
    return true;
}

static void add(const char *name, uint64_t start, uint32_t kind, uint64_t value) {
    uint32_t number;

    if (!make_room((void **)&s_log.steps, &s_log.steps_room, s_log.n_steps, 1, sizeof *s_log.steps,
                   STEP_LOG_MAX) ||
        !find_name(name, &number)) {
        s_log.lost++;
        return;
    }
    s_log.steps[s_log.n_steps++] =
        (struct pyusdt_counts_step){start, value, PyThread_get_thread_ident(), number, kind};
}

/* Of the last step. Without room it has none, which the reports show. */
static void add_memory(const struct step_memory *memory) {
    if (!make_room((void **)&s_log.memory, &s_log.memory_room, s_log.n_memory, 1,
                   sizeof *s_log.memory, STEP_LOG_MAX))
        return;
    s_log.memory[s_log.n_memory++] = (struct pyusdt_counts_step_memory){
        s_log.n_steps - 1,      memory->rss_start,  memory->rss_end,
        memory->span.allocated, memory->span.freed, memory->span.peak,
    };
}

static void on_step(const char *name, uint64_t start, uint64_t elapsed, bool failed,
                    const struct step_memory *memory) {
    size_t n = s_log.n_steps;
    uint32_t number;

    (void)failed; /* a failed step counts like any other */
    add(name, start, PYUSDT_STEP, elapsed);
    if (!memory)
        return;
    if (s_log.n_steps > n)
        add_memory(memory);
    if (find_name(name, &number)) /* also of steps that there was no room for */
        account_step_of(number);
}

static uint64_t bits_of(double real) {
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    return bits;
}

/* A str as it is, without quotes. */
static void add_text(const char *name, uint64_t at, PyObject *value) {
    char buf[TEXT_SIZE];
    const char *text = buf;
    uint32_t place;

    if (PyUnicode_CheckExact(value) && text_mode != TEXT_OFF)
        text_exact(value, buf, sizeof buf);
    else
        text = text_value(value, text_mode, buf);
    if (keep_text(text, &place))
        add(name, at, PYUSDT_MARK_TEXT, place);
    else
        s_log.lost++;
}

/* An int that does not fit 64 bits is kept as text. No code of subclasses runs. */
static void on_mark(const char *name, uint64_t at, PyObject *value) {
    int overflow = 0;
    long long integer = PyLong_Check(value) ? PyLong_AsLongLongAndOverflow(value, &overflow) : 0;

    account_mark(at);
    if (value == Py_None)
        add(name, at, PYUSDT_MARK, 0);
    else if (PyLong_Check(value) && !overflow)
        add(name, at, PYUSDT_MARK_INTEGER, (uint64_t)integer);
    else if (PyFloat_Check(value))
        add(name, at, PYUSDT_MARK_REAL, bits_of(PyFloat_AsDouble(value)));
    else
        add_text(name, at, value);
}

static const struct step_sink s_sink = {on_step, on_mark};

void step_log_start(void) {
    if (!s_log.slots)
        s_log.slots = calloc(SLOTS, sizeof *s_log.slots);
    if (s_log.slots)
        step_sink = &s_sink;
}

void step_log_stop(void) {
    step_sink = NULL;
    free(s_log.steps);
    free(s_log.memory);
    free(s_log.names);
    free(s_log.slots);
    free(s_log.texts);
    memset(&s_log, 0, sizeof s_log);
}

struct step_log step_log_read(void) {
    return (struct step_log){
        .steps = s_log.steps,
        .memory = s_log.memory,
        .names = s_log.names,
        .texts = s_log.texts,
        .n_steps = s_log.n_steps,
        .n_memory = s_log.n_memory,
        .n_names = s_log.n_names,
        .text_size = s_log.text_size,
        .lost = s_log.lost,
    };
}
