/* SPDX-License-Identifier: Apache-2.0 */
#include "provider.h"

#include <Python.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/elfnotes.h"
#include "probe/probes.h"
#include "python/compat.h"

#define LIBRARY "libpyusdt_compat.so"

/* A search for the file that an address was loaded from. */
struct search {
    uintptr_t address;
    bool program; /* the next object is the program itself: it comes first, its name is empty */
    char path[PATH_MAX];
};

static bool contains(const struct dl_phdr_info *object, uintptr_t address) {
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

        if (segment->p_type == PT_LOAD &&
            address - object->dlpi_addr - segment->p_vaddr < segment->p_memsz)
            return true;
    }
    return false;
}

static int find_object(struct dl_phdr_info *object, size_t size, void *data) {
    struct search *search = data;
    const char *name = search->program ? "/proc/self/exe" : object->dlpi_name;
    bool found = contains(object, search->address);

    (void)size;
    search->program = false;
    if (found)
        snprintf(search->path, sizeof search->path, "%s", name);
    return found;
}

/* Whether the file of the interpreter's code, a program or a libpython, has function__entry: 1, 0,
 * or -1 if that cannot be determined. */
static int interpreter_has_probes(void) {
    struct search search = {(uintptr_t)PyEval_GetFrame, true, ""};

    dl_iterate_phdr(find_object, &search);
    return elfnotes_have(search.path, "python", "function__entry");
}

/* The path of our library, which lies beside this one. false if it cannot be built. */
static bool library_path(char *path, size_t size) {
    Dl_info us;
    const char *slash;
    int length;

    if (!dladdr(probes_info, &us) || !us.dli_fname)
        return false;
    slash = strrchr(us.dli_fname, '/');
    length = slash ? (int)(slash + 1 - us.dli_fname) : 0;
    length = snprintf(path, size, "%.*s" LIBRARY, length, us.dli_fname);
    return length > 0 && (size_t)length < size;
}

enum provider provider_load(void) {
    char path[PATH_MAX];
    void *library = NULL;
    const struct pyusdt_compat *compat = NULL;

    if (compat_knows_function_probes() && interpreter_has_probes() != 0)
        return PROVIDER_INTERPRETER;
    if (library_path(path, sizeof path))
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library)
        compat = dlsym(library, PYUSDT_COMPAT_SYMBOL);
    if (!compat) {
        if (library)
            dlclose(library);
        return PROVIDER_MISSING;
    }
    probes_connect(compat);
    return PROVIDER_OURS;
}
