/* SPDX-License-Identifier: Apache-2.0
 *
 * Every event begins here: CPython passes a code object, and the callback needs its code record.
 *
 * The table. Open addressing with linear probing, keyed by the code object's address, at most half
 * full. For a known code object it costs a hash and, nearly always, one comparison (code_find(),
 * inline). It only grows. Clearing a slot moves others, so no pointer to a slot is ever kept.
 *
 * Life of an entry. The first event of a code object makes it: code_resolve() reads the names from
 * the code object, the module's name from the running frame's globals, and gets a record from
 * code_store, where equal ones are one. An address may be used again once its object is gone, so
 * the slot owns a weak reference with a callback in C: CPython calls it when the code object dies
 * and before it frees the memory, and the entry goes. The record may live on: the store keeps a
 * bounded number of dead ones, so a function that is made again keeps its id, and call trees pin
 * the ones that they name.
 *
 * Filters. A record carries two answers, `rejected` (for probes) and `unrecorded` (for the
 * recorder), which are computed when it is made and again for all records when a filter changes. A
 * callback only reads a flag.
 *
 * Threads. Everything is read and written under the GIL, but for code_lost, which any thread reads.
 * No user code runs: attributes are read from exact code objects only, and text.h turns names into
 * text without running any.
 */
#include "capture/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/filter.h"
#include "calltree/code_store.h"
#include "capture/generated.h"
#include "capture/lined.h"
#include "probe/probes.h"
#include "python/callable.h"
#include "python/dict_read.h"
#include "python/text.h"
#include "pyusdt_control.h"

/* Longer names are cut: a record must stay small whatever a program generates. */
enum { NAME_SIZE = 1024, FILE_SIZE = 4096, FIRST_SLOTS = 1024 };

/* The directory of our package, with a slash: all code in it is ours. Written once. */
static char s_own[FILE_SIZE];

/* Written under the GIL. From code_init() on there always is a table. */
struct code_table code_table;
uint64_t code_lost;
void (*code_made)(const struct code_record *);
void (*code_lined)(PyObject *, struct code_record *);
bool code_marked;
static size_t s_used;
static char s_only[PYUSDT_FILTER_SIZE], s_exclude[PYUSDT_FILTER_SIZE];
static char s_recorded_only[PYUSDT_FILTER_SIZE], s_recorded_exclude[PYUSDT_FILTER_SIZE];
static PyTypeObject *s_code_type;
static PyObject *s_name, *s_qualname, *s_filename, *s_firstlineno, *s_module_name; /* interned */

static struct code_slot *slot_of(struct code_table *table, const PyObject *code) {
    size_t i = code_hash(code) & table->mask;

    while (table->slots[i].code && table->slots[i].code != code)
        i = (i + 1) & table->mask;
    return &table->slots[i];
}

/* Keep the table at most half full. */
static int reserve(void) {
    struct code_table bigger = {NULL, code_table.mask * 2 + 1};

    if (s_used * 2 <= code_table.mask)
        return 0;
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots)
        return -1;
    for (size_t i = 0; i <= code_table.mask; i++)
        if (code_table.slots[i].code)
            *slot_of(&bigger, code_table.slots[i].code) = code_table.slots[i];
    free(code_table.slots);
    code_table = bigger;
    return 0;
}

/* Empty a slot, and move those behind it that would no longer be found (linear probing without
 * tombstones: a million short-lived code objects leave no trace). */
static void clear_slot(struct code_slot *slot) {
    size_t mask = code_table.mask, hole = (size_t)(slot - code_table.slots);

    for (size_t i = (hole + 1) & mask; code_table.slots[i].code; i = (i + 1) & mask) {
        size_t home = code_hash(code_table.slots[i].code) & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            code_table.slots[hole] = code_table.slots[i];
            hole = i;
        }
    }
    code_table.slots[hole] = (struct code_slot){NULL, NULL, NULL};
    s_used--;
}

/* Called by the weak reference when its code object dies, before its memory is freed. */
static PyObject *code_died(PyObject *self, PyObject *const *args, size_t nargs, PyObject *kwnames) {
    struct code_slot *slot = slot_of(&code_table, ((struct callable *)self)->data);

    (void)args, (void)nargs, (void)kwnames;
    if (slot->code) {
        PyObject *watch = slot->watch;

        code_store_release(slot->record);
        clear_slot(slot);
        Py_DECREF(watch);
    }
    return Py_None; /* immortal since 3.12 (PEP 683) */
}

static PyObject *watch_code(PyObject *code) {
    PyObject *callable = callable_new(code_died, code);
    PyObject *watch = callable ? PyWeakref_NewRef(code, callable) : NULL;

    Py_XDECREF(callable);
    return watch;
}

static void read_text(PyObject *code, PyObject *attribute, char *buffer, size_t size) {
    PyObject *value = PyObject_GetAttr(code, attribute);

    text_name(value, buffer, size);
    Py_XDECREF(value);
}

static int32_t read_line(PyObject *code) {
    PyObject *value = PyObject_GetAttr(code, s_firstlineno);
    long line = value ? PyLong_AsLong(value) : 0;

    Py_XDECREF(value);
    return (int32_t)line;
}

/* Our own functions are never reported: `python -m pyusdt` shows the program and not the launcher,
 * whose first frame belongs to a module __main__. */
static bool is_own(const struct code_record *record) {
    return !strcmp(record->module, "pyusdt") || !strncmp(record->module, "pyusdt.", 7) ||
           !strncmp(record->file, s_own, strlen(s_own));
}

static bool is_rejected(const struct code_record *record) {
    return is_own(record) || filter_rejects(s_only, s_exclude, record->module, record->qualname);
}

static void fire_new(struct code_record *record, void *unused) {
    (void)unused;
    if (!record->rejected)
        probe_code__new(record->id, record->module, record->qualname, record->file, record->line);
}

static bool is_unrecorded(const struct code_record *record) {
    return filter_rejects(s_recorded_only, s_recorded_exclude, record->module, record->qualname);
}

static void decide_lines(struct code_record *record, void *unused) {
    (void)unused;
    record->lined = !record->rejected && !record->unrecorded && lined_wants(record);
}

static struct code_record *acquire(const struct code_record *key) {
    bool made;
    struct code_record *record = code_store_acquire(key, &made);

    if (!record || !made)
        return record;
    record->rejected = is_rejected(record);
    record->unrecorded = is_unrecorded(record);
    decide_lines(record, NULL);
    if (probe_on(PROBE_code__new))
        fire_new(record, NULL);
    return record;
}

static struct code_record *make_record(PyObject *code, PyObject *globals) {
    char module[NAME_SIZE], function[NAME_SIZE], qualname[NAME_SIZE], file[FILE_SIZE];
    struct code_record key = {
        .module = module, .function = function, .qualname = qualname, .file = file};

    PyObject *module_name = dict_read_name(globals, s_module_name);

    text_name(module_name, module, NAME_SIZE);
    Py_XDECREF(module_name);
    /* So multiprocessing and loky call the script in their workers: for the user it is one. */
    if (!strcmp(module, "__mp_main__"))
        strcpy(module, "__main__");
    read_text(code, s_name, function, NAME_SIZE);
    read_text(code, s_qualname, qualname, NAME_SIZE);
    read_text(code, s_filename, file, FILE_SIZE);
    if (generated_is(&key))
        generated_name(code, s_name, qualname, NAME_SIZE);
    key.line = read_line(code);
    return acquire(&key);
}

struct code_record *code_named(const char *module, const char *function, const char *qualname) {
    return acquire(&(struct code_record){
        .module = module, .function = function, .qualname = qualname, .file = ""});
}

static struct code_record *insert(PyObject *code, PyObject *globals) {
    struct code_record *record = NULL;
    PyObject *watch = NULL;

    if (reserve() < 0)
        goto out;
    watch = watch_code(code);
    if (!watch)
        goto out;
    record = make_record(code, globals);
    if (!record)
        goto out;
    *slot_of(&code_table, code) = (struct code_slot){code, record, Py_NewRef(watch)};
    s_used++;
    code_made(record);
    if (record->lined)
        code_lined(code, record);
out:
    Py_XDECREF(watch);
    PyErr_Clear();
    return record;
}

struct code_record *code_find_in(PyObject *code, PyObject *globals) {
    struct code_record *record = slot_of(&code_table, code)->record;

    /* Any code can get our callbacks from sys.monitoring.register_callback() and pass anything. */
    if (!record && Py_TYPE(code) == s_code_type)
        record = insert(code, globals);
    if (!record)
        code_lost++;
    return record;
}

struct code_record *code_resolve(PyObject *code) {
    struct code_record *record = slot_of(&code_table, code)->record;

    return record ? record : code_find_in(code, PyEval_GetGlobals());
}

void code_replay(void) {
    if (probe_on(PROBE_code__new))
        code_store_each(fire_new, NULL);
}

static void decide(struct code_record *record, void *accepted) {
    bool before = record->rejected;

    record->rejected = is_rejected(record);
    decide_lines(record, NULL);
    if (!before || record->rejected)
        return;
    *(bool *)accepted = true;
    if (probe_on(PROBE_code__new))
        fire_new(record, NULL);
}

bool code_set_filters(const char *only, const char *exclude) {
    bool accepted = false;

    snprintf(s_only, sizeof s_only, "%s", only);
    snprintf(s_exclude, sizeof s_exclude, "%s", exclude);
    code_store_each(decide, &accepted);
    return accepted;
}

static void decide_recorded(struct code_record *record, void *unused) {
    (void)unused;
    record->unrecorded = is_unrecorded(record);
    decide_lines(record, NULL);
}

void code_decide_lines(void) {
    code_store_each(decide_lines, NULL);
}

bool code_is_code(PyObject *o) {
    return Py_TYPE(o) == s_code_type;
}

int code_mark_lines(PyObject *code, PyObject *globals) {
    struct code_record *record = code_find_in(code, globals);

    if (!record)
        return -1;
    code_marked = record->marked = true;
    decide_lines(record, NULL);
    if (record->lined)
        code_lined(code, record);
    return 0;
}

void code_each_record(void (*visit)(struct code_record *record, void *unused)) {
    code_store_each(visit, NULL);
}

/* The table may change under a visitor: it gets what was in it before. */
void code_each(void (*visit)(PyObject *code, struct code_record *record)) {
    PyObject **codes = malloc((s_used + 1) * sizeof *codes);
    size_t n = 0;

    for (size_t i = 0; codes && i <= code_table.mask; i++)
        if (code_table.slots[i].code)
            codes[n++] = Py_NewRef(code_table.slots[i].code);
    for (size_t i = 0; i < n; i++) {
        struct code_record *record = slot_of(&code_table, codes[i])->record;

        if (record)
            visit(codes[i], record);
        Py_DECREF(codes[i]);
    }
    free(codes);
}

void code_set_recorded(const char *only, const char *exclude) {
    if (strlen(only) < sizeof s_recorded_only && strlen(exclude) < sizeof s_recorded_exclude) {
        snprintf(s_recorded_only, sizeof s_recorded_only, "%s", only);
        snprintf(s_recorded_exclude, sizeof s_recorded_exclude, "%s", exclude);
    } else {
        s_recorded_only[0] = s_recorded_exclude[0] = '\0';
    }
    code_store_each(decide_recorded, NULL);
}

uint64_t code_losses(void) {
    return code_lost;
}

/* The code of our modules has the path by which the package was found, as the library has. */
static int read_own(PyObject *module) {
    PyObject *file = PyModule_GetFilenameObject(module);
    char *slash;

    if (!file)
        return -1;
    text_name(file, s_own, sizeof s_own);
    Py_DECREF(file);
    slash = strrchr(s_own, '/');
    if (slash)
        slash[1] = '\0';
    else
        strcpy(s_own, "pyusdt/");
    return 0;
}

int code_init(PyObject *module) {
    PyObject *code = Py_CompileString("", "pyusdt", Py_file_input);

    s_code_type = code ? Py_TYPE(code) : NULL;
    Py_XDECREF(code);
    s_name = PyUnicode_InternFromString("co_name");
    s_qualname = PyUnicode_InternFromString("co_qualname");
    s_filename = PyUnicode_InternFromString("co_filename");
    s_firstlineno = PyUnicode_InternFromString("co_firstlineno");
    s_module_name = PyUnicode_InternFromString("__name__");
    if (read_own(module) < 0 || !code || !s_name || !s_qualname || !s_filename || !s_firstlineno ||
        !s_module_name)
        return -1;
    code_table.mask = FIRST_SLOTS - 1;
    code_table.slots = calloc(FIRST_SLOTS, sizeof *code_table.slots);
    if (!code_table.slots) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}
