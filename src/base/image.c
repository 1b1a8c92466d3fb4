/* SPDX-License-Identifier: Apache-2.0 */
#include "base/image.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__) && defined(__LP64__)
enum { CALLED = R_X86_64_JUMP_SLOT, VALUE = R_X86_64_GLOB_DAT, ADDRESS = R_X86_64_64 };
#elif defined(__aarch64__) && defined(__LP64__)
enum { CALLED = R_AARCH64_JUMP_SLOT, VALUE = R_AARCH64_GLOB_DAT, ADDRESS = R_AARCH64_ABS64 };
#else
enum { CALLED = -1, VALUE = -1, ADDRESS = -1 };
#endif

/* The dynamic section, by what is read of it; 0: not there. */
struct dynamic {
    uintptr_t symbols, strings, calls, others;
    size_t strings_size, calls_size, others_size, n_relative;
    bool calls_lack_addends;
};

/* The segment that has `address`, or NULL. */
static const elf_segment *segment_of(const struct image *image, uintptr_t address) {
    for (size_t i = 0; i < image->n_segments; i++) {
        const elf_segment *segment = &image->segments[i];

        if (segment->p_type == PT_LOAD &&
            address - (image->base + segment->p_vaddr) < segment->p_memsz)
            return segment;
    }
    return NULL;
}

bool image_holds(const struct image *image, uintptr_t address) {
    return segment_of(image, address) != NULL;
}

/* How many bytes from `address` on are in its segment. */
static size_t room_at(const struct image *image, uintptr_t address) {
    const elf_segment *segment = segment_of(image, address);

    return segment ? image->base + segment->p_vaddr + segment->p_memsz - address : 0;
}

/* The dynamic linker of glibc replaces the addresses in a dynamic section by those in memory; that
 * of musl does not. */
static uintptr_t located(const struct image *image, uintptr_t address) {
    return image_holds(image, address) ? address : image->base + address;
}

/* Of `size` bytes at `address`: that many if they can be read, else 0. */
static size_t readable(const struct image *image, uintptr_t address, size_t size) {
    int protection;

    if (size > room_at(image, address))
        return 0;
    protection = maps_protection(image->maps, address, size);
    return protection >= 0 && protection & PROT_READ ? size : 0;
}

static void read_entry(const struct image *image, const elf_dynamic *entry, struct dynamic *found) {
    switch (entry->d_tag) {
    case DT_SYMTAB:
        found->symbols = located(image, entry->d_un.d_ptr);
        break;
    case DT_STRTAB:
        found->strings = located(image, entry->d_un.d_ptr);
        break;
    case DT_STRSZ:
        found->strings_size = entry->d_un.d_val;
        break;
    case DT_JMPREL:
        found->calls = located(image, entry->d_un.d_ptr);
        break;
    case DT_PLTRELSZ:
        found->calls_size = entry->d_un.d_val;
        break;
    case DT_PLTREL:
        found->calls_lack_addends = entry->d_un.d_val != DT_RELA;
        break;
    case DT_RELA:
        found->others = located(image, entry->d_un.d_ptr);
        break;
    case DT_RELASZ:
        found->others_size = entry->d_un.d_val;
        break;
    case DT_RELACOUNT:
        found->n_relative = entry->d_un.d_val;
        break;
    }
}

static bool read_dynamic(struct image *image, struct dynamic *found) {
    const elf_dynamic *entries;
    size_t n = 0;

    for (size_t i = 0; i < image->n_segments; i++) {
        const elf_segment *segment = &image->segments[i];

        if (segment->p_type == PT_DYNAMIC) {
            image->dynamic = image->base + segment->p_vaddr;
            n = readable(image, image->dynamic, segment->p_memsz) / sizeof *entries;
        }
    }
    entries = (const elf_dynamic *)image->dynamic;
    for (size_t i = 0; i < n && entries[i].d_tag != DT_NULL; i++)
        read_entry(image, &entries[i], found);
    return n > 0;
}

/* The size of the table of symbols is nowhere to be found: it ends before the strings, or with what
 * can be read. */
static size_t count_symbols(const struct image *image, uintptr_t symbols, uintptr_t strings) {
    size_t room = room_at(image, symbols);

    if (strings > symbols && strings - symbols < room)
        room = strings - symbols;
    return readable(image, symbols, room) / sizeof(elf_symbol);
}

static struct image_relocations relocations_at(const struct image *image, uintptr_t at, size_t size,
                                               size_t skipped) {
    struct image_relocations found = {.entries = (const elf_relocation *)at};
    size_t n = readable(image, at, size) / sizeof *found.entries;

    if (skipped < n) {
        found.entries += skipped;
        found.n = n - skipped;
    }
    return found;
}

bool image_open(struct image *image, const struct dl_phdr_info *info, const struct maps *maps) {
    struct dynamic found = {0};

    *image = (struct image){.base = info->dlpi_addr,
                            .segments = info->dlpi_phdr,
                            .n_segments = info->dlpi_phnum,
                            .maps = maps};
    if (!read_dynamic(image, &found))
        return false;
    image->symbols = (const elf_symbol *)found.symbols;
    image->n_symbols = count_symbols(image, found.symbols, found.strings);
    image->strings = (const char *)found.strings;
    image->strings_size = readable(image, found.strings, found.strings_size);
    if (!found.calls_lack_addends)
        image->relocations[0] = relocations_at(image, found.calls, found.calls_size, 0);
    image->relocations[1] =
        relocations_at(image, found.others, found.others_size, found.n_relative);
    return image->n_symbols && image->strings_size;
}

/* Whether the words of this relocation are what we call slots. */
static bool is_slot(const elf_relocation *relocation) {
    int64_t type = (int64_t)ELF64_R_TYPE(relocation->r_info);

    return type == CALLED || type == VALUE || (type == ADDRESS && relocation->r_addend == 0);
}

/* NULL: it is outside the image's tables. */
static const elf_symbol *symbol_of(const struct image *image, const elf_relocation *relocation) {
    size_t index = ELF64_R_SYM(relocation->r_info);
    const elf_symbol *symbol;

    if (index >= image->n_symbols)
        return NULL;
    symbol = &image->symbols[index];
    if (symbol->st_name >= image->strings_size ||
        !memchr(image->strings + symbol->st_name, 0, image->strings_size - symbol->st_name))
        return NULL;
    return symbol;
}

static bool is_in_data(const struct image *image, uintptr_t address) {
    const elf_segment *segment = segment_of(image, address);

    return segment && segment->p_flags & PF_W && address % sizeof(void *) == 0 &&
           room_at(image, address) >= sizeof(void *);
}

static void visit_one(const struct image *image, const elf_relocation *relocation, image_visitor fn,
                      void *arg) {
    const elf_symbol *symbol;
    struct image_slot slot = {.address = image->base + relocation->r_offset};

    if (!is_slot(relocation) || !is_in_data(image, slot.address))
        return;
    symbol = symbol_of(image, relocation);
    if (!symbol)
        return;
    slot.symbol = image->strings + symbol->st_name;
    slot.own = symbol->st_shndx != SHN_UNDEF ? image->base + symbol->st_value : 0;
    slot.called = (int64_t)ELF64_R_TYPE(relocation->r_info) == CALLED;
    fn(arg, &slot);
}

void image_visit(const struct image *image, image_visitor fn, void *arg) {
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < image->relocations[kind].n; i++)
            visit_one(image, &image->relocations[kind].entries[i], fn, arg);
}
