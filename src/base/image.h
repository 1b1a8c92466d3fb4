/* SPDX-License-Identifier: Apache-2.0
 *
 * A loaded ELF image, as dl_iterate_phdr() describes it, and its slots: the words in which the
 * dynamic linker puts the addresses of functions of other libraries, for calls and as values.
 *
 * Nothing of the image is trusted: what is read must lie in one of its segments, and be mapped
 * for reading. x86-64 and aarch64; on other machines an image has no slots.
 *
 * No Python.h, no GIL, no allocation. Within the callback of dl_iterate_phdr().
 */
#ifndef PYUSDT_BASE_IMAGE_H
#define PYUSDT_BASE_IMAGE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/maps.h"

typedef ElfW(Phdr) elf_segment;
typedef ElfW(Sym) elf_symbol;
typedef ElfW(Rela) elf_relocation;
typedef ElfW(Dyn) elf_dynamic;

struct image_relocations {
    const elf_relocation *entries;
    size_t n;
};

struct image {
    uintptr_t base;
    const elf_segment *segments; /* borrowed, as all below */
    size_t n_segments;
    const struct maps *maps;
    uintptr_t dynamic; /* with the base, what an image is known by */

    const elf_symbol *symbols;
    size_t n_symbols;
    const char *strings;
    size_t strings_size;
    struct image_relocations relocations[2]; /* of functions that are called, and all others */
};

struct image_slot {
    uintptr_t address; /* of the word; aligned, in a segment that was writable once */
    const char *symbol;
    uintptr_t own; /* the address that the image itself defines for the symbol, or 0 */
    bool called;   /* only ever called; may be looked up as late as by the first call */
};

typedef void (*image_visitor)(void *arg, const struct image_slot *slot);

/* False: it has nothing to be read. */
bool image_open(struct image *image, const struct dl_phdr_info *info, const struct maps *maps);

/* Whether `address` is within a segment. */
bool image_holds(const struct image *image, uintptr_t address);

/* Calls `fn` for the slots, some perhaps twice. */
void image_visit(const struct image *image, image_visitor fn, void *arg);

#endif
